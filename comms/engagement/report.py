"""What there is to tell of a campaign, as frozen data and as JSON. Gathers nothing and draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from campaigns.schedule import times_to_json
from comms.events import DeliveryState

STATES: tuple[DeliveryState, ...] = (
    DeliveryState.SENT,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
    DeliveryState.SKIPPED,
    DeliveryState.UNCERTAIN,
    DeliveryState.CANCELLED,
    DeliveryState.READY,
    DeliveryState.CLAIMED,
)
"""Every state that is counted, in the order in which it is told."""

SMALLEST_BASE = 10
"""A share of fewer than this many says more about chance, or about somebody, than about the campaign."""

STATE_MEANINGS: Mapping[DeliveryState, str] = {
    DeliveryState.SENT: "the mail server took the message; of a relayed campaign also up to nine of those left out",
    DeliveryState.DEFERRED: "the mail server asked to try later; it is tried again",
    DeliveryState.FAILED: "the mail server refused the message for good, or it could not be written",
    DeliveryState.SKIPPED: "left out at the last moment: unsubscribed or suppressed since the plan was made; of a "
    "relayed campaign also, in tens, who wants nothing relayed or has it from another association",
    DeliveryState.UNCERTAIN: "the server's answer was never recorded and the message was not sent again",
    DeliveryState.CANCELLED: "taken back before it was sent",
    DeliveryState.READY: "waiting to be sent",
    DeliveryState.CLAIMED: "being sent at this moment",
}

FIGURES: Mapping[str, str] = {
    "audience": "deliveries planned when the campaign was approved, all associations together",
    "clicked": "every click on a link in the newsletter, also several by the same reader, and by programs that "
    "check links",
    "clickers": "different readers who clicked, of those who agreed to be recorded by name; all others are counted "
    "as clicks without a name",
    "opened": "different readers who opened the newsletter, of those who agreed to be recorded by name; nobody "
    "else's opening is recorded",
    "unsubscribed": "different readers who stopped all newsletters of the association through the link in this one",
    "bounced": "newsletters that came back after a mail server had taken them, as far as we were told",
    "complained": "readers who called it spam, as far as their mail providers told us",
    "replied": "newsletters that somebody answered in their own words, without automatic answers; counted where the "
    "campaign was relayed and returned mail comes in here",
    "views": "times the newsletter was opened in the browser by the link in it, without names",
}


def share(part: int, base: int) -> float | None:
    """`part` of `base` in per cent; None where the base is too small for a share to say anything."""
    return 100 * part / base if base >= SMALLEST_BASE else None


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """Where a campaign stands. `deliveries` has a count for each of `STATES`; their sum is `audience`.

    Whom an association left out of what is relayed is told in tens; up to nine more of them are counted as sent.
    """

    id: str
    state: str
    audience: int
    deliveries: Mapping[str, int]
    reason: str = ""
    """Why it waits for a person to decide; empty when it does not."""

    def to_json(self) -> dict[str, Any]:
        """`reason` is left out where it is empty."""
        held = {"reason": self.reason} if self.reason else {}
        counts = dict(self.deliveries)
        return {"id": self.id, "state": self.state, **held, "audience": self.audience, "deliveries": counts}


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """Where a campaign that repeats stands."""

    id: str
    state: str
    repeat: str
    """The rule (RFC 5545)."""
    coming: tuple[tuple[datetime, datetime], ...]
    """The next occurrences: time by the clock on the wall, and its first moment."""
    occurrences: tuple[CampaignStatus, ...]
    """What went out, or does at the moment, oldest first."""
    skipped: tuple[str, ...]
    """Occurrences that were left out, each with its reason, oldest first."""
    reason: str = ""
    """Why the occurrence that is due could not be made yet; empty when it could."""

    def to_json(self) -> dict[str, Any]:
        """The keys of a campaign's status, with the sums of all occurrences, and those of a series."""
        return {
            "id": self.id,
            "state": self.state,
            **({"reason": self.reason} if self.reason else {}),
            "audience": sum(each.audience for each in self.occurrences),
            "deliveries": {state.value: sum(each.deliveries[state] for each in self.occurrences) for state in STATES},
            "repeat": self.repeat,
            "next": times_to_json(self.coming),
            "occurrences": [each.to_json() for each in self.occurrences],
            "skipped": list(self.skipped),
        }


@dataclass(frozen=True, slots=True)
class Engagement:
    """What readers did; `FIGURES` says what each number counts."""

    clicked: int = 0
    clickers: int = 0
    opened: int = 0
    unsubscribed: int = 0
    views: int = 0
    bounced: int = 0
    complained: int = 0
    replied: int = 0
    trackable: int = 0
    """Readers who got it and agreed to be recorded by name: the base of `clickers` and `opened`. Those whom a relayed
    campaign left out are among them."""

    @classmethod
    def total(cls, parts: Iterable[Engagement]) -> Engagement:
        """All parts together; a reader of two associations is two readers, for no list knows the other."""
        sums = dict.fromkeys(cls.__dataclass_fields__, 0)
        for part in parts:
            for name, value in asdict(part).items():
                sums[name] += value
        return cls(**sums)


@dataclass(frozen=True, slots=True)
class AssociationReport:
    """One association's part of the campaign."""

    association: str
    name: str
    audience: int
    deliveries: Mapping[str, int]
    excluded: Mapping[str, int]
    """Why members in the segment were not in the audience -> how many."""
    failures: Mapping[str, int]
    """What the server said to those that failed -> how many."""
    engagement: Engagement
    skips: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Why members were left out when they were about to get it -> how many."""


@dataclass(frozen=True, slots=True)
class LanguageReport:
    """The part of a campaign that went out in one language, all associations together."""

    language: str
    name: str
    """Of the language, in itself."""
    audience: int
    deliveries: Mapping[str, int]
    clicked: int


@dataclass(frozen=True, slots=True)
class DoubtCase:
    """One message of which nobody can know whether it arrived. `address` is None for an erased member."""

    association: str
    address: str | None
    at: str
    cause: str
    resolution: str
    """`resent` under the same Message-ID, or `held`."""


@dataclass(frozen=True, slots=True)
class LinkReport:
    """A link of the newsletter, in all associations' editions together."""

    url: str
    clicks: int
    people: int
    """Different readers, of those who agreed to be recorded by name."""


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """An answer to a poll, and how many gave it last: in all, and by association."""

    text: str
    count: int
    associations: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PollReport:
    """A poll of the newsletter; its answers as they stand there."""

    question: str
    answers: tuple[AnswerReport, ...]

    @property
    def count(self) -> int:
        return sum(answer.count for answer in self.answers)


@dataclass(frozen=True, slots=True)
class EntryReport:
    association: str
    url: str
    published: str


@dataclass(frozen=True, slots=True)
class PostReport:
    association: str
    network: str
    state: str
    url: str
    reason: str
    replies: int | None = None
    shares: int | None = None
    likes: int | None = None
    """What readers did, as the network said at `counted`; None where it does not tell."""
    counted: str | None = None


@dataclass(frozen=True, slots=True)
class RelayedReport:
    """What an association that relayed a campaign may know of what all reached together. It is told when the offer is
    closed, and does not change after that."""

    campaign: str
    coalition: str
    closed: datetime | None
    """None while the offer is open: nothing is told then."""
    already_reached: int | None = None
    """Members whom another association had reached, in tens rounded down; 0 stands for fewer than ten."""
    figures: tuple[tuple[str, str], ...] = ()
    """(name, number as it may be told) of all associations together."""

    @property
    def already_reached_words(self) -> str:
        if self.already_reached is None:
            return ""
        return f"about {self.already_reached:,}" if self.already_reached else f"fewer than {SMALLEST_BASE}"

    def to_json(self) -> dict[str, Any]:
        """`already_reached` is a text: `about 40`, `fewer than 10`; null where nothing is told."""
        return {
            "campaign": self.campaign,
            "coalition": self.coalition,
            "closed": self.closed.isoformat(timespec="seconds") if self.closed else None,
            "already_reached": self.already_reached_words or None,
            "together": dict(self.figures),
        }


@dataclass(frozen=True, slots=True)
class ReportData:
    """All there is to tell of a campaign at the moment `at`."""

    status: CampaignStatus
    title: str
    at: datetime
    associations: tuple[AssociationReport, ...]
    in_doubt: tuple[DoubtCase, ...]
    engagement: Engagement
    links: tuple[LinkReport, ...]
    """Most clicked first."""
    clicks_by_hour: tuple[tuple[str, int], ...]
    """Hours (UTC, `2027-02-01T09`) in order; those without a click are left out."""
    entries: tuple[EntryReport, ...]
    posts: tuple[PostReport, ...]
    polls: tuple[PollReport, ...] = ()
    languages: tuple[LanguageReport, ...] = ()
    """The campaign's own first; empty for a campaign in one, and for one that several associations send."""
    relayed: RelayedReport | None = None
    """None for a campaign that is nobody else's."""

    def to_json(self) -> dict[str, Any]:
        """Plain data with stable keys; those of `CampaignStatus` stand at the top. `languages` is there
        where there are several, `relayed` where it is another's campaign."""
        return {
            **self.status.to_json(),
            "title": self.title,
            "at": self.at.isoformat(timespec="seconds"),
            "engagement": asdict(self.engagement),
            "associations": [_plain(part) for part in self.associations],
            "in_doubt": [asdict(case) for case in self.in_doubt],
            "links": [asdict(link) for link in self.links],
            "clicks_by_hour": [{"hour": hour, "clicks": clicks} for hour, clicks in self.clicks_by_hour],
            "entries": [asdict(entry) for entry in self.entries],
            "posts": [asdict(post) for post in self.posts],
            "polls": [_plain_poll(poll) for poll in self.polls],
            **({"languages": [asdict(each) for each in self.languages]} if self.languages else {}),
            **({"relayed": self.relayed.to_json()} if self.relayed else {}),
        }


def _plain_poll(poll: PollReport) -> dict[str, Any]:
    answers = [
        {"text": answer.text, "count": answer.count, "associations": dict(answer.associations)}
        for answer in poll.answers
    ]
    return {"question": poll.question, "count": poll.count, "answers": answers}


def _plain(part: AssociationReport) -> dict[str, Any]:
    return {
        "association": part.association,
        "name": part.name,
        "audience": part.audience,
        "deliveries": dict(part.deliveries),
        "excluded": dict(part.excluded),
        "failures": dict(part.failures),
        "engagement": asdict(part.engagement),
    }
