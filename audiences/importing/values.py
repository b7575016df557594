"""What cells say: yes and no, dates in the ways people write them, lists, nested data, languages, time zones. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from zoneinfo import available_timezones

from audiences.attributes import clean_text
from audiences.membership import CURRENT_STATUSES
from audiences.models import attribute_name

YES = frozenset("yes y true t 1 x on subscribed opted-in opted_in opt-in granted confirmed si sí oui ja".split())
PLAIN_NO = frozenset("no n false f 0 off non nein".split())
MAX_NESTED_VALUES = 500
"""That one cell of nested data may hold."""
MAX_TAGS = 100
"""Of one person."""
MAX_TAG_CHARACTERS = 200

_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,4}", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"(?:[T, ]+(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2}))?(?: ?(?P<half>[ap])\.?m\.?)?)?"
_MONTH = r"(?P<m>(?:" + "|".join(_MONTHS) + r")[a-z]*)"
_DATES = tuple(
    re.compile(pattern + _TIME, re.ASCII | re.IGNORECASE)
    for pattern in (
        rf"(?P<d>\d{{1,2}})[ -]{_MONTH}\.?[ ,-]+(?P<y>\d{{4}})",
        rf"{_MONTH}\.? (?P<d>\d{{1,2}}),? (?P<y>\d{{4}})",
        r"(?P<y>\d{4})[/-](?P<m>\d{1,2})[/-](?P<d>\d{1,2})",
        r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})",
        r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})",
    )
)


def is_yes(cell: str) -> bool:
    return clean_text(cell).casefold() in YES


def is_plain_no(cell: str) -> bool:
    return clean_text(cell).casefold() in PLAIN_NO


def is_flagged(cell: str) -> bool:
    """In an opt-out column anything that is not a plain no counts as a yes: a date, a reason, a name."""
    said = clean_text(cell).casefold()
    return bool(said) and said not in PLAIN_NO


def language(cell: str) -> str | None:
    """A language tag (BCP 47) as it is stored, None when the cell holds none."""
    text = cell.strip()
    return text.replace("_", "-") if _LANGUAGE_TAG.fullmatch(text) else None


def timezone(cell: str) -> str | None:
    """An IANA zone, None when the cell holds none."""
    text = cell.strip()
    return text if text in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def moment(cell: str) -> datetime | None:
    """The moment a cell names, in UTC, which is also meant where it names no zone; None when it names none."""
    found = _date_time(cell)
    try:
        return found if found is None else found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        return None


def iso_date(cell: str) -> str | None:
    """The day a cell names, `01 Mar 2027` -> `2027-03-01`; None when it names none. `3/1/2027` is in March."""
    found = _date_time(cell)
    return found.date().isoformat() if found else None


def _date_time(cell: str) -> datetime | None:
    text = clean_text(cell[:80])
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _DATES:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            month = _month(parts["m"])
            day = int(parts["d"])
            if "/" in text and month > 12:  # only the other order makes a date of it
                day, month = month, day
            try:
                return datetime(int(parts["y"]), month, day, _hour(parts), *_minutes(parts))  # noqa: DTZ001
            except ValueError:
                return None
    return None


def _month(text: str) -> int:
    return int(text) if text.isdecimal() else _MONTHS.index(text[:3].casefold()) + 1


def _hour(parts: Mapping[str, str | None]) -> int:
    hour, half = int(parts["H"] or 0), (parts["half"] or "").casefold()
    return hour % 12 + (12 if half == "p" else 0) if half else hour


def _minutes(parts: Mapping[str, str | None]) -> tuple[int, int]:
    return int(parts["M"] or 0), int(parts["S"] or 0)


def split_at(separators: str) -> Callable[[str], list[str]]:
    """A splitter of cells that hold a list, at what the regular expression `separators` matches."""
    pattern = re.compile(separators)
    return pattern.split


def quoted_list(cell: str) -> list[str]:
    """A comma-separated list whose items may be quoted: `"Friends, old",Editors`."""
    try:
        return next(csv.reader([cell.replace("\n", " ").replace("\r", " ")], skipinitialspace=True), [])
    except csv.Error:
        return cell.split(",")


def label(text: str) -> str:
    """Text that names a thing, such as a tag or an id: cleaned, and without characters that nobody can see."""
    return "".join(char for char in clean_text(text) if char.isprintable())


def tags(items: list[str]) -> tuple[str, ...]:
    """The tags, cleaned, each once. Raises ValueError when they are too many or too long."""
    cleaned = tuple(dict.fromkeys(tag for tag in map(label, items) if tag))
    if len(cleaned) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARACTERS for tag in cleaned):
        raise ValueError(f"has too many or too long tags; {MAX_TAGS} of {MAX_TAG_CHARACTERS} characters are allowed")
    return cleaned


def flattened(data: object) -> dict[str, str]:
    """Nested data as attributes: `{"a": {"b": 1}}` -> `a_b`; lists of plain values as one text.

    Raises ValueError when there are more than `MAX_NESTED_VALUES`, or `data` is no object.
    """
    if not isinstance(data, dict):
        raise ValueError("is no set of names and values")
    flat: dict[str, str] = {}
    for path, value in _leaves(data):
        name = attribute_name("_".join(path))
        if len(flat) >= MAX_NESTED_VALUES or len(name) > MAX_TAG_CHARACTERS:
            raise ValueError(f"holds too many or too long names; {MAX_NESTED_VALUES} are allowed")
        if name and value:
            flat.setdefault(name, value)
    return flat


def _leaves(data: object) -> Iterator[tuple[list[str], str]]:
    """(path, text) of each plain value, in order; without recursion, so that no depth is too deep."""
    waiting: list[tuple[list[str], object]] = [([], data)]
    while waiting:
        path, value = waiting.pop()
        children: list[tuple[list[str], object]] = []
        if isinstance(value, dict):
            children = [([*path, str(key)], child) for key, child in value.items()]
        elif isinstance(value, list | tuple | set | frozenset):
            if any(isinstance(item, dict | list | tuple | set) for item in value):
                children = [([*path, str(number)], child) for number, child in enumerate(value, start=1)]
            else:
                yield path, ", ".join(_plain(item) for item in value)
        else:
            yield path, _plain(value)
        if len(children) + len(waiting) > 10 * MAX_NESTED_VALUES or len(path) > MAX_TAG_CHARACTERS:
            raise ValueError("holds far too much nested data")
        waiting.extend(reversed(children))


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # Text of its own kind, so that no number too long to be written out is tried.
    return str(value) if isinstance(value, str | int | float | Decimal) else ""


def is_current_member(status: str) -> bool:
    """Does a membership of this status, as Wild Apricot, CiviCRM or MemberClicks name it, hold now."""
    return re.sub(r"[^a-z]", "", status.casefold()) in CURRENT_STATUSES
