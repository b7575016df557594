"""Letters: mails to one person about one thing that the person, or the work, waits for, such as a confirmation.

A letter is no newsletter: it asks no consent, counts nothing, and can not be unsubscribed from. Its row says `sending`
before any sender can know of it. What was lost on the way is sent again, for a second copy harms nobody.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import structlog

from audiences.models import Association
from comms.db import storage_errors
from comms.delivery.batches import LetterOrder, Outcome, Receipt, Report
from comms.delivery.dispatch import BATCH_VALID_S, LOST_AFTER_S, SENDER_DIED, Queue
from comms.delivery.journal import Journals
from comms.delivery.letterbox import Letterbox, LetterRow
from comms.delivery.messages import reply_to
from comms.engine import dkim
from comms.engine.editions import media_url
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.keys import TamperedError
from comms.message import MailFile, Message
from comms.rendering.letter import LetterContent, render_letter
from comms.rendering.library import BUILT_IN, TemplateLibrary
from comms.rendering.mime import addr_spec, build, domain_of
from comms.rendering.render import Rendered

log = structlog.get_logger(__name__)

FOLDER = "letters"
"""Where templates of letters lie, in the workspace's templates folder and in ours: no campaign can name them."""
MOST_AT_A_TIME = 20
"""Letters of an association that are written in one go: each takes some 10 ms, in which control does nothing else."""
_PREFIX = "letter."
_MAIL_FILE = "application/octet-stream"
"""Of a mail that is attached: as message/rfc822 it could not be in base64 (RFC 2046 section 5.2.1), and what people
send is not ASCII. Mail programs go by the name of the file."""


def post(
    workspace: Workspace,
    association: str,
    template: str,
    address: str,
    content: LetterContent,
    *,
    expires_at: datetime,
) -> int:
    """Queue a letter, within the caller's transaction on the association's database; returns its id.

    It is not sent any more after `expires_at`, and forgotten then.
    """
    sealed = workspace.key.seal(json.dumps(content.to_json()).encode())
    box = Letterbox(workspace.association_db(association))
    return box.add(template, address, sealed, now=workspace.now(), expires_at=expires_at)


def hand_out(workspace: Workspace, association: str, queue: Queue) -> int:
    """Give the letters of an association that are due to the senders. Returns how many there were."""
    box, now, handed = Letterbox(workspace.association_db(association)), workspace.now(), 0
    sender = workspace.association(association)
    for row in box.due(now, MOST_AT_A_TIME):
        task = f"{_PREFIX}{uuid.uuid4().hex}"
        try:
            order = _order(workspace, sender, row, task)
        except (UsageError, StateError, ValueError, TypeError) as error:  # ValueError: template, address, content
            log.error("a letter can not be written", association=association, letter=row.id, reason=str(error))
            with box.db.atomic():
                box.fail(row.id, str(error))
            continue
        with box.db.atomic():
            taken = box.take(row.id, task, now)
        if taken:
            queue.put(order.to_json())
            handed += 1
    return handed


def render(workspace: Workspace, association: Association, template: str, content: LetterContent) -> Rendered:
    """What a letter looks like. Raises UsageError or TemplateError for a template that can not be used."""
    library = TemplateLibrary([workspace.templates_folder / FOLDER, BUILT_IN / FOLDER])
    return render_letter(content, association, library.find(template), media_url=media_url(workspace))


def is_letter(report: Report) -> bool:
    """Does a report tell of a letter, and not of a batch."""
    return report.batch.startswith(_PREFIX)


def take_report(workspace: Workspace, journals: Journals, report: Report) -> bool:
    """Settle what a sender reports of a letter; False for one that was settled before."""
    settled = any(_settle(workspace, report.association, report.batch, receipt) for receipt in report.receipts)
    journals.settle(report.batch)
    return settled


def recover(workspace: Workspace, journals: Journals, association: str, queue: Queue, *, starting: bool) -> int:
    """Settle every letter that no living sender holds, from its journal, and delete those whose time is over.

    Returns how many were settled.
    """
    box, settled = Letterbox(workspace.association_db(association)), 0
    now = workspace.now()
    for row in box.under_way():
        assert row.task is not None, "take() named it"
        age = now.timestamp() - (row.handed_at or 0.0)
        recent = 0 <= age < LOST_AFTER_S  # negative: the clock was put back
        if not starting and not journals.was_begun(row.task) and (recent or queue.waiting()):
            continue
        reading = journals.reclaim(row.task, row.handed_at or 0.0)
        if reading is None:
            continue
        if reading.receipts:
            settled += _settle(workspace, association, row.task, reading.receipts[0])
        elif reading.handed_over or not reading.trustworthy:
            settled += _settle(workspace, association, row.task, Receipt(row.id, Outcome.UNKNOWN, 0, SENDER_DIED))
        else:
            with box.db.atomic():
                settled += box.give_back(row.task)
        journals.settle(row.task)
    if box.has_expired(now):
        with box.db.atomic():
            box.expire(now)
    return settled


def _settle(workspace: Workspace, association: str, task: str, receipt: Receipt) -> bool:
    box = Letterbox(workspace.association_db(association))
    with storage_errors(workspace.association_path(association)), box.db.atomic():
        state = box.settle(task, receipt, workspace.now())
    if state == "failed":
        log.warning("a letter was not taken", association=association, letter=receipt.item, reason=receipt.text)
    return state is not None


def _order(workspace: Workspace, association: Association, row: LetterRow, task: str) -> LetterOrder:
    message = _message(workspace, association, row)
    data, signer = build(message), dkim.signer(workspace, association.slug)
    if signer is not None:
        data = signer.sign(data, workspace.now())
    return LetterOrder(
        id=task,
        letter=row.id,
        association=association.slug,
        sender=addr_spec(message.sender_address),
        recipient=addr_spec(message.recipient),
        message=data.decode("ascii"),
        smtp=workspace.settings.smtp.model_dump(),
        relays=workspace.settings.relays(),
        not_after=workspace.now().timestamp() + BATCH_VALID_S,
    )


def _message(workspace: Workspace, association: Association, row: LetterRow) -> Message:
    """The letter before it is encoded: the same for every try of it, so that a second copy can be told.

    Raises UsageError or TemplateError for a template that can not be used, TamperedError for content not sealed by us.
    """
    if row.content is None:
        raise TamperedError("nothing is left of what it says")
    content = LetterContent.from_json(json.loads(workspace.key.unseal(row.content)))
    rendered = render(workspace, association, row.template, content)
    return Message(
        sender_name=association.sender_name or association.name,
        sender_address=association.sender_address,
        recipient=row.address,
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        # With its time: ids count anew from where a restored backup stood.
        message_id=f"<{association.slug}.{row.id}.{row.created_at}.letter@{domain_of(association.sender_address)}>",
        date=datetime.fromtimestamp(row.created_at, UTC),
        language=content.language,
        # RFC 3834 section 5: so that no vacation program answers.
        headers=(*_answers(association, content), ("Auto-Submitted", "auto-generated")),
        files=(MailFile("message.eml", _MAIL_FILE, content.original),) if content.original else (),
    )


def _answers(association: Association, content: LetterContent) -> tuple[tuple[str, str], ...]:
    return (("Reply-To", addr_spec(content.answer_to)),) if content.answer_to else reply_to(association)
