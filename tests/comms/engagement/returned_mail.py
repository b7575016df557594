"""Mail that comes back, as servers write it: what the tests of bounces give to the doors."""

from __future__ import annotations

from comms.engine.workspace import Workspace


def verp(workspace: Workspace, association: str, delivery: int) -> str:
    """The return path of a delivery."""
    returns = workspace.links.signer.returns
    return returns.address("bounces@lists.example.org", returns.sign(association, delivery))


def dsn(
    recipient: str,
    *,
    to: str = "bounces@lists.example.org",
    status: str = "5.1.1",
    action: str = "failed",
    words: str = "550 5.1.1 User unknown",
    original: str = "",
    returned: str = "",
    envelope: str = "",
) -> bytes:
    """A delivery status notification (RFC 3464) about `recipient`.

    `returned` is the header that it gives back, `envelope` the name that our envelope had (ENVID).
    """
    envelope = f"\nOriginal-Envelope-Id: {envelope}" if envelope else ""
    named = f"Original-Recipient: rfc822; {original}\n" if original else ""
    return f"""\
From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your message.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net{envelope}

{named}Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {words}

--b
Content-Type: text/rfc822-headers

Subject: A partner
{returned}
--b--
""".encode()


def complaint(*, returned: str, to: str = "abuse@lists.example.org") -> bytes:
    """A feedback report (RFC 5965) that hides whose it is, as most do."""
    return f"""\
From: feedback@mailbox.example.net
To: {to}
Subject: FW: A partner
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is a report about spam.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeLoop/1.0
Version: 1

--b
Content-Type: message/rfc822

From: news@coalition.example.org
To: undisclosed
Subject: A partner
{returned}

Hello
--b--
""".encode()


def vacation(sender: str, to: str) -> bytes:
    return f"""\
From: {sender}
To: {to}
Subject: Out of office: A partner
Auto-Submitted: auto-replied (vacation)
Content-Type: text/plain

I am away until Monday. User unknown 550 5.1.1 is not what I mean.
""".encode()
