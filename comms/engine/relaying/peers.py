"""Associations that answer from an engine of their own: their keys, and what they say about offers of this one.

Here stands what they said, and the relay where they say that it is. Nothing of theirs is sent from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from campaigns.figures import ToldFigures, faults
from campaigns.follows import FollowStore, Peer, PeerAnswer
from campaigns.relay import RelayState
from campaigns.relays import RelayRow
from comms.db import storage_errors
from comms.engine.relaying import figures, making
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.kits import answers
from comms.kits.answers import Statement, poll_figure
from comms.kits.signing import PublicKey, SignatureError
from comms.rendering.body import numbered_polls

OLDEST = timedelta(hours=24)
"""How long after it was signed a copy of an answer is taken: one that somebody kept is worthless the next day."""
AHEAD = timedelta(hours=1)
"""How far the clock of another engine may be before ours."""
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an answer."""

    ok: bool
    number: int
    """Of the answer that is known now; of one that was not `ok`, the number that the next has to be above."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an association's own engine said last of an offer."""

    statement: Statement
    at: datetime

    def to_json(self) -> dict[str, Any]:
        return {"at": self.at.isoformat(), "version": self.statement.version, "figures": dict(self.statement.figures)}


def peers(workspace: Workspace) -> list[Peer]:
    return FollowStore(workspace.host.db).peers()


def is_peer(workspace: Workspace, slug: str) -> bool:
    """Does the association answer from an engine of its own."""
    return FollowStore(workspace.host.db).peer(slug) is not None


def register(workspace: Workspace, slug: str, key: str, *, who: str) -> Peer:
    """Take the answers of an association from its own engine, which signs with this key, and from nowhere else.

    Raises UsageError for an association that there is not, the host, and what is no key.
    """
    association = workspace.association(slug)
    if association.slug == workspace.association(None).slug:
        raise UsageError(f"{slug} runs this workspace: it needs no other engine.", hint="See: comms association list.")
    if not _KEY.fullmatch(key.strip().lower()):
        raise UsageError(
            "this is no key of an engine.", hint="It has 64 letters and digits; `comms relay follow` shows it there."
        )
    peer = Peer(association.slug, key.strip().lower(), workspace.now())
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        FollowStore(workspace.host.db).save_peer(peer)
        workspace.host.note(who, "relay peer", None, f"{peer.association}: {_key(peer).name}", workspace.now())
    return peer


def unregister(workspace: Workspace, slug: str, *, who: str) -> None:
    """Take no answers from an association's own engine any more. Raises UsageError when it has none."""
    if not is_peer(workspace, slug):
        raise UsageError(f"{slug!r} has no engine of its own here.", hint="See: comms relay peers.")
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        FollowStore(workspace.host.db).remove_peer(slug)
        workspace.host.note(who, "relay peer removed", None, slug, workspace.now())


def require_here(workspace: Workspace, row: RelayRow) -> None:
    """Raises StateError for a relay that is answered from another engine."""
    if is_peer(workspace, row.association):
        raise StateError(
            f"{row.association} answers from an engine of its own.",
            hint="What it decides there comes here by itself; see: comms relay status.",
        )


def told(workspace: Workspace, row: RelayRow) -> Told | None:
    """What the association's own engine said last; None when it said nothing."""
    kept = FollowStore(workspace.host.db).answer(row.id)
    return Told(Statement.from_json(kept.statement), kept.came_at) if kept else None


def take(workspace: Workspace, slug: str, data: bytes) -> Taken:
    """Take an answer. The same one again changes nothing; one that is older than what is known is not `ok`.

    Raises SignatureError for what is no answer of this association's engine, or was signed too long ago; StateError for
    one about what was not offered to it, or goes out from here.
    """
    store, now = FollowStore(workspace.host.db), workspace.now()
    peer = store.peer(slug)
    if peer is None:
        raise SignatureError("nobody here knows the engine of this association.")
    answer = answers.read(data, _key(peer))
    if answer.association != slug:
        raise SignatureError("the answer is that of another association.")
    if not now - OLDEST <= answer.sent <= now + AHEAD:
        raise SignatureError("the answer was not signed now. Are the clocks of both engines right?")
    answer = replace(answer, statement=_possible(answer.statement))
    state = _state(answer.statement)
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        row = workspace.relays.relay(answer.statement.campaign, slug)
        if row is None:
            raise StateError(f"{answer.statement.campaign} is not offered to {slug}.")
        if making.campaign_row(workspace, row) is not None:
            raise StateError(f"{row.campaign} goes out for {slug} from the engine that offered it.")
        before, statement = store.answer(row.id), answer.statement.to_json()
        if before is not None and answer.number <= before.number:
            return Taken(answer.number == before.number and statement == before.statement, before.number)
        store.save_answer(PeerAnswer(row.id, answer.number, statement, now))
        _stand(workspace, row, state, answer.statement)
        _count(workspace, row, answer.statement)
    return Taken(True, answer.number)


def _count(workspace: Workspace, row: RelayRow, statement: Statement) -> None:
    """Let the other engine's figures count as what its association tells, as long as they can be and are asked for."""
    copies = statement.figure("copies")
    told = ToldFigures(
        copies=copies,
        people=copies,  # an engine sends each person one copy
        clicks=statement.figure("clicks"),
        replies=statement.figure("replies"),
        answers=_poll_answers(workspace, row, statement, most=copies),
    )
    if not copies or figures.is_closed(workspace, row):
        return
    name = f"the engine of {workspace.association(row.association).name}"
    figures.keep(workspace, row, told, who=name, how="by its engine")


def _poll_answers(
    workspace: Workspace, row: RelayRow, statement: Statement, *, most: int
) -> Mapping[tuple[str, str], int]:
    """(question, answer) -> how many gave it. The other engine names polls and answers by their places in the text,
    which both have; the words are ours."""
    offer = workspace.relays.offer(row.campaign)
    assert offer is not None, "there is a relay of it"
    version = statement.version if 1 <= statement.version <= offer.version else offer.version
    found = {}
    for poll, number in numbered_polls(making.offered(workspace, row.campaign, version).blocks).items():
        for choice, text in enumerate(poll.answers):
            count = statement.figure(poll_figure(number, choice))
            if 0 < count <= most:
                found[poll.question, text] = count
    return MappingProxyType(found)


def _possible(statement: Statement) -> Statement:
    """What an engine says, without figures that can not be: where it stands may be true all the same."""
    copies = statement.figure("copies") or answers.FEWEST
    told = ToldFigures(copies, copies, statement.figure("clicks"), statement.figure("replies"))
    return replace(statement, figures=MappingProxyType({})) if faults(told) else statement


def _stand(workspace: Workspace, row: RelayRow, state: RelayState, statement: Statement) -> None:
    """Let the relay stand where the other engine says. It may have taken several steps since it was last heard."""
    offer = workspace.relays.offer(row.campaign)
    assert offer is not None, "there is a relay of it"
    if row.state is RelayState.WITHDRAWN:
        return  # what was taken back stays so; the figures of what had gone out are kept with the answer
    if state is RelayState.WITHDRAWN:
        state = RelayState.DECLINED  # taken back there, and still offered here
    version = statement.version if 1 <= statement.version <= offer.version else row.version
    after = replace(row, state=state, version=version, reason=statement.reason)
    if after == row:
        return
    now, name = workspace.now(), f"the engine of {workspace.association(row.association).name}"
    workspace.relays.save_relay(after, was=row, now=now)
    workspace.relays.add_step(row.id, name, state.value, statement.reason, now)
    workspace.host.note(name, f"relay {state.value}", row.campaign, row.association, now)


def _state(statement: Statement) -> RelayState:
    try:
        return RelayState(statement.state)
    except ValueError as error:
        raise SignatureError("the answer names no state that there is.") from error


def _key(peer: Peer) -> PublicKey:
    return PublicKey(bytes.fromhex(peer.key))
