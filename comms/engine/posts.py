"""Social posts: handed to a sender once, and never again by guess.

A post's row says `sending` before any sender can know of it, and leaves that state only with an answer. What
may have been posted without one becomes `unconfirmed`, for a person to look at.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from campaigns.store import PostRow
from comms.channels.base import Posted, PostResult, Refused, Simulated, SocialPost, Unknown
from comms.delivery.batches import Outcome, PostOrder, Receipt, Report
from comms.delivery.dispatch import BATCH_VALID_S, LOST_AFTER_S, SENDER_DIED, Queue
from comms.delivery.journal import FileJournals, Journals, OpenJournal
from comms.delivery.retry import wait_s
from comms.engine import editions, timing
from comms.engine.sending import read_back
from comms.engine.workspace import Workspace
from comms.events import PostState

MOST_ATTEMPTS = 8
"""A post that the network keeps refusing for now is given up after this many tries."""
_PREFIX = "post."


def order_id(post: PostRow) -> str:
    """Names one try of one post: its journal, and its report. No association's slug holds a dot."""
    return f"{_PREFIX}{post.id}.{post.attempts}"


def hand_out(workspace: Workspace, journals: Journals, queue: Queue) -> int:
    """Give every post that is due to the senders. Returns how many there were."""
    now, handed = workspace.now(), 0
    for post in workspace.host.posts(states=[PostState.QUEUED]):
        if post.next_at is not None and post.next_at > now:
            continue
        row = workspace.host.campaign(post.campaign)
        if row is None or row.state != "sending":
            continue
        if timing.hours(workspace, workspace.association(post.association)).shut_out(now):
            continue
        with workspace.host.db.atomic():
            taken = workspace.host.update_post(
                post.id, was=PostState.QUEUED, state=PostState.SENDING, now=now, attempt=True
            )
        if taken:
            sending = next(p for p in workspace.host.posts(post.campaign) if p.id == post.id)
            order = _order(workspace, sending, read_back(row).language, now)
            if order.account:
                queue.put(order.to_json())
            else:  # into a folder of this machine, which a sender elsewhere does not have
                _write_down(workspace, journals, order)
            handed += 1
    return handed


def publish(order: PostOrder, log: OpenJournal) -> Receipt:
    """The sender's part: ask the network once, with the journal around it."""
    channel = editions.social_channel(order.network, order.account, order.outbox_folder)
    log.about_to(order.post)
    receipt = _receipt(order.post, channel.publish(SocialPost(order.network, order.text, order.language, order.key)))
    log.done(receipt)
    return receipt


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
            receipt = publish(order, journal)
        take_report(workspace, journals, Report(order.id, "", (receipt,)))


def _order(workspace: Workspace, post: PostRow, language: str, now: datetime) -> PostOrder:
    return PostOrder(
        id=order_id(post),
        post=post.id,
        network=post.network,
        text=post.text,
        language=language,
        key=f"{post.campaign}.{post.association}.{post.network}.{post.part}",
        account=editions.account(workspace, post.network),
        outbox=str(workspace.outbox_folder),
        not_after=now.timestamp() + BATCH_VALID_S,
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
            return Receipt(post, Outcome.DEFERRED, 0, reason, {"retry_at": retry_at.isoformat()} if retry_at else {})
        case Unknown(reason):
            return Receipt(post, Outcome.UNKNOWN, 0, reason)


def _take_back(workspace: Workspace, post: PostRow) -> bool:
    """Queue a post again that no sender ever began: that was no try."""
    with workspace.host.db.atomic():
        return workspace.host.update_post(post.id, was=PostState.SENDING, state=PostState.QUEUED, now=workspace.now())


def _settle(workspace: Workspace, post: PostRow, receipt: Receipt) -> bool:
    now = workspace.now()
    next_at = None
    match receipt.outcome:
        case Outcome.ACCEPTED:
            state = PostState.SIMULATED if receipt.details.get("simulated") else PostState.SENT
        case Outcome.REJECTED:
            state = PostState.FAILED
        case Outcome.UNKNOWN:
            state = PostState.UNCONFIRMED
        case Outcome.DEFERRED if post.attempts >= MOST_ATTEMPTS:
            state = PostState.FAILED
        case Outcome.DEFERRED:
            state = PostState.QUEUED
            retry_at = receipt.details.get("retry_at")
            wait = timedelta(seconds=wait_s(post.attempts, item=post.id, reached=False))
            next_at = datetime.fromisoformat(retry_at).astimezone(UTC) if retry_at else now + wait
    with workspace.host.db.atomic():
        return workspace.host.update_post(
            post.id,
            was=PostState.SENDING,
            state=state,
            now=now,
            remote_id=receipt.details.get("remote_id", ""),
            url=receipt.details.get("url", ""),
            reason=receipt.text,
            next_at=next_at,
        )
