"""The words in which reports name reasons and shares, on a terminal as in a page."""

from __future__ import annotations

from audiences.consent import Exclusion
from comms.engagement.report import PostReport, share

_RESOLUTIONS = {
    "resent": "sent once more under the same Message-ID",
    "held": "not sent again; a person decides",
    "arrived": "a person found that it arrived",
}


def skip_words(reason: str) -> str:
    """Why somebody was left out when they were about to get a newsletter."""
    if reason == Exclusion.NOT_RELAYED:
        return f"{Exclusion.NOT_RELAYED.words} (in tens, rounded down)"
    return Exclusion(reason).words if reason in set(Exclusion) else reason or "no reason was recorded"


def resolution_words(resolution: str) -> str:
    """What was done with a case in doubt."""
    return _RESOLUTIONS.get(resolution, resolution)


def percent(part: int, base: int) -> str:
    """`part` of `base` as `12.3 %`; a dash where the base is too small for a share."""
    value = share(part, base)
    return "–" if value is None else f"{value:.1f} %"


def post_words(post: PostReport) -> str:
    """What readers did with a post, and when that was looked at; empty where it never was."""
    if post.counted is None:
        return ""
    kinds = ((post.replies, "reply", "replies"), (post.shares, "share", "shares"), (post.likes, "like", "likes"))
    told = [f"{number:,} {one if number == 1 else many}" for number, one, many in kinds if number is not None]
    return f"{', '.join(told)} by {post.counted[:10]}"
