"""The page of a kit that says what to do with it, made to be read in a browser and printed on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from audiences.models import Association
from campaigns.models import Campaign, Event
from comms.calendar import occasion
from comms.kits.mail import KitMail
from comms.kits.tools import Tool
from comms.language import dates
from comms.language.tags import locale_of
from comms.rendering.clean import clean
from comms.rendering.mime import addr_spec

LANGUAGE = "en"
"""The guide speaks to liaisons, as the command line does."""
FIGURES = ("mails that your tool sent", "different people who got one", "clicks on links", "answers that people wrote")
"""What comes back from an association that sends by itself; as `campaigns.figures` has it."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What the page is about. `page` is the campaign's page for everyone, empty when it has none."""

    campaign: Campaign
    association: Association
    author: Association
    tool: Tool
    mail: KitMail
    page: str
    files: Sequence[str]
    """Paths in the kit."""
    events: Sequence[Event]
    """With a file each, in their order."""
    has_form: bool
    """Is the campaign offered, so that its page takes the figures."""

    @property
    def days(self) -> list[tuple[str, str]]:
        """What happens when, as words."""
        found, locale = [], locale_of(LANGUAGE)
        part = self.campaign.relay
        told = (
            (("Answer by", part.respond_by), ("Not before", part.not_before), ("Not after", part.not_after))
            if part
            else ()
        )
        found += [(what, dates.day(day, locale)) for what, day in told if day]
        if self.campaign.schedule:
            at = self.campaign.schedule.at
            found.append(("It goes out on", f"{dates.day(at.date(), locale)}, {dates.time(at, locale)}"))
        return [*found, *((event.title, occasion(event, LANGUAGE).words) for event in self.events)]

    @property
    def ask(self) -> str:
        """Whom to write to."""
        return addr_spec(self.author.reply_to or self.author.sender_address)

    @property
    def letter(self) -> str:
        """A letter with the figures to fill in (RFC 6068)."""
        subject = f"Figures: {self.campaign.id}, {self.association.slug}"
        body = "\r\n".join(f"{figure}: " for figure in FIGURES)
        return f"mailto:{quote(self.ask, safe='@')}?subject={quote(subject)}&body={quote(body)}"


def _printable(value: Any) -> Any:
    # Exactly str: Markup was cleaned when it was made.
    return clean(value) if type(value) is str else value


_ENVIRONMENT = Environment(
    loader=PackageLoader("comms.kits"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_printable,
    trim_blocks=True,
    lstrip_blocks=True,
)


def to_html(guide: Guide) -> str:
    """The page: one file, without a script or a connection. Raises UnsendableAddress for an author without one."""
    return _ENVIRONMENT.get_template("guide.html").render(guide=guide, figures=FIGURES)
