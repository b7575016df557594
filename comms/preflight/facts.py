"""What the rules look at, as plain data: the campaign, who sends it, and what readers will get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from audiences.models import Association
from campaigns.models import Campaign
from comms.rendering.edition import Edition
from comms.rendering.render import Rendered


@dataclass(frozen=True, slots=True)
class Mail:
    """The newsletter as it goes out."""

    edition: Edition
    shown: Rendered
    """For a reader of whom no more is known than the text needs."""
    largest: int
    """Bytes of HTML for a reader with long values, whatever conditions hold."""
    unsubscribe: str
    """The address that `shown` has for unsubscribing."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One campaign as one association sends it."""

    campaign: Campaign
    association: Association
    now: datetime
    """Aware."""
    site_url: str
    mail: Mail | None = None
    """None without a newsletter, or when it can not be rendered for anyone."""
    weights: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Pictures of the media folder by `src`: bytes of the copy that mails link."""

    @property
    def template_line(self) -> int:
        """The line to blame for what the template does."""
        lines = self.campaign.key_lines
        return lines.get("newsletter.template", lines.get("newsletter", 0))

    @property
    def language_line(self) -> int:
        return self.campaign.key_lines.get("language", 0)
