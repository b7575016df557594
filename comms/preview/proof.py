"""One mail of a preview: what it says, how large it is, where its files lie, and what it brings to light. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.errors import shown
from comms.preflight.parts import GMAIL_CLIP_BYTES
from comms.preflight.subject import LONGEST_SUBJECT
from comms.preview.looks import Look
from comms.preview.pictures import Pictured


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a case brings to light. `kind` is one of `KINDS`."""

    kind: str
    message: str


KINDS = {
    "impossible": "the mail can not be made, and this reader would get none",
    "wide": "something sticks out at the side of a screen",
    "large": "Gmail hides the end of the mail",
    "subject": "phones cut the subject",
    "fallback": "something is not known of the reader, and the text falls back on other words",
    "no-picture": "the browser could not picture it",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """A case and what came of it. `files` are names in the folder of the preview, by kind (`eml`, `html`, `txt`)."""

    name: str
    title: str
    sender: str
    """The association's name."""
    language: str
    subject: str = ""
    preview: str = ""
    size: int = 0
    """Bytes of HTML."""
    files: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[tuple[Look, str], ...] = ()
    """Look -> file name, phone first."""
    notes: tuple[Note, ...] = ()

    @property
    def kilobytes(self) -> float:
        """As Gmail counts them, of 1,000 bytes."""
        return self.size / 1000

    @property
    def share_of_clip(self) -> float:
        """1.0 when the HTML is as large as Gmail shows it whole."""
        return self.size / GMAIL_CLIP_BYTES

    def to_json(self) -> dict[str, Any]:
        return {
            "case": self.name,
            "title": self.title,
            "sender": self.sender,
            "language": self.language,
            "subject": self.subject,
            "preview": self.preview,
            "bytes": self.size,
            "files": dict(self.files),
            "pictures": {look.name: name for look, name in self.pictures},
            "findings": [{"kind": note.kind, "message": note.message} for note in self.notes],
        }


def notes_of_text(subject: str, size: int, fallbacks: Iterable[str]) -> Iterator[Note]:
    """What can be told without a picture. `fallbacks` are values that the text asks for and the reader lacks."""
    if size > GMAIL_CLIP_BYTES:
        yield Note("large", f"{size:,} bytes of HTML; Gmail hides what comes after about 100,000")
    if len(subject) > LONGEST_SUBJECT:
        seen = shown(subject[:LONGEST_SUBJECT], LONGEST_SUBJECT)
        yield Note("subject", f"the subject has {len(subject)} characters; phones end it near “{seen}”")
    if names := ", ".join(fallbacks):
        yield Note("fallback", f"of this reader nobody knows {names}; the text falls back on other words")


def notes_of_pictures(pictured: Pictured) -> Iterator[Note]:
    """What only a picture tells."""
    for look, width in pictured.wide.items():
        yield Note("wide", f"{look.words}: needs {width} pixels, and the screen has {look.width}")
    if pictured.reason:
        yield Note("no-picture", pictured.reason)
