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
    """The blocks (as `body.py` describes them) as text, wrapped at `WIDTH`; addresses stay whole."""
    return "\n\n".join("\n".join(lines) for lines in _paragraphs(blocks, follow, WIDTH) if lines)


def footer(*, name: str, postal_lines: Sequence[str], why: str, links: Sequence[tuple[str, str]]) -> str:
    """Who sent this, why, and `label: address` lines."""
    lines = ["-- ", name, *postal_lines, "", *_wrap(why, WIDTH), ""]
    return "\n".join([*lines, *(f"{label}: {address}" for label, address in links)])


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
                yield [f"> {line}".rstrip() for line in inner]
            case "divider":
                yield ["* * *".center(width).rstrip()]
            case "columns":
                for column in block["columns"]:
                    yield from _paragraphs(column, follow, width)


def _image(block: Data, follow: Follow, width: int) -> list[str]:
    words = [f"[{block['alt']}]"] if block["alt"] else []
    words += [block["caption"]] if block["caption"] else []
    lines = [line for text in words for line in _wrap(text, width)]
    return [*lines, follow(block["url"])] if block["url"] else lines


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
                said = address.removeprefix("mailto:") == label
                parts.append(follow(address) if said else f"{label} ({follow(address)})")
            case "strong" | "emphasis" | "code":
                parts.append(_inline(span["spans"], follow))
    return "".join(parts)


def _wrap(text: str, width: int) -> list[str]:
    return [
        line
        for paragraph in text.split("\n")
        for line in textwrap.wrap(paragraph, max(width, 20), break_long_words=False, break_on_hyphens=False) or [""]
    ]
