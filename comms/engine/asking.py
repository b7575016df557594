"""Somebody without a newsletter at hand asks for the link to the page where they choose what they get.

Nothing that is answered says whether the address is known, suppressed, or asked for too often.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from audiences.models import SuppressionScope
from audiences.requests import Requests
from audiences.store import People
from comms.db import storage_errors
from comms.delivery.letterbox import Letterbox
from comms.engagement.bounces.policy import COMPLAINT
from comms.engine import letter_words, letters, tokens
from comms.engine.signup import MOST_OF_ADDRESS, MOST_OF_NETWORK, NETWORK_SPAN, mailbox, network_of
from comms.engine.workspace import Workspace

log = structlog.get_logger(__name__)

TEMPLATE = "preferences"
VALID = timedelta(days=1)
"""How long a letter waits for a mail server, and counts against the next one."""


def request(workspace: Workspace, association: str, address: str, ip: str | None) -> None:
    """Mail the link, if the address is a member's and may be written to; else silently nothing.

    `ip` is the visitor's address. Raises AddressError for what is no address, UsageError for no association.
    """
    owner, people, now = workspace.association(association), workspace.people(association), workspace.now()
    normal, network = mailbox(address), network_of(ip)
    requests, box = Requests(people.db), Letterbox(workspace.association_db(association))
    with storage_errors(workspace.association_path(owner.slug)), people.db.atomic():
        member = people.find(normal)
        if reason := _refused(people, requests, box, normal, network, now):
            log.warning("no link was mailed", association=association, reason=reason)
            return
        # Known or not: what takes another time tells something.
        requests.add(network, now, keep=NETWORK_SPAN)
        known = member.id if member is not None and member.id is not None else 0
        words = workspace.catalogues.words(member.language if member else None, owner.language)
        url = tokens.for_person(workspace, owner.slug, known, normal)
        content = letter_words.preferences(words, owner.name, url=url)
        if known:
            letters.post(workspace, owner.slug, TEMPLATE, normal, content, expires_at=now + VALID)


def _refused(
    people: People, requests: Requests, box: Letterbox, address: str, network: str | None, now: datetime
) -> str:
    if network is not None and requests.since(network, now - NETWORK_SPAN) >= MOST_OF_NETWORK:
        return f"{MOST_OF_NETWORK} requests came from one place within an hour"
    waiting = sum(letter.template == TEMPLATE for letter in box.of_address(address))
    if waiting >= MOST_OF_ADDRESS:
        return f"{MOST_OF_ADDRESS} links went to this mailbox within a day"
    if any(not _is_own_choice(scope, reason) for scope, reason in people.suppressions_of(address)):
        return "mail to the address fails, or must not be sent"
    return ""


def _is_own_choice(scope: SuppressionScope, reason: str) -> bool:
    """Is it the person who does not want newsletters, while mail reaches them."""
    return scope is SuppressionScope.RELAYS or (scope is SuppressionScope.ASSOCIATION and reason == COMPLAINT)
