"""Forms of servers that no rule was made for: what is general about them must be enough."""

from __future__ import annotations

import pytest
from bounce_samples import ORIGINAL, dsn, letter, notice

from comms.engagement.bounces import BounceClass, Kind, read_bounce
from comms.engagement.bounces.codes import status_in

ANN = "ann@library.example"


def refused(answer: str, status: str, command: str = "RCPT TO") -> bytes:
    """A report in which a server's answer to a command stands in the text and in the fields."""
    fields = f"Final-Recipient: rfc822; {ANN}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {answer}"
    return dsn(fields, notice=f"<{ANN}>: host mx.library.example said: {answer} (in reply to {command} command)")


@pytest.mark.parametrize(
    ("answer", "status", "command", "kind"),
    [
        ("550 5.1.1 Refused due to recipient preferences", "5.1.1", "RCPT TO", Kind.FILTERED),
        ("550 5.1.1 This list only accepts mail from its members", "5.1.1", "RCPT TO", Kind.FILTERED),
        ("550 5.1.1 Undeliverable address: mail loops back to myself", "5.1.1", "RCPT TO", Kind.NETWORK),
        ("550 5.1.1 Verification failed: temporary lookup failure", "5.1.1", "RCPT TO", Kind.NETWORK),
        ("550 5.1.1 inactive email address", "5.1.1", "RCPT TO", Kind.DISABLED),
        ("550 Message holds a link to an unknown domain", "5.0.0", "end of DATA", Kind.FILTERED),
        ("550 5.7.1 Recipient address rejected: not from your network", "5.7.1", "RCPT TO", Kind.BLOCK),
        ("550 5.1.1 no such user", "5.1.1", "RCPT TO", Kind.NO_USER),
        ("550-5.1.1 see the next\n 550 5.1.1 line", "5.0.0", "RCPT TO", Kind.NO_USER),
    ],
)
def test_a_code_is_no_proof_against_an_address_where_the_words_say_otherwise(
    answer: str, status: str, command: str, kind: Kind
) -> None:
    assert [bounced.kind for bounced in read_bounce(refused(answer, status, command)).recipients] == [kind]


@pytest.mark.parametrize(
    ("quoted", "kind"),
    [
        ("554-'5.7.1 The message was identified as spam'", Kind.SPAM),
        ("550-'Administrative prohibition'", Kind.OTHER),
        ("550-'5.1.1 User unknown'", Kind.NO_USER),
    ],
)
def test_the_answer_that_a_gateway_quotes_counts_and_not_the_label_it_gives_to_every_refusal(
    quoted: str, kind: Kind
) -> None:
    answer = f"5.1.0 - Unknown address error {quoted}"
    fields = f"Final-Recipient: rfc822; {ANN}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; {answer}"

    verdict = read_bounce(dsn(fields, notice=f"The message to <{ANN}> was undeliverable.\nThe reason:\n{answer}"))

    assert [bounced.kind for bounced in verdict.recipients] == [kind]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("550-5.1.1 The account does not exist.", "5.1.1"),
        ("452-4.2.2 over quota", "4.2.2"),
        ("version 2-5.1.1", None),
        ("192.0.2.5-5.1.1", None),
    ],
)
def test_the_code_after_the_hyphen_of_a_reply_of_many_lines_is_read(text: str, code: str | None) -> None:
    found = status_in(text)

    assert (str(found) if found else None) == code


@pytest.mark.parametrize(
    ("subject", "intro", "reason", "kind"),
    [
        (
            "Unzustellbar: News",
            "Folgende Empfänger können nicht erreicht werden:",
            "Unbekannt <mx #5.1.1>",
            Kind.NO_USER,
        ),
        ("Non remis : News", "Impossible de contacter ces destinataires :", "Adresse inconnue #5.1.1", Kind.NO_USER),
        ("No se puede entregar: News", "No se puede acceder a:", "La cuenta no existe #5.1.1", Kind.NO_USER),
        ("Non recapitabile: News", "Impossibile raggiungere:", "La casella è piena #5.2.2", Kind.FULL),
        ("Não é possível entregar: News", "Não foi possível entregar a:", "Caixa cheia #5.2.2", Kind.FULL),
        ("Onbestelbaar: News", "Niet afgeleverd bij:", "Het adres kan niet worden gevonden #5.1.1", Kind.NO_USER),
        ("Nedoručitelné: News", "Nelze kontaktovat:", "Účet neexistuje #5.1.1", Kind.NO_USER),
        ("Недоставлено: News", "Не доставлено:", "Учётная запись не существует #5.1.1", Kind.NO_USER),
        ("未送达: News", "无法到达下列收件人:", "该帐户不存在 #5.1.1", Kind.NO_USER),
        ("配信不能: News", "次の受信者に送信できません:", "アカウントは存在しません #5.1.1", Kind.NO_USER),
        ("Αποτυχία παράδοσης", "Δεν παραδόθηκε:", "550 5.1.1 Άγνωστος χρήστης", Kind.NO_USER),
        ("فشل تسليم الرسالة", "تعذر تسليم رسالتك إلى:", "550 5.1.1", Kind.NO_USER),
    ],
)
def test_notices_in_other_languages_name_their_recipient(subject: str, intro: str, reason: str, kind: Kind) -> None:
    text = f"{intro}\n\n      {ANN} 02.02.2027 10:00\n            {reason}"

    verdict = read_bounce(notice(text, subject=subject, sender="postmaster@library.example"))

    assert [(bounced.recipient, bounced.kind) for bounced in verdict.recipients] == [(ANN, kind)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Die Domain library.example wurde nicht gefunden", Kind.NO_HOST),
        ("Le domaine library.example n'existe pas", Kind.NO_HOST),
        ("El dominio library.example no existe", Kind.NO_HOST),
        ("O domínio library.example não existe", Kind.NO_HOST),
        ("Домен library.example не найден", Kind.NO_HOST),
        ("域名 library.example 不存在", Kind.NO_HOST),
    ],
)
def test_an_unknown_domain_is_understood_in_other_languages(text: str, kind: Kind) -> None:
    assert read_bounce(notice(f"<{ANN}>:\n{text}")).kind is kind


def test_what_a_server_without_a_known_language_returns_is_a_bounce() -> None:
    message = (
        b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.org\nSubject: Xyzzy\n"
        b'Content-Type: multipart/mixed; boundary="b1"\n\n--b1\nContent-Type: text/plain\n\nXyzzy xyzzy.\n'
        b"--b1\nContent-Type: message/rfc822\n\n" + ORIGINAL.encode() + b"\nThe text.\n--b1--\n"
    )

    verdict = read_bounce(message)

    assert [(bounced.recipient, bounced.of_class) for bounced in verdict.recipients] == [(ANN, BounceClass.SOFT)]


def test_blank_lines_in_front_of_the_header_are_no_header() -> None:
    message = notice(f"<{ANN}>:\n550 5.1.1 no such user")

    assert read_bounce(b"\n   \n\t\n" + message) == read_bounce(message)


def test_every_address_of_a_line_that_holds_nothing_else_is_a_recipient() -> None:
    text = "User not listed in public Name & Address Book\nann@library.example, ben@archive.example"

    found = [bounced.recipient for bounced in read_bounce(notice(text)).recipients]

    assert found == [ANN, "ben@archive.example"]


def test_a_recipient_that_stands_in_a_link_only_is_found() -> None:
    page = (
        "Return-Path: <>\nFrom: postmaster@library.example\nSubject: Mail delivery failed\n"
        'Content-Type: text/html\n\n<p>Your message to <a href="mailto:ann@library.example">Ann</a> was not delivered: '
        'mailbox full.</p><p>Questions? <a href="mailto:help@library.example">Ask us</a></p>'
    )

    assert [(b.recipient, b.kind) for b in read_bounce(page.encode()).recipients] == [(ANN, Kind.FULL)]


@pytest.mark.parametrize(
    ("subject", "text", "headers"),
    [
        ("Fwd: Undelivered Mail Returned to Sender", f"See below.\n\n> <{ANN}>: 550 5.1.1 User unknown", ""),
        ("WG: Unzustellbar: News", f"Siehe unten.\n{ANN}\n550 5.1.1 User unknown", ""),
        ("Re: Delivery failure", f"Hi, {ANN} works again, 550 was our mistake.", ""),
        ("Undeliverable mail?", f"Some mails come back. Could not {ANN} be reached?", ""),
        ("Delivery failed: your parcel could not be delivered", "Write to help@shop.example.", ""),
        ("Mail status report", "Delivered 100, bounced 3. See https://stats.example", ""),
        ("What 550 5.1.1 user unknown means", f"Mail to {ANN} was not delivered ...", "List-Id: <it.example>"),
    ],
)
def test_what_people_write_of_bounces_is_none(subject: str, text: str, headers: str) -> None:
    message = letter(subject, text, sender="ben@archive.example", headers=headers)

    assert read_bounce(message).of_class is BounceClass.NONE


@pytest.mark.parametrize(
    "subject",
    [
        "Frånvarande: News",
        "Automatisk svar: News",
        "Αυτόματη απάντηση: News",
        "Автоматична відповідь: News",
        "Автоматичен отговор: News",
        "Răspuns automat: News",
        "רדו: תשובה אוטומטית",
        "رد تلقائي: News",
        "Balasan Otomatis: News",
        "Automātiskā atbilde: News",
        "Automatski odgovor: News",
    ],
)
def test_absences_are_known_in_more_languages(subject: str) -> None:
    assert read_bounce(letter(subject, "...")).of_class is BounceClass.AUTO_REPLY


@pytest.mark.parametrize(
    "text",
    [
        "Please click on the following link to have your address added to the recipient's allowed list.",
        "I now allow messages only from senders I have approved beforehand.",
        "Please add yourself to my Guest List so your messages will be delivered to my inbox.",
        "Merci de cliquer ci-dessous pour que votre message soit remis.",
        "Para que sua mensagem seja encaminhada, clique aqui.",
    ],
)
def test_who_has_to_get_onto_a_list_first_is_challenged(text: str) -> None:
    verdict = read_bounce(letter("Re: News", text))

    assert [(bounced.recipient, bounced.kind) for bounced in verdict.recipients] == [(ANN, Kind.CHALLENGE)]


def test_who_wants_to_be_a_guest_is_not_challenging_anybody() -> None:
    assert read_bounce(letter("Re: Opening", "Please add me to the guest list.")).of_class is BounceClass.NONE
