"""Social posts: handed to a sender once, and never again by guess.

A post's row says `sending` before any sender can know of it, and leaves that state only with an answer. What
may have been posted without one becomes `doubtful`, and its network is asked, again and again for some hours, before
anything else happens. Where it can not be asked, or does not tell, the post becomes `unconfirmed`, for a person to
look at.

    queued -> sending -> sent | simulated | failed
       |         |  ^
       v         v  |
    skipped   doubtful -> unconfirmed

What a person does with posts that are there, or failed, is `post_changes.py`.
"""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta

from campaigns.posts import PostRow
from campaigns.store import CampaignRow
from comms.channels.base import (
    AskableChannel,
    Card,
    Posted,
    PostResult,
    Refused,
    Simulated,
    SocialChannel,
    SocialImage,
    SocialPost,
    Unknown,
)
from comms.channels.sessions import MemorySessions, Sessions
from comms.delivery.batches import Outcome, PostOrder, Receipt, Report
from comms.delivery.dispatch import LOST_AFTER_S, SENDER_DIED, Queue
from comms.delivery.journal import FileJournals, Journals, OpenJournal
from comms.delivery.retry import wait_s
from comms.engine import post_orders, social, timing
from comms.engine.post_orders import NotPossibleError, NotYetError, TooDearError, order_id
from comms.engine.sending import read_back
from comms.engine.workspace import Workspace
from comms.errors import ConfigError
from comms.events import CampaignState, PostState

MOST_ATTEMPTS = 8
"""A post that the network keeps refusing for now is given up after this many tries, and as many more when a person
wants it again."""
OPEN = (PostState.QUEUED, PostState.SENDING, PostState.DOUBTFUL)
ASK_AFTER_S = (10, 70, 300, 1_200, 3_600, 7_200)
"""Seconds before a network is asked for a post in doubt: the first time, the second, and so on; then a person is."""
_HOLD = timedelta(minutes=10)


def are_open(workspace: Workspace, campaign: str) -> bool:
    """Does anything happen to posts of the campaign before a person says something."""
    waiting = workspace.host.posts(campaign, OPEN)
    return any(not post_orders.waits_for_a_person(workspace, post) for post in waiting)


def hand_out(workspace: Workspace, journals: Journals, queue: Queue) -> int:
    """Give every post that is due to the senders. Returns how many there were."""
    now, handed = workspace.now(), 0
    for post in workspace.host.posts(states=[PostState.QUEUED, PostState.DOUBTFUL]):
        if post.next_at is not None and post.next_at > now:
            continue
        row = workspace.host.campaign(post.campaign)
        # What is in doubt is asked for whatever became of its campaign.
        if row is None or (post.state == PostState.QUEUED and row.state != CampaignState.SENDING):
            continue
        shut_out = timing.hours(workspace, workspace.association(post.association)).shut_out(now)
        if post.state == PostState.QUEUED and shut_out:
            continue
        handed += _hand_out_one(workspace, journals, queue, post, row)
    return handed


def _hand_out_one(workspace: Workspace, journals: Journals, queue: Queue, post: PostRow, row: CampaignRow) -> bool:
    now, host = workspace.now(), workspace.host
    try:
        thread = post_orders.thread_of(workspace, post)
        if not post.doubts:
            post_orders.check_budget(workspace, post)
    except NotYetError as error:
        _hold(workspace, post, error.message)
        return False
    except TooDearError as error:
        return _move(workspace, post, PostState.SKIPPED, error.message)
    except NotPossibleError as error:
        return _give_up(workspace, post, error.message)
    if post.doubts and not social.can_be_asked(post.network, social.account(workspace, post.network)):
        return _move(workspace, post, PostState.UNCONFIRMED, post.reason)
    with host.db.atomic():
        taken = host.update_post(
            post.id, was=post.state, state=PostState.SENDING, now=now, attempt=True, doubts=post.doubts
        )
    sending = host.post(post.id)
    if not taken or sending is None:
        return False
    may_repeat = row.state == CampaignState.SENDING
    try:
        order = post_orders.order(workspace, sending, read_back(row), may_repeat=may_repeat, thread=thread)
    except NotPossibleError as error:
        return _give_up(workspace, sending, error.message)
    if order.account:
        queue.put(order.to_json())
    else:  # into a folder of this machine, which a sender elsewhere does not have
        _write_down(workspace, journals, order)
    return True


def publish(order: PostOrder, log: OpenJournal, sessions: Sessions) -> Receipt:
    """The sender's part: look for a post in doubt, and publish what is to be, once, with the journal around it."""
    try:
        channel = social.channel(order.network, order.account, order.outbox_folder, sessions)
    except ConfigError as error:
        receipt = _receipt(order.post, Refused(f"{error.message} {error.hint}".strip(), permanent=True))
        log.done(receipt)
        return receipt
    post = _post(order)
    result = _looked_for(channel, post, may_repeat=order.may_repeat) if order.in_doubt else None
    if result is None:
        log.about_to(order.post)
        result = channel.publish(post)
    receipt = _receipt(order.post, result)
    log.done(receipt)
    return receipt


def _looked_for(channel: SocialChannel, post: SocialPost, *, may_repeat: bool) -> PostResult | None:
    """What the network says of a post in doubt; None when it is not there and may be put there again."""
    if not isinstance(channel, AskableChannel):
        return Unknown("The network can not be asked for the post.")
    found = channel.find(post)
    if found is not None:
        return found
    age = timedelta(seconds=time.time() - post.since.timestamp())
    if may_repeat and channel.settles_after <= age <= channel.repeatable_for:
        return None
    return Unknown("The network does not show the post; that does not prove that it is not there.")


def take_report(workspace: Workspace, journals: Journals, report: Report) -> bool:
    """Settle what a sender reports of a post; False for one that was settled before."""
    settled = False
    for post in workspace.host.posts(states=[PostState.SENDING]):
        if order_id(post) == report.batch:
            for receipt in report.receipts:
                settled = _settle(workspace, post, receipt)
    if settled:
        journals.settle(report.batch)
    return settled


def recover(workspace: Workspace, journals: Journals, queue: Queue, *, starting: bool) -> int:
    """Settle every post that no living sender holds, from its journal. Returns how many there were."""
    settled, now = 0, workspace.now()
    for post in workspace.host.posts(states=[PostState.SENDING]):
        order = order_id(post)
        # A clock that was put back must not hide the post until time has caught up.
        recent = timedelta() <= now - post.updated_at < timedelta(seconds=LOST_AFTER_S)
        if not starting and not journals.was_begun(order) and (recent or queue.waiting()):
            continue
        reading = journals.reclaim(order, post.updated_at.timestamp())
        if reading is None:
            continue
        if reading.receipts:
            receipt = reading.receipts[0]
        elif reading.handed_over or not reading.trustworthy:
            receipt = Receipt(post.id, Outcome.UNKNOWN, 0, SENDER_DIED)
        else:
            receipt = None
        settled += _settle(workspace, post, receipt) if receipt else _take_back(workspace, post)
        journals.settle(order)
    return settled


def _write_down(workspace: Workspace, journals: Journals, order: PostOrder) -> None:
    """What a sender does, done here."""
    journal = FileJournals(workspace.journal_folder).begin(order.id, [order.post], "")
    if journal is not None:
        with journal:
            receipt = publish(order, journal, MemorySessions())
        take_report(workspace, journals, Report(order.id, "", (receipt,)))


def _post(order: PostOrder) -> SocialPost:
    images = (SocialImage(base64.b64decode(image["data"]), image["media_type"], image["alt"]) for image in order.images)
    return SocialPost(
        network=order.network,
        text=order.text,
        language=order.language,
        key=order.key,
        images=tuple(images),
        since=datetime.fromtimestamp(order.since, UTC),
        reply_to=order.reply_to,
        root=order.root,
        card=Card(**order.card) if order.card else None,
        warning=order.warning,
    )


def _receipt(post: int, result: PostResult) -> Receipt:
    match result:
        case Posted(remote_id, url):
            return Receipt(post, Outcome.ACCEPTED, 0, "", {"remote_id": remote_id, "url": url})
        case Simulated(path):
            return Receipt(post, Outcome.ACCEPTED, 0, f"written to {path}", {"simulated": True})
        case Refused(reason, permanent=True):
            return Receipt(post, Outcome.REJECTED, 0, reason)
        case Refused(reason, retry_at=retry_at):
            return Receipt(post, Outcome.DEFERRED, 0, reason, _when(retry_at))
        case Unknown(reason, retry_at):
            return Receipt(post, Outcome.UNKNOWN, 0, reason, _when(retry_at))


def _when(retry_at: datetime | None) -> dict[str, str]:
    return {"retry_at": retry_at.isoformat()} if retry_at else {}


def _take_back(workspace: Workspace, post: PostRow) -> bool:
    """Let a post wait again that no sender ever began, or only looked for: that was no try."""
    return _move(workspace, post, PostState.DOUBTFUL if post.doubts else PostState.QUEUED, "", doubts=post.doubts)


def _hold(workspace: Workspace, post: PostRow, reason: str) -> None:
    _move(workspace, post, PostState(post.state), reason, next_at=workspace.now() + _HOLD, doubts=post.doubts)


def _give_up(workspace: Workspace, post: PostRow, reason: str) -> bool:
    """A post that was never tried failed; of one in doubt that would be saying too much."""
    return _move(workspace, post, PostState.UNCONFIRMED if post.doubts else PostState.FAILED, reason)


def _move(
    workspace: Workspace,
    post: PostRow,
    state: PostState,
    reason: str,
    *,
    next_at: datetime | None = None,
    doubts: int = 0,
) -> bool:
    host = workspace.host
    with host.db.atomic():
        return host.update_post(
            post.id, was=post.state, state=state, now=workspace.now(), reason=reason, next_at=next_at, doubts=doubts
        )


def _settle(workspace: Workspace, post: PostRow, receipt: Receipt) -> bool:
    match receipt.outcome:
        case Outcome.UNKNOWN:
            return _doubt(workspace, post, receipt)
        case Outcome.REJECTED:
            return _move(workspace, post, PostState.FAILED, receipt.text)
        case Outcome.DEFERRED if post.attempts % MOST_ATTEMPTS == 0:
            return _give_up(workspace, post, receipt.text)
        case Outcome.DEFERRED:
            wait = timedelta(seconds=wait_s(post.attempts, item=post.id, reached=False))
            state = PostState.DOUBTFUL if post.doubts else PostState.QUEUED
            next_at = _retry_at(receipt) or workspace.now() + wait
            return _move(workspace, post, state, receipt.text, next_at=next_at, doubts=post.doubts)
        case Outcome.ACCEPTED:
            details, host = receipt.details, workspace.host
            with host.db.atomic():
                return host.update_post(
                    post.id,
                    was=PostState.SENDING,
                    state=PostState.SIMULATED if details.get("simulated") else PostState.SENT,
                    now=workspace.now(),
                    remote_id=details.get("remote_id", ""),
                    url=details.get("url", ""),
                    reason=receipt.text,
                )


def _doubt(workspace: Workspace, post: PostRow, receipt: Receipt) -> bool:
    """Ask the network later, or leave it to a person where that is of no use."""
    now, doubts = workspace.now(), post.doubts + 1
    askable = social.can_be_asked(post.network, social.account(workspace, post.network))
    if not askable or doubts > len(ASK_AFTER_S):
        return _move(workspace, post, PostState.UNCONFIRMED, receipt.text)
    next_at = max(now + timedelta(seconds=ASK_AFTER_S[doubts - 1]), _retry_at(receipt) or now)
    return _move(workspace, post, PostState.DOUBTFUL, receipt.text, next_at=next_at, doubts=doubts)


def _retry_at(receipt: Receipt) -> datetime | None:
    retry_at = receipt.details.get("retry_at")
    return datetime.fromisoformat(retry_at).astimezone(UTC) if retry_at else None
