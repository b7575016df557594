"""Answers that people write to what an association relays: counted once for each mail, and passed on to it.

Nobody else sees them. What programs answer is neither counted nor passed on; `bounces.py` has looked at it before.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from email.utils import getaddresses

import structlog

from audiences.addresses import fold_case
from audiences.models import Association
from comms.db import storage_errors
from comms.delivery.letterbox import Letterbox
from comms.engagement.bounces.mime import Headers, Part, parse
from comms.engagement.bounces.tracing import Traces
from comms.engine import letters, sending
from comms.engine.matching import Found, by_token
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.events import EventKind
from comms.rendering.clean import one_line
from comms.rendering.errors import UnsendableAddress
from comms.rendering.letter import LetterContent
from comms.rendering.mime import addr_spec

log = structlog.get_logger(__name__)

TEMPLATE = "reply"
MOST_AN_HOUR = 60
"""Passed on to one association; more than that is a loop, or somebody who means harm."""
LARGEST = 3_000_000
"""Bytes of a mail that is passed on whole; of a larger one its words go, and it is said."""
_VALID = timedelta(days=7)
_MOST_LINES, _LONGEST_LINE, _LONGEST_SUBJECT = 80, 2_000, 150
_MACHINES = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
"""Values of `Precedence`, from before there was `Auto-Submitted`."""


def accept(workspace: Workspace, data: bytes) -> bool:
    """Take in what is no returned mail: count it and pass it on if a person wrote it to a relayed mail of ours.

    Returns whether it was passed on. Raises StateError when too many came within the hour, StorageError when the
    database can not be written now; nothing was counted then, and it can be tried again.
    """
    mail = parse(data)
    found = by_token(workspace, Traces(tuple(_addressed(mail.headers)), ()))
    if found is None or not _is_relayed(workspace, found):
        return False
    association = workspace.association(found.association)
    writer = _writer(mail.headers)
    if writer is None or _is_machine(mail) or fold_case(writer) in _own(association):
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


def _addressed(headers: Headers) -> list[str]:
    """Where it was sent to: an answer that only quotes an address of ours was written to somebody else."""
    return [value for name in ("delivered-to", "x-original-to", "to", "cc") for value in headers.all(name)]


def _writer(headers: Headers) -> str | None:
    """Whom to answer; None where no mail could go there."""
    for name in ("reply-to", "from"):
        for _, address in getaddresses(headers.all(name)[:1]):
            try:
                return addr_spec(address)
            except UnsendableAddress:
                continue
    return None


def _own(association: Association) -> frozenset[str]:
    return frozenset(fold_case(each) for each in (association.sender_address, association.reply_to) if each)


def _is_machine(mail: Part) -> bool:
    """Did a program write or pass it on (RFC 3834 section 2), a mailing list, or a mail server."""
    headers = mail.headers
    submitted = headers.get("auto-submitted").lower()
    return (
        bool(submitted and not submitted.startswith("no"))
        or headers.get("precedence").strip().lower() in _MACHINES
        or headers.get("return-path").strip() == "<>"
        or any(name in headers for name in ("list-id", "list-unsubscribe", "x-autoreply", "x-autorespond"))
        or mail.kind == "multipart/report"
    )


def _content(workspace: Workspace, found: Found, mail: Part, writer: str, data: bytes) -> LetterContent:
    words = workspace.catalogues.words(workspace.association(found.association).language)
    is_whole = len(data) <= LARGEST
    notes = [words.gettext("Your answer goes to the person who wrote this, and nobody else sees it.")]
    if is_whole:
        notes.append(words.gettext("The mail as it came is attached. Open what is attached to it with care."))
    else:
        notes.append(words.gettext("The mail is too large to be attached, and its attachments are not kept."))
    return LetterContent(
        subject=one_line(mail.headers.get("subject"))[:_LONGEST_SUBJECT]
        or words.gettext("An answer without a subject"),
        heading=words.gettext("An answer to what you relayed"),
        paragraphs=tuple(_lines(mail)),
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


def _lines(mail: Part) -> list[str]:
    """What the person wrote, a paragraph for each line, without what they quote."""
    part = _plain(mail)
    lines = part.text()[: _MOST_LINES * _LONGEST_LINE].split("\n") if part else []
    own = [one_line(line)[:_LONGEST_LINE] for line in lines if not line.lstrip().startswith(">")]
    return [line for line in own if line][:_MOST_LINES]


def _plain(part: Part) -> Part | None:
    if part.kind == "text/plain" and "attachment" not in part.headers.get("content-disposition").lower():
        return part
    return next((found for each in part.parts if (found := _plain(each)) is not None), None)
