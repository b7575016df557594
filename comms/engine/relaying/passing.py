"""What a liaison forwards to the coalition of an answer: its words, without who wrote it, unless that person agrees.

A liaison forwards the mail in which they got the answer to an address that stands in it. Nothing of what arrives goes
on: a new mail is written with the words of the attached answer. Keeps none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import structlog

from audiences.addresses import fold_case
from audiences.models import Association
from campaigns.models import Campaign
from comms.db import storage_errors
from comms.delivery.letterbox import Letterbox
from comms.engagement import answers, withholding
from comms.engagement.bounces.mime import Part, parse
from comms.engagement.bounces.report import leaves
from comms.engagement.withholding import Known
from comms.engine import editions, letters, matching, sending
from comms.engine.matching import Found
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.language.words import Words
from comms.rendering.clean import one_line
from comms.rendering.letter import LetterContent

log = structlog.get_logger(__name__)

PASS, AGREE = "pass", "agree"
"""Purposes of aliases: for the liaison, to pass an answer on; for who wrote it, to agree to being named."""
PASSED, ASKED, NOT_PASSED = "passed", "asked", "not-passed"
"""Templates: to the coalition, to who wrote, to the liaison."""
MOST_AN_HOUR = 60
_VALID = timedelta(days=7)
_DEEPEST = 4
"""Mails in mails: a mail that is forwarded as an attachment holds ours, and that one holds the answer."""


@dataclass(frozen=True, slots=True)
class _Matter:
    """An answer, as both sides may know it."""

    campaign: Campaign
    coalition: Association
    association: Association
    code: str
    """The same in all mails about one answer; it says nothing of who wrote it."""


def alias(workspace: Workspace, found: Found) -> str:
    """Where the association forwards an answer to; empty where there is nobody here whom it could be passed on to."""
    if not workspace.settings.bounces.address or _matter(workspace, found) is None:
        return ""
    return matching.alias(workspace, PASS, found.association, found.mail.delivery)


def accept(workspace: Workspace, data: bytes) -> bool:
    """Take in a mail to one of these aliases; False for any other mail.

    What programs send there is left. Raises StateError when too many came within the hour, StorageError when the
    database can not be written now; nothing was done then, and it can be tried again.
    """
    mail = parse(data)
    to = answers.addressed(mail.headers)
    for purpose, take in ((PASS, _pass_on), (AGREE, _agree)):
        found = matching.by_alias(workspace, purpose, to)
        matter = _matter(workspace, found) if found else None
        if found is not None and matter is not None:
            if not answers.is_machine(mail):
                take(workspace, found, matter, mail)
            return True
    return False


def _matter(workspace: Workspace, found: Found) -> _Matter | None:
    row = workspace.host.campaign(found.mail.campaign)
    if row is None or not row.relay_of:
        return None
    campaign = sending.read_back(row)
    coalition, association = editions.author(workspace, campaign), workspace.association(found.association)
    if coalition is None or coalition.slug == association.slug:
        return None
    code = workspace.links.signer.mark(f"answer {association.slug} {found.mail.delivery}")[:6]
    return _Matter(campaign, coalition, association, code)


# --- what comes in ------------------------------------------------------------------------------


def _pass_on(workspace: Workspace, found: Found, matter: _Matter, mail: Part) -> None:
    answer = _answer_in(workspace, found, mail)
    address = matching.address_of(workspace, found)
    writer = answers.writer(answer.headers) if answer else None
    words = (
        withholding.withheld(withholding.words_of(answer), _known(workspace, found, answer, address)) if answer else []
    )
    if not words:
        _post(workspace, matter, NOT_PASSED, _mailbox(matter.association), _not_passed(workspace, matter))
        return
    _post(workspace, matter, PASSED, _mailbox(matter.coalition), _passed(workspace, matter, words))
    log.info("an answer was passed on to the coalition", association=matter.association.slug)
    # Only who wrote from the address that the newsletter went to is surely the person whom the alias stands for.
    if address and writer and fold_case(address) == fold_case(writer):
        ask = matching.alias(workspace, AGREE, found.association, found.mail.delivery)
        _post(workspace, matter, ASKED, address, _asked(workspace, matter, ask))


def _agree(workspace: Workspace, found: Found, matter: _Matter, mail: Part) -> None:
    address, writer = matching.address_of(workspace, found), answers.writer(mail.headers, ("from",))
    if address and writer and fold_case(address) == fold_case(writer):
        _post(workspace, matter, PASSED, _mailbox(matter.coalition), _agreed(workspace, matter, address))


def _answer_in(workspace: Workspace, found: Found, mail: Part, depth: int = 0) -> Part | None:
    """The answer somewhere in what was forwarded: the mail that was written to the return path of this delivery."""
    if depth == _DEEPEST:
        return None
    for part in leaves(mail):
        if part is mail or part.kind in ("text/plain", "text/html"):
            continue
        inner = parse(part.decoded())
        about = workspace.links.signer.returns.find(answers.addressed(inner.headers))
        mark = workspace.links.signer.returns.mark(found.association)
        if about is not None and (about.mark, about.delivery) == (mark, found.mail.delivery):
            return inner
        deeper = _answer_in(workspace, found, inner, depth + 1)
        if deeper is not None:
            return deeper
    return None


def _known(workspace: Workspace, found: Found, answer: Part, address: str | None) -> Known:
    member = workspace.people(found.association).get(found.mail.member) if found.mail.member is not None else None
    attributes: Mapping[str, object] = member.attributes if member else {}
    addresses = [each for each in (address, answers.writer(answer.headers)) if each]
    return Known.of(answers.names(answer.headers), attributes, addresses)


# --- what goes out ------------------------------------------------------------------------------


def _mailbox(association: Association) -> str:
    return association.reply_to or association.sender_address


def _post(workspace: Workspace, matter: _Matter, template: str, to: str, content: LetterContent) -> None:
    """From the association's own address, so that nothing of the mail that came in is in the one that goes out."""
    slug, now = matter.association.slug, workspace.now()
    box = Letterbox(workspace.association_db(slug))
    with storage_errors(workspace.association_path(slug)), box.db.atomic():
        if box.count_since(template, now - timedelta(hours=1)) >= MOST_AN_HOUR:
            raise StateError(f"more than {MOST_AN_HOUR} answers were to be passed on by {slug} within an hour.")
        letters.post(workspace, slug, template, to, content, expires_at=now + _VALID)


def _passed(workspace: Workspace, matter: _Matter, lines: list[str]) -> LetterContent:
    words = workspace.catalogues.words(matter.coalition.language)
    return LetterContent(
        subject=words.gettext(
            "Answer %(code)s through %(association)s: %(title)s",
            code=matter.code, association=matter.association.name, title=one_line(matter.campaign.title),
        ),
        heading=words.gettext("An answer that is passed on"),
        paragraphs=tuple(lines),
        button=words.gettext("Answer by mail"),
        url=f"mailto:{_mailbox(matter.association)}",
        notes=(
            words.gettext(
                "Your answer goes to %(association)s, who knows who wrote this.", association=matter.association.name
            ),
            _limit(words),
        ),
        language=words.language,
    )  # fmt: skip


def _limit(words: Words) -> str:
    return words.gettext(
        "A program took out addresses, telephone numbers, links, and names that it knew. What is left may still tell "
        "who wrote it: do not pass it on."
    )


def _agreed(workspace: Workspace, matter: _Matter, address: str) -> LetterContent:
    words = workspace.catalogues.words(matter.coalition.language)
    return LetterContent(
        subject=words.gettext("Answer %(code)s: you may write to this person", code=matter.code),
        heading=words.gettext("You may write to this person"),
        paragraphs=(
            words.gettext(
                "Who wrote answer %(code)s, which %(association)s passed on to you, lets you know their address.",
                code=matter.code, association=matter.association.name,
            ),
        ),
        points=(address,),
        button=words.gettext("Answer by mail"),
        url=f"mailto:{address}",
        language=words.language,
        answer_to=address,
    )  # fmt: skip


def _asked(workspace: Workspace, matter: _Matter, ask: str) -> LetterContent:
    words = workspace.catalogues.words(matter.association.language)
    host = matter.coalition.name
    return LetterContent(
        subject=words.gettext("Your answer was passed on: %(title)s", title=one_line(matter.campaign.title)),
        heading=words.gettext("Your answer was passed on"),
        paragraphs=(
            words.gettext(
                "%(association)s has passed your answer on to %(host)s, without your name and address.",
                association=matter.association.name, host=host,
            ),
            words.gettext("If %(host)s may write to you, send the mail behind the button, as it is.", host=host),
        ),
        button=words.gettext("Tell them my address"),
        url=f"mailto:{ask}?subject={quote(words.gettext('Yes, you may write to me (%(code)s)', code=matter.code))}",
        notes=(words.gettext("If you do nothing, they do not learn who you are."),),
        language=words.language,
    )  # fmt: skip


def _not_passed(workspace: Workspace, matter: _Matter) -> LetterContent:
    words = workspace.catalogues.words(matter.association.language)
    return LetterContent(
        subject=words.gettext("Not passed on: %(title)s", title=one_line(matter.campaign.title)),
        heading=words.gettext("Nothing was passed on"),
        paragraphs=(
            words.gettext(
                "What you forwarded to %(host)s did not have the answer in it, or no words that could be passed on.",
                host=matter.coalition.name,
            ),
            words.gettext("Forward the mail in which you got the answer, with the file message.eml that is attached."),
        ),
        button=words.gettext("Write to %(host)s yourself", host=matter.coalition.name),
        url=f"mailto:{_mailbox(matter.coalition)}",
        language=words.language,
    )  # fmt: skip
