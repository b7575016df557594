"""What readers of networks did with our posts: looked at an hour, a day and a week after each was posted.

One request for each look, one after the other, beside control. The right to look is taken in `host.db` first, so that
nothing is asked twice; a look that fails is left out, and the figures of the one before stay. X sells each look, so it
is asked only where `[x] figures` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

from campaigns.posts import PostRow
from comms.channels.base import CountingChannel, Figures, Unknown
from comms.db import storage_errors
from comms.engine import post_orders, social
from comms.engine.aside import Stopped, aside
from comms.engine.workspace import Workspace
from comms.errors import ConfigError

LOOK_AFTER = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
EVERY_S = 60.0
GONE = "It was not there any more when its figures were looked for."


def counter(open_workspace: Callable[[], Workspace]) -> AbstractContextManager[None]:
    """Looks for the time of a block; see `aside`."""

    def look(workspace: Workspace, stopped: Stopped) -> None:
        count(workspace, stopped=stopped)

    return aside(open_workspace, look, name="post-counter", every_s=EVERY_S)


def count(workspace: Workspace, *, stopped: Stopped = lambda: False) -> int:
    """Look at every post that is due. Returns how many posts that were."""
    looked = 0
    for post, looks in due(workspace):
        if stopped():
            break
        with storage_errors(workspace.host_path), workspace.host.db.atomic():
            claimed = workspace.host.claim_look(post.id, was=post.looks, looks=looks)
        if claimed:
            _look(workspace, post)
            looked += 1
    return looked


def due(workspace: Workspace) -> Iterator[tuple[PostRow, int]]:
    """Posts whose next look is due, and how many are over after it: those that were missed count as one."""
    now = workspace.now()
    for post in workspace.host.posts_to_look_at(len(LOOK_AFTER)):
        looks = sum(post.updated_at + after <= now for after in LOOK_AFTER)
        if looks > post.looks and _may_be_asked(workspace, post):
            yield post, looks


def _may_be_asked(workspace: Workspace, post: PostRow) -> bool:
    wanted = post.network != "x" or workspace.settings.x.figures
    return wanted and bool(social.account(workspace, post.network)) and bool(post_orders.remote_id(post))


def _look(workspace: Workspace, post: PostRow) -> None:
    settings = social.account(workspace, post.network)
    try:
        channel = social.channel(post.network, settings, workspace.outbox_folder, workspace.sessions)
    except ConfigError:  # said by `doctor`, and where something is posted
        return
    if not isinstance(channel, CountingChannel):
        return
    found, host = channel.figures(post_orders.remote_id(post)), workspace.host
    if isinstance(found, Unknown):
        return
    with storage_errors(workspace.host_path), host.db.atomic():
        match found:
            case Figures(replies, shares, likes):
                host.save_figures(post.id, replies, shares, likes, workspace.now())
            case None:
                host.note_reason(post.id, GONE)
