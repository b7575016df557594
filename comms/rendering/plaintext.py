"""The text part of a newsletter, made from its blocks. Knows no template and no HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

from comms.rendering.body import Data

WIDTH = 72
"""RFC 5322 section 2.1.1 recommends at most 78; quoting in replies needs room."""

Follow = Callable[[str], str]
"""An address -> the one to print for it."""


def body(blocks: Sequence[Data], follow: Follow) -> str:
    """The blocks (as `body.py` describes them) as text, wrapped at `WIDTH`; addresses stay whole.

    Every paragraph is followed by an empty line, which so comes and goes with the paragraph.
    """
    return "".join(_passages(blocks, follow))


def with_facts(blocks: Sequence[Data], facts: Sequence[Data]) -> list[Data]:
    """The blocks with what the template is told beside them (`slots.facts`), below the heading they begin with."""
    entries = [
        [{"kind": "text", "spans": [{"kind": "text", "text": f"{fact['lead']} "}, *fact["spans"]]}] for fact in facts
    ]
    listed = [{"kind": "list", "ordered": False, "start": 1, "entries": entries}] if entries else []
    at = 1 if blocks and blocks[0]["kind"] == "heading" else 0
    return [*blocks[:at], *listed, *blocks[at:]]


def footer(*, name: str, postal_lines: Sequence[str], notes: Sequence[str], links: Sequence[tuple[str, str]]) -> str:
    """Who sent this, notes such as why, each a paragraph unless it is empty, and `label: address` lines."""
    lines = ["-- ", name, *postal_lines, ""]
    for note in filter(None, notes):
        lines += [*_wrap(note, WIDTH), ""]
    return "\n".join([*lines, *(f"{label}: {address}" for label, address in links)])


def _passages(blocks: Sequence[Data], follow: Follow) -> Iterator[str]:
    for block in blocks:
        if block["kind"] == "when":
            yield block["test"]
            yield from _passages(block["blocks"], follow)
            yield block["otherwise_mark"]
            yield from _passages(block["otherwise"], follow)
            yield block["end"]
        elif block["kind"] == "columns":
            for column in block["columns"]:
                yield from _passages(column, follow)
        else:
            paragraphs = ("\n".join(lines) for lines in _paragraphs([block], follow, WIDTH) if lines)
            yield from (f"{paragraph}\n\n" for paragraph in paragraphs)


def _paragraphs(blocks: Sequence[Data], follow: Follow, width: int) -> Iterator[list[str]]:
    for block in blocks:
        match block["kind"]:
            case "heading":
                lines = _wrap(_inline(block["spans"], follow), width)
                rule = "=" if block["level"] == 1 else "-"
                yield [*lines, rule * min(width, max(map(len, lines), default=0))]
            case "text":
                yield _wrap(_inline(block["spans"], follow), width)
            case "button":
                label = " ".join(_inline(block["spans"], follow).split())
                yield [f"{label}: {follow(block['url'])}"]
            case "image":
                yield _image(block, follow, width)
            case "list":
                yield _list(block, follow, width)
            case "quote":
                inner = _joined(_paragraphs(block["blocks"], follow, width - 2))
                said_by = _wrap(f"-- {name}", width - 2) if (name := block["attribution"]) else []
                yield [f"> {line}".rstrip() for line in (*inner, *said_by)]
            case "divider":
                yield ["* * *".center(width).rstrip()]
            case "person":
                yield _with_address(
                    _wrap(", ".join(filter(None, (block["name"], block["role"]))), width), block, follow
                )
                yield from _paragraphs(block["blocks"], follow, width)
            case "statistic":
                yield _wrap(f"{block['number']} {_inline(block['spans'], follow)}", width)
            case "event":
                yield from _event(block, follow, width)
            case "poll":
                yield _wrap(block["question"], width)
                yield [f"* {answer['text']}: {follow(answer['url'])}" for answer in block["answers"]]


def _image(block: Data, follow: Follow, width: int) -> list[str]:
    words = [f"[{block['alt']}]"] if block["alt"] else []
    words += [block["caption"]] if block["caption"] else []
    return _with_address([line for text in words for line in _wrap(text, width)], block, follow)


def _event(block: Data, follow: Follow, width: int) -> Iterator[list[str]]:
    facts = [line for text in (block["title"], block["when"], block["place"]) if text for line in _wrap(text, width)]
    yield _with_address(facts, block, follow)
    yield from _paragraphs(block["blocks"], follow, width)
    if block["calendar"]:
        yield [f"{block['calendar_label']}: {follow(block['calendar'])}"]


def _with_address(lines: list[str], block: Data, follow: Follow) -> list[str]:
    """The lines, and below them where the block leads."""
    return [*lines, follow(block["url"]).removeprefix("mailto:")] if block["url"] else lines


def _list(block: Data, follow: Follow, width: int) -> list[str]:
    lines: list[str] = []
    for number, entry in enumerate(block["entries"], block["start"]):
        mark = f"{number}. " if block["ordered"] else "* "
        inner = _joined(_paragraphs(entry, follow, width - len(mark)), loose=False)
        lines += textwrap.indent("\n".join(inner), " " * len(mark)).splitlines() or [""]
        first = len(lines) - max(len(inner), 1)
        lines[first] = mark + lines[first].lstrip(" ")
    return lines


def _joined(paragraphs: Iterator[list[str]], *, loose: bool = True) -> list[str]:
    lines: list[str] = []
    for paragraph in paragraphs:
        if lines and loose:
            lines.append("")
        lines += paragraph
    return lines


def _inline(spans: Sequence[Data], follow: Follow) -> str:
    parts: list[str] = []
    for span in spans:
        match span["kind"]:
            case "text":
                parts.append(" ".join(span["text"].split("\n")))
            case "break":
                parts.append("\n")
            case "link":
                label, address = _inline(span["spans"], follow), span["url"]
                shown, said = follow(address), address.removeprefix("mailto:") == label
                parts.append(shown.removeprefix("mailto:") if said else f"{label} ({shown})")
            case "strong" | "emphasis" | "code":
                parts.append(_inline(span["spans"], follow))
    return "".join(parts)


def _wrap(text: str, width: int) -> list[str]:
    return [
        line
        for paragraph in text.split("\n")
        for line in textwrap.wrap(paragraph, max(width, 20), break_long_words=False, break_on_hyphens=False) or [""]
    ]
