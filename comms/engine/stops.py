"""Wishes to stop that the database can not take at once, as while a large list is imported: kept, then followed.

Mail programs ask once (RFC 8058) and do not come back. So a wish that would have to wait is written to a file of its
own, and holds all the same: control follows what is kept before it hands out another batch.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import datetime
from functools import cache

import structlog

from audiences.times import stamp
from comms.db import patience, storage_errors
from comms.engine import preferences, subscription, tokens
from comms.engine.subscription import SubscriptionView
from comms.engine.workspace import Workspace
from comms.errors import CommsError, StorageError
from comms.files import write_whole
from comms.language.words import Words

log = structlog.get_logger(__name__)

FOLDER = "stops"
PATIENCE_MS = 2_000
"""How long a reader waits for a busy database before their wish is kept beside it."""


def unsubscribe(
    workspace: Workspace, token: str, *, source: str, words: Words | None = None
) -> SubscriptionView | None:
    """Stop every newsletter of the association to the token's member, now or as soon as it can be written down.

    Returns the page as it is then, in `words` as `preferences.subscription_page`; None for a token that is no
    member's. Raises StorageError when the wish can not even be kept, as on a full disk.
    """
    holder = tokens.holder(workspace, token)
    if holder is None:
        return None
    try:
        with patience(workspace.association_db(holder.association.slug), PATIENCE_MS):
            return preferences.unsubscribe(workspace, token, source=source, words=words)
    except StorageError as error:
        if not error.passing:
            raise
        _keep(workspace, token, source)
        log.info("a wish to stop is kept until it can be written", association=holder.association.slug)
    view = subscription.page(workspace, token, words)  # reading waits for nobody
    if view is None:
        return None
    return replace(view, stopped=True, topics=tuple(replace(topic, agreed=False) for topic in view.topics))


def follow(workspace: Workspace) -> bool:
    """Write down every wish that is kept; False when one has to wait still, and nothing may be handed out."""
    folder = workspace.folder / FOLDER
    kept = sorted(folder.glob("*.json")) if folder.is_dir() else []
    for path in kept:
        try:
            wish = json.loads(path.read_bytes())
            preferences.unsubscribe(
                workspace, wish["token"], source=wish["source"], at=datetime.fromisoformat(wish["at"])
            )
        except StorageError as error:
            if error.passing:
                return False
            _complain(path.name, error.message)
            continue
        except (CommsError, ValueError, KeyError, TypeError) as error:
            _complain(path.name, type(error).__name__)
            continue
        path.unlink()
    return True


@cache
def _complain(file: str, reason: str) -> None:
    """Say once that a wish stays where it is: control looks at it many times a second."""
    log.error("a wish to stop can not be followed", file=file, reason=reason)


def _keep(workspace: Workspace, token: str, source: str) -> None:
    wish = {"token": token, "source": source, "at": stamp(workspace.now())}
    name = f"{uuid.uuid4().hex}.json"
    with storage_errors(workspace.folder):
        write_whole(workspace.folder / FOLDER / name, json.dumps(wish).encode())
