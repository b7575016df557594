"""An offer of a campaign, and what an association makes of it: states, the adapted edition, what a correction does.

    offered -> seen -> adapting -> [awaiting approval] -> accepted -> scheduled -> sending -> sent
                    \\-> declined | expired | withdrawn

Pure: campaigns, texts and times in, decisions out. Who is offered what, and what is asked of whom, is said in
`comms.engine.relaying`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from campaigns.errors import Problem
from campaigns.models import Campaign, RelayPart, Schedule, Slot
from campaigns.schedule import MEMBER
from campaigns.slots import filled, slots

MARK = "."
"""Between a campaign's id and the association that relays it, in the id of the relayed edition. No id holds it."""
REMINDERS = (5, 2)
"""Days before the last day to respond on which who has not answered is reminded."""
SEND_AT = time(9, 0)
"""What the page proposes, by the association's own clock."""


class RelayState(StrEnum):
    """Where one association stands with one offer."""

    OFFERED = "offered"
    SEEN = "seen"
    ADAPTING = "adapting"
    AWAITING = "awaiting_approval"
    """One seat has accepted; the association wants a second pair of eyes."""
    ACCEPTED = "accepted"
    """Accepted, and not on the schedule: something stands in the way, and is said."""
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    DECLINED = "declined"
    EXPIRED = "expired"
    """Nobody answered in time. Silence never sends."""
    WITHDRAWN = "withdrawn"
    """The coalition took the offer back, or recalled what had been accepted."""


S = RelayState
UNANSWERED = (S.OFFERED, S.SEEN, S.ADAPTING, S.AWAITING)
AGREED = (S.ACCEPTED, S.SCHEDULED, S.SENDING, S.SENT)
UNSENT = (*UNANSWERED, S.ACCEPTED, S.SCHEDULED)
"""Here a correction still reaches everybody who will get the edition."""
ANSWERABLE = (*UNANSWERED, S.ACCEPTED, S.SCHEDULED, S.DECLINED, S.EXPIRED)
"""Here the association may still say something else, as long as there is time to send."""
_NEXT: Mapping[RelayState, tuple[RelayState, ...]] = {
    S.OFFERED: (S.SEEN, S.ADAPTING, S.AWAITING, S.ACCEPTED, S.DECLINED, S.EXPIRED, S.WITHDRAWN),
    S.SEEN: (S.ADAPTING, S.AWAITING, S.ACCEPTED, S.DECLINED, S.EXPIRED, S.WITHDRAWN),
    S.ADAPTING: (S.AWAITING, S.ACCEPTED, S.DECLINED, S.EXPIRED, S.WITHDRAWN),
    S.AWAITING: (S.ADAPTING, S.ACCEPTED, S.DECLINED, S.EXPIRED, S.WITHDRAWN),
    S.ACCEPTED: (S.ADAPTING, S.SCHEDULED, S.DECLINED, S.EXPIRED, S.WITHDRAWN),
    S.SCHEDULED: (S.ADAPTING, S.ACCEPTED, S.SENDING, S.SENT, S.DECLINED, S.WITHDRAWN),
    S.SENDING: (S.SENT, S.WITHDRAWN),
    S.SENT: (S.WITHDRAWN,),
    # A no may become a yes, and who is late gets those whom nobody else has reached.
    S.DECLINED: (S.ADAPTING, S.AWAITING, S.ACCEPTED, S.WITHDRAWN),
    S.EXPIRED: (S.SEEN, S.ADAPTING, S.AWAITING, S.ACCEPTED, S.DECLINED, S.WITHDRAWN),
    S.WITHDRAWN: (),
}


def may_become(now: RelayState, then: RelayState) -> bool:
    """Is this step one that there is."""
    return then in _NEXT[now]


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What an association made of an offer. Of everything else the offer's own text goes out."""

    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Slot -> Markdown. A slot that is not here holds what the campaign has there."""
    send_at: datetime | None = None
    """By the association's own clock, without zone; None for what the offer proposes."""

    @property
    def is_changed(self) -> bool:
        """Has the association put words of its own in."""
        return bool(self.texts)

    def to_json(self) -> str:
        at = self.send_at.isoformat(timespec="minutes") if self.send_at else None
        return json.dumps({"texts": dict(self.texts), "send_at": at}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Adaptation:
        """Undo `to_json`; of an empty text nothing is adapted."""
        data: dict[str, Any] = json.loads(text or "{}")
        at = data.get("send_at")
        texts = MappingProxyType(dict(data.get("texts", {})))
        return cls(texts, datetime.fromisoformat(at) if at else None)


UNADAPTED = Adaptation()


# --- what it is about -------------------------------------------------------------------------


def open_places(campaign: Campaign) -> tuple[Slot, ...]:
    """What an association may fill, in reading order; all else of the text is locked."""
    return slots(campaign)


def edition_id(campaign: str, association: str) -> str:
    """Id of the campaign as one association relays it."""
    return f"{campaign}{MARK}{association}"


def adapted(
    campaign: Campaign, association: str, adaptation: Adaptation, *, zone: str, topics: Collection[str]
) -> Campaign:
    """The campaign as an association relays it: its words in the slots, at its own time, without the host's posts.

    `zone` is the association's time zone. Of its `topics` (slugs) the members get it who agree to the campaign's own;
    where the association has none of that name, those who agree to any newsletter of it. Texts for slots that a
    correction took away are left out. Raises ValueError for texts that `text_problems` finds fault with.
    """
    assert campaign.relay is not None, "it is offered"
    names = {slot.name for slot in slots(campaign)}
    texts = {name: text for name, text in adaptation.texts.items() if name in names}
    with_texts = filled(campaign, texts)
    if isinstance(with_texts, tuple):
        raise ValueError(f"the texts of {association} can not be used: {with_texts[0].message}")
    variants = {tag: _filled(each, texts) for tag, each in campaign.variants.items()}
    by_member = campaign.schedule is not None and campaign.schedule.timezone == MEMBER
    at = adaptation.send_at or proposed(campaign)
    topic = campaign.audience.topic if campaign.audience.topic in topics else None
    return replace(
        with_texts,
        id=edition_id(campaign.id, association),
        social=MappingProxyType({}),
        audience=replace(campaign.audience, topic=topic),
        schedule=Schedule(at, MEMBER if by_member else zone) if at else None,
        variants=MappingProxyType(variants),
        relay=None,
    )


def kept(association: str, adaptation: Adaptation, *, zone: str, topics: Collection[str]) -> str:
    """All that `adapted` was told, as text for `restored`."""
    data = {"association": association, "made": adaptation.to_json(), "zone": zone, "topics": sorted(topics)}
    return json.dumps(data, ensure_ascii=False)


def restored(campaign: Campaign, text: str) -> Campaign:
    """What `adapted` made of the campaign when `kept` wrote the text down; the campaign itself for an empty one."""
    if not text:
        return campaign
    data = json.loads(text)
    adaptation = Adaptation.from_json(data["made"])
    return adapted(campaign, data["association"], adaptation, zone=data["zone"], topics=data["topics"])


def _filled(campaign: Campaign, texts: Mapping[str, str]) -> Campaign:
    own = {slot.name for slot in slots(campaign)}
    result = filled(campaign, {name: text for name, text in texts.items() if name in own})
    return campaign if isinstance(result, tuple) else result


def text_problems(campaign: Campaign, texts: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is wrong with an association's texts; empty when they can be sent."""
    found = filled(campaign, texts)
    return found if isinstance(found, tuple) else ()


# --- when -------------------------------------------------------------------------------------


def proposed(campaign: Campaign) -> datetime | None:
    """When an edition goes out if the association chooses no time; None for as soon as it accepts."""
    if campaign.schedule is not None:
        return campaign.schedule.at
    first = campaign.relay.not_before if campaign.relay else None
    return datetime.combine(first, SEND_AT) if first else None


def time_fault(part: RelayPart, chosen: datetime) -> str:
    """Why an edition can not go out at this time by the association's clock; empty when it can."""
    if part.not_before and chosen.date() < part.not_before:
        return f"nothing of it may go out before {part.not_before.isoformat()}"
    if part.not_after and chosen.date() > part.not_after:
        return f"its last day is {part.not_after.isoformat()}"
    return ""


def is_over(part: RelayPart, today: date) -> bool:
    """Is there no day left on which it may go out."""
    return part.not_after is not None and today > part.not_after


def has_expired(part: RelayPart, today: date) -> bool:
    """Has the last day to respond gone by."""
    return part.respond_by is not None and today > part.respond_by


def reminder_due(part: RelayPart, today: date, offered: date, reminded: Sequence[int]) -> int | None:
    """Of `REMINDERS` the one to send today to who has not answered; None for none.

    Of several that are due, as after days without a running program, only the last is sent. An offer younger than a
    day needs none.
    """
    if part.respond_by is None or today <= offered:
        return None
    due = [days for days in REMINDERS if part.respond_by - timedelta(days=days) <= today <= part.respond_by]
    return None if not due or min(due) in reminded else min(due)


# --- approvals and corrections ----------------------------------------------------------------


def fingerprint(parts: Mapping[str, Any]) -> str:
    """What an approval is bound to: everything that the preview shows, as JSON can hold it."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """What a correction changed, for people to read."""

    lines: tuple[str, ...]
    """Of a unified difference: each begins with a space, `-` or `+`; a line that begins with `@@` parts two places."""
    slots_gone: tuple[str, ...] = ()
    """Slots that the correction took away although the association has words in them; they are kept."""
    slots_moved: tuple[str, ...] = ()
    """Slots that the association filled, whose own words the correction changed: a three-way difference."""

    @property
    def is_empty(self) -> bool:
        return not self.lines

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def difference(before: Campaign, after: Campaign, adaptation: Adaptation = UNADAPTED) -> Difference:
    """What a correction of the definition changed, and what that means for an association's own words."""
    lines = tuple(_lines(before.definition, after.definition))
    old, new = ({slot.name: slot for slot in slots(each)} for each in (before, after))
    own = [name for name in adaptation.texts if name in old or name in new]
    gone = tuple(name for name in own if name not in new)
    moved = tuple(name for name in own if name in old and name in new and not _same(old[name], new[name]))
    return Difference(lines, gone, moved)


def _same(before: Slot, after: Slot) -> bool:
    return _bare(before) == _bare(after)


def _bare(slot: Slot) -> str:
    """A slot's content without the lines on which it stands."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(each) for name, each in value.items() if name != "line"}
        return [strip(each) for each in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(strip(asdict(slot)), sort_keys=True, default=str)


def _lines(before: str, after: str) -> Iterator[str]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    for number, line in enumerate(found):
        if number >= 2:  # the two before name files, of which there are none here
            yield "@@" if line.startswith("@@") else line
