"""The newsletter of a kit: rendered once for all readers, with the tags of the association's tool in place.

Asks nobody and opens no file: template, pictures and addresses come from outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from urllib.parse import quote

from audiences.models import Association
from campaigns.models import Campaign
from comms.kits.adapting import Adapter
from comms.kits.links import tagged, with_addresses
from comms.kits.marks import Marks
from comms.kits.tools import Tool
from comms.rendering.carriers import literal
from comms.rendering.compile import compile_edition, compile_mjml
from comms.rendering.context import association_data, campaign_data
from comms.rendering.edition import Edition
from comms.rendering.errors import TemplateError
from comms.rendering.mime import addr_spec
from comms.rendering.render import Rendered, Renderer
from comms.rendering.source import TemplateSource
from comms.surroundings import Surroundings

_CLICK = re.compile(r"\{\{ links\.click \}\}/(\d+)")
_JOINER = "\N{WORD JOINER}"
"""Keeps two characters of plain text apart for a program, and together for a reader (U+2060)."""


@dataclass(frozen=True, slots=True)
class KitMail:
    """A newsletter as its tool takes it. `subject` and `preview` are single lines, with tags too."""

    subject: str
    preview: str
    html: str
    mjml: str
    text: str
    unsubscribe: str
    """What the link to unsubscribe leads to: the tool's tag, or a `mailto:` where it has none."""
    spoken_subject: str
    """As a reader may see it, of whom nothing is known."""
    campaign: Campaign
    """As it was rendered, but without marks for tags: with everything that only our engine could answer answered."""
    association: Association
    """As it stands in the foot."""
    gaps: tuple[str, ...]
    """Values of readers for which `…` stands: the tool does not know them, and the text names no fallback."""


def kit_mail(
    campaign: Campaign,
    association: Association,
    template: TemplateSource,
    tool: Tool,
    *,
    url: str,
    media_url: str,
    around: Surroundings,
) -> KitMail:
    """The campaign's newsletter as `association` sends it with `tool`. `url` is its page for everyone.

    Raises TemplateError, ExpressionError for an address that can not be evaluated, UnsendableAddress where readers are
    to write to a sender who has none; ValueError when the campaign has no newsletter.
    """
    if campaign.newsletter is None:
        raise ValueError(f"campaign {campaign.id} has no newsletter")
    taken = (
        template.text,
        *template.partials.values(),
        repr(campaign),
        repr(association),
        media_url,
        url,
        repr(around),
    )
    marks = Marks(taken)
    values = {"campaign": campaign_data(campaign), "association": association_data(association), "url": url}
    adapter = Adapter(tool, marks, values)
    adapted = adapter.campaign(campaign, campaign.newsletter)
    sender = replace(association, postal_address=marks.add(tool.postal)) if tool.postal else association
    unsubscribe = tool.unsubscribe or _by_mail(association)
    links = {
        "unsubscribe": marks.add(unsubscribe),
        "view": marks.add(tool.view) if tool.view else url,
        "poll": url,
        "click": url,
        "pixel": "",
    }
    context = {**values, "association": association_data(sender), "links": links}

    def follow(address: str) -> str:
        is_home = address.rstrip("/") == association.homepage.rstrip("/")
        return address if is_home else tagged(address, association.slug, campaign.id)

    edition = _untracked(compile_edition(adapted, sender, template, media_url=media_url, around=around), follow)
    mail = Renderer(edition).render_public(context)
    source = compile_mjml(adapted, sender, template, media_url=media_url, around=around)
    mjml = Renderer(replace(edition, html=source)).render_public(context).html
    filled = _filled(marks, tool, template.name, mail, with_addresses(mjml, follow))
    plain = Adapter(replace(tool, values={}), marks, values)
    return KitMail(
        *filled,
        unsubscribe=unsubscribe,
        spoken_subject=marks.spoken(mail.subject),
        campaign=plain.campaign(campaign, campaign.newsletter),
        association=replace(association, postal_address=tool.postal) if tool.postal else association,
        gaps=tuple(adapter.gaps),
    )


def _untracked(edition: Edition, follow: Callable[[str], str]) -> Edition:
    """The edition with what `follow` makes of an address where it waited for a reader's own way through us."""

    def address(found: re.Match[str]) -> str:
        return follow(edition.links[int(found[1])])

    html = _CLICK.sub(lambda found: literal(escape(address(found))), edition.html)
    text = _CLICK.sub(lambda found: literal(address(found)), edition.text)
    return replace(edition, html=html, text=text, links=())


def _filled(marks: Marks, tool: Tool, template: str, mail: Rendered, mjml: str) -> tuple[str, str, str, str, str]:
    """Subject, preview, HTML, MJML and text with tags, and nothing else in them that the tool would run."""
    markup = re.compile(tool.markup or r"(?!)")

    def entity(text: str) -> str:
        return markup.sub(lambda found: f"&#{ord(found[0])};", text)

    def apart(text: str) -> str:
        return markup.sub(lambda found: f"{found[0]}{_JOINER}", text)

    ways: tuple[tuple[str, Callable[[str], str]], ...] = (
        (mail.subject, apart), (mail.preview, apart), (mail.html, entity), (mjml, entity), (mail.text, apart)
    )  # fmt: skip
    try:
        subject, preview, html, whole, text = (marks.filled(part, harmless) for part, harmless in ways)
    except ValueError as error:
        hint = "filters on a member's value go inside its own braces"
        raise TemplateError(template, 0, str(error), hint=hint) from error
    return subject, preview, html, whole, text


def _by_mail(association: Association) -> str:
    """A letter to the sender, for tools of which no tag is known."""
    address = addr_spec(association.reply_to or association.sender_address)
    return f"mailto:{quote(address, safe='@')}?subject=Unsubscribe"
