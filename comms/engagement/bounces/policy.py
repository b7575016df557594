"""When an address is not to be written to any more, because of what came back. Pure: no clock, no database.

A returned mail is weighed by itself first, then together with those that came back before. The order in which they
come in does not matter: what counts is when the mails were sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from comms.engagement.bounces.models import BounceClass, Kind

HARD_BOUNCE = "hard bounce"
REPEATED_BOUNCES = "repeated bounces"
COMPLAINT = "complaint"
"""Reasons of suppressions; the exports and imports of lists know these words."""

SETTLED_AFTER = timedelta(days=7)
"""A mail of which nothing was heard for so long has arrived: servers give up after four to five days (RFC 5321
section 4.5.4.1), and the answer takes its time too."""

MOST_REFUSED = 0.2
"""Of the mails of a run, that a server can refuse for good before it is thought to be wrong itself: lists are seldom so
bad, for Amazon SES stops a sender at half of that (its FAQ on the reputation of senders)."""
LEAST_TELLING = 20
"""Fewer refusals are no share of anything."""

_ABOUT_US = frozenset({Kind.BLOCK, Kind.SPAM, Kind.SIZE, Kind.DELAYED})
"""Says something of the sender, of this message, or nothing yet: never of the mailbox."""
_SURE_WHEN_GIVEN_UP = frozenset({Kind.FULL, Kind.DISABLED})


class Weight(StrEnum):
    """What a returned mail says by itself."""

    NOTHING = "nothing"
    STRIKE = "strike"
    """The mail did not arrive; if that goes on, the mailbox is dead."""
    FINAL = "final"
    """There is no such mailbox."""
    COMPLAINT = "complaint"
    """The person does not want it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When strikes are enough: so many mails within so many days, so many days between the first and the last."""

    count: int = 5
    days: int = 30
    spread_days: int = 3


def weigh(kind: Kind, *, sure: bool) -> Weight:
    """What one returned mail says.

    `sure`: it is shown to be about a mail of ours, and to be about the address that this went to. Where it is not, a
    dead mailbox is a strike like others, and a complaint could be anybody's.
    """
    if kind is Kind.COMPLAINT:
        return Weight.COMPLAINT if sure else Weight.NOTHING
    if kind.of_class is BounceClass.HARD:
        return Weight.FINAL if sure else Weight.STRIKE
    if kind.of_class is not BounceClass.SOFT or kind in _ABOUT_US:
        return Weight.NOTHING
    return Weight.STRIKE


def is_unusual(refused: int, taken: int) -> bool:
    """Is that so large a part of a run's mails that the server is more likely wrong than all these addresses."""
    return refused >= LEAST_TELLING and refused > MOST_REFUSED * (refused + taken)


def weigh_refusal(kind: Kind, *, given_up: bool, unusual: bool) -> Weight:
    """What it says when the server refused the recipient while we were talking to it.

    `given_up`: it only ever asked to try later, until the time for that was over. Our own server may be the reason
    then, for everybody at once; so only what can be nobody's but the mailbox's counts. `unusual`: it refused so many
    of the run that it may be wrong itself, as one is that lost its list of users; then this is no more than a strike.
    """
    if given_up and kind not in _SURE_WHEN_GIVEN_UP:
        return Weight.NOTHING
    return weigh(kind, sure=not unusual)


def decide(
    weight: Weight, strikes: Iterable[datetime], *, arrived_at: datetime | None, rules: Rules, now: datetime
) -> str | None:
    """The reason to suppress the address now; None to go on writing to it.

    `strikes` are the times at which mails to this address were sent that did not arrive, this one among them;
    `arrived_at` is when the last was sent that did (`SETTLED_AFTER`): strikes before it are over.
    """
    if weight is Weight.COMPLAINT:
        return COMPLAINT
    if weight is Weight.FINAL:
        return HARD_BOUNCE
    if weight is Weight.NOTHING:
        return None
    since = now - timedelta(days=rules.days)
    times = sorted(each for each in strikes if each >= since and (arrived_at is None or each > arrived_at))
    if len(times) < rules.count or times[-1] - times[0] < timedelta(days=rules.spread_days):
        return None
    return REPEATED_BOUNCES
