"""Rules, members and databases for the tests of the segment language."""

from __future__ import annotations

import json
import random
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sqlite_utils
from hypothesis import strategies as st

from audiences.models import AttributeValue, Member
from audiences.segments import to_sql
from audiences.segments.tree import (
    And,
    Compare,
    Everyone,
    HasText,
    Name,
    Node,
    Not,
    OneOf,
    Or,
    Order,
    Part,
    Present,
    Rule,
)
from audiences.segments.values import LONGEST_OFFSET, Day, Number, RelativeDay, Text, Unit, Value, bare

TODAY = date(2027, 1, 31)


# --- databases --------------------------------------------------------------------------------


def open_databases() -> Iterator[sqlite_utils.Database]:
    """One empty `member` table on each SQLite at hand: the one of sqlite-utils, and the one of Python."""
    for database in (sqlite_utils.Database(memory=True), sqlite_utils.Database(sqlite3.connect(":memory:"))):
        database.conn.execute(
            "CREATE TABLE member (id INTEGER PRIMARY KEY, address TEXT, language TEXT, timezone TEXT,"
            " attributes TEXT NOT NULL)"
        )
        yield database


def fill(database: sqlite_utils.Database, members: Sequence[Member]) -> None:
    """Replace what is in `database` by `members`, numbered from 0."""
    database.conn.execute("DELETE FROM member")
    database.conn.executemany(
        "INSERT INTO member VALUES (?, ?, ?, ?, ?)",
        [(number, m.address, m.language, m.timezone, as_json(m.attributes)) for number, m in enumerate(members)],
    )


def as_json(attributes: Mapping[str, AttributeValue]) -> str:
    return json.dumps(dict(attributes), ensure_ascii=False, default=float)


def selected(database: sqlite_utils.Database, rule: Rule, today: date = TODAY) -> list[int]:
    """The numbers of the members that the database finds."""
    condition = to_sql(rule, today)
    rows = database.conn.execute(f"SELECT id FROM member WHERE {condition.sql} ORDER BY id", condition.parameters)
    return [number for (number,) in rows]


# --- rules ------------------------------------------------------------------------------------

KEYS = ("state", "population_served", "été", "grösse", "名前", "in", "_2024", "address", "language", "timezone")
_TEXTS = ("HI", "hi", "or", "É", "é", "99556", "02134", "K-12", "O'Neil", '"', "\\", "%", "_", "*", "2025-01-31")
_NUMBERS = ("0", "-0", "1", "1.0", "-1.5", "0.1", "99556", "9007199254740993", "9223372036854775807")
_MORE_NUMBERS = ("-9223372036854775808", "9223372036854775808", "1180591620717411303424", "0.30000000000000004")
_DAYS = (date(1, 1, 1), date(2024, 2, 29), date(2025, 1, 31), TODAY, date(9999, 12, 31))

names = st.sampled_from(KEYS).map(Name)
rule_characters = st.characters(
    exclude_categories=("Cc", "Cf", "Cs", "Cn", "Zl", "Zp"),
    exclude_characters="\ufffc\ufffd",
)
texts = (
    (st.sampled_from(_TEXTS) | st.text(rule_characters, min_size=1, max_size=6))
    .map(lambda text: _nfc(text))
    .filter(bool)
    .map(Text)
)
digits = st.sampled_from(_NUMBERS + _MORE_NUMBERS) | st.from_regex(
    r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,6})?", fullmatch=True
)
days = (st.sampled_from(_DAYS) | st.dates()).map(Day) | st.builds(
    lambda amount, unit: RelativeDay(max(-LONGEST_OFFSET[unit], min(amount, LONGEST_OFFSET[unit])), unit),
    st.integers(-400, 400) | st.integers(-40_000, 40_000),
    st.sampled_from(Unit),
).map(lambda day: day if day.amount else RelativeDay())
numbers = digits.map(lambda text: bare(text, 1))
values = texts | numbers | days

leaves = st.one_of(
    st.just(Everyone()),
    st.builds(Present, names),
    st.builds(OneOf, names, st.lists(values, min_size=1, max_size=4).map(tuple)),
    st.builds(Compare, names, st.sampled_from(Order), numbers | days),
    st.builds(HasText, names, st.sampled_from(Part), texts),
)


def _branches(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


trees: st.SearchStrategy[Node] = st.recursive(leaves, _branches, max_leaves=12)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


# --- trees as text ----------------------------------------------------------------------------


def render(node: Node, style: random.Random) -> str:
    """One of the many ways to write `node`."""
    match node:
        case Everyone():
            return _keyword("everyone", style)
        case And(parts):
            return _joined("and", [render(part, style) for part in parts], style)
        case Or(parts):
            return _joined("or", [render(part, style) for part in parts], style)
        case Not(Present(name)) if style.random() < 0.5:
            return f"{_name(name, style)} {_keyword('is missing', style)}"
        case Not(OneOf(name, (value,))) if style.random() < 0.5:
            return f"{_name(name, style)} {style.choice(['!=', '<>'])} {_value(value, style)}"
        case Not(OneOf(name, several)) if style.random() < 0.5:
            return f"{_name(name, style)} {_keyword('not in', style)} {_list(several, style)}"
        case Not(inner):
            return f"{_keyword('not', style)} {render(inner, style)}"
        case Present(name) if style.random() < 0.5:
            return f"{_keyword('has', style)} {_name(name, style)}"
        case Present(name):
            return f"{_name(name, style)} {_keyword('is present', style)}"
        case OneOf(name, (value,)) if style.random() < 0.5:
            return f"{_name(name, style)}{style.choice([' = ', '==', '= '])}{_value(value, style)}"
        case OneOf(name, several):
            return f"{_name(name, style)} {_keyword('in', style)} {_list(several, style)}"
        case Compare(name, order, value):
            return f"{_name(name, style)}{order}{_value(value, style)}"
        case HasText(name, part, text):
            return f"{_name(name, style)} {_keyword(part, style)} {_quoted(text.value, style)}"


def _joined(word: str, parts: list[str], style: random.Random) -> str:
    # Every part is given parentheses of its own at times, and the whole always.
    inside = [f"({part})" if style.random() < 0.2 else part for part in parts]
    return f"({f' {_keyword(word, style)} '.join(inside)})"


def _keyword(words: str, style: random.Random) -> str:
    return style.choice([words, words.upper(), words.title()]).replace(" ", style.choice([" ", "\n", " \t"]))


def _name(name: Name, style: random.Random) -> str:
    if name.key == "in":
        return "[in]"
    return style.choice([name.key, name.key.upper(), name.key.replace("ss", "ß"), f"[ {name.key} ]"])


def _list(several: Sequence[Value], style: random.Random) -> str:
    return f"({style.choice([', ', ',']).join(_value(value, style) for value in several)})"


def _value(value: Value, style: random.Random) -> str:
    match value:
        case Text(text):
            plain = text.isascii() and text.isalpha() and text.lower() != "today"
            return text if plain and style.random() < 0.5 else _quoted(text, style)
        case Number(int() as number):
            return str(number)
        case Number(number):
            digits_only = format(Decimal(repr(number)), "f")
            return digits_only if "." in digits_only else f"{digits_only}.0"
        case Day(day):
            return day.isoformat()
        case RelativeDay(0, _):
            return _keyword("today", style)
        case RelativeDay(amount, unit):
            space = style.choice(["", " "])
            sign = "-" if amount < 0 else "+"
            return f"today{space}{sign}{space}{abs(amount)} {_keyword(unit + style.choice(['', 's']), style)}"


def _quoted(text: str, style: random.Random) -> str:
    quote = style.choice("\"'")
    inside = text.replace("\\", "\\\\").replace(quote, style.choice([quote * 2, f"\\{quote}"]))
    return f"{quote}{inside}{quote}"


# --- members ----------------------------------------------------------------------------------

_any_text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6)
_dated = st.builds(
    lambda day, rest: f"{day}{rest}",
    st.sampled_from(_DAYS) | st.dates() | st.sampled_from(["2025-13-45", "2025-1-1", "2025-01-32"]),
    st.sampled_from(["", "T10:00", " 09:30:00Z", "T", "t10", "x", "-05", "\n", "T٣", " 1"]),
)
_stored_texts = st.one_of(
    st.sampled_from(_TEXTS + _NUMBERS + ("many", "", "ſ", "K", "e\u0301", "\U0001f3db")),
    _any_text,
    _dated,
    st.builds(lambda start, text, end: start + text + end, _any_text, st.sampled_from(_TEXTS), _any_text),
)
_stored_numbers = st.one_of(
    digits.map(Decimal),
    digits.filter(lambda text: "." not in text).map(int),
    st.integers(-(2**70), 2**70),
    st.decimals(min_value=-(10**6), max_value=10**6, places=3),
)


def members_for(rule: Rule) -> st.SearchStrategy[Member]:
    """Members of whom some hold just what `rule` asks for, or nearly."""
    literals = list(_literals(rule.root))
    stored: st.SearchStrategy[Any] = _stored_texts | _stored_numbers
    if literals:
        stored = st.sampled_from(literals).flatmap(_near) | stored
    texts_only = stored.map(lambda value: value if isinstance(value, str) else str(value))
    attributes = st.dictionaries(st.sampled_from(KEYS), stored, max_size=len(KEYS))
    return st.builds(
        Member,
        address=st.none() | texts_only,
        attributes=attributes,
        language=st.none() | texts_only,
        timezone=st.none() | texts_only,
    )


def _literals(node: Node) -> Iterator[Value]:
    match node:
        case And(nodes) | Or(nodes):
            for part in nodes:
                yield from _literals(part)
        case Not(inner):
            yield from _literals(inner)
        case OneOf(_, several):
            yield from several
        case Compare(_, _, value):
            yield value
        case HasText(_, _, text):
            yield text
        case _:
            pass


def _near(value: Value) -> st.SearchStrategy[Any]:
    match value:
        case Text(text):
            alike = [text, text.upper(), text.swapcase(), f"{text}!", f"!{text}", text[1:]]
            return st.sampled_from(alike if value.number is None else [*alike, _exact(value.number)])
        case Number(number):
            exact = _exact(number)
            return st.sampled_from([exact, str(number), exact + 1, exact - 1])
        case Day(day):
            return st.sampled_from(["", "T00:00", " 23:59:59", "x"]).map(lambda rest: f"{day}{rest}")
        case _:
            return st.dates(date(2026, 12, 1), date(2027, 4, 1)).map(str)


def _exact(number: float) -> int | Decimal:
    return number if isinstance(number, int) else Decimal(number)
