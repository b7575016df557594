"""What an association does about an offer. Pages and commands call these; each step is written down with who took it.

Every answer names what was looked at: a text that changed meanwhile is looked at again before anyone agrees to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from audiences.attributes import clean_text
from campaigns import relay as rules
from campaigns.models import Campaign, RelayPart
from campaigns.relay import AGREED, ANSWERABLE, Adaptation, RelayState
from campaigns.relays import OfferRow, RelayRow, Seat
from comms.db import storage_errors
from comms.engine.relaying import letters, looking, making, peers
from comms.engine.sending import Prepared
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError

LONGEST_REASON = 1_000
SITTING = timedelta(minutes=30)
"""Who goes on writing within so long has taken one step, though the page saves at each pause."""
STALE = "the campaign was changed after you looked at it."


def find(workspace: Workspace, campaign: str, association: str) -> RelayRow:
    """Raises UsageError when the campaign was not offered to the association."""
    row = workspace.relays.relay(campaign, workspace.association(association).slug)
    if row is None:
        offers = ", ".join(each.campaign for each in workspace.relays.offers()[-10:])
        raise UsageError(
            f"{campaign!r} was not offered to {association}.",
            hint=f"Offered were: {offers}." if offers else "Nothing was offered yet: comms relay offer FILE.",
        )
    return row


# --- steps ------------------------------------------------------------------------------------


def see(workspace: Workspace, row: RelayRow, seat: Seat) -> RelayRow:
    """Somebody of the association has opened the offer."""
    if row.state is not RelayState.OFFERED:
        return row
    return _step(workspace, row, replace(row, state=RelayState.SEEN), seat.name)


def adapt(workspace: Workspace, row: RelayRow, texts: Mapping[str, str], *, who: str) -> RelayRow:
    """Keep an association's words for slots, be they finished or not; a blank text gives a slot back to the campaign.

    An acceptance that was given ends by it, for it was of another text. Raises UsageError for a slot that there is not,
    StateError when it is too late.
    """
    offer = _answerable(workspace, row)
    campaign = making.offered(workspace, row.campaign, offer.version)
    known = {slot.name for slot in rules.open_places(campaign)}
    if unknown := sorted(set(texts) - known - set(row.adaptation.texts)):
        hint = f"Open are: {', '.join(sorted(known))}." if known else "All of its text is locked."
        raise UsageError(f"{row.campaign} has no open place {unknown[0]!r}.", hint=hint)
    kept = {**row.adaptation.texts, **{name: text.replace("\r\n", "\n") for name, text in texts.items()}}
    kept = {name: text for name, text in kept.items() if text.strip()}
    if kept == dict(row.adaptation.texts):
        return row
    adaptation = replace(row.adaptation, texts=MappingProxyType(kept))
    detail = f"words in: {', '.join(sorted(texts))}"
    return _reopened(workspace, row, adaptation, who, detail, goes_on=_goes_on(workspace, row, who, detail))


def choose_time(workspace: Workspace, row: RelayRow, at: datetime | None, *, who: str) -> RelayRow:
    """When it goes out, by the association's own clock; None for what the offer proposes. Raises UsageError for a time
    outside the offer's days or in the past, StateError when it is too late."""
    offer = _answerable(workspace, row)
    part = _part(making.offered(workspace, row.campaign, offer.version))
    if at is not None:
        if fault := rules.time_fault(part, at):
            raise UsageError(f"it can not go out at {at:%Y-%m-%d %H:%M}: {fault}.", hint="Choose another time.")
        zone = workspace.association(row.association).timezone
        if at < workspace.now().astimezone(ZoneInfo(zone)).replace(tzinfo=None):
            raise UsageError(f"{at:%Y-%m-%d %H:%M} is past in {zone}.", hint="Choose a time to come.")
    if at == row.adaptation.send_at:
        return row
    shown = f"{at:%Y-%m-%d %H:%M}" if at else "as proposed"
    if row.state in (RelayState.ACCEPTED, RelayState.SCHEDULED):
        # The hour is no part of what was agreed to: it moves, and nobody is asked again.
        moved = replace(row, adaptation=replace(row.adaptation, send_at=at))
        return _put_on_schedule(workspace, row, moved, who, f"time: {shown}")
    return _reopened(workspace, row, replace(row.adaptation, send_at=at), who, f"time: {shown}")


def accept(
    workspace: Workspace, row: RelayRow, *, who: str, seat: Seat | None = None, fingerprint: str | None = None
) -> RelayRow:
    """Agree to send what was looked at, whose `fingerprint` this is. Puts the edition on the schedule, unless the
    association sends it with a tool of its own; or asks a second seat, where the association wants two.

    Raises StateError when it can not be accepted (any more), or was changed since it was looked at.
    """
    _answerable(workspace, row)
    if row.state in (RelayState.ACCEPTED, RelayState.SCHEDULED) and row.approved:
        return row
    ready, obstacle = looking.prepared(workspace, row)
    if ready is None:
        raise StateError(f"{row.campaign} can not be sent by {row.association}: {obstacle}")
    now_seen = making.seen(workspace, row, ready)
    if fingerprint is not None and fingerprint != now_seen:
        raise StateError(STALE, hint="Look at it once more, then accept.")
    offer = workspace.relays.offer(row.campaign)
    assert offer is not None
    looked = replace(row, version=offer.version, approved=now_seen, reason="")
    if workspace.relays.rule(row.association).two_seats:
        if seat is None:
            raise StateError(
                f"{row.association} wants two of its own people to accept.", hint="Say who accepts: --as ADDRESS."
            )
        first = row.approved_by if row.state == RelayState.AWAITING and row.approved == now_seen else None
        if first is None:
            waiting = replace(looked, state=RelayState.AWAITING, approved_by=seat.id)
            done = _step(workspace, row, waiting, who, "accepted; a second person is asked")
            letters.ask_second(workspace, done, seat)
            return done
        if first == seat.id:
            raise StateError("you have accepted already; somebody else has to agree, too.")
    elif seat is not None:
        looked = replace(looked, approved_by=seat.id)
    return _put_on_schedule(workspace, row, looked, who, "accepted", ready)


def decline(workspace: Workspace, row: RelayRow, reason: str, *, who: str) -> RelayRow:
    """Say no, or take a yes back before it is sent. Raises StateError when it is too late."""
    _answerable(workspace, row)
    reason = clean_text(reason)[:LONGEST_REASON]
    if row.state == RelayState.DECLINED:
        return row
    declined = replace(row, state=RelayState.DECLINED, approved="", approved_by=None, reason=reason)
    return _step(workspace, row, declined, who, reason, withdraw_edition=True)


def ask(workspace: Workspace, row: RelayRow, question: str, *, seat: Seat) -> None:
    """Mail a question to the coalition. Raises UsageError for an empty one."""
    question = question.strip()[:LONGEST_REASON]
    if not question:
        raise UsageError("there is no question.", hint="Write what you would like to know.")
    store, now = workspace.relays, workspace.now()
    with storage_errors(workspace.host_path), store.db.atomic():
        store.add_step(row.id, seat.name, "question", clean_text(question), now)
    letters.question(workspace, row, seat, question)


def reopen(workspace: Workspace, row: RelayRow, *, who: str, detail: str) -> RelayRow:
    """Ask an association again: what it had agreed to is no more what would be sent. Its words stay."""
    return _reopened(workspace, row, row.adaptation, who, detail)


def renew(workspace: Workspace, row: RelayRow, version: int, *, who: str, detail: str) -> RelayRow:
    """Let an association that has changed nothing have another version; one that had agreed still agrees.

    Raises what `making.prepared` raises when the version can not be sent.
    """
    agreed = row.state in (RelayState.ACCEPTED, RelayState.SCHEDULED, RelayState.AWAITING)
    if not agreed:
        # Who has looked before is shown what was changed since; for the others it is what is offered.
        looked = replace(row, version=version) if row.state is RelayState.OFFERED else row
        return _step(workspace, row, looked, who, detail)
    looked = replace(row, version=version)
    ready = making.prepared(workspace, looked, elsewhere=looking.sends_elsewhere(workspace, row))
    approved = replace(looked, approved=making.seen(workspace, looked, ready))
    if row.state is RelayState.AWAITING:
        return _step(workspace, row, approved, who, detail)
    return _put_on_schedule(workspace, row, approved, who, detail, ready)


# --- parts ------------------------------------------------------------------------------------


def _part(campaign: Campaign) -> RelayPart:
    assert campaign.relay is not None, "it is offered"
    return campaign.relay


def _answerable(workspace: Workspace, row: RelayRow) -> OfferRow:
    peers.require_here(workspace, row)
    offer = workspace.relays.offer(row.campaign)
    assert offer is not None
    if offer.state != "open" or row.state is RelayState.WITHDRAWN:
        why = f" ({offer.reason})" if offer.reason else ""
        raise StateError(f"{row.campaign} is not offered any more{why}.")
    if row.state not in ANSWERABLE:
        raise StateError(f"{row.campaign} is {row.state.value} by {row.association}; that can not be changed any more.")
    part = _part(making.offered(workspace, row.campaign, offer.version))
    zone = ZoneInfo(workspace.association(row.association).timezone)
    if rules.is_over(part, workspace.now().astimezone(zone).date()):
        raise StateError(f"the last day to send {row.campaign} was {part.not_after}.")
    return offer


def _goes_on(workspace: Workspace, row: RelayRow, who: str, detail: str) -> bool:
    """Is this what the same person did last, in this sitting."""
    since = workspace.now() - SITTING
    for step in reversed(workspace.relays.steps(row.id)):
        if (step.who, step.state) != (who, RelayState.ADAPTING) or step.at < since:
            return False
        if step.detail == detail:
            return True
    return False


def _reopened(
    workspace: Workspace, row: RelayRow, adaptation: Adaptation, who: str, detail: str, *, goes_on: bool = False
) -> RelayRow:
    """The relay with another adaptation, to be accepted (again). What only goes on is not written down once more."""
    state = RelayState.ADAPTING
    changed = replace(row, state=state, adaptation=adaptation, approved="", approved_by=None, reason="")
    if goes_on:
        with storage_errors(workspace.host_path), workspace.host.db.atomic():
            return _kept(workspace, row, changed)
    return _step(workspace, row, changed, who, detail, withdraw_edition=row.state in AGREED)


def _put_on_schedule(
    workspace: Workspace, row: RelayRow, accepted: RelayRow, who: str, detail: str, ready: Prepared | None = None
) -> RelayRow:
    if looking.sends_elsewhere(workspace, row):
        return _step(workspace, row, replace(accepted, state=RelayState.ACCEPTED), who, detail)
    ready = ready or making.prepared(workspace, accepted)
    when = f"{ready.due_at:%Y-%m-%d %H:%M} UTC" if ready.due_at else "at once"
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        if row.state not in (RelayState.ACCEPTED, RelayState.SCHEDULED):
            row = _noted(workspace, row, replace(accepted, state=RelayState.ACCEPTED), who, detail)
        making.write_down(workspace, accepted, ready)
        return _noted(workspace, row, replace(accepted, state=RelayState.SCHEDULED), who, when)


def _step(
    workspace: Workspace,
    row: RelayRow,
    after: RelayRow,
    who: str,
    detail: str = "",
    *,
    withdraw_edition: bool = False,
) -> RelayRow:
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        after = _noted(workspace, row, after, who, detail)
        if withdraw_edition:
            making.call_off(workspace, row)
    return after


def _noted(workspace: Workspace, row: RelayRow, after: RelayRow, who: str, detail: str) -> RelayRow:
    """Take one step and write down who took it, in the caller's transaction; returns the relay as it is then."""
    if row.state != after.state and not rules.may_become(row.state, after.state):
        raise StateError(f"{row.campaign} is {row.state.value} by {row.association}: that step can not be taken.")
    fresh = _kept(workspace, row, after)
    workspace.relays.add_step(row.id, who, after.state.value, detail, workspace.now())
    note = f"{row.association}: {detail}" if detail else row.association
    workspace.host.note(who, f"relay {after.state.value}", row.campaign, note, workspace.now())
    return fresh


def _kept(workspace: Workspace, row: RelayRow, after: RelayRow) -> RelayRow:
    if not workspace.relays.save_relay(after, was=row, now=workspace.now()):
        raise StateError("somebody else has answered in this very moment.", hint="Look at it again.")
    fresh = workspace.relays.relay_by_id(row.id)
    assert fresh is not None
    return fresh
