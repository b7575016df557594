"""Small messages written for these tests, one for each form that a standard or a large server gives them."""

from __future__ import annotations

ORIGINAL = """\
Message-ID: <run-7.ann@news.example.org>
From: The Coalition <news@coalition.example>
To: ann@library.example
Subject: News
"""


def dsn(fields: str, *, notice: str = "Your message could not be delivered.", original: str = ORIGINAL) -> bytes:
    """A delivery status notification (RFC 3464) with these per-recipient fields."""
    return f"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: bounce+t0k3n@news.example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=utf-8

{notice}

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

{fields}

--b1
Content-Type: message/rfc822

{original}
The text.
--b1--
""".encode()


def notice(text: str, *, subject: str = "failure notice", sender: str = "MAILER-DAEMON@mx.example.org") -> bytes:
    """A bounce in prose, the returned message below it."""
    return f"""\
Return-Path: <>
From: {sender}
To: news@coalition.example
Subject: {subject}
Content-Type: text/plain; charset=utf-8

{text}

--- Below this line is a copy of the message.

Return-Path: <news@coalition.example>
{ORIGINAL}
The text.
""".encode()


def complaint(fields: str, *, original: str = ORIGINAL) -> bytes:
    """An abuse report (RFC 5965)."""
    return f"""\
From: <feedback@provider.example>
To: <abuse@coalition.example>
Subject: FW: News
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain

This is an email abuse report.
--b1
Content-Type: message/feedback-report

{fields}
--b1
Content-Type: message/rfc822

{original}
The text.
--b1--
""".encode()


def letter(subject: str, text: str, *, sender: str = "ann@library.example", headers: str = "") -> bytes:
    """An ordinary mail of a person, or what a machine sends in a person's name."""
    more = f"{headers}\n" if headers else ""
    return f"From: Ann <{sender}>\nTo: news@coalition.example\nSubject: {subject}\n{more}\n{text}\n".encode()
