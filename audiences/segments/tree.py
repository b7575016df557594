"""The checked tree of a rule: frozen data that `sql`, `match` and `words` each read in their own way.

A new kind of condition is one dataclass here, one line in its union, and one case in each of those three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from audiences.segments.values import AnyDay, Number, RelativeDay, Text, Value

FIELDS = frozenset({"address", "language", "timezone"})
"""Names that every member has a place for; any other name is an attribute."""

STATUS, RENEWAL = "membership_status", "renewal"
"""The attributes that say whether a membership is current."""


@dataclass(frozen=True, slots=True)
class Name:
    """A field or attribute as a rule mentions it. Two mentions are equal wherever they stand."""

    key: str
    """As `audiences.models.attribute_name` gives it."""
    column: int = field(default=1, compare=False)

    @property
    def is_field(self) -> bool:
        return self.key in FIELDS


@dataclass(frozen=True, slots=True)
class Word:
    """What a rule calls by its own name: a topic, tag, campaign, region or segment. Equal wherever it stands."""

    text: str
    """Never empty; Unicode NFC."""
    column: int = field(default=1, compare=False)


class Order(StrEnum):
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


class Part(StrEnum):
    """Where in a value a text is looked for."""

    ANYWHERE = "contains"
    START = "starts with"
    END = "ends with"


class ConsentKind(StrEnum):
    """What the record of a member's consent can show."""

    EXPRESS = "express"
    IMPLIED = "implied"
    MEMBERSHIP = "membership"
    """These three: some newsletter is granted, on this basis."""
    WITHDRAWN = "withdrawn"
    """A no to some newsletter, which still stands."""
    TRACKING = "tracking"
    """A yes to being recorded by name."""
    NONE = "none"
    """Nothing about newsletters at all."""


class Activity(StrEnum):
    OPENED = "opened"
    CLICKED = "clicked"


# --- conditions on fields and attributes ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Everyone:
    """True of every member."""


@dataclass(frozen=True, slots=True)
class Present:
    """True of members whose value is neither absent nor the empty text."""

    name: Name


@dataclass(frozen=True, slots=True)
class OneOf:
    """True where the value equals one of `values`: `=` and `in`."""

    name: Name
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class InRegion:
    """True where the value equals one of a named list."""

    name: Name
    region: Word
    values: tuple[Text, ...] | None = None
    """None until `resolve` has looked the region up."""


@dataclass(frozen=True, slots=True)
class Compare:
    """True where the value is a number (or a date) on the given side of `value`."""

    name: Name
    order: Order
    value: Number | AnyDay


@dataclass(frozen=True, slots=True)
class HasText:
    """True where the value holds `text` at the given place."""

    name: Name
    part: Part
    text: Text


@dataclass(frozen=True, slots=True)
class Membership:
    """True of members whose status is a current one and whose renewal is no day before today.

    With `current` false: of the others who have a status or a renewal.
    """

    current: bool
    column: int = field(default=1, compare=False)


# --- conditions on what else is known of a member ---------------------------------------------


@dataclass(frozen=True, slots=True)
class Agrees:
    """True of members who agree now to newsletters of one of `topics`; of any topic at all when there is none."""

    topics: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class HasConsent:
    """True of members whose record shows one of `kinds`."""

    kinds: tuple[ConsentKind, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """True of members with one of `tags`; with any tag at all when there is none."""

    tags: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class TagHasText:
    """True of members with a tag that holds `text` at the given place."""

    part: Part
    text: Text


@dataclass(frozen=True, slots=True)
class Engaged:
    """True of members recorded by name to have done this: with one of `campaigns`, with any when there is none."""

    activity: Activity
    campaigns: tuple[Word, ...] = ()
    since: RelativeDay | None = None
    """Last done at or after the start of this day (UTC)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """True of a share of the members, always the same ones; a larger share holds the smaller."""

    hundredths: int
    """Of a per cent: 1 to 10,000."""


# --- conditions that hold others --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """True where the rule kept under this name is; `resolve` puts a `Segment` in its place."""

    name: Word


@dataclass(frozen=True, slots=True)
class Segment:
    """A rule kept under a name, with what it says."""

    name: Word
    node: Node


@dataclass(frozen=True, slots=True)
class Not:
    node: Node


@dataclass(frozen=True, slots=True)
class And:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    nodes: tuple[Node, ...]


OfValue = Present | OneOf | InRegion | Compare | HasText
"""Conditions on the value that `name` has."""
OfRecord = Agrees | HasConsent | Tagged | TagHasText | Engaged
"""Conditions on what is kept beside the member's own row."""
Leaf = Everyone | OfValue | Membership | OfRecord | Sample | Named
Node = Leaf | Segment | Not | And | Or


@dataclass(frozen=True, slots=True)
class Rule:
    """A checked rule; `parse` makes it."""

    source: str
    """The text it was read from, verbatim."""
    root: Node

    def mentions(self) -> Iterator[Name]:
        """Every mention of a field or attribute, in the order of the text."""
        return (node.name for node in walk(self.root) if isinstance(node, OfValue))

    def names(self) -> frozenset[str]:
        """The fields and attributes the rule looks at."""
        member = any(isinstance(node, Membership) for node in walk(self.root))
        return frozenset([*(name.key for name in self.mentions()), *([STATUS, RENEWAL] if member else [])])

    def segments(self) -> frozenset[str]:
        """The names of other segments in it; once resolved, also those that these name."""
        return frozenset(node.name.text for node in walk(self.root) if isinstance(node, Named | Segment))


def walk(node: Node) -> Iterator[Node]:
    """`node` and all inside it, in the order of the text."""
    yield node
    match node:
        case And(nodes) | Or(nodes):
            for part in nodes:
                yield from walk(part)
        case Not(inner) | Segment(_, inner):
            yield from walk(inner)
        case _:
            pass
