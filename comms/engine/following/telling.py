"""Where this workspace stands with the offers of other engines -> signed answers, told until they are taken.

An answer is where an offer stands, not what changed: only the latest is kept, and told again until the other engine
says that it has it. Its number grows with each that says something else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from types import MappingProxyType
from typing import Any

from campaigns.follows import FollowedRow, FollowRow, FollowStore
from campaigns.relay import RelayState
from campaigns.relays import RelayRow
from comms.db import storage_errors
from comms.engine import reporting, sending
from comms.engine.following.asking import answering_key
from comms.engine.following.feeds import engines
from comms.engine.relaying import counting, making
from comms.engine.workspace import Workspace
from comms.kits import answers
from comms.kits.answers import REPLIES, Answer, Statement, poll_figure
from comms.reading import fetch
from comms.reading.engines import Engines, answers_url

FIGURES_EVERY = timedelta(hours=1)
FIGURES_FOR = timedelta(days=60)
"""How long after the last step of a relay its figures are told."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
"""Between two tries to tell an answer."""
_TRIES = 3
_LONGEST = 1_000
_ROUNDED = 10
"""What grows is told in tens: of two numbers an hour apart the difference could be one person."""
_MOST_ANSWERS = 300
"""To polls, of which the counts are told: more do not fit."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What became of one answer."""

    campaign: str
    taken: bool
    refusal: str

    def to_json(self) -> dict[str, Any]:
        return {"campaign": self.campaign, "taken": self.taken, "refusal": self.refusal}


def tell(
    workspace: Workspace,
    *,
    at_once: bool = False,
    by: Engines | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Telling]:
    """Tell every engine what it does not know yet of its offers; `at_once`, also what would wait."""
    by, store, found = by or engines(workspace), FollowStore(workspace.host.db), list[Telling]()
    for follow in store.follows():
        for row in store.followed(follow.url):
            if stopped():
                return found
            due = _due(workspace, follow, row, at_once=at_once)
            if due is not None:
                found.append(_told(workspace, follow, due, by))
    return found


def _due(workspace: Workspace, follow: FollowRow, row: FollowedRow, *, at_once: bool) -> FollowedRow | None:
    """The offer with what is to be told of it now; None when there is nothing."""
    relay = workspace.relays.relay(row.campaign, follow.association)
    if relay is None or row.version == 0:
        return None
    waits = not at_once and row.next_at is not None and workspace.now() < row.next_at
    is_old = not at_once and workspace.now() - relay.updated_at > FIGURES_FOR
    if (waits and not row.taken) or ((waits or is_old) and row.taken and _stands_as_told(row, relay)):
        return None
    statement = _statement(workspace, row, relay).to_json()
    if statement != row.answer:
        row = replace(row, number=row.number + 1, answer=statement, taken=False, failures=0)
    elif row.taken:
        row = replace(row, next_at=workspace.now() + FIGURES_EVERY)
        _keep(workspace, row)
        return None
    return row


def _stands_as_told(row: FollowedRow, relay: RelayRow) -> bool:
    if not row.answer:
        return False
    told = Statement.from_json(row.answer)
    return (told.state, told.version, told.reason) == (relay.state.value, relay.version, _reason(relay))


def _statement(workspace: Workspace, row: FollowedRow, relay: RelayRow) -> Statement:
    figures = _figures(workspace, relay)
    return Statement(row.remote, relay.version, relay.state.value, _reason(relay), MappingProxyType(figures))


def _reason(relay: RelayRow) -> str:
    """Why somebody said no. What else is in the way here is nobody's business elsewhere."""
    return relay.reason[:_LONGEST] if relay.state is RelayState.DECLINED else ""


def _figures(workspace: Workspace, relay: RelayRow) -> Mapping[str, int | None]:
    edition = making.campaign_row(workspace, relay)
    if edition is None or not sending.was_started(workspace, edition):
        return {}
    report = reporting.report(workspace, edition.id)
    polls = (
        (poll_figure(number, choice), _in_tens(answer.count))
        for number, poll in enumerate(report.polls)
        for choice, answer in enumerate(poll.answers)
        if answer.count
    )
    return {
        "copies": _shown(counting.copies(workspace, edition, relay.association)),
        "failed": _shown(report.status.deliveries["failed"]),
        "clicks": _in_tens(report.engagement.clicked),
        REPLIES: _in_tens(report.engagement.replied),
        **dict(islice(polls, _MOST_ANSWERS)),
    }


def _in_tens(count: int) -> int | None:
    return _shown(count - count % _ROUNDED if count >= _ROUNDED else count)


def _shown(count: int) -> int | None:
    return count if count == 0 or count >= answers.FEWEST else None


def _told(workspace: Workspace, follow: FollowRow, row: FollowedRow, by: Engines) -> Telling:
    """Write the answer down, then tell it. Where the other engine knows a later number, as after this one was restored
    from a backup, the answer gets one above it; where it knows fewer figures, it gets those."""
    key, url = answering_key(workspace, follow.url), answers_url(follow.url)
    statement = Statement.from_json(row.answer)
    for _ in range(_TRIES):
        _keep(workspace, row)
        reply = by.post(url, answers.write(Answer(follow.remote, row.number, workspace.now(), statement), key))
        number, error = _reply(reply)
        if reply.status == 200:
            row = replace(row, taken=True, failures=0, refusal="", next_at=workspace.now() + FIGURES_EVERY)
            _keep(workspace, row)
            break
        if reply.status == 409 and number is not None and number >= row.number:
            row = replace(row, number=number + 1)
            continue
        if reply.status == 403 and statement != statement.without_more:
            statement = statement.without_more
            continue
        wait = min(FIRST_WAIT * 2 ** min(row.failures, 8), LONGEST_WAIT)
        refusal = error or reply.fault or f"it answers with status {reply.status}"
        row = replace(row, failures=row.failures + 1, refusal=refusal, next_at=workspace.now() + wait)
        _keep(workspace, row)
        break
    return Telling(row.campaign, row.taken, row.refusal)


def _reply(reply: fetch.Answer) -> tuple[int | None, str]:
    """(number, error) of what another engine said."""
    try:
        said = json.loads(reply.body)
        number, error = said.get("number"), said.get("error", "")
    except (ValueError, AttributeError, RecursionError):
        return None, ""
    is_number = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**9
    words = error if isinstance(error, str) else ""
    return number if is_number else None, "".join(char for char in words[:_LONGEST] if char.isprintable())


def _keep(workspace: Workspace, row: FollowedRow) -> None:
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        FollowStore(workspace.host.db).tell(row)
