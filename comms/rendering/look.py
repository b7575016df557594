"""How an association's mails look: its brand as colours and type that go together, for templates to use."""

from __future__ import annotations

from typing import Any

from audiences.models import Brand
from comms.rendering.colour import palette

SANS = "-apple-system, Segoe UI, Helvetica, Arial, sans-serif"
SERIF = "Georgia, Iowan Old Style, Times New Roman, serif"
"""Only fonts that computers and phones have: none is fetched."""
TYPEFACES = {"mixed": (SERIF, SANS), "sans": (SANS, SANS), "serif": (SERIF, SERIF)}
"""What a brand can choose: the fonts of headings, and of all else."""


def look(brand: Brand, start: str, end: str, spoken: str = "") -> dict[str, Any]:
    """What the macros of `blocks.mjml` are told: colours of `palette`, the fonts, where lines start and end.

    `spoken` are the attributes of words in another language than the mail's.

    Raises ValueError when a colour of the brand is not CSS hex.
    """
    headings, text = TYPEFACES.get(brand.typeface, TYPEFACES["mixed"])
    colours = palette(brand)
    fonts, sides = {"headings": headings, "text": text}, {"start": start, "end": end}
    return {**colours, "link": colours["accent_text"], **fonts, **sides, "spoken": spoken}
