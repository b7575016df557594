"""What is offered to an association, as data for a feed. It does not know who is offered what, or what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from comms.kits.offer_files import OfferedFile


@dataclass(frozen=True, slots=True)
class Offer:
    """One campaign as it is offered to one association. Times are aware."""

    campaign: str
    """Its id."""
    version: int
    """From 1; a correction is the next one."""
    title: str
    summary: str
    language: str
    """BCP 47 tag."""
    url: str
    """Its page for everyone, absolute."""
    published: datetime
    """When it was first offered."""
    updated: datetime
    """When this version was."""
    definition: str
    """The whole definition, as `Campaign.definition` joins it; of no use once the offer is withdrawn."""
    respond_by: date | None = None
    withdrawn: datetime | None = None
    reason: str = ""
    """Why it was withdrawn."""
    note: str = ""
    """What this version corrected, in words; empty for the first."""
    origin: str = ""
    """The engine that offered it first, and its id there, as `0123456789abcdef/partner`: whatever way it takes."""
    via: tuple[str, ...] = ()
    """The engines that it has come through, the first first; the one that publishes this feed is the last."""
    minor_since: int = 0
    """All corrections after this version were minor: who agreed to it, or to a later one, agrees to this one. 0 where
    that is not known."""
    gathered: str = ""
    """The items of the feeds that it shows, as `campaigns.gathering.kept` writes them."""
    files: tuple[OfferedFile, ...] = ()
    """Of the media folder, those that go with it."""


@dataclass(frozen=True, slots=True)
class OfferFeed:
    """All offers to one association. Addresses are absolute."""

    association: str
    """Slug."""
    title: str
    author: str
    """Name of the association that offers."""
    language: str
    homepage: str
    authority: str
    """Host and year of the tag URIs by which entries are known (RFC 4151), as `example.org,2027`."""
    json_url: str
    atom_url: str
    keys_url: str
    offers: tuple[Offer, ...] = ()
    changed: datetime | None = None
    """When anything last changed that was ever in it, so that it never goes back; None when nothing was."""

    @property
    def id(self) -> str:
        return f"tag:{self.authority}:relay/{self.association}"

    def id_of(self, offer: Offer) -> str:
        """Names the offer, in whatever version."""
        return f"{self.id}/{offer.campaign}"
