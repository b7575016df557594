"""When a feed may be asked for again, and what an answer changes. Pure: an answer and `now` in, the next state out.

At most one request in a period, whatever happens: an hour for servers that answer conditional requests, a day for
those that do not (rachelbythebay.com/fs/help.html). `Retry-After` (RFC 9110 section 10.2.3) and `Cache-Control:
max-age` (RFC 9111 section 5.2.2.1) make it longer, never shorter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from comms.reading.fetch import NOTHING_KNOWN, Answer, Validators

PERIOD = timedelta(hours=1)
UNCONDITIONAL = timedelta(days=1)
LONGEST = timedelta(days=1)
"""For max-age, and between tries of a feed that fails."""
LONGEST_RETRY_AFTER = timedelta(days=30)
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of a feed between requests."""

    url: str
    validators: Validators = NOTHING_KNOWN
    next_at: datetime | None = None
    """Before this moment it is not asked for; None: at once."""
    failures: int = 0
    """Answers that were none, one after the other."""
    fault: str = ""
    """What was wrong with the last one; empty when nothing was."""
    gone: bool = False
    """The server said that it is gone for good (410): it is not asked for any more."""

    def is_due(self, now: datetime) -> bool:
        return not self.gone and (self.next_at is None or self.next_at <= now)


def after(standing: Standing, answer: Answer, now: datetime) -> Standing:
    """The standing once the feed was asked for at `now`. For a body that turns out to be no feed there is `unread`."""
    if answer.status == 410:
        return replace(standing, gone=True, fault="the site says that the feed is gone for good", next_at=None)
    if answer.status not in (200, 304):
        fault = answer.fault or f"the site answers with status {answer.status}"
        return _failed(standing, fault, answer, now)
    moved = answer.moved_to or standing.url
    validators = answer.validators if answer.status == 200 else _kept(standing.validators, answer.validators)
    wait = PERIOD if validators else UNCONDITIONAL
    return Standing(moved, validators, now + max(wait, _max_age(answer), retry_after(answer, now)))


def unread(standing: Standing, fault: str, answer: Answer, now: datetime) -> Standing:
    """The standing after an answer that came, and could not be read."""
    return _failed(replace(standing, validators=NOTHING_KNOWN), fault, answer, now)


def _failed(standing: Standing, fault: str, answer: Answer, now: datetime) -> Standing:
    failures = standing.failures + 1
    back_off = min(PERIOD * 2 ** min(failures - 1, 10), LONGEST)
    next_at = now + max(back_off, retry_after(answer, now))
    return replace(standing, failures=failures, fault=fault, next_at=next_at)


def _kept(ours: Validators, news: Validators) -> Validators:
    """What holds after a 304, which may name new ones."""
    return Validators(news.etag or ours.etag, news.last_modified or ours.last_modified)


def _max_age(answer: Answer) -> timedelta:
    found = _MAX_AGE.search(answer.cache_control)
    return min(timedelta(seconds=int(found[1])), LONGEST) if found else timedelta()


def retry_after(answer: Answer, now: datetime) -> timedelta:
    """How long the site asks to be left alone. Seconds, or a date; anything else counts for nothing."""
    text = answer.retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return timedelta()
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta()), LONGEST_RETRY_AFTER)
