"""Mails and posts that may have arrived: a person says whether they did, or go out again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from campaigns.posts import PostRow
from campaigns.store import CampaignRow
from comms.db import storage_errors
from comms.delivery import deciding
from comms.engine import sending, variants
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.events import CampaignState, PostState

_RunOf = tuple[str, int]
"""An association's slug, and the run in its ledger."""


@dataclass(frozen=True, slots=True)
class OpenMail:
    """One mail that may have arrived."""

    association: str
    address: str | None
    since: datetime
    cause: str

    def to_json(self) -> dict[str, Any]:
        return {
            "association": self.association,
            "address": self.address,
            "since": self.since.isoformat(),
            "cause": self.cause,
        }


@dataclass(frozen=True, slots=True)
class Undecided:
    """All of a campaign that waits for a person's word."""

    mails: tuple[OpenMail, ...]
    posts: tuple[PostRow, ...]


def undecided(workspace: Workspace, campaign_id: str) -> Undecided:
    """Raises UsageError for a campaign that the workspace does not have."""
    row = sending.find(workspace, campaign_id)
    mails = tuple(
        OpenMail(slug, each.address, datetime.fromtimestamp(each.since, UTC), each.cause)
        for (slug, _), each in _held(workspace, row)
    )
    return Undecided(mails, tuple(workspace.host.posts(campaign_id, [PostState.UNCONFIRMED])))


def decide_mails(workspace: Workspace, campaign_id: str, addresses: Iterable[str], *, arrived: bool, who: str) -> int:
    """Count mails as sent, or send them again under their Message-ID; all of a campaign when no address is given.

    Returns how many. Raises UsageError for an address that nothing waits for, StateError for a cancelled campaign
    from which nothing more may go out; nothing is changed then.
    """
    row = sending.find(workspace, campaign_id)
    chosen = _chosen(_held(workspace, row), set(addresses), campaign_id)
    if not arrived and chosen:
        reopen(workspace, row)
    now = workspace.now()
    for (slug, run), mails in chosen.items():
        ledger = workspace.ledger(slug)
        deliveries = [mail.delivery for mail in mails]
        with storage_errors(workspace.association_path(slug)), ledger.db.atomic():
            if arrived:
                deciding.count_as_sent(ledger.db, deliveries, now)
            else:
                deciding.send_again(ledger.db, run, deliveries, now)
    total = sum(map(len, chosen.values()))
    _note(workspace, campaign_id, who, f"{total} mails {'arrived' if arrived else 'again'}")
    return total


def decide_post(workspace: Workspace, campaign_id: str, post_id: int, *, arrived: bool, url: str, who: str) -> None:
    """Count a post of a campaign as published (`url`: where it is), or publish it again.

    Raises UsageError when no such post waits for it, StateError as `decide_mails`.
    """
    row = sending.find(workspace, campaign_id)
    if post_id not in {post.id for post in workspace.host.posts(campaign_id, [PostState.UNCONFIRMED])}:
        raise UsageError(
            f"no post {post_id} of {campaign_id} waits for a decision.",
            hint=f"List what does: comms campaign settle {campaign_id}",
        )
    host = workspace.host
    rest = host.posts(campaign_id, [PostState.QUEUED])
    if not arrived or (rest and row.state != CampaignState.CANCELLED):
        reopen(workspace, row)
    with storage_errors(workspace.host_path), host.db.atomic():
        state = PostState.SENT if arrived else PostState.QUEUED
        host.update_post(post_id, was=PostState.UNCONFIRMED, state=state, now=workspace.now(), url=url)
    _note(workspace, campaign_id, who, f"post {post_id} {'is there' if arrived else 'again'}")


def _held(workspace: Workspace, row: CampaignRow) -> list[tuple[_RunOf, deciding.Held]]:
    return [
        ((slug, run.id), each)
        for slug in row.senders
        for run in variants.runs(workspace, row.id, slug)
        for each in deciding.held(workspace.ledger(slug).db, run.id)
    ]


def _chosen(
    waiting: Sequence[tuple[_RunOf, deciding.Held]], addresses: set[str], campaign_id: str
) -> dict[_RunOf, list[deciding.Held]]:
    known = {each.address for _, each in waiting}
    if unknown := sorted(addresses - known):
        raise UsageError(
            f"nothing to {unknown[0]} waits for a decision.",
            hint=f"List what does: comms campaign settle {campaign_id}",
        )
    chosen: dict[_RunOf, list[deciding.Held]] = {}
    for run, each in waiting:
        if not addresses or each.address in addresses:
            chosen.setdefault(run, []).append(each)
    return chosen


def reopen(workspace: Workspace, row: CampaignRow) -> None:
    """Let a campaign that was through with everything go on. Raises StateError for a cancelled one."""
    if row.state == CampaignState.CANCELLED:
        raise StateError(f"campaign {row.id} was cancelled; nothing more of it goes out.")
    host, now = workspace.host, workspace.now()
    with storage_errors(workspace.host_path), host.db.atomic():
        host.set_state(row.id, CampaignState.SENDING, now, was=[CampaignState.SENT])


def _note(workspace: Workspace, campaign_id: str, who: str, what: str) -> None:
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        workspace.host.note(who, "decided", campaign_id, what, workspace.now())
