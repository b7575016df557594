"""Colours that can be read: contrast by WCAG 2.2, and the nearest legible shade of a brand colour."""

from __future__ import annotations

import re

from audiences.models import Brand

WHITE, INK, NIGHT = "#ffffff", "#1d1d1f", "#1c1d20"
MINIMUM_CONTRAST = 4.5
"""WCAG 2.2 success criterion 1.4.3, level AA, text of any size."""

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_STEPS = 50
_TINT = 0.07
"""Share of the accent in the ground of panels: seen as its colour, and still light or dark."""


def parse(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255. Raises ValueError for anything but `#rgb` and `#rrggbb`."""
    if not _HEX.fullmatch(colour):
        raise ValueError(f"{colour!r} is not a colour such as #1f4e79")
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, definition of relative luminance)."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in parse(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable_on(background: str) -> str:
    """Near-black or white, whichever stands out more from the background."""
    return max((WHITE, INK, "#000000"), key=lambda text: (contrast(text, background) >= 7, contrast(text, background)))


def legible(colour: str, background: str, minimum: float = MINIMUM_CONTRAST) -> str:
    """The colour, moved towards black or white just as far as text on the background needs."""
    target = parse("#000000" if luminance(background) > 0.18 else WHITE)
    origin = parse(colour)
    for step in range(_STEPS + 1):
        shade = _between(origin, target, step / _STEPS)
        if contrast(shade, background) >= minimum:
            return shade
    return readable_on(background)


def mixed(colour: str, other: str, share: float) -> str:
    """The colour with a share, 0 to 1, of another in it."""
    return _between(parse(colour), parse(other), share)


def _between(one: tuple[int, int, int], other: tuple[int, int, int], share: float) -> str:
    channels = [round(a + (b - a) * share) for a, b in zip(one, other, strict=True)]
    return "#{:02x}{:02x}{:02x}".format(*channels)


def palette(brand: Brand) -> dict[str, str]:
    """The brand's colours and those that go with them, as plain data for templates.

    Raises ValueError when a colour of the brand is not CSS hex.
    """
    tint, tint_night = mixed(WHITE, brand.accent, _TINT), mixed(NIGHT, legible(brand.accent, NIGHT, 7), _TINT)
    return {
        "accent": brand.accent,
        "on_accent": readable_on(brand.accent),
        "accent_text": legible(brand.accent, tint),
        "accent_night": legible(brand.accent, tint_night, 6),
        "tint": tint,
        "tint_night": tint_night,
        "background": brand.background,
        "accent_on_background": legible(brand.accent, brand.background),
        "muted_on_background": legible("#6b6b70", brand.background, 5.5),
    }
