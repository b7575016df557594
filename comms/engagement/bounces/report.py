"""A parsed message -> what it tells us, sorted: the notice for people, the fields for machines, what it returns.

Decides nothing about what any of it means.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from comms.engagement.bounces.mime import Headers, Part, parse, split_header

LONGEST_NOTICE = 200_000
"""Characters of the text for people that are looked at."""

_ORIGINALS = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "text/rfc822", "message/global")
_STATUSES = ("message/delivery-status", "message/global-delivery-status", "text/delivery-status")
_BREAK = re.compile(r"(?i)<\s*(?:br|/p|/div|/tr|/li|/h\d|/td|/pre|p)\b[^>]{0,500}>")
_HIDDEN = re.compile(r"(?i)<(/?)(?:style|script|head)\b[^<>]{0,500}>")
_MAILTO = re.compile(r"(?i)<a\b[^<>]{0,500}?href=[\"']?mailto:([^\"'?<>\s]{3,320})[^<>]{0,500}>(?=[^<@]{0,200}<)")
"""A link to somebody who is only named in the text."""
_TAG = re.compile(r"</?[a-zA-Z!](?![^<>@]{0,200}@)[^<>]{0,2000}>")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}: ?\S?")
_ORIGINAL_FIELD = re.compile(
    r"(?i)(?:received|return-path|message-id|from|to|subject|date|mime-version|x-[\w-]+|content-type|sender|reply-to"
    r"|dkim-signature|delivered-to|cc|arc-[\w-]+|list-[\w-]+|user-agent|references|in-reply-to|precedence)\s?:"
)
_TELLING = re.compile(r"(?i)(?:received|return-path|message-id|dkim-signature|mime-version|x-[\w-]+|content-type)\s?:")
_MARKER = re.compile(
    r"(?i)(?=.{0,200}(?:original|copy of (?:the|your)|returned|unsent|undelivered|below this line|your message"
    r"|headers?|"
    r"follows|urspr|message d'origine|mensaje original|mensagem original|messaggio originale|исходн|письм))"
    r"[\s>|]{0,20}(?:[-=*_#+~]{2,}|begin|original|the (?:header|original|first|following)|a copy|returned|unsent|"
    r"(?:your |the )?(?:undelivered|message) (?:follows|header|text|contents)|below this line|this is a copy"
    r"|return message).*"
)


@dataclass(frozen=True)
class Report:
    """What stands in a message. `original` is the returned message's header, empty when nothing is returned."""

    headers: Headers
    kind: str
    report_type: str
    notice: str
    rest: str
    """Text after the notice that may be the returned message, or more of the notice."""
    statuses: tuple[str, ...]
    feedback: tuple[str, ...]
    disposition: str
    original: Headers
    returned: bytes
    """The returned message whole, where it came as a part of its own."""


def read_report(data: bytes) -> Report:
    """Sort the parts of a message."""
    root = parse(data)
    plain: list[str] = []
    pages: list[str] = []
    statuses: list[str] = []
    feedback: list[str] = []
    disposition = ""
    returned = b""
    original: Headers | None = None
    for part in leaves(root):
        if part.kind in _STATUSES:
            statuses.append(part.text()[:LONGEST_NOTICE])
        elif part.kind == "message/feedback-report":
            feedback.append(part.text()[:LONGEST_NOTICE])
        elif part.kind.startswith("message/disposition"):
            disposition += part.text()[:LONGEST_NOTICE]
        elif part.kind.startswith(_ORIGINALS):
            if original is None:
                returned = part.decoded().lstrip(b"\n")
                original, _ = split_header(returned)
        elif part.kind == "text/html":
            pages.append(without_tags(part.text()[:LONGEST_NOTICE]))
        elif part.kind.startswith("text/") or part is root or part.kind == "application/json":
            plain.append(part.text()[:LONGEST_NOTICE])
    notice, rest = _before_original("\n".join(plain)[:LONGEST_NOTICE])
    if len(notice.split()) < 3 or ("@" not in notice and not statuses and any("@" in page for page in pages)):
        notice, rest = _before_original("\n".join([*plain, *pages])[:LONGEST_NOTICE])
    return Report(
        headers=root.headers,
        kind=root.kind,
        report_type=root.parameters.get("report-type", "").lower(),
        notice=notice,
        rest=rest,
        statuses=tuple(statuses),
        feedback=tuple(feedback),
        disposition=disposition,
        original=original if original and original.fields else header_in(rest),
        returned=returned,
    )


def leaves(root: Part) -> Iterator[Part]:
    """Every part that holds no others, in order."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.parts:
            waiting += reversed(part.parts)
        else:
            yield part


def without_tags(page: str) -> str:
    """The text of a page of HTML, with lines where it breaks them."""
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", _MAILTO.sub(r" \1 ", _shown(page)))))


def _shown(page: str) -> str:
    """The page without what a reader does not see. An element that is never closed hides nothing."""
    kept: list[str] = []
    position, hidden_from = 0, -1
    for tag in _HIDDEN.finditer(page):
        if tag[1] and hidden_from >= 0:
            kept.append(page[position:hidden_from])
            position, hidden_from = tag.end(), -1
        elif not tag[1] and hidden_from < 0:
            hidden_from = tag.start()
    return "".join([*kept, page[position:]])


def _before_original(text: str) -> tuple[str, str]:
    """The notice, and what a server put below it: a line says so, or a header begins."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        # The first lines may be a marker of the notice itself.
        if number and len(line) < 300 and _MARKER.match(line) and _begins_header(lines[number + 1 : number + 12]):
            return "\n".join(lines[:number]), "\n".join(lines[number + 1 :])
        if number and _ORIGINAL_FIELD.match(line) and _is_header(lines[number : number + 12]):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
    return text, ""


def _begins_header(lines: list[str]) -> bool:
    """Does a header begin within the next lines, blank and quoted ones aside."""
    found = [line for line in lines if line.strip() and not line.lstrip().startswith(("-", "="))]
    return not found or any(_ORIGINAL_FIELD.match(line.lstrip("> \t|")) for line in found[:4])


def _is_header(lines: list[str]) -> bool:
    """Is this a header, rather than one line of a notice that looks like a field."""
    fields = 0
    telling = False
    for line in lines:
        if _FIELD.match(line):
            fields += 1
            telling = telling or _TELLING.match(line) is not None
        elif not line[:1].isspace() or not line.strip():
            break
    return fields >= 3 and telling


def header_in(text: str) -> Headers:
    """The header that stands somewhere in the text, indented or quoted perhaps; empty when there is none."""
    lines = text.split("\n")[:2_000]
    for number, line in enumerate(lines):
        bare = line.lstrip("> \t|")
        if _ORIGINAL_FIELD.match(bare):
            margin = line[: len(line) - len(bare)]
            block = [each.removeprefix(margin) for each in lines[number:]]
            headers, _ = split_header("\n".join(block).encode("utf-8", "replace"))
            if len(headers.fields) > 1:
                return headers
    return Headers()
