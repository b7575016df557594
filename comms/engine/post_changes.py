"""What a person does with posts: gives one that is there another text, takes one away, posts one that is not there.

The network is asked first and the row is changed after it: who is interrupted in between does it again, for edits and
deletions may be repeated. A post that was deleted is never posted again.
"""

from __future__ import annotations

from typing import Any

from campaigns.posts import PostRow
from comms.channels.base import (
    ChangeResult,
    DeletingChannel,
    EditingChannel,
    Refused,
    SocialChannel,
    SocialPost,
    Unknown,
    refusal_before_sending,
)
from comms.db import storage_errors
from comms.engine import deciding, post_orders, sending, social
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.events import PostState

WAITS_FOR_A_PERSON = (PostState.FAILED, PostState.SKIPPED)
"""States of posts that are certainly not there, and that nothing but a person's word puts there."""
_MOVING = (PostState.SENDING, PostState.DOUBTFUL)


def to_json(post: PostRow) -> dict[str, Any]:
    """A post as data for people and programs."""
    return {
        "number": post.id,
        "association": post.association,
        "network": post.network,
        "part": post.part,
        "state": post.state,
        "url": post.url,
        "reason": post.reason,
        "text": post.text,
        "replies": post.replies,
        "shares": post.shares,
        "likes": post.likes,
        "counted": post.counted_at.isoformat() if post.counted_at else None,
    }


def listed(workspace: Workspace, campaign_id: str) -> list[PostRow]:
    """All posts of a campaign. Raises UsageError when there is no such campaign."""
    return workspace.host.posts(sending.find(workspace, campaign_id).id)


def find(workspace: Workspace, campaign_id: str, number: int) -> PostRow:
    """One post of a campaign. Raises UsageError when the campaign has no such post."""
    for post in listed(workspace, campaign_id):
        if post.id == number:
            return post
    raise UsageError(
        f"campaign {campaign_id} has no post {number}.", hint=f"See its posts: comms campaign posts {campaign_id}"
    )


def edit(workspace: Workspace, campaign_id: str, number: int, text: str, *, who: str) -> PostRow:
    """Give a post that is there another text. Returns it as it is now.

    Raises StateError when it is not there, or when the network refuses or did not answer; UsageError for a network
    that lets nothing be changed.
    """
    post = find(workspace, campaign_id, number)
    remote_id, channel = _there(workspace, post)
    if not isinstance(channel, EditingChannel):
        raise UsageError(
            f"{social.NAMES[post.network]} lets no post be changed.",
            hint=f"Take it away: comms campaign posts {campaign_id} --delete {number}",
        )
    text = text.strip("\n")
    wanted = SocialPost(post.network, text, "", "")
    if refusal := refusal_before_sending(wanted, channel.count, channel.limit):
        raise UsageError(refusal.reason)
    _carried_out(channel.edit(remote_id, text), post, "changed")
    host = workspace.host
    with storage_errors(workspace.host_path), host.db.atomic():
        host.reword_post(post.id, state=PostState.SENT, text=text)
        host.note(who, "post edited", campaign_id, f"post {number} on {post.network}", workspace.now())
    return find(workspace, campaign_id, number)


def doomed(workspace: Workspace, campaign_id: str, number: int) -> list[PostRow]:
    """What goes with a post that is deleted: it, and the parts of its thread that come after it, last first.

    Raises StateError when one of them is not known to be there, or is just being posted.
    """
    post = find(workspace, campaign_id, number)
    parts = [each for each in post_orders.parts_of(workspace, post) if each.part >= post.part]
    for each in parts:
        if each.state in _MOVING:
            raise StateError(f"post {each.id} is {each.state} at the moment.", hint="Try again when that is over.")
        if each.state == PostState.UNCONFIRMED or each is parts[0]:
            _there(workspace, each)
    return [each for each in reversed(parts) if each.state in (PostState.SENT, PostState.QUEUED)]


def delete(workspace: Workspace, campaign_id: str, number: int, *, who: str) -> list[PostRow]:
    """Take a post away, and the parts of its thread that come after it. Returns them as they are now.

    What is taken away is written down at once, one by one. Raises as `doomed`, and StateError when the network
    refuses or did not answer.
    """
    host, gone = workspace.host, []
    for post in doomed(workspace, campaign_id, number):
        state = PostState.CANCELLED
        if post.state == PostState.SENT:
            remote_id, channel = _there(workspace, post)
            if not isinstance(channel, DeletingChannel):
                raise UsageError(f"{social.NAMES[post.network]} lets no post be deleted by programs.")
            _carried_out(channel.delete(remote_id), post, "deleted")
            state = PostState.DELETED
        now = workspace.now()
        with storage_errors(workspace.host_path), host.db.atomic():
            host.update_post(post.id, was=post.state, state=state, now=now, remote_id=post.remote_id, url=post.url)
            host.note(who, f"post {state}", campaign_id, f"post {post.id} on {post.network}", now)
        gone.append(find(workspace, campaign_id, post.id))
    return gone


def again(workspace: Workspace, campaign_id: str, number: int, *, who: str) -> list[PostRow]:
    """Post what failed or was skipped, with the parts of its thread after it. Returns them as they are now.

    Raises StateError for a post of which that can not be said, and for a cancelled campaign.
    """
    row, post = sending.find(workspace, campaign_id), find(workspace, campaign_id, number)
    if post.state == PostState.UNCONFIRMED:
        hint = f"Look at the account, then: comms campaign settle {campaign_id} --post {number} --again, or --arrived"
        raise StateError(f"post {number} may be there already.", hint=hint)
    if post.state not in WAITS_FOR_A_PERSON:
        raise StateError(
            f"post {number} is {post.state}, so it is not posted again.",
            hint="What was deleted or cancelled goes out under the id of a new campaign.",
        )
    deciding.reopen(workspace, row)
    host, now = workspace.host, workspace.now()
    rest = [
        each
        for each in post_orders.parts_of(workspace, post)
        if each.part >= post.part and each.state in WAITS_FOR_A_PERSON
    ]
    with storage_errors(workspace.host_path), host.db.atomic():
        for each in rest:
            host.update_post(each.id, was=each.state, state=PostState.QUEUED, now=now)
        host.note(who, "post again", campaign_id, f"post {number} on {post.network}", now)
    return [find(workspace, campaign_id, each.id) for each in rest]


def _there(workspace: Workspace, post: PostRow) -> tuple[str, SocialChannel]:
    """The network's id of a post that is there, and the channel to it."""
    if post.state == PostState.UNCONFIRMED:
        hint = f"Look at the account, then: comms campaign settle {post.campaign} --post {post.id} --arrived --url URL"
        raise StateError(f"nobody knows yet whether post {post.id} is there.", hint=hint)
    if post.state != PostState.SENT:
        raise StateError(f"post {post.id} is {post.state}: there is nothing of it on {social.NAMES[post.network]}.")
    remote_id, account = post_orders.remote_id(post), social.account(workspace, post.network)
    if not remote_id:
        raise StateError(f"where post {post.id} stands was never said.", hint="Do it by hand, in the account.")
    if not account:
        raise StateError(f"no account on {social.NAMES[post.network]} is connected any more.", hint="See comms.toml.")
    return remote_id, social.channel(post.network, account, workspace.outbox_folder, workspace.sessions)


def _carried_out(result: ChangeResult, post: PostRow, done: str) -> None:
    """Raises StateError unless the network did it."""
    match result:
        case Refused(reason, permanent):
            hint = "Do it by hand, in the account." if permanent else "Try again later."
            raise StateError(f"post {post.id} was not {done}. {reason}", hint=hint)
        case Unknown(reason):
            hint = "Run the command again: doing it twice does no harm."
            raise StateError(f"nobody knows whether post {post.id} was {done}. {reason}", hint=hint)
