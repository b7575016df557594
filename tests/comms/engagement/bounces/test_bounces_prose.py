"""Notices without fields: the forms in which servers name a recipient, in many languages."""

from __future__ import annotations

import pytest
from bounce_samples import notice

from comms.engagement.bounces import BounceClass, Kind, read_bounce

FORMS = {
    "qmail": "Hi. This is the qmail-send program at mx.example.org.\n\n<{a}>:\n192.0.2.1 does not like recipient.\n"
    "Remote host said: 550 no such user\nGiving up on 192.0.2.1.",
    "exim": "This message was created automatically by mail delivery software.\n\nThe following address(es) failed:\n\n"
    "  {a}\n    SMTP error from remote mail server after RCPT TO:<{a}>:\n    host mx [192.0.2.1]: 550 No such user",
    "sendmail": "   ----- Transcript of session follows -----\n... while talking to mx:\n>>> RCPT To:<{a}>\n"
    "<<< 550 No such user\n550 5.1.1 <{a}>... User unknown",
    "postfix": "This is the mail system at host mx.\n\n<{a}>: host mx[192.0.2.1] said: 550 5.1.1 <{a}>: Recipient\n"
    "    address rejected: User unknown (in reply to RCPT TO command)",
    "exchange": "The following recipient(s) could not be reached:\n\n      {a} on 1/2/2027 9:00 AM\n"
    "            The recipient does not exist <mx #5.1.1>",
    "domino": "Your message\n\n  Subject: News\n\nwas not delivered to:\n\n  {a}\n\nbecause:\n\n"
    "  User ann ({a}) not listed in Domino Directory",
}


@pytest.mark.parametrize("form", FORMS)
def test_the_recipient_of_a_notice_is_found_and_the_address_is_dead(form: str) -> None:
    (bounced,) = read_bounce(notice(FORMS[form].format(a="ben@archive.example"))).recipients

    assert (bounced.recipient, bounced.kind) == ("ben@archive.example", Kind.NO_USER)
    assert bounced.reason
    assert "\n" not in bounced.reason


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Das Postfach ist voll", Kind.FULL),
        ("La boîte aux lettres est pleine", Kind.FULL),
        ("El buzón está lleno", Kind.FULL),
        ("A caixa postal está cheia", Kind.FULL),
        ("La casella è piena", Kind.FULL),
        ("Почтовый ящик переполнен", Kind.FULL),
        ("邮箱已满", Kind.FULL),
        ("メールボックスが一杯です", Kind.FULL),
        ("Ihre Nachricht wurde abgelehnt: 5.1.1 Empfänger unbekannt", Kind.NO_USER),
        ("5.1.1 L'utilisateur n'existe pas", Kind.NO_USER),
        ("5.1.1 El usuario no existe", Kind.NO_USER),
        ("5.1.1 Пользователь не найден", Kind.NO_USER),
        ("5.1.1 宛先のアドレスが見つかりません", Kind.NO_USER),
        ("5.1.1 用户不存在", Kind.NO_USER),
        ("Zugriff verweigert", Kind.BLOCK),
    ],
)
def test_reasons_are_understood_in_other_languages(text: str, kind: Kind) -> None:
    message = notice(f"<ann@library.example>:\n{text}", subject="Mail delivery failed")

    assert [(b.recipient, b.kind) for b in read_bounce(message).recipients] == [("ann@library.example", kind)]


def test_words_in_an_address_are_no_evidence() -> None:
    message = notice("<mailbox.full.user.unknown@library.example>:\n550 xyzzy")

    assert read_bounce(message).kind is Kind.OTHER


def test_a_warning_that_delivery_takes_longer_is_soft() -> None:
    text = "THIS IS A WARNING ONLY.\n\nDelivery to the following recipient has been delayed:\n\n  ann@library.example"

    verdict = read_bounce(notice(text, subject="Delivery Status Notification (Delay)"))

    assert (verdict.kind, verdict.of_class) == (Kind.DELAYED, BounceClass.SOFT)


def test_each_recipient_has_the_reason_that_follows_it() -> None:
    text = "<ann@library.example>:\n550 5.1.1 no such user\n\n<ben@archive.example>:\n552 5.2.2 mailbox full"

    kinds = {bounced.recipient: bounced.kind for bounced in read_bounce(notice(text)).recipients}

    assert kinds == {"ann@library.example": Kind.NO_USER, "ben@archive.example": Kind.FULL}


def test_senders_and_contacts_are_no_recipients() -> None:
    text = (
        "The message from <news@coalition.example> was refused.\nContact postmaster@mx.example.org for help.\n\n"
        "Recipient: <ann@library.example>\nReason: 5.1.1 no such user"
    )

    assert [bounced.recipient for bounced in read_bounce(notice(text)).recipients] == ["ann@library.example"]


def test_a_notice_that_names_nobody_is_about_whom_the_message_was_sent_to() -> None:
    verdict = read_bounce(notice("Your message could not be delivered. The mailbox is full."))

    assert [(b.recipient, b.kind) for b in verdict.recipients] == [("ann@library.example", Kind.FULL)]


def test_a_header_that_names_the_failed_recipient_is_used() -> None:
    message = b"X-Failed-Recipients: ben@archive.example\n" + notice("Delivery failed: 5.1.1 no such user")

    assert [bounced.recipient for bounced in read_bounce(message).recipients] == ["ben@archive.example"]
