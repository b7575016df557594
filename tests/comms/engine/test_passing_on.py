"""A liaison forwards an answer to the coalition: its words arrive, and nothing that says who wrote them."""

from __future__ import annotations

import email
import email.policy
import re
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from relay_scene import AT_ONCE, Scene, scene_of

from audiences.models import Member
from comms.engine import intake, matching
from comms.engine.doors import spool
from comms.engine.doors.listener import Listener
from comms.engine.relaying import answering, passing

ANA = "ana.perez@archives.example"
LIAISON = "luis@maine.example"
SECRETS = ("perez", "archives.example", "555", "secret", "home.example", "dkim", "received", "x-spy", "shore")
"""Parts of everything that says who Ana is, in small letters."""
HEADER = (
    "Received: from home.example ([192.0.2.7]) by mx.example; Mon, 1 Feb 2027 09:00:00 +0000\r\n"
    "DKIM-Signature: v=1; d=archives.example; s=a; b=abc\r\n"
    "Return-Path: <ana.perez@archives.example>\r\n"
    "From: =?utf-8?q?Ana_P=C3=A9rez?= <ana.perez@archives.example>\r\n"
    "Reply-To: ana.perez@archives.example\r\n"
    "Organization: Archives of Secret\r\nX-Spy: 192.0.2.7\r\n"
    "Message-ID: <secret@archives.example>\r\nIn-Reply-To: <partner.maine.1@maine.example>\r\n"
    "Subject: Re: Could you host us? (Perez)\r\nTo: {to}\r\n"
)
PLAIN = (
    "Yes, we could host you from 2027-05-01.\r\nCall me: +1 207 555 0123, or ana.perez@archives.example\r\n"
    "Best, Ana Pérez\r\n-- \r\nAna Pérez, 12 Shore Road\r\n> Dear colleague\r\n"
)
ANSWERS = {
    "plain": ("", PLAIN),
    "html alone": (
        "Content-Type: text/html; charset=windows-1252\r\nContent-Transfer-Encoding: 8bit\r\n",
        "<p>Yes, we could host you from 2027-05-01.</p><p>Ana P&eacute;rez</p>"
        "<blockquote>From: ana.perez@archives.example</blockquote>",
    ),
    "several parts": (
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n",
        "--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n--y\r\n\r\n"
        f"{PLAIN}\r\n--y\r\nContent-Type: text/html\r\n\r\n<b>Ana</b>\r\n--y--\r\n--x\r\n"
        "Content-Type: application/pdf; name=ana-perez.pdf\r\nContent-Disposition: attachment\r\n\r\nsecret\r\n--x\r\n"
        "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=secret.txt\r\n\r\nsecret\r\n--x--\r\n",
    ),
    "an odd charset": (
        "Content-Type: text/plain; charset=utf-16-nonsense\r\nContent-Transfer-Encoding: quoted-printable\r\n",
        "Yes, we could host you from 2027-05-01. Ana P=C3=A9rez=00\r\n",
    ),
    "broken": (
        'Content-Type: multipart/mixed; boundary="x\r\nX-Broken\r\n',
        "Yes, we could host you from 2027-05-01.\r\n",
    ),
}


@dataclass
class Place:
    """Maine has relayed a campaign to Ana, and answers come in by a door that speaks SMTP."""

    scene: Scene
    door: Listener

    def send(self, to: str, data: bytes, sender: str = LIAISON) -> None:
        with smtplib.SMTP("127.0.0.1", self.door.port, timeout=30) as server:
            server.sendmail(sender, [to], data)
        intake.follow(self.scene.workspace)
        assert spool.waiting(self.scene.workspace.folder, 10) == []

    def letters(self) -> list[tuple[str, EmailMessage, str]]:
        """(recipient, the mail, its bytes) of every mail that goes out now, as senders get it."""
        for _ in range(3):
            self.scene.control._recovered_at = float("-inf")  # what is done once a second is due
            self.scene.control.step()
        found = [each for each in self.scene.senders.work if each["kind"] == "letter"]
        self.scene.senders.answer()
        self.scene.work()
        parse = lambda text: email.message_from_string(text, policy=email.policy.default)  # noqa: E731
        return [(each["recipient"], parse(each["message"]), each["message"]) for each in found]  # type: ignore[misc]

    def answered(self, kind: str = "plain") -> tuple[EmailMessage, str]:
        """The mail that the liaison gets of Ana's answer, and the address in it to pass it on."""
        head, body = ANSWERS[kind]
        workspace = self.scene.workspace
        returns = workspace.links.signer.returns
        to = returns.address("bounces@lists.example.org", returns.sign("maine", 1))
        self.send(to, (HEADER.format(to=to) + head + "\r\n" + body).encode(), ANA)
        ((recipient, mail, _),) = self.letters()
        assert recipient == "news@maine.example"
        return mail, text_of(mail).split("attachment to:")[1].split()[0]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return re.sub(r"\s+", " ", body.get_content())


def inline(mail: EmailMessage, alias: str) -> bytes:
    """As mail programs forward: the text is quoted with its header, and what is attached goes along."""
    new = EmailMessage()
    new["From"], new["To"], new["Subject"] = f"Luis <{LIAISON}>", alias, f"Fwd: {mail['Subject']}"
    quoted = f"See below. Luis\n\n---------- Forwarded message ---------\nReply-To: {ANA}\n\n{text_of(mail)}"
    new.set_content(quoted)
    for part in mail.iter_attachments():
        new.add_attachment(part.get_content(), maintype="application", subtype="octet-stream", filename="message.eml")
    return new.as_bytes()


def attached(mail: EmailMessage, alias: str) -> bytes:
    new = EmailMessage()
    new["From"], new["To"], new["Subject"] = LIAISON, alias, "Fwd"
    new.set_content("For you.")
    new.add_attachment(mail)
    return new.as_bytes()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("COMMS_BOUNCES__ADDRESS", "bounces@lists.example.org")
    monkeypatch.setenv("COMMS_BOUNCES__LISTEN", "127.0.0.1:2424")
    scene = scene_of(tmp_path / "workspace", {"maine": [ANA]})
    people = scene.workspace.people("maine")
    with people.db.atomic():
        people.update([Member(ANA, {"name": "Ana Pérez"}, id=1)], scene.now)
    scene.offer(AT_ONCE)
    answering.accept(scene.workspace, answering.find(scene.workspace, "partner", "maine"), who="Luis")
    scene.work()
    door = Listener("127.0.0.1:0", scene.workspace.folder, scene.workspace.links.signer.returns)
    door.start()
    yield Place(scene, door)
    door.stop()
    scene.workspace.close()


@pytest.mark.parametrize("forward", [inline, attached])
@pytest.mark.parametrize("kind", ANSWERS)
def test_the_words_of_an_answer_arrive_and_nothing_that_says_who_wrote_them(
    place: Place, kind: str, forward: Callable[[EmailMessage, str], bytes]
) -> None:
    mail, alias = place.answered(kind)
    place.send(alias, forward(mail, alias))
    to_coalition, to_ana = place.letters()
    recipient, passed, data = to_coalition
    assert recipient == "news@coalition.example"
    assert "Yes, we could host you from 2027-05-01." in text_of(passed)
    assert passed["From"].addresses[0].addr_spec == "news@maine.example"
    whole = "\n".join([data, *(part.get_content() for part in passed.walk() if not part.is_multipart())]).lower()
    assert [word for word in (*SECRETS, "pérez", "luis", "see below") if word in whole] == []
    assert not list(passed.iter_attachments())
    assert to_ana[0] == ANA
    assert "without your name and address" in text_of(to_ana[1])


def _agreement(mail: EmailMessage) -> str:
    found = re.search(r"mailto:([^?\s]+)\?subject", mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert found
    return found[1]


def _yes(sender: str, to: str, more: str = "") -> bytes:
    return f"From: {sender}\r\nTo: {to}\r\nSubject: Yes\r\n{more}\r\n\r\n".encode()


def test_the_coalition_learns_the_address_when_the_person_themself_agrees(place: Place) -> None:
    mail, alias = place.answered()
    place.send(alias, inline(mail, alias))
    (_, passed, _), (_, asked, _) = place.letters()
    to = _agreement(asked)
    place.send(to, _yes("someone@else.example", to))
    place.send(to, _yes(ANA, to, "Auto-Submitted: auto-replied\r\n"))
    place.send(alias, _yes(ANA, alias))
    assert [recipient for recipient, _, _ in place.letters()] == ["news@maine.example"], "nobody else can agree"
    place.send(to, _yes(f"Ana <{ANA}>", to), ANA)
    ((recipient, agreed, _),) = place.letters()
    assert recipient == "news@coalition.example"
    assert (agreed["Reply-To"], ANA in text_of(agreed)) == (ANA, True)
    code = str(passed["Subject"]).split()[1]
    assert str(agreed["Subject"]).split()[1].rstrip(":") == code, "which answer it is about"


def test_who_forwards_it_without_the_answer_is_told_so_and_nothing_goes_on(place: Place) -> None:
    mail, alias = place.answered()
    for part in list(mail.iter_attachments()):
        part.set_payload("")
    place.send(alias, inline(mail, alias))
    ((recipient, told, _),) = place.letters()
    assert recipient == "news@maine.example"
    assert "message.eml" in text_of(told)


def test_an_answer_to_another_mail_is_not_passed_on(place: Place) -> None:
    mail, alias = place.answered()
    other = matching.alias(place.scene.workspace, passing.PASS, "maine", 1).replace("+", "+x")
    data = inline(mail, alias).replace(b"bounces+", b"bounces+x")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        place.send(other, data)
    place.send(alias, b"From: x@y.example\r\nTo: " + alias.encode() + b"\r\n\r\n" + b"Yes, said Ana Perez.\r\n")
    assert [recipient for recipient, _, _ in place.letters()] == ["news@maine.example"]


def test_mails_in_mails_without_end_and_programs_change_nothing(place: Place) -> None:
    _, alias = place.answered()
    head = f"From: a@b.example\r\nTo: {alias}\r\nContent-Type: multipart/mixed; boundary=x\r\n"
    deep = b"Content-Type: message/rfc822\r\n\r\n" * 3_000
    place.send(alias, head.encode() + b"\r\n--x\r\n" + deep + b"\r\n--x--\r\n")
    place.send(alias, head.encode() + b"Auto-Submitted: auto-replied\r\n\r\nI am away\r\n")
    assert [recipient for recipient, _, _ in place.letters()] == ["news@maine.example"]
