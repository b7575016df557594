"""One try of a post, complete for a sender: text, account, image, what it replies to; or what stands against it."""

from __future__ import annotations

import base64
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from campaigns.models import Campaign
from campaigns.posts import PostRow
from comms.delivery.batches import PostOrder
from comms.delivery.dispatch import BATCH_VALID_S
from comms.engine import pictures, social
from comms.engine.workspace import Workspace
from comms.errors import CommsError
from comms.events import PostState
from comms.pictures import PictureError, for_post

_PREFIX = "post."
_MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
_COUNTED = (PostState.SENDING, PostState.DOUBTFUL, PostState.SENT, PostState.UNCONFIRMED, PostState.DELETED)
"""States of posts that a network may ask money for."""
NOT_THERE = (PostState.FAILED, PostState.CANCELLED, PostState.SKIPPED, PostState.DELETED)
"""States of posts that nothing can reply to."""


class NotPossibleError(CommsError):
    """The post can not go out as it is, now or later."""


class NotYetError(CommsError):
    """The post has to wait for something."""


class TooDearError(CommsError):
    """The post would cost more than is left of the month's budget."""


@dataclass(frozen=True, slots=True)
class Thread:
    """What a part of a thread replies to, as remote ids; empty for a post of its own."""

    reply_to: str = ""
    root: str = ""


def order_id(post: PostRow) -> str:
    """Names one try of one post: its journal, and its report. No association's slug holds a dot."""
    return f"{_PREFIX}{post.id}.{post.attempts}"


def order(workspace: Workspace, post: PostRow, campaign: Campaign, *, may_repeat: bool, thread: Thread) -> PostOrder:
    """The order for a post that is marked as being sent. Raises NotPossibleError when its image can not be used."""
    now, since = workspace.now(), post.tried_at or workspace.now()
    association = workspace.association(post.association)
    card = social.card(workspace, campaign, association, post.network)
    return PostOrder(
        id=order_id(post),
        post=post.id,
        network=post.network,
        text=post.text,
        language=campaign.language,
        key=f"{post.campaign}.{post.association}.{post.network}.{post.part}",
        account=social.account(workspace, post.network),
        outbox=str(workspace.outbox_folder),
        not_after=now.timestamp() + BATCH_VALID_S,
        since=since.timestamp(),
        in_doubt=post.doubts > 0,
        may_repeat=may_repeat,
        reply_to=thread.reply_to,
        root=thread.root,
        images=_images(workspace, campaign) if post.part == 1 else (),
        card=asdict(card) if card and card.url in post.text else {},
        warning=campaign.post_options.warning,
    )


def thread_of(workspace: Workspace, post: PostRow) -> Thread:
    """What the post replies to. Raises NotYetError, and NotPossibleError when the part before was not posted."""
    if post.part == 1:
        return Thread()
    parts = {each.part: each for each in parts_of(workspace, post)}
    first, before = parts[1], parts[post.part - 1]
    if before.state == PostState.SIMULATED:
        return Thread()
    if before.state in NOT_THERE:
        raise NotPossibleError("The part of the thread before it was not posted.")
    if before.state != PostState.SENT:
        raise NotYetError("It waits for the part of the thread before it.")
    reply_to, root = remote_id(before), remote_id(first)
    if not (reply_to and root):
        raise NotPossibleError("Where the part of the thread before it stands was not said; post the rest by hand.")
    return Thread(reply_to, root)


def waits_for_a_person(workspace: Workspace, post: PostRow) -> bool:
    """Is it a later part of a thread, one part of which waits for a person's word."""
    return any(
        each.part < post.part and each.state == PostState.UNCONFIRMED for each in parts_of(workspace, post)
    ) and (post.state == PostState.QUEUED)


def remote_id(post: PostRow) -> str:
    """The network's id of a post, from its address where only a person said that it is there; empty for none."""
    if post.remote_id:
        return post.remote_id
    *_, owner, _, last = ("", "", "", *urlsplit(post.url).path.split("/"))
    if post.network == "bluesky":
        known = owner.startswith("did:") and re.fullmatch(r"[a-z2-7]{13}", last)
        return f"at://{owner}/app.bsky.feed.post/{last}" if known else ""
    known = re.fullmatch(
        r"urn:li:(share|ugcPost):[0-9]{1,20}" if post.network == "linkedin" else r"[A-Za-z0-9]{1,64}", last
    )
    return last if known else ""


def check_budget(workspace: Workspace, post: PostRow) -> None:
    """Raises TooDearError when the post and the parts of its thread after it cost more than is left of the month's
    budget."""
    budget, now = workspace.settings.x.monthly_budget, workspace.now()
    if post.network != "x" or not budget or not social.account(workspace, "x"):
        return
    rest = [each for each in parts_of(workspace, post) if each.part >= post.part and each.state == PostState.QUEUED]
    price = sum(social.cost("x", each.text) or 0.0 for each in rest)
    spent = spent_this_month(workspace, now)
    if spent + price > budget + 1e-9:
        raise TooDearError(
            f"It would cost ${price:.3f}; ${spent:.3f} of this month's ${budget:.2f} for X are spent already. Next "
            f"month, or with a larger `[x] monthly_budget`: comms campaign posts {post.campaign} --again {post.id}"
        )


def spent_this_month(workspace: Workspace, now: datetime) -> float:
    """Dollars for the posts on X since the month began (UTC)."""
    begin = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    tried = workspace.host.posts_tried("x", begin)
    return sum(social.cost("x", post.text) or 0.0 for post in tried if post.state in _COUNTED)


def parts_of(workspace: Workspace, post: PostRow) -> list[PostRow]:
    """All parts of the thread that the post is one of, or the post alone, in order."""
    return [
        each
        for each in workspace.host.posts(post.campaign)
        if (each.association, each.network) == (post.association, post.network)
    ]


def _images(workspace: Workspace, campaign: Campaign) -> tuple[dict[str, str], ...]:
    image = social.image(campaign)
    if image is None or not pictures.is_ours(image.src):
        return ()
    path = pictures.media_file(workspace, image.src)
    try:
        made = for_post(path.read_bytes()) if path else None
    except (OSError, PictureError) as error:
        raise NotPossibleError(f"The image {image.src!r} can not be used: {error}") from error
    if made is None:
        raise NotPossibleError(f"There is no image {image.src!r} in {workspace.media_folder}.")
    data = base64.b64encode(made.data).decode("ascii")
    return ({"data": data, "media_type": _MEDIA_TYPES[made.suffix], "alt": image.alt},)
