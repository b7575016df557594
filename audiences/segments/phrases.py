"""One condition in plain English, as a clause about members. Decides nothing, and joins no conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from audiences.segments.tree import (
    Activity,
    Agrees,
    Compare,
    ConsentKind,
    Engaged,
    Everyone,
    HasConsent,
    HasText,
    InRegion,
    Leaf,
    Membership,
    Named,
    OfRecord,
    OfValue,
    OneOf,
    Order,
    Part,
    Present,
    Sample,
    Tagged,
    TagHasText,
    Word,
)
from audiences.segments.values import AnyDay, Day, Number, RelativeDay, Text, Value, day_of

_NUMBER_SIDE = {
    Order.BELOW: "below",
    Order.AT_MOST: "of at most",
    Order.ABOVE: "above",
    Order.AT_LEAST: "of at least",
}
_DAY_SIDE = {
    Order.BELOW: "before",
    Order.AT_MOST: "on or before",
    Order.ABOVE: "after",
    Order.AT_LEAST: "on or after",
}
_ON_ONE_LINE = str.maketrans("\t\r\n", "   ")
_VERB = {
    Part.ANYWHERE: ("contains", "does not contain"),
    Part.START: ("starts with", "does not start with"),
    Part.END: ("ends with", "does not end with"),
}
_CONSENT = {
    ConsentKind.EXPRESS: ("gave express consent", "gave no express consent"),
    ConsentKind.IMPLIED: ("have implied consent", "have no implied consent"),
    ConsentKind.MEMBERSHIP: ("have consent by membership", "have no consent by membership"),
    ConsentKind.WITHDRAWN: ("said no to a newsletter", "said no to no newsletter"),
    ConsentKind.TRACKING: ("agreed to be recorded by name", "did not agree to be recorded by name"),
    ConsentKind.NONE: ("have no consent on record", "have consent on record, granted or withdrawn"),
}
_UNKNOWN = "those who did not agree to be recorded by name count too: nothing is known of them"


@dataclass(frozen=True, slots=True)
class Clause:
    """What a condition says of members, to follow "Members"."""

    lead: str
    """`whose`, `who`, or empty."""
    words: str

    def __str__(self) -> str:
        return f"{self.lead} {self.words}" if self.lead else self.words

    @property
    def alone(self) -> str:
        """The same as a line of a list, where no word "Members" stands before it."""
        return {"whose": "", "who": "they ", "": "they are "}[self.lead] + self.words


class Phrases:
    """Clauses, with days counted from `today` shown as dates too when one is given."""

    def __init__(self, today: date | None) -> None:
        self._today = today

    def clause(self, leaf: Leaf, *, negated: bool) -> Clause:
        """What `leaf` says, or its negation, with notes on what people may not expect."""
        match leaf:
            case Everyone():
                words = "never (this holds for no member)" if negated else "always (this holds for every member)"
                return Clause("whose", words)
            case Present() | OneOf() | InRegion() | Compare() | HasText():
                clause = Clause("whose", self._of_value(leaf, negated=negated))
            case Membership(current):
                state = "current" if current else "lapsed"
                clause = Clause("whose", f"membership is {'not ' if negated else ''}{state}")
            case Sample(hundredths):
                share = f"{hundredths / 100:g}%"
                clause = Clause("", f"{'not ' if negated else ''}in a stable sample of {share} of members")
            case Named(name):
                clause = self.segment(name, negated=negated)
            case _:
                clause = self._of_record(leaf, negated=negated)
        notes = _notes(leaf, negated=negated)
        return Clause(clause.lead, f"{clause.words} ({'; '.join(notes)})") if notes else clause

    def segment(self, name: Word, *, negated: bool) -> Clause:
        return Clause("who", f"are {'not ' if negated else ''}in segment {_named(name)}")

    def _of_value(self, leaf: OfValue, *, negated: bool) -> str:
        verb = "is not" if negated else "is"
        match leaf:
            case Present(name):
                return f"{name.key} is missing" if negated else f"{name.key} has a value"
            case OneOf(name, values):
                return f"{name.key} {verb} {_listed([self._value(value) for value in values])}"
            case InRegion(name, region):
                return f"{name.key} {verb} in region {_named(region)}"
            case Compare(name, order, value):
                if isinstance(value, Number):
                    return f"{name.key} {verb} a number {_NUMBER_SIDE[order]} {value.value}"
                return f"{name.key} {verb} a date {_DAY_SIDE[order]} {self._day(value)}"
            case HasText(name, part, text):
                return f"{name.key} {_VERB[part][negated]} {_quoted(text.value)}"
            case _:
                assert_never(leaf)

    def _of_record(self, leaf: OfRecord, *, negated: bool) -> Clause:
        match leaf:
            case Agrees(()):
                return Clause("who", f"agreed to {'no' if negated else 'some'} newsletter")
            case Agrees(topics):
                verb = "did not agree" if negated else "agreed"
                return Clause("who", f"{verb} to newsletters of {_any_of(topics)}")
            case HasConsent(kinds):
                joint = " and " if negated else " or "
                return Clause("who", joint.join(_CONSENT[kind][negated] for kind in kinds))
            case Tagged(()):
                return Clause("who", f"have {'no' if negated else 'a'} tag")
            case Tagged(tags):
                return Clause("", f"{'not ' if negated else ''}tagged {_any_of(tags)}")
            case TagHasText(part, text):
                return Clause("who", f"have {'no' if negated else 'a'} tag that {_VERB[part][0]} {_quoted(text.value)}")
            case Engaged():
                return Clause("who", self._engaged(leaf, negated=negated))
            case _:
                assert_never(leaf)

    def _engaged(self, leaf: Engaged, *, negated: bool) -> str:
        clicked = leaf.activity is Activity.CLICKED
        verb = ("did not click" if clicked else "did not open") if negated else leaf.activity
        link = " a link in" if clicked else ""
        campaigns = f"campaign {_any_of(leaf.campaigns)}" if leaf.campaigns else "any campaign"
        return f"{verb}{link} {campaigns}{self._since(leaf.since)}"

    def _since(self, since: RelativeDay | None) -> str:
        if since is None:
            return ""
        words = f" in the last {_span(since)}"
        return words if self._today is None else f"{words}, since {day_of(since, self._today)}"

    def _value(self, value: Value) -> str:
        match value:
            case Text(text):
                return _quoted(text) if value.number is None else f"{_quoted(text)} as text or number"
            case Number(number):
                return f"the number {number}"
            case Day() | RelativeDay():
                return f"the day {self._day(value)}"
            case _:
                assert_never(value)

    def _day(self, value: AnyDay) -> str:
        match value:
            case Day(day):
                return day.isoformat()
            case RelativeDay(amount):
                direction = "before" if amount < 0 else "after"
                words = f"{_span(value)} {direction} today" if amount else "today"
                return words if self._today is None else f"{day_of(value, self._today)} ({words})"
            case _:
                assert_never(value)


def _span(day: RelativeDay) -> str:
    amount = abs(day.amount)
    return f"{amount} {day.unit}{'' if amount == 1 else 's'}"


def _quoted(text: str) -> str:
    """`text` on one line; tabs and line ends are the only control characters a rule can hold."""
    return f'"{text.translate(_ON_ONE_LINE)}"'


def _named(word: Word) -> str:
    """The word itself, in quotes unless it is plain."""
    return word.text if word.text.replace("-", "").replace("_", "").isalnum() else _quoted(word.text)


def _any_of(words: Sequence[Word]) -> str:
    return _listed([_named(word) for word in words])


def _listed(items: Sequence[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} or {last}" if most else last


def _notes(leaf: Leaf, *, negated: bool) -> list[str]:
    """Of letter case, where it makes a difference (some text holds a letter of A-Z), and of whom no more is known."""
    texts: Sequence[str] = ()
    without = ""
    match leaf:
        case Present():
            pass
        case OneOf(name, values):
            texts, without = [value.value for value in values if isinstance(value, Text)], name.key
        case HasText(name, _, text):
            texts, without = [text.value], name.key
        case Compare(name) | InRegion(name):
            without = name.key
        case Membership(current):
            without = "membership_status" if current else "any membership"
            return ["by membership_status and renewal", *([f"those without {without} count too"] if negated else [])]
        case TagHasText(_, text):
            texts = [text.value]
        case Engaged() if negated:
            return [_UNKNOWN]
        case _:
            pass
    notes = ["any case"] if any(c.isascii() and c.isalpha() for text in texts for c in text) else []
    return [*notes, f"those without {without} count too"] if negated and without else notes
