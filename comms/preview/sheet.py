"""The contact sheet: one page that shows all mails of a preview side by side, without a script or a connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from comms.language.tags import direction
from comms.preflight.parts import GMAIL_CLIP_BYTES
from comms.preview.looks import LOOKS
from comms.preview.proof import KINDS, Proof
from comms.rendering.clean import clean


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page is about. `at` is aware; `without_pictures` says why there are none, empty when there are."""

    campaign: str
    title: str
    at: datetime
    proofs: Sequence[Proof]
    others: Sequence[str] = ()
    """Further files of the preview: the feed's entry and the posts."""
    without_pictures: str = ""


def _printable(value: Any) -> Any:
    # Exactly str: Markup was cleaned when it was made.
    return clean(value) if type(value) is str else value


_ENVIRONMENT = Environment(
    loader=PackageLoader("comms.preview"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_printable,
    trim_blocks=True,
    lstrip_blocks=True,
)


def to_html(sheet: Sheet) -> str:
    """The page. It names its pictures and files by name only, so it lies in the same folder."""
    kinds = Counter(note.kind for proof in sheet.proofs for note in proof.notes)
    return _ENVIRONMENT.get_template("sheet.html").render(
        sheet=sheet,
        looks=LOOKS,
        kinds=[(kind, meaning, kinds[kind]) for kind, meaning in KINDS.items() if kinds[kind]],
        clip=GMAIL_CLIP_BYTES // 1000,
        direction=direction,
        at=f"{sheet.at.day} {sheet.at:%B %Y, %H:%M} {sheet.at.tzname()}",
    )
