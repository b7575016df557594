"""The one vocabulary for what happens to a delivery, a post or an entry."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands. `ready`, `claimed` and `deferred` are open, the rest are final."""

    READY = "ready"
    CLAIMED = "claimed"
    """In the hands of one sender."""
    DEFERRED = "deferred"
    """The server asked to try later."""
    SENT = "sent"
    """The server took responsibility (RFC 5321 section 4.2.5, reply 250 after the final dot)."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Left out when it was about to be claimed: consent withdrawn or address suppressed meanwhile."""
    UNCERTAIN = "uncertain"
    """The server's answer was never recorded, and the campaign says not to send twice."""
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in FINAL


FINAL = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.FAILED,
        DeliveryState.SKIPPED,
        DeliveryState.UNCERTAIN,
        DeliveryState.CANCELLED,
    }
)


class PostState(StrEnum):
    """Where a social post stands. A row leaves `sending` only with an answer, or as `doubtful` or `unconfirmed`."""

    QUEUED = "queued"
    SENDING = "sending"
    DOUBTFUL = "doubtful"
    """The network may have it, and is asked before anything else happens."""
    SENT = "sent"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    """The network may have it; only a person decides whether to post again."""
    SIMULATED = "simulated"
    """No credentials: the text was written to the outbox folder."""
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """It would have cost more than was left of the month's budget; a person may post it later."""
    DELETED = "deleted"
    """It was there, and a person took it away; it is never posted again."""


class CampaignState(StrEnum):
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"


class SeriesState(StrEnum):
    """Where a campaign that repeats stands. Its occurrences are campaigns, each with a state of its own."""

    REPEATING = "repeating"
    PAUSED = "paused"
    """No occurrence is made; what falls into the pause is left out."""
    ENDED = "ended"
    """Its last occurrence was made, or left out."""
    CANCELLED = "cancelled"


class EventKind(StrEnum):
    """What a reader, or a reader's server, did."""

    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    VIEWED = "viewed"
    """The view-online page was asked for."""
    BOUNCED = "bounced"
    """The mail came back after a server had taken it."""
    REPLIED = "replied"
    """A person wrote an answer to a relayed newsletter. Once for each delivery."""
    COMPLAINED = "complained"
    """The reader called the mail spam, and the mailbox's provider told us."""
