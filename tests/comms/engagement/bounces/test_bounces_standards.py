"""What the standards say: status notifications, feedback reports, automatic answers, and what is none of these."""

from __future__ import annotations

import pytest
from bounce_samples import ORIGINAL, complaint, dsn, letter, notice

from comms.engagement.bounces import BounceClass, Kind, read_bounce

FAILED = "Final-Recipient: rfc822; ann@library.example\nAction: failed\n"


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind"),
    [
        ("5.1.1", "smtp; 550 5.1.1 <ann@library.example>: User unknown", Kind.NO_USER),
        ("5.1.1", "", Kind.NO_USER),
        ("5.1.2", "smtp; 550 5.1.2 Host unknown", Kind.NO_HOST),
        ("5.1.6", "smtp; 551 5.1.6 see elsewhere", Kind.MOVED),
        ("5.1.10", "", Kind.NO_MAIL),
        ("5.2.2", "smtp; 552 5.2.2 over quota", Kind.FULL),
        ("5.1.1", "smtp; 552 mailbox is full", Kind.FULL),
        ("5.0.0", "smtp; 552 5.2.2 no room", Kind.FULL),
        ("5.2.1", "smtp; 550 5.2.1 mailbox disabled", Kind.DISABLED),
        ("5.3.4", "smtp; 552 5.3.4 message too big", Kind.SIZE),
        ("5.7.1", "smtp; 554 5.7.1 Client host [192.0.2.1] blocked using a list", Kind.BLOCK),
        ("5.7.26", "smtp; 550-5.7.26 unauthenticated", Kind.BLOCK),
        ("5.7.1", "smtp; 554 5.7.1 message looks like spam", Kind.SPAM),
        ("4.4.1", "smtp; connection timed out", Kind.NETWORK),
        ("5.0.0", "smtp; 550 xyzzy", Kind.OTHER),
    ],
)
def test_a_status_notification_gives_recipient_kind_status_and_reason(status: str, diagnostic: str, kind: Kind) -> None:
    verdict = read_bounce(dsn(f"{FAILED}Status: {status}\nDiagnostic-Code: {diagnostic}", notice="It failed."))

    (bounced,) = verdict.recipients
    assert (bounced.recipient, bounced.kind) == ("ann@library.example", kind)
    assert bounced.status in (status, "5.2.2")
    assert bounced.reason == diagnostic.removeprefix("smtp; ") or not diagnostic
    assert verdict.message_id == "run-7.ann@news.example.org"
    assert verdict.sent_to == ("bounce+t0k3n@news.example.org",)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_is_no_bounce(action: str) -> None:
    fields = f"Final-Recipient: rfc822; ann@library.example\nAction: {action}\nStatus: 2.1.5"

    assert read_bounce(dsn(fields)).of_class is BounceClass.NONE


def test_a_delay_is_soft_whatever_the_server_said_in_between() -> None:
    fields = "Final-Recipient: rfc822; ann@library.example\nAction: delayed\nStatus: 4.1.1\n"

    verdict = read_bounce(dsn(f"{fields}Diagnostic-Code: smtp; 550 5.1.1 user unknown"))

    assert verdict.of_class is BounceClass.SOFT


@pytest.mark.parametrize(
    "said",
    ["in reply to end of DATA command", "in reply to MAIL FROM command"],
)
def test_an_unknown_user_at_another_command_than_rcpt_is_not_believed(said: str) -> None:
    fields = f"{FAILED}Status: 5.0.0\nDiagnostic-Code: smtp; 550 user unknown"

    verdict = read_bounce(dsn(fields, notice=f"<ann@library.example>: 550 user unknown ({said})"))

    assert verdict.of_class is BounceClass.SOFT


def test_an_unknown_user_in_words_alone_is_believed_at_rcpt_only() -> None:
    fields = f"{FAILED}Status: 5.0.0\nDiagnostic-Code: smtp; 550 No such person here"
    at_rcpt = dsn(fields, notice="<ann@library.example>: No such person here (in reply to RCPT TO command)")

    assert read_bounce(dsn(fields)).kind is Kind.NO_USER_SAID
    assert read_bounce(dsn(fields)).of_class is BounceClass.SOFT
    assert read_bounce(at_rcpt).kind is Kind.NO_USER


def test_fields_are_found_where_broken_mime_left_them() -> None:
    whole = dsn(f"{FAILED}Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown")
    broken = whole.replace(b'boundary="b1"', b'boundary="another"')

    (bounced,) = read_bounce(broken).recipients

    assert (bounced.recipient, bounced.kind) == ("ann@library.example", Kind.NO_USER)


@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_every_recipient_of_a_report_is_told_apart(gap: str) -> None:
    one = "Final-Recipient: rfc822; ann@library.example\nAction: failed\nStatus: 5.1.1"
    two = "Final-Recipient: rfc822; ben@archive.example\nAction: failed\nStatus: 5.2.2"

    kinds = {bounced.recipient: bounced.kind for bounced in read_bounce(dsn(one + gap + two)).recipients}

    assert kinds == {"ann@library.example": Kind.NO_USER, "ben@archive.example": Kind.FULL}


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("rfc822; <Ann@Library.Example>", "Ann@library.example"),
        ("rfc822;ann+40library.example", "ann@library.example"),
        ("utf-8; j\\x{F6}rg@bibliothek.example", "jörg@bibliothek.example"),
        ('RFC822; "ann lee"@library.example', '"ann lee"@library.example'),
        ("rfc822; @relay.example:ann@library.example", "ann@library.example"),
    ],
)
def test_addresses_of_fields_are_decoded_and_brought_into_one_form(field: str, address: str) -> None:
    fields = f"Final-Recipient: {field}\nAction: failed\nStatus: 5.1.1"

    assert [bounced.recipient for bounced in read_bounce(dsn(fields)).recipients] == [address]


def test_a_forwarded_message_names_both_the_address_that_failed_and_the_one_written_to() -> None:
    fields = "Original-Recipient: rfc822; ann@library.example\nFinal-Recipient: rfc822; a.lee@mail.example\n"

    (bounced,) = read_bounce(dsn(f"{fields}Action: failed\nStatus: 5.1.1")).recipients

    assert (bounced.recipient, bounced.written_to) == ("a.lee@mail.example", "ann@library.example")


@pytest.mark.parametrize(
    "field", ["Original-Rcpt-To: <ann@library.example>", "Removal-Recipient: ann@library.example", ""]
)
def test_a_complaint_names_who_complained(field: str) -> None:
    verdict = read_bounce(complaint(f"Feedback-Type: abuse\nVersion: 1\n{field}".rstrip()))

    assert [(b.recipient, b.kind) for b in verdict.recipients] == [("ann@library.example", Kind.COMPLAINT)]
    assert verdict.message_id == "run-7.ann@news.example.org"


def test_hotmail_names_who_complained_in_a_field_of_its_own() -> None:
    original = (
        f"X-HmXmrOriginalRecipient: ann@hotmail.example\n{ORIGINAL.replace('ann@library.example', 'x@y.example')}"
    )
    report = complaint("Feedback-Type: abuse", original=original)

    assert [b.recipient for b in read_bounce(report).recipients] == ["ann@hotmail.example"]


def test_not_spam_is_no_complaint_and_a_failed_authentication_a_kind_apart() -> None:
    assert read_bounce(complaint("Feedback-Type: not-spam")).of_class is BounceClass.NONE
    assert read_bounce(complaint("Feedback-Type: auth-failure")).kind is Kind.AUTH_REPORT


@pytest.mark.parametrize(
    ("subject", "headers"),
    [
        ("Out of Office: News", ""),
        ("Automatische Antwort: News", ""),
        ("Respuesta automática: News", ""),
        ("Réponse automatique : News", ""),
        ("自動返信: News", ""),
        ("Автоответ: News", ""),
        ("Re: News", "Auto-Submitted: auto-replied"),
        ("Re: News", "Precedence: auto_reply"),
        ("Re: News", "X-Autoreply: yes"),
    ],
)
def test_an_absence_is_an_automatic_answer_and_never_a_bounce(subject: str, headers: str) -> None:
    text = "I am away. For urgent things write to ben@library.example. My mailbox is full and the user unknown."

    verdict = read_bounce(letter(subject, text, headers=headers))

    assert [(b.recipient, b.kind) for b in verdict.recipients] == [("ann@library.example", Kind.AUTO_REPLY)]


def test_a_challenge_is_no_bounce() -> None:
    verdict = read_bounce(letter("Please confirm your message", "Click the link to confirm that you are a person."))

    assert verdict.kind is Kind.CHALLENGE


def test_a_request_to_be_taken_off_is_told_apart() -> None:
    assert read_bounce(letter("unsubscribe", "Sent by a mail program.")).kind is Kind.UNSUBSCRIBE


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for the newsletter!",
        "I got this: 550 5.1.1 <ben@library.example>: User unknown. What shall I do?",
        "",
    ],
)
def test_an_ordinary_mail_is_nothing_even_when_it_quotes_a_bounce(text: str) -> None:
    verdict = read_bounce(letter("Re: News", text))

    assert (verdict.kind, verdict.recipients) == (Kind.NONE, ())


def test_a_receipt_is_nothing() -> None:
    receipt = (
        b"From: ann@library.example\nSubject: Read: News\nContent-Type: multipart/report; boundary=b; "
        b"report-type=disposition-notification\n\n--b\nContent-Type: message/disposition-notification\n\n"
        b"Final-Recipient: rfc822; ann@library.example\nDisposition: manual-action/MDN-sent-manually; deleted\n\n"
        b"--b--\n"
    )

    assert read_bounce(receipt).kind is Kind.NONE


def test_a_bounce_that_a_filter_wrapped_is_unwrapped() -> None:
    inner = dsn(f"{FAILED}Status: 5.1.1").decode()
    outer = (
        "From: MAILER-DAEMON@filter.example\nSubject: Returned mail\nContent-Type: multipart/mixed; boundary=o\n\n"
        f"--o\n\nThe message had errors.\n--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n"
    )

    assert [b.recipient for b in read_bounce(outer.encode()).recipients] == ["ann@library.example"]


def test_a_notification_of_a_provider_in_json_is_read_in_its_wrapping() -> None:
    inner = (
        '{\\"notificationType\\":\\"Bounce\\",\\"bounce\\":{\\"bounceType\\":\\"Permanent\\",\\"bouncedRecipients\\":['
        '{\\"emailAddress\\":\\"ann@library.example\\",\\"status\\":\\"5.1.1\\",'
        '\\"diagnosticCode\\":\\"smtp; 550 5.1.1 user unknown\\"}]}}'
    )
    message = notice(f'{{"Type": "Notification", "Message": "{inner}"}}', subject="AWS Notification Message")

    assert [(b.recipient, b.kind, b.status) for b in read_bounce(message.partition(b"\n---")[0]).recipients] == [
        ("ann@library.example", Kind.NO_USER, "5.1.1")
    ]
