"""Campaign, members and what they agreed to -> who gets what, and why others do not. Pure.

Counting is done by the stores; what the counts mean, and what a person approves, is said here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from campaigns.schedule import times_to_json
from comms.language.tags import nearby


def variant_for(language: str | None, tags: Iterable[str]) -> str:
    """Which of `tags`, a campaign's own first, a member reads: the nearest to their language, else the campaign's own.

    By lookup (RFC 4647 section 3.4): the very tag, or what is left of it when its last parts are taken off.
    """
    known = {tag.lower(): tag for tag in tags}
    own = next(iter(known.values()))
    return next((known[near] for near in nearby(language or "") if near in known), own)


@dataclass(frozen=True, slots=True)
class LanguagePlan:
    """How many get an association's newsletter in one language."""

    language: str
    audience: int
    edition: str
    """Digest of the compiled edition."""


@dataclass(frozen=True, slots=True)
class NewsletterPlan:
    """One association's newsletter: of `members`, `segment` are meant, and `audience` of those get it."""

    association: str
    name: str
    members: int
    segment: int
    audience: int
    excluded: Mapping[str, int]
    """Exclusion -> members of the segment left out for it."""
    edition: str
    """Digest of the compiled edition, in the campaign's own language."""
    first_at: datetime
    last_at: datetime
    moved_from: datetime | None = None
    """What the schedule says, when days that are shut out moved it to `first_at`."""
    opens_at: datetime | None = None
    """The first moment from `first_at` on at which newsletters of the association may leave; None: there is none."""
    timezone: str = "UTC"
    """Where the association's clock hangs."""
    languages: tuple[LanguagePlan, ...] = ()
    """The audience by language, the campaign's own first; empty for a campaign in one."""


@dataclass(frozen=True, slots=True)
class PostPlan:
    """One social post, or a part of a thread, with its length as the network counts; `simulated` when no account is
    connected."""

    association: str
    network: str
    text: str
    length: int
    limit: int
    simulated: bool
    part: int = 1
    image: str = ""
    """The image that goes with it, as the definition names it; empty for none."""
    dollars: float | None = None
    """What the network asks for it; None where posting is free."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What sending a campaign would do."""

    campaign: str
    title: str
    newsletters: tuple[NewsletterPlan, ...] = ()
    feeds: tuple[str, ...] = ()
    """Associations whose feed gets an entry."""
    posts: tuple[PostPlan, ...] = ()
    definition: str = field(default="", repr=False)
    """Digest of the definition file."""
    series: str = ""
    """Of a campaign that repeats: its own id. The plan is that of the next occurrence."""
    coming: tuple[tuple[datetime, datetime], ...] = ()
    """Of a campaign that repeats, the next occurrences: time by the clock on the wall, and its first moment."""

    @property
    def audience(self) -> int:
        """Newsletters that would go out."""
        return sum(newsletter.audience for newsletter in self.newsletters)

    @property
    def empty(self) -> bool:
        """Nothing at all would happen."""
        return not (self.audience or self.feeds or self.posts)

    @property
    def digest(self) -> str:
        """What an approval is bound to: definition, compiled editions, recipients per association, posts."""
        parts = {
            "definition": self.definition,
            "newsletters": [
                (n.association, n.edition, n.audience, *((each.language, each.edition) for each in n.languages))
                for n in self.newsletters
            ],
            "feeds": list(self.feeds),
            "posts": [(p.association, p.network, p.part, p.text, p.image) for p in self.posts],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """For `--json`; times as ISO text."""
        newsletters = [{**asdict(n), **{name: _iso(getattr(n, name)) for name in _TIMES}} for n in self.newsletters]
        series = {"series": self.series, "occurrences": times_to_json(self.coming)} if self.series else {}
        return {
            "id": self.campaign,
            "title": self.title,
            "audience": self.audience,
            "newsletters": newsletters,
            "feeds": list(self.feeds),
            "posts": [asdict(post) for post in self.posts],
            "hash": self.digest,
            **series,
        }


_TIMES = ("first_at", "last_at", "moved_from", "opens_at")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
