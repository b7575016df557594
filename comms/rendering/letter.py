"""A letter to one person, as HTML and as text: the association's head and foot around what it says.

Nothing in it waits for a member, so it is rendered in one go. Knows no address and no mail server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from audiences.models import Association
from comms.language.tags import beside
from comms.rendering import plaintext
from comms.rendering.body import BodyData, Data
from comms.rendering.carriers import Carriers
from comms.rendering.clean import clean, one_line
from comms.rendering.compile import edition_environment, letterhead, render_template
from comms.rendering.context import postal_lines
from comms.rendering.errors import TemplateError
from comms.rendering.mjml import to_html
from comms.rendering.render import Rendered
from comms.rendering.source import TemplateSource


@dataclass(frozen=True, slots=True)
class LetterContent:
    """What a letter says; plain text throughout."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    button: str
    """What to do, in a few words."""
    url: str
    """Where the button leads."""
    points: tuple[str, ...] = ()
    """A list between the paragraphs and the button."""
    notes: tuple[str, ...] = ()
    """Below the button, in smaller print."""
    why: str = ""
    """At the foot: why the person gets this."""
    language: str = "en"
    """BCP 47 tag of subject, heading, paragraphs and points."""
    spoken: str = ""
    """Of button, notes and `why`, where it is another."""
    answer_to: str = ""
    """Where answers go; empty: to the association, as ever."""
    original: str = ""
    """A mail that the letter is about, in base64; it is attached."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LetterContent:
        """Undo `to_json`. Raises TypeError for anything else."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)


def render_letter(
    content: LetterContent, association: Association, template: TemplateSource, *, media_url: str
) -> Rendered:
    """The letter as `association` sends it. Raises TemplateError.

    Templates see it as `letter`, beside what `compile.letterhead` gives; not `campaign`, `member` or `links`.
    """
    carriers = Carriers()
    environment = edition_environment(template, carriers)
    body, spoken = BodyData(lambda source, line: source, media_url), beside(content.spoken, content.language)
    head = letterhead(association, content.language, body, spoken)
    mjml = render_template(environment, template, {**head, "letter": content.to_json()})
    for _, _, carrier in carriers.find(mjml):
        raise TemplateError(template.name, carrier.line, f"{carrier.source}: a letter knows neither member nor links")
    return Rendered(
        subject=one_line(content.subject),
        preview="",
        html=to_html(mjml, name=template.name),
        text=clean(f"{_text(content)}{_foot(content, association)}\n"),
    )


def _text(content: LetterContent) -> str:
    """The same words as blocks, which is what `plaintext` wraps."""
    blocks: list[Data] = [{"kind": "heading", "level": 1, "spans": _spans(content.heading)}]
    blocks += [_paragraph(words) for words in content.paragraphs]
    if content.points:
        entries = [[_paragraph(words)] for words in content.points]
        blocks.append({"kind": "list", "ordered": False, "start": 1, "entries": entries})
    blocks.append({"kind": "button", "url": content.url, "spans": _spans(content.button)})
    blocks += [_paragraph(words) for words in content.notes]
    return plaintext.body(blocks, lambda address: address)


def _foot(content: LetterContent, association: Association) -> str:
    return plaintext.footer(
        name=association.name,
        postal_lines=postal_lines(association),
        notes=(association.brand.footer, content.why),
        links=(),
    ).rstrip()


def _paragraph(words: str) -> Data:
    return {"kind": "text", "spans": _spans(words)}


def _spans(words: str) -> list[Data]:
    return [{"kind": "text", "text": one_line(words)}]
