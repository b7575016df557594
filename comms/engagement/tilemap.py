"""A map of the United States in squares, one for each state, as inline SVG. Every state is as large as any other.

The squares stand as in the map that National Public Radio drew (blog.apps.npr.org, "Let's Tesselate", 2015).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from comms.engagement.plots import svg

_ROWS = (
    "AK .. .. .. .. .. .. .. .. .. ME",
    ".. .. .. .. .. WI .. .. .. VT NH",
    "WA ID MT ND MN IL MI .. NY MA ..",
    "OR NV WY SD IA IN OH PA NJ CT RI",
    "CA UT CO NE MO KY WV VA MD DE ..",
    ".. AZ NM KS AR TN NC SC DC .. ..",
    ".. .. .. OK LA MS AL GA .. .. ..",
    "HI .. .. TX .. .. .. .. FL .. PR",
)
_PLACES = {
    state: (column, row) for row, line in enumerate(_ROWS) for column, state in enumerate(line.split()) if state != ".."
}
_COLUMNS = 11
_TILE, _GAP = 46, 4
_SHADES = (0.5, 0.25, 0.1)
"""Parts of the greatest number from which on a state has the darkest shade, the next, and the next."""


def off_the_map(states: Sequence[str]) -> list[str]:
    """Those of the states that the map does not have."""
    return [state for state in states if state not in _PLACES]


def tilemap(name: str, title: str, states: Mapping[str, int | None]) -> Markup:
    """The map with a number on each state that has one; None has its own look. `name` is unique in the page."""
    most = max((count for state, count in states.items() if count and state in _PLACES), default=1)
    width = 100 / _COLUMNS
    pieces = []
    for state, (column, row) in _PLACES.items():
        count = states.get(state)
        kind = "absent" if state not in states else "hidden" if count is None else f"shade-{shade(count, most)}"
        middle, top = (column + 0.5) * width, row * (_TILE + _GAP)
        pieces.append(
            Markup(
                '<rect class="tile {}" x="{:.3f}%" y="{}" width="{:.3f}%" height="{}" rx="4"/>'
                '<text class="code {}" x="{:.3f}%" y="{}" text-anchor="middle">{}</text>'
            ).format(kind, column * width + 0.3, top, width - 0.6, _TILE, kind, middle, top + 20, state)
        )
        if count is not None:
            pieces.append(
                Markup('<text class="count {}" x="{:.3f}%" y="{}" text-anchor="middle">{}</text>').format(
                    kind, middle, top + 36, compact(count)
                )
            )
    told = "; ".join(f"{state}: {count:,}" for state, count in states.items() if count is not None and state in _PLACES)
    return svg(name, title, told or "no state has a number of its own", len(_ROWS) * (_TILE + _GAP) - _GAP, pieces)


def shade(count: int, most: int) -> int:
    """1, the lightest, to 4."""
    return 4 - next((at for at, part in enumerate(_SHADES) if count >= part * most), len(_SHADES))


def compact(count: int) -> str:
    """A number in four characters or so: `950`, `1.2k`, `12k`, `1.2m`."""
    for size, letter in ((1_000_000, "m"), (1_000, "k")):
        if count >= size:
            value = count / size
            return (
                f"{value:.1f}{letter}" if count < 10 * size and not value.is_integer() else f"{count // size}{letter}"
            )
    return str(count)
