"""What mail servers mean by their answers: less from us, or less of one provider's, or not by this server. Pure.

Two parties speak in an answer: the mail server that we hand our mail to, and, where it passes words on, the provider
of the mailbox. Whose words they are decides who is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from comms.channels.mail import SESSION_CODES, Reply


class Fault(Enum):
    """Why a mail server of ours is of no use for now."""

    UNREACHABLE = auto()
    """No session could be opened."""
    BUSY = auto()
    """It ended sessions, or refused what has nothing to do with the recipient."""
    THROTTLED = auto()
    """It takes mail, but not so fast."""
    USED_UP = auto()
    """What it allows us in a day is used up."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of mailboxes under several domains, and how it says that it has enough of our IP address."""

    name: str
    domains: frozenset[str]
    says: re.Pattern[str]


def _provider(name: str, domains: str, says: str) -> Provider:
    return Provider(name, frozenset(domains.split()), re.compile(says, re.IGNORECASE))


PROVIDERS = (
    # https://support.google.com/a/answer/3726730: 4.7.28 names the IP address, netblock, domain or SPF and DKIM domain.
    _provider(
        "Google",
        "gmail.com googlemail.com",
        r"\b4\.7\.28\b|unusual rate of (?:unsolicited )?(?:e-?)?mail\b",
    ),
    # https://senders.yahooinc.com/smtp-error-codes/
    _provider(
        "Yahoo",
        "yahoo.com ymail.com rocketmail.com myyahoo.com aol.com aim.com yahoo.ca yahoo.co.uk yahoo.co.in yahoo.co.jp"
        " yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.de yahoo.es yahoo.fr yahoo.ie yahoo.in yahoo.it",
        r"\[(?:IP)?TSS?\d\d\]|messages from \S{1,60} (?:will be permanently|temporarily) deferred",
    ),
    # https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
    _provider(
        "Microsoft",
        "outlook.com hotmail.com live.com msn.com passport.com outlook.de outlook.es outlook.fr outlook.it"
        " hotmail.co.uk hotmail.de hotmail.es hotmail.fr hotmail.it live.ca live.co.uk live.de live.fr live.nl"
        " windowslive.com",
        r"\(S77\d{1,3}\)|\(S31(?:14|15|40|50)\)|\b4\.7\.(?:500|65[0-2]|850)\b|\bRP-00[1-3]\b",
    ),
)
_BY_DOMAIN: Mapping[str, Provider] = {domain: each for each in PROVIDERS for domain in each.domains}


def provider_of(domain: str) -> Provider | None:
    """Who has the mailboxes of a domain, as far as that is known without asking the DNS."""
    return _BY_DOMAIN.get(domain)


def provider_that_defers(code: int, text: str) -> Provider | None:
    """Whose words these are, when they say that our IP address has to wait: all mailboxes there have to, then."""
    if not 400 <= code < 500:
        return None
    return next((each for each in PROVIDERS if each.says.search(text)), None)


_ENOUGH = re.compile(
    r"rate.?limit|too (?:many|much|fast)|throttl|slow down|unusual(?:ly high)? (?:rate|volume)|exceed\w*|reputation"
    r"|temporarily (?:deferred|blocked|rejected|rate)|deferred due to|block ?list|policy|try (?:again )?(?:much )?later"
    r"|[^0-9]4\.7\.[0-9]",
    re.IGNORECASE,
)
"""What servers say who want less of our mail, and not just this message later (greylisting, a full mailbox)."""
_ABOUT_THE_MAILBOX = re.compile(r"gr[ae]y.?list|mailbox|quota|over.?quota|[^0-9]4\.2\.[0-9]", re.IGNORECASE)


def wants_less(code: int, text: str) -> bool:
    """Does the provider ask for fewer messages: 421, or a 45x with such words.

    What our own mail server says of itself (SES: `454 Throttling failure`) asks nothing of the recipient's domain.
    """
    if _THROTTLED.search(text) or _USED_UP.search(text):
        return False
    if code == 421:
        return True
    return 450 <= code < 460 and bool(_ENOUGH.search(f" {text}")) and not _ABOUT_THE_MAILBOX.search(f" {text}")


_THROTTLED = re.compile(
    # https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html; Microsoft 365: 432 4.3.2 STOREDRV
    r"throttling failure|maximum sending rate exceeded|sender thread limit exceeded|submission rate limit",
    re.IGNORECASE,
)
_USED_UP = re.compile(
    # SES; https://support.google.com/a/answer/3726730 (4.5.4, 5.4.5 and 4.2.1 of its relay); SendGrid's 451
    r"daily message quota exceeded|daily (?:user |smtp relay )?sending (?:limit|quota) exceeded"
    r"|daily smtp relay (?:sending )?limit exceeded|maximum credits exceeded",
    re.IGNORECASE,
)
_OUT_OF_ORDER = re.compile(r"(?:^|[^0-9.])4\.3\.[12](?:[^0-9]|$)")
"""RFC 3463 section 3.4: its disk is full, or it takes nothing for now."""


def fault_of(reply: Reply) -> Fault | None:
    """What an answer says of the mail server of ours that gave it; None when it says nothing against it."""
    if reply.accepted:
        return None
    # Google's own limit comes as 550 5.4.5: whatever the code says, it is not the recipient's fault.
    if _USED_UP.search(reply.text):
        return Fault.USED_UP
    if not reply.temporary:
        return Fault.BUSY if reply.code in SESSION_CODES else None
    if _THROTTLED.search(reply.text):
        return Fault.THROTTLED
    if provider_that_defers(reply.code, reply.text):
        return None
    return Fault.BUSY if not reply.concerns_recipient or _OUT_OF_ORDER.search(reply.text) else None
