"""What the blocks of a campaign refer to: pictures, files for calendars, rules, its author, words beside its own.

Reads nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from comms.language.catalogues import SHIPPED, Catalogues
from comms.pictures import Picture


@dataclass(frozen=True, slots=True)
class Surroundings:
    """For one campaign of one association, whatever channel it goes out on."""

    calendar_url: str = ""
    """Where `<number>.ics` is the file of each event; empty: events are shown without."""
    images: Mapping[str, Picture] = field(default_factory=lambda: MappingProxyType({}))
    """Relative images by name, as they are linked; one that is not among them is linked as it is."""
    portraits: Mapping[str, Picture] = field(default_factory=lambda: MappingProxyType({}))
    """The same of people's photos."""
    conditions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The rules of conditions -> what `rendering.conditions.freeze` made of them; one that is not among them names no
    segment."""
    relayed_from: str = ""
    """Name of the association that wrote the campaign, when another one sends it; else empty."""
    catalogues: Catalogues = SHIPPED
    """For the words that are not the campaign's own."""


NOTHING_AROUND = Surroundings()
