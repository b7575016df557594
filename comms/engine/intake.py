"""Control's part in returned mail: takes in what the doors kept, and what mail servers refused, a slice at a time."""

from __future__ import annotations

import contextlib
from functools import cache

import structlog

from comms.db import storage_errors
from comms.engagement.bounces import policy
from comms.engagement.bounces.models import Kind
from comms.engagement.bounces.store import BounceStore
from comms.engagement.bounces.webhooks import READERS
from comms.engine import bounces, replies
from comms.engine.doors import spool
from comms.engine.doors.spool import Waiting
from comms.engine.relaying import passing
from comms.engine.workspace import Workspace
from comms.errors import CommsError, StorageError

log = structlog.get_logger(__name__)

MOST_AT_A_TIME = 50
"""Messages, and refusals of an association, in one slice: each takes some milliseconds, in which nothing is sent."""


def follow(workspace: Workspace) -> int:
    """Take in one slice of what the doors kept. Returns how much; what has to wait for a busy database waits."""
    taken = 0
    for each in spool.waiting(workspace.folder, MOST_AT_A_TIME):
        try:
            _take(workspace, each)
        except StorageError as error:
            if not error.passing:
                _set_aside(each, error.message)
        except Exception as error:  # noqa: BLE001 - what one message sets off must not stop the newsletters
            _set_aside(each, type(error).__name__)  # no more: a log is no place for what is in it
        else:
            each.path.unlink(missing_ok=True)
            taken += 1
    return taken


def follow_refusals(workspace: Workspace) -> int:
    """Take in one slice of what servers refused at once, of each association. Returns how much."""
    return sum(_take_refusals(workspace, association.slug) for association in workspace.associations())


def drain_refusals(workspace: Workspace) -> None:
    """Take in all of them; what can not be written now waits for whoever is in control next."""
    with contextlib.suppress(StorageError), storage_errors(workspace.folder):
        while follow_refusals(workspace):
            pass


def _take(workspace: Workspace, waiting: Waiting) -> None:
    data = waiting.path.read_bytes()
    if not waiting.provider:
        if not passing.accept(workspace, data) and bounces.accept(workspace, data).kind is Kind.NONE:
            replies.accept(workspace, data)
        return
    for reported in READERS[waiting.provider](data):
        bounces.accept_report(workspace, reported)


def _set_aside(waiting: Waiting, reason: str) -> None:
    place = spool.set_aside(waiting)
    log.error("what came back can not be taken in", file=str(place), reason=reason)


@cache
def _warn_once(slug: str, run: int) -> None:
    log.warning("so many were refused that the mail server may be wrong", association=slug, run=run)


def _take_refusals(workspace: Workspace, slug: str) -> int:
    """One association's; one whose database can not be used is left for later."""
    try:
        store = BounceStore(workspace.association_db(slug))
        with storage_errors(workspace.association_path(slug)):
            refusals = store.refusals(MOST_AT_A_TIME)
            unusual = {run for run in {each.mail.run for each in refusals} if policy.is_unusual(*store.outcomes(run))}
            for run in unusual:
                _warn_once(slug, run)
            if refusals:  # of all in one transaction: each costs the disk a moment
                with store.db.atomic():
                    for refusal in refusals:
                        bounces.accept_refusal(workspace, slug, refusal, unusual=refusal.mail.run in unusual)
    except CommsError:
        return 0  # control says so once; the refusals stay where they are
    return len(refusals)
