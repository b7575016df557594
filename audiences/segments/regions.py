"""Named lists of values for `in region`: those of the US Census Bureau, and those that a workspace adds. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audiences.attributes import clean_text
from audiences.segments.errors import RuleError, short
from audiences.segments.kinds import segment_name
from audiences.segments.suggest import suggestion
from audiences.segments.tree import Word
from audiences.segments.values import Text

_STATES = (
    "AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT Connecticut; DE Delaware;"
    " DC District of Columbia; FL Florida; GA Georgia; HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa;"
    " KS Kansas; KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota;"
    " MS Mississippi; MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ New Jersey;"
    " NM New Mexico; NY New York; NC North Carolina; ND North Dakota; OH Ohio; OK Oklahoma; OR Oregon;"
    " PA Pennsylvania; RI Rhode Island; SC South Carolina; SD South Dakota; TN Tennessee; TX Texas; UT Utah;"
    " VT Vermont; VA Virginia; WA Washington; WV West Virginia; WI Wisconsin; WY Wyoming"
)
_NAMES = dict(state.strip().split(" ", 1) for state in _STATES.split(";"))

# U.S. Census Bureau, "Census Regions and Divisions of the United States": region -> division -> states.
# The territories belong to none.
_CENSUS = {
    "northeast": {
        "new-england": "CT ME MA NH RI VT",
        "middle-atlantic": "NJ NY PA",
    },
    "midwest": {
        "east-north-central": "IL IN MI OH WI",
        "west-north-central": "IA KS MN MO NE ND SD",
    },
    "south": {
        "south-atlantic": "DE DC FL GA MD NC SC VA WV",
        "east-south-central": "AL KY MS TN",
        "west-south-central": "AR LA OK TX",
    },
    "west": {
        "mountain": "AZ CO ID MT NV NM UT WY",
        "pacific": "AK CA HI OR WA",
    },
}


def _both_spellings(codes: str) -> tuple[str, ...]:
    return tuple(spelling for code in codes.split() for spelling in (code, _NAMES[code]))


CENSUS_REGIONS: Mapping[str, tuple[str, ...]] = {
    name: _both_spellings(codes)
    for region, divisions in _CENSUS.items()
    for name, codes in {region: " ".join(divisions.values()), **divisions}.items()
}
"""Regions and divisions: name -> the codes and the names of their states."""


class Regions:
    """The Census Bureau's lists with those of a workspace; of two that share a name, the workspace's counts."""

    def __init__(self, extra: Mapping[str, Sequence[str]]) -> None:
        self._lists = {**CENSUS_REGIONS, **{segment_name(name): values for name, values in extra.items()}}
        self._read: dict[str, tuple[Text, ...]] = {}

    def values(self, region: Word) -> tuple[Text, ...]:
        """What the region holds. Raises `RuleError` when there is no region of this name."""
        name = segment_name(region.text)
        if name not in self._lists:
            raise RuleError(
                f"there is no region {short(region.text)}", region.column, suggestion(name, self._lists.keys())
            )
        if name not in self._read:
            cleaned = dict.fromkeys(map(clean_text, self._lists[name]))
            self._read[name] = tuple(Text(value) for value in cleaned if value)
        return self._read[name]
