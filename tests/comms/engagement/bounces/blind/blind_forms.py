"""The outer forms of returned mail, as servers build them, and what a case of a blind set is. Classifies nothing."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

OURS = "coalition.example"
RETURN_PATH = f"bounces+kx7Qd0Vt@lists.{OURS}"

CLASS_OF = {
    "hard": "hard",
    "soft": "soft",
    "full": "soft",
    "blocked": "soft",
    "auto": "auto-reply",
    "complaint": "complaint",
    "none": "none",
}
"""The class that the engine should give, by the label that a person gave."""


@dataclass(frozen=True)
class Case:
    """One message with the labels that a person gave it: one for each recipient, or one for the whole message."""

    family: str
    name: str
    data: bytes
    recipients: Mapping[str, str] = field(default_factory=dict)
    message: str = ""


def original(recipient: str, *, headers_only: bool = False) -> str:
    head = f"""\
Received: from mail.{OURS} (mail.{OURS} [198.51.100.7])
\tby mx.{OURS} (Postfix) with ESMTPS id 4WxYz1; Mon, 02 Feb 2026 09:00:01 +0000 (UTC)
From: Coalition of Libraries <news@{OURS}>
To: {recipient}
Subject: Winter news: new opening hours
Message-ID: <run-41.8812@{OURS}>
Date: Mon, 02 Feb 2026 09:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
"""
    return head if headers_only else head + "\nDear reader, our spam workshop is full and the user group moved.\n"


def message(headers: str, body: str) -> bytes:
    return f"{headers.strip()}\n\n{body}".encode()


def encoded(text: str, charset: str = "utf-8") -> str:
    """A text part in base64, as servers send what is not ASCII."""
    return base64.encodebytes(text.encode(charset)).decode()


def prose(text: str, *, sender: str, subject: str, extra: str = "", to: str = RETURN_PATH, empty: bool = True) -> bytes:
    """A mail of one plain text part."""
    path = "Return-Path: <>\n" if empty else f"Return-Path: <{sender}>\n"
    head = f"""\
{path}From: {sender}
To: {to}
Subject: {subject}
Date: Mon, 02 Feb 2026 09:04:11 +0000
Message-ID: <20260202090411.88@mx.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
"""
    return message(head + extra, text)


def report(
    text: str,
    fields: str,
    recipient: str,
    *,
    sender: str,
    subject: str,
    mta: str,
    html: bool = False,
    charset: str = "",
    whole: bool = True,
    extra: str = "",
) -> bytes:
    """A multipart/report of RFC 6522: text, delivery status, and the returned message or its headers."""
    kind = "text/html" if html else "text/plain"
    part = f"Content-Type: {kind}; charset={charset or 'us-ascii'}\n"
    part += f"Content-Transfer-Encoding: base64\n\n{encoded(text, charset)}" if charset else f"\n{text}\n"
    returned = "message/rfc822" if whole else "text/rfc822-headers"
    head = f"""\
Return-Path: <>
From: {sender}
To: {RETURN_PATH}
Subject: {subject}
Date: Mon, 02 Feb 2026 09:04:11 +0000
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b77"
"""
    body = f"""\
This is a MIME-encapsulated message.

--=_b77
{part}
--=_b77
Content-Type: message/delivery-status

Reporting-MTA: dns; {mta}
Arrival-Date: Mon, 02 Feb 2026 09:00:02 +0000 (UTC)

{fields.strip()}

--=_b77
Content-Type: {returned}

{original(recipient, headers_only=not whole)}
--=_b77--
"""
    return message(head + extra, body)


def status_fields(recipient: str, status: str, answer: str = "", *, action: str = "failed", remote: str = "") -> str:
    lines = [f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", f"Status: {status}"]
    if remote:
        lines.append(f"Remote-MTA: dns; {remote}")
    if answer:
        lines.append("Diagnostic-Code: smtp; " + answer.replace("\n", "\n    "))
    return "\n".join(lines)


def postfix(recipient: str, host: str, answer: str, status: str, command: str = "RCPT TO") -> bytes:
    """What the coalition's own Postfix writes when another server refused; without a host, its own reason."""
    where = f"host {host}[203.0.113.25] said: {answer}\n    (in reply to {command} command)" if host else answer
    text = f"""\
This is the mail system at host mail.{OURS}.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

                   The mail system

<{recipient}>: {where}
"""
    fields = status_fields(recipient, status, answer if host else "", remote=host)
    if not host:
        fields += "\nDiagnostic-Code: X-Postfix; " + answer.replace("\n", "\n    ")
    sender = f"Mail Delivery System <MAILER-DAEMON@mail.{OURS}>"
    mta = f"mail.{OURS}"
    return report(text, fields, recipient, sender=sender, subject="Undelivered Mail Returned to Sender", mta=mta)


def exim(recipient: str, answer: str, *, host: str = "", command: str = "RCPT TO", extra: str = "") -> bytes:
    """Exim of a hoster, which sends plain text and a header."""
    asked = f"RCPT TO:<{recipient}>" if command == "RCPT TO" else command
    said = f"host {host} [203.0.113.9]\n    SMTP error from remote mail server after {asked}:\n    " if host else ""
    text = f"""\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {recipient}
    {said}{answer}

------ This is a copy of the message, including all the headers. ------

{original(recipient)}"""
    head = f"X-Failed-Recipients: {recipient}\nAuto-Submitted: auto-replied\n{extra}"
    sender = "Mail Delivery System <Mailer-Daemon@cpanel12.hoster.example>"
    return prose(text, sender=sender, subject="Mail delivery failed: returning message to sender", extra=head)


def sendmail(recipient: str, session: str, reason: str, status: str, answer: str, mta: str) -> bytes:
    text = f"""\
The original message was received at Mon, 2 Feb 2026 10:00:02 +0100
from mail.{OURS} [198.51.100.7]

   ----- The following addresses had permanent fatal errors -----
<{recipient}>
    (reason: {reason})

   ----- Transcript of session follows -----
{session}
"""
    fields = status_fields(recipient, status, answer)
    sender = f"Mail Delivery Subsystem <MAILER-DAEMON@{mta}>"
    subject = "Returned mail: see transcript for details"
    return report(text, fields, recipient, sender=sender, subject=subject, mta=mta, extra="X-Mailer: none\n")


def qmail(recipient: str, said: str, *, opening: str = "", host: str = "mx.hoster.example") -> bytes:
    opening = (
        opening
        or f"""\
Hi. This is the qmail-send program at {host}.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out."""
    )
    text = f"""\
{opening}

<{recipient}>:
{said}

--- Below this line is a copy of the message.

Return-Path: <{RETURN_PATH}>
{original(recipient)}"""
    return prose(text, sender=f"MAILER-DAEMON@{host}", subject="failure notice")


def exchange(recipient: str, text: str, status: str, diagnostic: str, *, subject: str, org: str) -> bytes:
    """Exchange, on premises or online: text for people in its own language, then the diagnostics."""
    full = f"""\
{text}

Diagnostic information for administrators:

Generating server: EX01.{org}

{recipient}
{diagnostic}

Original message headers:

{original(recipient, headers_only=True)}"""
    inner = diagnostic.removeprefix("Remote Server returned '").rstrip("'").replace("#", "")
    fields = f"Final-Recipient: rfc822;{recipient}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp;{inner}"
    sender = f"Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{org}>"
    mta = f"EX01.{org}"
    return report(full, fields, recipient, sender=sender, subject=subject, mta=mta, charset="utf-8", whole=True)


def gmail(recipient: str, headline: str, text: str, answer: str, status: str, *, learn: str = "LEARN MORE") -> bytes:
    """Google's notice, in the language of the account that sent."""
    full = f"""\

** {headline} **

{text}

{learn}: https://support.google.com/mail/answer/6596
{f"The response was:{chr(10)}{chr(10)}{answer}" if answer else ""}
"""
    fields = status_fields(recipient, status, answer, remote="gmail-smtp-in.l.google.com")
    sender = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
    head = f"X-Failed-Recipients: {recipient}\n"
    subject = "Delivery Status Notification (Failure)"
    mta = "googlemail.com"
    return report(
        full, fields, recipient, sender=sender, subject=subject, mta=mta, charset="utf-8", whole=False, extra=head
    )


def feedback(kind: str, provider: str, recipient: str, text: str, *, named: bool = True) -> bytes:
    """A feedback report of RFC 5965; not every provider names the reader."""
    who = f"Original-Rcpt-To: {recipient}\n" if named else ""
    head = f"""\
Return-Path: <>
From: feedbackloop@{provider}
To: abuse@{OURS}
Subject: FW: Winter news: new opening hours
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_fbl"
"""
    body = f"""\
--=_fbl
Content-Type: text/plain

{text}

--=_fbl
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: {provider}-FBL/1.0
Version: 1
{who}Original-Mail-From: <{RETURN_PATH}>
Source-IP: 198.51.100.7

--=_fbl
Content-Type: message/rfc822

{original(recipient)}
--=_fbl--
"""
    return message(head, body)


def letter(text: str, *, sender: str, subject: str, extra: str = "", to: str = RETURN_PATH) -> bytes:
    """What a person or a person's program writes."""
    return prose(text, sender=sender, subject=subject, extra=extra, to=to, empty=False)
