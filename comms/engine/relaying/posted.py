"""Figures that an association's tool posts by itself, signed: the secrets for it, and what becomes of each post.

The secret is shown once and kept sealed. Figures replace each other by when they were signed or told, so a post that
comes twice, or after a later one, changes nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from campaigns.told import Secret, ToldStore
from comms.db import storage_errors
from comms.engine.relaying import figures
from comms.engine.relaying.figures import Signed
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.kits import signed_figures
from comms.kits.signed_figures import SECRET_BYTES, FiguresError

FRESH = timedelta(minutes=5)
"""How far the clock of the tool, with the way here, may be from ours, both ways."""
MOST_IN_HOUR = 60
"""Posts of one association, as its clock of hours here goes."""
_HOUR_S = 3_600
_NOBODY = secrets.token_urlsafe(SECRET_BYTES)
"""Signs for associations that have no secret: nobody knows it, and it takes as long."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a post is answered: a status of HTTP, and what its body says."""

    status: int
    error: str = ""
    campaign: str = ""
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A secret that was just made; it is never shown again."""

    association: str
    secret: str
    url: str


def address(workspace: Workspace, slug: str) -> str:
    """Where an association's tool posts."""
    return f"{workspace.settings.site.url}/relay/{slug}/figures"


def secret_of(workspace: Workspace, slug: str) -> Secret | None:
    """What is known of an association's secret; None when it has none. Raises UsageError for no association."""
    return ToldStore(workspace.host.db).secret(workspace.association(slug).slug)


def give(workspace: Workspace, slug: str, *, who: str) -> Given:
    """Make a secret, in place of one that there was, which is worthless from now on. Raises UsageError."""
    slug, secret = workspace.association(slug).slug, secrets.token_urlsafe(SECRET_BYTES)
    what = "figures secret renewed" if secret_of(workspace, slug) else "figures secret made"
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        ToldStore(workspace.host.db).save_secret(slug, workspace.key.seal(secret.encode()), workspace.now())
        workspace.host.note(who, what, None, slug, workspace.now())
    return Given(slug, secret, address(workspace, slug))


def revoke(workspace: Workspace, slug: str, *, who: str) -> None:
    """Take no more posts of an association. Raises UsageError when it has no secret."""
    if secret_of(workspace, slug) is None:
        raise UsageError(f"{slug} has no secret.", hint=f"To give it one: comms relay secret {slug}.")
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        ToldStore(workspace.host.db).remove_secret(slug)
        workspace.host.note(who, "figures secret revoked", None, slug, workspace.now())


def take(workspace: Workspace, slug: str, stamp: tuple[int, str], body: bytes) -> Reply:
    """Take what a tool posted; `stamp` is (seconds since 1970, signature), as `signed_figures.stamped` read them.

    Who has not the association's secret gets one and the same answer, whatever there is or is not.
    """
    seconds, signature = stamp
    store, now = ToldStore(workspace.host.db), workspace.now()
    kept = store.secret(slug)
    secret = workspace.key.unseal(kept.sealed).decode() if kept else _NOBODY
    if not signed_figures.is_signed(secret, seconds, signature, body) or kept is None:
        return Reply(403, "this is not signed with the secret of this association.")
    if abs(now.timestamp() - seconds) > FRESH.total_seconds():
        return Reply(403, f"this was not signed now: it is {now:%Y-%m-%d %H:%M:%S} UTC here. Is your clock right?")
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        hour = int(now.timestamp()) // _HOUR_S
        fresh = store.secret(slug)
        if fresh is None or fresh.sealed != kept.sealed:
            return Reply(403, "this is not signed with the secret of this association.")
        if fresh.hour == hour and fresh.calls >= MOST_IN_HOUR:
            wait = _HOUR_S - int(now.timestamp()) % _HOUR_S
            return Reply(429, f"{MOST_IN_HOUR} posts came within this hour.", retry_after_s=wait)
        store.count_call(slug, hour)
        return _told(workspace, slug, Signed(seconds, signature), body)


def _told(workspace: Workspace, slug: str, signed: Signed, body: bytes) -> Reply:
    """What becomes of a post that its association signed, in the caller's transaction."""
    try:
        posted = signed_figures.read(body)
    except FiguresError as error:
        return Reply(400, str(error))
    row = workspace.relays.relay(posted.campaign, slug)
    if row is None:
        return Reply(404, f"{posted.campaign} was not offered to {slug}.")
    try:
        figures.refuse(workspace, row, posted.figures)
    except StateError as error:
        return Reply(409, error.message, posted.campaign)
    before = figures.known(workspace, row)
    if before is not None and before.signature == signed.signature:
        return Reply(200, campaign=posted.campaign)
    if before is not None and (signed.seconds <= before.signed_at or signed.seconds < int(before.at.timestamp())):
        return Reply(409, "later figures are known already.", posted.campaign)
    who = f"the tool of {workspace.association(slug).name}"
    figures.keep(workspace, row, posted.figures, who=who, how="by its tool", signed=signed)
    return Reply(200, campaign=posted.campaign)
