"""Who the mail comes from, as far as the settings tell; what the DNS says of it is `online.dns`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.errors import shown
from comms.preflight import hosts
from comms.preflight.facts import Facts
from comms.preflight.report import Finding, must, should

RESERVED = should(
    "sender-reserved", "a sender in a domain for examples: `news@coalition.example`", "No server takes mail from it."
)
FREEMAIL = must(
    "sender-freemail",
    "a sender with a provider of mailboxes, such as gmail.com or yahoo.com",
    "Only their own servers can sign for these domains, so other providers refuse the mail (their DMARC asks for it).",
)
SILENT = should(
    "sender-silent",
    "replies that reach nobody: `noreply@`, and no other address for replies",
    "Readers answer newsletters, and mail programs trust senders that are answered.",
)
POOR_NAME = should(
    "sender-name",
    "a sender's name that is an address, or all in capitals",
    "Mail filters count it against you, and readers do not see who writes.",
)
RULES = (RESERVED, FREEMAIL, SILENT, POOR_NAME)

_SILENT = re.compile(r"(?:no|do-?not)[-_.]?reply", re.IGNORECASE)


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the association as a sender."""
    association = facts.association
    slug, address = association.slug, association.sender_address
    local, _, domain = address.rpartition("@")
    if hosts.is_reserved(domain.lower()):
        message = f"{slug} still sends from {shown(address)}, an address that does not exist"
        yield RESERVED.at(0, "association", message, f"comms association edit {slug} --from news@your-domain")
    if facts.campaign.newsletter is None:
        return
    if domain.lower() in hosts.FREEMAIL:
        message = f"{slug} sends from {shown(address)}, which only {shown(domain)} itself may do"
        hint = f"send from a domain of your own: comms association edit {slug} --from news@your-domain"
        yield FREEMAIL.at(0, "association", message, hint)
    if _SILENT.match(local) and not association.reply_to:
        hint = f"comms association edit {slug} --reply-to office@your-domain"
        yield SILENT.at(0, "association", f"answers to {shown(address)} reach nobody", hint)
    name = association.sender_name or association.name
    if "@" in name or (len(name) > 12 and " " in name and name.isupper()):
        message = f"the sender's name is {shown(name)!r}"
        yield POOR_NAME.at(0, "association", message, f"comms association edit {slug} --sender-name 'The ...'")
