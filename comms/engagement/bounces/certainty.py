"""Whether a failure that words or a code call hard is certain enough to stop writing. Pure; knows nothing of messages.

A wrong hard bounce takes a newsletter from somebody who wants it; one that is missed is found when it repeats. So two
of three witnesses must agree: the words, the code, and the command that was refused. And nothing may speak against
them: neither a place before the recipient was named, nor words of policy beside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from comms.engagement.bounces.codes import Status
from comms.engagement.bounces.models import Kind
from comms.engagement.bounces.phrases import DOUBT, EXPLICIT, NO_SUCH_DOMAIN, NULL_MX, SURE

_ABOUT_SENDER = re.compile(
    r"(?i)(?:after|in reply to|response to|following|during|error in|to the) (?:the )?(?:mail from|initial connection"
    r"|helo|ehlo|connect)"
    r"|>>> (?:mail from|helo|ehlo).{0,300}\n<<< 5|my name was rejected|does not like (?:sender|me)\b"
)
_AT_RECIPIENT = re.compile(
    r"(?i)(?:after|in reply to|response to|following|during|error in|to the) (?:the )?rcpt|>>> rcpt to.{0,300}\n<<< 5"
    r"|does not like recipient|\[rcpt_?to\]|rejected recipient"
)
_AFTER_DATA = re.compile(
    r"(?i)(?:after|in reply to|response to|following) (?:the )?(?:end of data|data|pipelined data)\b"
    r"|server command\s{1,5}data\b"
)
_MAILBOX_IS_THERE = ((2, 0), (2, 1), (3, 0), (7, 0), (7, 1))
_ABOUT_THE_SENDER = (7, 8)
"""X.1.7 and X.1.8 are the sender's mailbox and domain."""
_NO_ROUTE = ((4, 4), (4, 310))
_MACHINE_NAME = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})+\S*")
"""`mx1.antispam.example` refuses for no other reason than its namesakes, and the page it names explains everything."""


def borne_out(kind: Kind, plain: str, codes: Sequence[Status], session: str) -> Kind:
    """A hard kind where it is certain, else the soft kind that takes its place.

    `plain` is what the server said, as phrases are looked for in it; `codes` is every status code that was given;
    `session` tells at which command of the SMTP session it happened.
    """
    if _ABOUT_SENDER.search(session):
        return Kind.BLOCK
    if _is_doubtful(plain):
        return Kind.FILTERED
    if kind is Kind.NO_HOST:
        return _host(plain, codes, session)
    at_recipient = _AT_RECIPIENT.search(session) is not None
    if not at_recipient and _AFTER_DATA.search(session):
        # The mailbox was accepted before: a filter says so.
        return Kind.FILTERED
    if kind is Kind.NO_USER:
        return _user(plain, codes, at_recipient=at_recipient)
    return kind if at_recipient or _agree(kind, codes) or NULL_MX.search(plain) else Kind.NO_USER_SAID


def _user(plain: str, codes: Sequence[Status], *, at_recipient: bool) -> Kind:
    explicit = EXPLICIT.search(plain) is not None
    if not explicit and _agree(Kind.NO_HOST, codes) and not _agree(Kind.NO_USER, codes):
        # Something is missing, and the code says what.
        return Kind.NO_HOST
    if _agree(Kind.NO_USER, codes) or (explicit and (at_recipient or _bare(codes))):
        return Kind.NO_USER
    if not at_recipient and any((code.subject, code.detail) in _MAILBOX_IS_THERE for code in codes):
        return Kind.FILTERED
    return Kind.NO_USER if SURE.search(plain) else Kind.NO_USER_SAID


def _host(plain: str, codes: Sequence[Status], session: str) -> Kind:
    """Whoever answers to `RCPT TO` for a domain is its host: an unknown one is then the sender's, but for a code."""
    if _AFTER_DATA.search(session):
        return Kind.FILTERED
    if _agree(Kind.NO_HOST, codes):
        return Kind.NO_HOST
    if _AT_RECIPIENT.search(session):
        return Kind.FILTERED
    return Kind.NO_HOST if NO_SUCH_DOMAIN.search(plain) else Kind.NETWORK


def _is_doubtful(plain: str) -> bool:
    return DOUBT.search(_MACHINE_NAME.sub(" ", plain)) is not None


def _agree(kind: Kind, codes: Sequence[Status]) -> bool:
    """Do the codes that tell something all tell of the address. Codes that contradict each other bear out nothing."""
    telling = [code for code in codes if not code.vague and code.of_class != 2]
    return bool(telling) and all(_tells(kind, code) for code in telling)


def _bare(codes: Sequence[Status]) -> bool:
    """Servers that add codes write X.5.0 for a plain 550, which is the answer to `RCPT TO` (RFC 5321 section 4.2.3)."""
    telling = [code for code in codes if not code.vague and code.of_class != 2]
    return bool(telling) and all(
        (code.subject, code.detail) == (5, 0) or _tells(Kind.NO_USER, code) for code in telling
    )


def _tells(kind: Kind, code: Status) -> bool:
    if code.subject == 1:
        return code.detail not in _ABOUT_THE_SENDER
    about = (code.subject, code.detail)
    if kind is Kind.NO_HOST:
        return about in _NO_ROUTE
    return about == ((7, 17) if kind is Kind.MOVED else (3, 2)) and kind is not Kind.NO_USER
