"""Begins scheduled campaigns whose time has come, and holds those whose time was missed by too much."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from campaigns.store import CampaignRow
from comms.engine.workspace import Workspace
from comms.events import CampaignState

log = structlog.get_logger(__name__)


def start_due(workspace: Workspace) -> None:
    """Begin what is due. What is late by more than `[delivery] late_hours` is paused, for a person to decide."""
    for row in workspace.host.campaigns([CampaignState.SCHEDULED]):
        if row.due_at is not None and row.due_at <= workspace.now():
            _begin(workspace, row, row.due_at)


def is_late(workspace: Workspace, due_at: datetime) -> bool:
    """Was the time missed by more than goes out without asking."""
    return workspace.now() - due_at > timedelta(hours=workspace.settings.delivery.late_hours)


def missed(due_at: datetime, now: datetime) -> str:
    """By how much a time was missed, in words."""
    hours = (now - due_at).total_seconds() / 3600
    late = f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
    return f"its time, {due_at:%Y-%m-%d %H:%M} UTC, was missed by {late}"


def _begin(workspace: Workspace, row: CampaignRow, due_at: datetime) -> None:
    host, now = workspace.host, workspace.now()
    late = is_late(workspace, due_at)
    state, reason = (CampaignState.PAUSED, missed(due_at, now)) if late else (CampaignState.SENDING, "")
    with host.db.atomic():
        # Unless a person paused or cancelled it in this very moment.
        moved = host.set_state(row.id, state, now, was=[CampaignState.SCHEDULED], reason=reason)
        if moved and late:
            host.note("comms", CampaignState.PAUSED, row.id, reason, now)
    if moved and late:
        log.warning("campaign is held", campaign=row.id, reason=reason)
    elif moved:
        log.info("campaign is due", campaign=row.id)
