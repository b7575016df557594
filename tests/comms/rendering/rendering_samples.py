"""Associations, campaigns and small templates that the tests of rendering share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiences.models import Association, Brand
from campaigns.models import Blocks, Campaign, Expression, Heading, NewsletterPart, Plain, Text
from comms.rendering.compile import compile_edition
from comms.rendering.context import association_data, campaign_data
from comms.rendering.edition import Edition
from comms.rendering.library import TemplateLibrary
from comms.rendering.render import Rendered, Renderer
from comms.rendering.source import TemplateSource

MEDIA = "https://news.example.org/media"
LINKS = {
    "click": "https://news.example.org/c/token",
    "unsubscribe": "https://news.example.org/u/token",
    "view": "https://news.example.org/v/token",
    "pixel": "",
}


def an_association(**changes: Any) -> Association:
    values: dict[str, Any] = {
        "slug": "coalition",
        "name": "Coalition of Libraries",
        "sender_address": "news@example.org",
        "postal_address": "Coalition of Libraries\n1 Main Street\nSpokane, WA 99201",
        "homepage": "https://example.org/",
        "brand": Brand(),
    }
    return Association(**{**values, **changes})


def a_campaign(*blocks: Any, **changes: Any) -> Campaign:
    values: dict[str, Any] = {
        "id": "spring",
        "title": "Spring news",
        "language": "en",
        "source": "",
        "newsletter": NewsletterPart("Spring news", "What is new"),
        "blocks": blocks or words("Hello"),
    }
    return Campaign(**{**values, **changes})


def words(*parts: str) -> Blocks:
    """A heading and a paragraph; parts in double braces are expressions."""
    return (Heading(1, (Plain("Spring news"),), 10), Text(spans(*parts), 12))


def spans(*parts: str) -> tuple[Plain | Expression, ...]:
    return tuple(Expression(part, 12) if part.startswith("{{") else Plain(part) for part in parts)


def announcement() -> TemplateSource:
    return TemplateLibrary().find("announcement")


def column(inner: str) -> TemplateSource:
    """A template with one column that holds `inner`."""
    return document(f"<mj-section><mj-column>{inner}</mj-column></mj-section>")


def document(body: str, head: str = "", **partials: str) -> TemplateSource:
    files = {f"{name}.mjml": text for name, text in partials.items()}
    return TemplateSource("t", f"<mjml><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>", files)


def compiled(
    campaign: Campaign | None = None,
    association: Association | None = None,
    template: TemplateSource | None = None,
) -> Edition:
    return compile_edition(
        campaign or a_campaign(),
        association or an_association(),
        template or announcement(),
        media_url=MEDIA,
    )


def a_context(
    member: Mapping[str, Any] | None = None,
    campaign: Campaign | None = None,
    association: Association | None = None,
    **links: str,
) -> dict[str, Any]:
    return {
        "member": dict(member or {}),
        "association": association_data(association or an_association()),
        "campaign": campaign_data(campaign or a_campaign()),
        "links": {**LINKS, **links},
        "url": "https://news.example.org/spring",
    }


def rendered(
    campaign: Campaign | None = None,
    association: Association | None = None,
    template: TemplateSource | None = None,
    member: Mapping[str, Any] | None = None,
    **links: str,
) -> Rendered:
    edition = compiled(campaign, association, template)
    return Renderer(edition).render(a_context(member, campaign, association, **links))
