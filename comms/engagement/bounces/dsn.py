"""Delivery status fields (RFC 3464, RFC 6533), wherever they stand and however they are grouped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from comms.engagement.bounces.addresses import typed_address
from comms.engagement.bounces.mime import decode_words

_NAMES = frozenset(
    "original-envelope-id reporting-mta dsn-gateway received-from-mta arrival-date final-recipient original-recipient "
    "action status remote-mta diagnostic-code last-attempt-date final-log-id will-retry-until x-actual-recipient "
    "x-original-message-id localized-diagnostic".split()
)
_LINE = re.compile(r"[\s>*|]{0,20}([A-Za-z][A-Za-z-]{1,40})[ \t]{0,5}:(.*)")
_RECIPIENTS = ("final-recipient", "original-recipient", "x-actual-recipient")
_DIAGNOSTIC_TYPE = re.compile(
    r"(?:smtp|x-[\w-]{1,40}|x\.\w+|unix|dns|unknown|rfc822|expired)\s{0,5};\s*", re.IGNORECASE
)
_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
_MOST_GROUPS = 500


@dataclass(frozen=True)
class RecipientFields:
    """What the fields say of one recipient; each empty when it is missing.

    `recipient` is the one that failed, `written_to` the one that the sender named, if that is another.
    """

    recipient: str
    written_to: str
    action: str
    status: str
    diagnostic: str


def recipients_in(text: str) -> list[RecipientFields]:
    """One entry per recipient that the fields in the text name."""
    return [found for group in _groups(text) if (found := _recipient(group))]


def has_fields(text: str) -> bool:
    """Does a text for people hold the fields too."""
    return re.search(r"(?im)^[\s>*|]{0,20}(?:final|original)-recipient\s{0,5}:", text) is not None


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Fields in order with their continuation lines; a blank line is a field without name."""
    name, value, margin = "", "", 0
    for line in text.split("\n"):
        match = _LINE.match(line)
        if match and match[1].lower() in _NAMES:
            if name:
                yield name, value
            name, value, margin = match[1].lower(), match[2], match.start(1)
        elif not line.strip():
            if name:
                yield name, value
            name, value = "", ""
            yield "", ""
        elif name and len(line) - len(line.lstrip()) > margin and len(value) < 20_000:
            value += "\n" + line.strip()
        elif name and not match and name == "diagnostic-code" and len(value) < 20_000:
            # Some servers fold this one without the space that should begin the line.
            value += "\n" + line.strip()
        elif name:
            yield name, value
            name, value = "", ""
    if name:
        yield name, value


def _groups(text: str) -> list[dict[str, str]]:
    """Fields by recipient. A field that comes again, or a recipient after a blank line, begins the next one."""
    groups: list[dict[str, str]] = [{}]
    blank = False
    for name, value in _fields(text):
        if not name:
            blank = True
            continue
        named = any(field in groups[-1] for field in _RECIPIENTS)
        if name in groups[-1] or (blank and named and name in (*_RECIPIENTS, "action")):
            if len(groups) >= _MOST_GROUPS:
                break
            groups.append({})
        groups[-1][name] = value
        blank = False
    return groups


def _recipient(group: dict[str, str]) -> RecipientFields | None:
    if not any(name in group for name in _RECIPIENTS):
        return None
    final, original, actual = (typed_address(decode_words(group.get(name, ""))) for name in _RECIPIENTS)
    # A final recipient may be a name that means something to its own server only.
    whole = [address for address in (final, original, actual) if "." in address.rpartition("@")[2]]
    recipient = next(iter(whole), final or original or actual)
    action = group.get("action", "").strip().lower()
    return RecipientFields(
        recipient=recipient,
        written_to=original if original != recipient else "",
        action=next((word for word in _ACTIONS if action.startswith(word)), ""),
        status=group.get("status", "").strip(),
        diagnostic=_DIAGNOSTIC_TYPE.sub("", decode_words(group.get("diagnostic-code", "")), count=1),
    )
