"""The codes and words of one failure -> its kind. Pure; knows nothing of messages.

The words decide, since many servers give one code for everything; then the enhanced code (RFC 3463, and the registry
of RFC 5248), then the SMTP reply (RFC 5321 section 4.2.3). Where all are silent the failure is `other`, which is soft:
to stop writing to somebody needs a reason that can be shown.
"""

from __future__ import annotations

import re

from comms.engagement.bounces.addresses import ADDRESS
from comms.engagement.bounces.certainty import borne_out
from comms.engagement.bounces.codes import Status, reply_in, status_in, statuses_in
from comms.engagement.bounces.models import BounceClass, Kind
from comms.engagement.bounces.phrases import CERTAIN, PHRASES

LONGEST = 4_000
"""Characters of one explanation that are looked at."""

_WEAK = (Kind.FILTERED, Kind.NETWORK, Kind.SYSTEM)
"""What words of these kinds say is said in passing by many servers; a plain code goes before."""

_DETAILS: dict[tuple[int, int], Kind] = {
    (1, 1): Kind.NO_USER,
    (1, 2): Kind.NO_HOST,
    (1, 3): Kind.NO_USER,
    (1, 6): Kind.MOVED,
    (1, 7): Kind.BLOCK,
    (1, 8): Kind.BLOCK,
    (1, 10): Kind.NO_MAIL,
    (2, 1): Kind.DISABLED,
    (2, 2): Kind.FULL,
    (2, 3): Kind.SIZE,
    (3, 4): Kind.SIZE,
    (4, 310): Kind.NO_HOST,
    (7, 13): Kind.DISABLED,
    (7, 17): Kind.MOVED,
}
"""RFC 3463 section 3; 1.10 is RFC 7505, 7.13 RFC 4954, 7.17 RFC 7293, 4.310 Exchange Online.

Without words 1.0 may as well be a rule, 3.2 a host that is busy, and 4.4 a route that is broken: so they are not here.
"""

_SUBJECTS = {
    1: Kind.OTHER,
    2: Kind.FILTERED,
    3: Kind.SYSTEM,
    4: Kind.NETWORK,
    5: Kind.SYSTEM,
    6: Kind.SIZE,
    7: Kind.BLOCK,
}
_REPLIES = {521: Kind.NO_MAIL, 551: Kind.MOVED, 552: Kind.FULL, 556: Kind.NO_MAIL}
"""521 and 556 are RFC 7504, the others RFC 5321 section 4.2.3. 550, 553 and 554 are given for everything."""

_RELAYED = re.compile(r"[45]\.\d\.\d{1,3} - [^'\n]{1,80} ([45]\d\d)[- ]'([^']{1,3000})'")
"""The answer of another server behind a label and a code of the gateway's own, one for every refusal (IronPort)."""
_PASSING = re.compile(r"(?i)\btemporar(?:y|ily)\b|\btry (?:again )?later|in progress\b")
"""Where the words say so, they go before a code that says for good."""
_SPACE = re.compile(r"\s+")
_TOKEN = re.compile(r"\S{200,}")


def classify(text: str, status: Status | None = None, *, temporary: bool = False, around: str = "") -> Kind:
    """The kind of a failure, from what the server said of it and the status code that came with that.

    `temporary`: the report says that it is still being tried, so that nothing can be hard. `around` is text that tells
    at which command of the SMTP session it happened, and of which nothing else is believed.
    """
    text = _RELAYED.sub(r"\1 \2", text)
    status = _better(status, status_in(text))
    reply = reply_in(text)
    kind = _kind(text, status, reply)
    if kind.of_class is BounceClass.HARD:
        codes = [*([status] if status else []), *statuses_in(text)]
        kind = borne_out(kind, plain_words(text), codes, f"{text}\n{around[:LONGEST]}")
    if kind.of_class is BounceClass.HARD and (temporary or _is_temporary(status, reply)):
        return Kind.DELAYED if temporary else Kind.NETWORK if kind is Kind.NO_HOST else Kind.OTHER
    return Kind.DELAYED if temporary and kind in (Kind.OTHER, *_WEAK) else kind


def _kind(text: str, status: Status | None, reply: int | None) -> Kind:
    said = said_kind(text)
    coded = _coded(status)
    weak = said in _WEAK and not CERTAIN.search(plain_words(text))
    if said is not None and coded is not None and coded.of_class is BounceClass.HARD and _PASSING.search(text):
        return said
    if said is None or (weak and coded not in (None, Kind.OTHER)):
        return coded or said or _REPLIES.get(reply or 0, Kind.OTHER)
    return said


def said_kind(text: str) -> Kind | None:
    """What the words alone say; None when they are not words that we know."""
    plain = plain_words(text)
    return next((kind for kind, pattern in PHRASES if pattern.search(plain)), None)


def plain_words(text: str) -> str:
    """The text as phrases are looked for in it: small letters, single spaces, every address a lone `@`.

    An address may hold any word (`mailboxfull@example.org`) and is no evidence.
    """
    return _TOKEN.sub(" ", _SPACE.sub(" ", ADDRESS.sub("@", text[:LONGEST]).replace("’", "'").lower()))


def _coded(status: Status | None) -> Kind | None:
    if status is None or status.of_class == 2 or status.vague:
        return None
    kind = _DETAILS.get((status.subject, status.detail)) or _SUBJECTS.get(status.subject)
    return Kind.OTHER if kind and kind.of_class is BounceClass.HARD and status.of_class == 4 else kind


def _is_temporary(status: Status | None, reply: int | None) -> bool:
    """4yz and 4.x.x may succeed later (RFC 5321 section 4.2.1). The status says it more surely than the reply."""
    if status is not None:
        return status.of_class == 4
    return reply is not None and reply < 500


def _better(first: Status | None, second: Status | None) -> Status | None:
    """The status of the server that refused goes before a vague one of the server that reports."""
    if first is None or (first.vague and second is not None and second.of_class != 2):
        return second or first
    return first
