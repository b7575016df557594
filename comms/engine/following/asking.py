"""In whose name other engines are asked: the key that answers them, and the header that shows it."""

from __future__ import annotations

from campaigns.follows import FollowRow
from comms.engine.workspace import Workspace
from comms.kits import asking
from comms.kits.signing import SigningKey


def answering_key(workspace: Workspace, url: str) -> SigningKey:
    """Signs what is asked of the engine with one feed, and answered to it, and nothing else. It is made from the
    workspace key."""
    return SigningKey(workspace.key.derive(f"relay answers {url}"))


def headers(workspace: Workspace, follow: FollowRow) -> dict[str, str]:
    """What shows the engine with a feed who asks: what has an embargo is for its association, and nobody else."""
    key = answering_key(workspace, follow.url)
    return {asking.HEADER: asking.write(follow.remote, workspace.now(), key)}
