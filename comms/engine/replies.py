"""Answers that people write to what an association relays: counted once for each mail, and passed on to it.

Nobody else sees them, unless the association passes one on (`relaying.passing`). What programs answer is neither
counted nor passed on; `bounces.py` has looked at it before.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import structlog

from audiences.addresses import fold_case
from audiences.models import Association
from comms.db import storage_errors
from comms.delivery.letterbox import Letterbox
from comms.engagement import answers
from comms.engagement.bounces.mime import Part, parse
from comms.engagement.bounces.tracing import Traces
from comms.engagement.withholding import words_of
from comms.engine import letters, sending
from comms.engine.matching import Found, by_token
from comms.engine.relaying import passing
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.events import EventKind
from comms.rendering.clean import one_line
from comms.rendering.letter import LetterContent

log = structlog.get_logger(__name__)

TEMPLATE = "reply"
MOST_AN_HOUR = 60
"""Passed on to one association; more than that is a loop, or somebody who means harm."""
LARGEST = 3_000_000
"""Bytes of a mail that is passed on whole; of a larger one its words go, and it is said."""
_VALID = timedelta(days=7)
_LONGEST_SUBJECT = 150


def accept(workspace: Workspace, data: bytes) -> bool:
    """Take in what is no returned mail: count it and pass it on if a person wrote it to a relayed mail of ours.

    Returns whether it was passed on. Raises StateError when too many came within the hour, StorageError when the
    database can not be written now; nothing was counted then, and it can be tried again.
    """
    mail = parse(data)
    found = by_token(workspace, Traces(tuple(answers.addressed(mail.headers)), ()))
    if found is None or not _is_relayed(workspace, found):
        return False
    association = workspace.association(found.association)
    writer = answers.writer(mail.headers)
    if writer is None or answers.is_machine(mail) or fold_case(writer) in _own(association):
        return False
    box, now = Letterbox(workspace.association_db(found.association)), workspace.now()
    content = _content(workspace, found, mail, writer, data)
    with storage_errors(workspace.association_path(found.association)), box.db.atomic():
        if box.count_since(TEMPLATE, now - timedelta(hours=1)) >= MOST_AN_HOUR:
            raise StateError(f"more than {MOST_AN_HOUR} answers to {found.association} came within an hour.")
        events = workspace.events(found.association)
        if not events.has(found.mail.delivery, EventKind.REPLIED):
            events.add(found.mail.run, EventKind.REPLIED, now, delivery=found.mail.delivery)
        to = association.reply_to or association.sender_address
        letters.post(workspace, found.association, TEMPLATE, to, content, expires_at=now + _VALID)
    log.info("an answer was passed on", association=found.association)
    return True


def _is_relayed(workspace: Workspace, found: Found) -> bool:
    row = workspace.host.campaign(found.mail.campaign)
    return row is not None and workspace.association(sending.read_back(row).association).slug != found.association


def _own(association: Association) -> frozenset[str]:
    return frozenset(fold_case(each) for each in (association.sender_address, association.reply_to) if each)


def _content(workspace: Workspace, found: Found, mail: Part, writer: str, data: bytes) -> LetterContent:
    words = workspace.catalogues.words(workspace.association(found.association).language)
    is_whole = len(data) <= LARGEST
    notes = [words.gettext("Your answer goes to the person who wrote this, and nobody else sees it.")]
    to_pass_on = passing.alias(workspace, found) if is_whole else ""
    if is_whole:
        notes.append(words.gettext("The mail as it came is attached. Open what is attached to it with care."))
    else:
        notes.append(words.gettext("The mail is too large to be attached, and its attachments are not kept."))
    if to_pass_on:
        notes.append(
            words.gettext(
                "To pass it on without name and address, forward this mail with its attachment to: %(address)s",
                address=to_pass_on,
            )
        )
    return LetterContent(
        subject=one_line(mail.headers.get("subject"))[:_LONGEST_SUBJECT]
        or words.gettext("An answer without a subject"),
        heading=words.gettext("An answer to what you relayed"),
        paragraphs=tuple(words_of(mail)),
        points=(writer,),
        button=words.gettext("Answer by mail"),
        url=f"mailto:{writer}",
        notes=tuple(notes),
        language=words.language,
        answer_to=writer,
        original=b64encode(_without_door(data)).decode("ascii") if is_whole else "",
    )


def _without_door(data: bytes) -> bytes:
    """The mail without the line that the door wrote before it: the token in it is nobody's business."""
    first, _, rest = data.partition(b"\r\n")
    return rest if first.lower().startswith(b"delivered-to:") else data
