"""Rules and people for the tests of the segment language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from segment_databases import TODAY, Person

from audiences.membership import CURRENT_STATUSES
from audiences.models import Member
from audiences.segments import segment_name
from audiences.segments.tree import (
    Activity,
    Agrees,
    And,
    Compare,
    ConsentKind,
    Engaged,
    Everyone,
    HasConsent,
    HasText,
    InRegion,
    Membership,
    Name,
    Named,
    Node,
    Not,
    OneOf,
    Or,
    Order,
    Part,
    Present,
    Rule,
    Sample,
    Tagged,
    TagHasText,
    Word,
    walk,
)
from audiences.segments.values import LONGEST_OFFSET, Day, Number, RelativeDay, Text, Unit, Value, bare, fold

# --- rules ------------------------------------------------------------------------------------

KEYS = (
    *("state", "population_served", "été", "grösse", "名前", "in", "_2024", "address", "language", "timezone"),
    *("membership_status", "renewal", "clicked", "segment", "tag", "sample"),
)
TOPICS = ("news", "jobs", "*")
CAMPAIGNS = ("spring", "hosting-partner")
TAGS = ("donor", "DONOR", "board 2026", "É", "99556")
REGIONS = {"Pacific Northwest": ["WA", "or", "99556", "É"], "nowhere": []}
SEGMENTS = {
    "big": "population_served > 10 or state in region west",
    "readers": 'clicked any in 30 days or opened("spring")',
    "not-readers": "not segment readers except tag = donor",
}
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

_since = st.none() | st.builds(
    lambda amount, unit: RelativeDay(-amount, unit), st.integers(1, 40), st.sampled_from([Unit.DAY, Unit.MONTH])
)


def _words(choices: tuple[str, ...], least: int = 1) -> st.SearchStrategy[tuple[Word, ...]]:
    word = st.sampled_from(choices).map(Word) | texts.map(lambda text: Word(fold(text.value)))
    return st.lists(word, min_size=least, max_size=3).map(tuple)


records: st.SearchStrategy[Node] = st.one_of(
    st.builds(Agrees, _words(TOPICS, 0)),
    st.builds(Tagged, _words(TAGS, 0)),
    st.builds(TagHasText, st.sampled_from(Part), texts),
    st.builds(HasConsent, st.lists(st.sampled_from(ConsentKind), min_size=1, max_size=3).map(tuple)),
    st.builds(Engaged, st.sampled_from(Activity), _words(CAMPAIGNS, 0), _since),
    st.builds(Membership, st.booleans()),
    st.builds(Sample, st.integers(1, 10_000)),
    st.builds(InRegion, names, st.sampled_from(["west", "New England", "pacific_northwest", "nowhere"]).map(Word)),
    st.sampled_from(sorted(SEGMENTS)).map(Word).map(Named),
)
leaves = records | st.one_of(
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


_statuses = st.builds(
    lambda word, gap, upper: gap.join([word[:3], word[3:]]).upper() if upper else word,
    st.sampled_from([*sorted(CURRENT_STATUSES), "lapsed"]),
    st.sampled_from(["", " ", "_", "-", "."]),
    st.booleans(),
)
_moments = st.builds(
    lambda day, rest: f"{day}{rest}",
    st.dates(date(2026, 12, 1), date(2027, 2, 1)) | st.dates(),
    st.sampled_from(["T00:00:00+00:00", "T23:59:59+00:00", ""]),
)


def people_for(rule: Rule) -> st.SearchStrategy[Person]:
    """People of whom some hold just what `rule` asks for, or nearly."""
    literals = list(_literals(rule.root))
    stored: st.SearchStrategy[Any] = _stored_texts | _stored_numbers
    if literals:
        stored = st.sampled_from(literals).flatmap(_near) | stored
    texts_only = stored.map(lambda value: value if isinstance(value, str) else str(value))
    of_rule = sorted({word.text for node in walk(rule.root) for word in _named(node)})
    topics = st.sampled_from([*TOPICS, "tracking", *of_rule])
    states = st.sampled_from(["granted", "withdrawn"])
    bases = st.sampled_from([None, "membership", "implied", "express"])
    attributes = st.dictionaries(st.sampled_from(KEYS), stored, max_size=len(KEYS))
    return st.builds(
        Person,
        member=st.builds(
            Member,
            address=st.none() | texts_only,
            attributes=st.builds(
                lambda any_, status, renewal: {**any_, **status, **renewal},
                attributes,
                st.fixed_dictionaries({}, optional={"membership_status": _statuses}),
                st.fixed_dictionaries({}, optional={"renewal": _dated | _moments}),
            ),
            language=st.none() | texts_only,
            timezone=st.none() | texts_only,
        ),
        subscriptions=st.dictionaries(topics, st.tuples(states, bases), max_size=4),
        tags=st.lists(st.sampled_from([*TAGS, *of_rule]) | texts_only.filter(bool), max_size=3).map(_distinct),
        activity=st.dictionaries(
            st.tuples(st.sampled_from(["opened", "clicked"]), st.sampled_from([*CAMPAIGNS, *of_rule])),
            _moments,
            max_size=4,
        ),
        opened_at=st.none() | _moments,
        clicked_at=st.none() | _moments,
    )


def _distinct(tags: list[str]) -> frozenset[str]:
    return frozenset({fold(tag): tag for tag in tags}.values())


def _named(node: Node) -> tuple[Word, ...]:
    match node:
        case Agrees(words) | Tagged(words) | Engaged(_, words):
            return words
        case _:
            return ()


def rule_text(name: str) -> str | None:
    """The rule of one of `SEGMENTS`."""
    return SEGMENTS.get(segment_name(name))


def _literals(root: Node) -> Iterator[Value]:
    for node in walk(root):
        match node:
            case OneOf(_, several):
                yield from several
            case InRegion(_, _, texts_):
                yield from texts_ or ()
            case Compare(_, _, value):
                yield value
            case HasText(_, _, text) | TagHasText(_, text):
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
