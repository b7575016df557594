"""Feedback loops: abuse reports (RFC 5965), and the forms used beside it by large providers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from comms.engagement.bounces import originals
from comms.engagement.bounces.addresses import found_in, is_machine, typed_address
from comms.engagement.bounces.mime import Headers, one_line, split_header
from comms.engagement.bounces.models import Kind
from comms.engagement.bounces.report import Report

_RECIPIENTS = ("original-rcpt-to", "removal-recipient", "redacted-address")
_LOOP_SUBJECT = re.compile(
    r"(?i)^\s*(?:e-?mail )?(?:feedback|abuse|spam|junk|complaint)\b.{0,30}(?:report|loop|complaint|notif)"
    r"|complaint about (?:message|mail|e-?mail) from|client tos notification|email feedback report"
)
_LOOP_SENDER = re.compile(
    r"(?i)(?:^|<)(?:staff@hotmail\.com|scomp@aol\.net|fbl\S*@|feedback(?:loop|-loop)?\S*@|complaints?\S*@"
    r"|abuse-?(?:report|feedback)s?@|arf\S*@)"
)

_UNSUBSCRIBE = re.compile(r"(?i)\s*(?:list-?)?(?:un-?subscribe|opt-?out|remove)(?: me)?\s*[.!]?\s*")


@dataclass(frozen=True)
class Complaint:
    """Who complained, as far as the loop says it, and of what kind the report is."""

    kind: Kind
    recipients: tuple[str, ...]
    reason: str


def read_complaint(report: Report) -> Complaint | None:
    """The complaint in a message; None when it is none."""
    if report.feedback or report.report_type == "feedback-report":
        return _feedback_report(report)
    if _UNSUBSCRIBE.fullmatch(report.headers.get("subject")) and not report.original.fields:
        return Complaint(
            Kind.UNSUBSCRIBE, tuple(found_in(report.headers.get("from"))[:1]), one_line(report.notice, 500)
        )
    if _LOOP_SENDER.search(report.headers.get("from")) or _LOOP_SUBJECT.search(report.headers.get("subject")):
        if not report.original.fields:
            return None
        return Complaint(Kind.COMPLAINT, _from_original(report.original, report), one_line(report.notice, 500))
    return None


def _feedback_report(report: Report) -> Complaint:
    fields, _ = split_header("\n".join(report.feedback).lstrip("\n").encode("utf-8", "replace"))
    kind = fields.get("feedback-type").strip().lower()
    named = [typed_address(value) for name in _RECIPIENTS for value in fields.all(name)]
    recipients = tuple(dict.fromkeys(address for address in named if address)) or _from_original(
        report.original, report
    )
    return Complaint(_KINDS.get(kind, Kind.COMPLAINT), recipients, one_line(f"feedback-type: {kind or 'abuse'}"))


_KINDS = {"not-spam": Kind.NONE, "auth-failure": Kind.AUTH_REPORT, "dmarc": Kind.AUTH_REPORT}


def _from_original(original: Headers, report: Report) -> tuple[str, ...]:
    """Whom the reported message was sent to, without those who sent it and those who report."""
    apart = {*originals.senders(original), *found_in(report.headers.get("from")), *found_in(report.headers.get("to"))}
    found = originals.recipients(original)
    return tuple([a for a in found if a not in apart and not is_machine(a)] or found)
