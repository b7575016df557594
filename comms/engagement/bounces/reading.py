"""`read_bounce`: the bytes of a message -> what it says of whom. Pure; never raises, whatever the bytes.

Evidence in its order: a provider's notification, a feedback report, delivery status fields, the header of the report,
the notice's text, the returned message; and flufl.bounce, which knows some more forms, at the very end.
"""

from __future__ import annotations

from collections.abc import Iterable

from audiences.addresses import fold_case
from comms.engagement.bounces import originals, signs
from comms.engagement.bounces.addresses import found_in, is_machine
from comms.engagement.bounces.classify import classify, said_kind
from comms.engagement.bounces.codes import Status, status_in
from comms.engagement.bounces.complaints import read_complaint
from comms.engagement.bounces.dsn import RecipientFields, has_fields, recipients_in
from comms.engagement.bounces.fallback import found_by_flufl
from comms.engagement.bounces.models import Bounced, Kind, Verdict
from comms.engagement.bounces.notifications import read_notification
from comms.engagement.bounces.prose import named_in, words_in
from comms.engagement.bounces.reasons import reason_in
from comms.engagement.bounces.report import Report, read_report

_SUCCESS = ("delivered", "relayed", "expanded")
_DEEPEST = 2
"""Bounces in bounces."""
_UNTOLD = (Kind.OTHER, Kind.FILTERED, Kind.SYSTEM, Kind.NETWORK)
"""Kinds that more of the text may tell better."""


def read_bounce(data: bytes) -> Verdict:
    """What a message says of whom: a bounce, a complaint, an automatic answer, or nothing of the kind.

    Only the first 10 MB are looked at. Bytes that are no message give a verdict of kind `none`.
    """
    return _read(data, 0)


def _read(data: bytes, depth: int) -> Verdict:
    report = read_report(data)
    notified, message_id = read_notification(report.notice)
    if notified:
        return _verdict(report, notified, message_id=message_id)
    complaint = read_complaint(report)
    if complaint:
        found = [Bounced(address, complaint.kind, "", complaint.reason) for address in complaint.recipients]
        return _verdict(report, found, kind=complaint.kind, reason=complaint.reason)
    fields = _fields(report)
    if fields:
        return _verdict(report, [_from_fields(report, each) for each in fields])
    if report.disposition or report.report_type == "disposition-notification":
        return _verdict(report, kind=Kind.NONE)
    if kind := _answer(report):
        return _verdict(report, [Bounced(a, kind) for a in found_in(report.headers.get("from"))[:1]], kind=kind)
    if not signs.is_bounce(report):
        return _verdict(report, kind=Kind.NONE)
    verdict = None if _names_somebody(report) else _wrapped(report, depth)
    return verdict or _from_notice(report, data)


def _names_somebody(report: Report) -> bool:
    return "x-failed-recipients" in report.headers or bool(named_in(report))


def _wrapped(report: Report, depth: int) -> Verdict | None:
    """What a bounce says that a filter or a forwarder wrapped into a message of its own."""
    if depth >= _DEEPEST or not report.returned:
        return None
    verdict = _read(report.returned, depth + 1)
    return verdict if verdict.recipients and verdict.kind not in (Kind.NONE, Kind.AUTO_REPLY) else None


def _answer(report: Report) -> Kind | None:
    """An automatic answer or a challenge; None for what a mail server writes in its own name."""
    machine = signs.is_from_machine(report)
    if signs.is_challenge(report) and not machine:
        return Kind.CHALLENGE
    if signs.is_away_subject(report) and (not machine or signs.says_away(report)):
        return Kind.AUTO_REPLY
    return Kind.AUTO_REPLY if signs.is_automatic_reply(report) and not signs.is_bounce(report) else None


def _fields(report: Report) -> list[RecipientFields]:
    """The delivery status fields, from their own part or from wherever a server let them fall."""
    for text in ("\n\n".join(report.statuses), report.notice, report.rest):
        if has_fields(text) and (found := [each for each in recipients_in(text) if each.recipient]):
            return found
    return []


def _from_fields(report: Report, fields: RecipientFields) -> Bounced:
    status = status_in(fields.status)
    if fields.action in _SUCCESS or (not fields.action and status is not None and status.of_class == 2):
        return Bounced(
            fields.recipient, Kind.DELIVERED, str(status or ""), reason_in(fields.diagnostic), fields.written_to
        )
    words, delayed = fields.diagnostic, fields.action == "delayed"
    more = words_in(report, fields.recipient) or report.notice
    kind = classify(words, status, temporary=delayed, around=more)
    if said_kind(words) is None or kind in _UNTOLD:
        better = classify(f"{words}\n{more}", status, temporary=delayed)
        kind = better if better is not Kind.OTHER else kind
        words = words or more
    return Bounced(fields.recipient, kind, _code(status, words), reason_in(words), fields.written_to)


def _from_notice(report: Report, data: bytes) -> Verdict:
    """A bounce without status fields."""
    delayed = signs.is_delay(report)
    named = [(each.address, each.words) for each in named_in(report)]
    headed = [address for value in report.headers.all("x-failed-recipients") for address in found_in(value)]
    if headed and (not named or {address for address, _ in named} & set(headed)):
        named = [(address, words_in(report, address)) for address in headed]
    if not named:
        named = [(address, "") for address in _guessed(report, data)]
    everything = f"{report.headers.get('subject')}\n{report.notice}"
    around = report.notice if len(named) == 1 else ""
    found = [_from_words(address, words, everything, around, delayed=delayed) for address, words in named]
    whole = _from_words("", "", everything, "", delayed=delayed)
    return _verdict(report, found, kind=whole.kind, status=whole.status, reason=whole.reason)


def _guessed(report: Report, data: bytes) -> list[str]:
    """Whom the returned message was sent to, else what flufl.bounce finds, else an address of the subject."""
    own = {fold_case(a) for a in (*_sent_to(report), *originals.senders(report.original))}
    passing, lasting = found_by_flufl(data)
    for candidates in (
        originals.recipients(report.original),
        lasting + passing,
        found_in(report.headers.get("subject")),
    ):
        found = [a for a in candidates if fold_case(a) not in own and not is_machine(a)]
        if found:
            return found
    return []


def _from_words(address: str, words: str, everything: str, around: str, *, delayed: bool) -> Bounced:
    kind = classify(words, temporary=delayed, around=around) if words else Kind.OTHER
    said = said_kind(words)
    # Where several are named, what is said of one is no news of another.
    if said is None or (around and kind in _UNTOLD and said in _UNTOLD):
        better = classify(everything, status_in(words), temporary=delayed)
        kind = better if better is not Kind.OTHER else kind
    words = words if reason_in(words) else everything
    return Bounced(address, kind, _code(None, words), reason_in(words))


def _code(status: Status | None, words: str) -> str:
    """The status that says most: the report's own unless that is vague and the words hold a better one."""
    if status is None or status.vague:
        status = status_in(words) or status
    return str(status or "")


def _verdict(
    report: Report,
    found: Iterable[Bounced] = (),
    *,
    kind: Kind = Kind.NONE,
    status: str = "",
    reason: str = "",
    message_id: str = "",
) -> Verdict:
    """Each recipient once; the message is what it says of the first."""
    once: dict[str, Bounced] = {}
    for each in found:
        key = fold_case(each.recipient)
        if key not in once or (once[key].kind in _UNTOLD and each.kind not in _UNTOLD):
            once[key] = each
    recipients = tuple(once.values())
    if recipients:
        kind, status, reason = recipients[0].kind, recipients[0].status, recipients[0].reason
    return Verdict(
        kind=kind,
        recipients=recipients,
        status=status,
        reason=reason,
        message_id=message_id or originals.message_id(report.original),
        sent_to=tuple(_sent_to(report)),
    )


def _sent_to(report: Report) -> list[str]:
    names = ("to", "delivered-to", "x-original-to", "envelope-to")
    return list(dict.fromkeys(a for name in names for value in report.headers.all(name) for a in found_in(value)))
