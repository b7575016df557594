"""The letter to who has just signed up: in their language, in the association's own words where it has some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from signup_samples import Office, office, token_in

from audiences.models import SuppressionScope
from comms.engine import preferences, signup, subscription, welcome
from tests.conftest import MailServer

ADA = "ada@example.org"


@pytest.fixture
def here(tmp_path: Path, mail_server: Callable[..., MailServer]) -> Iterator[Office]:
    with office(tmp_path / "workspace", mail_server(content=True)) as found:
        yield found


def sign_up(where: Office, language: str = "en", topics: tuple[str, ...] = ("news", "jobs")) -> list[EmailMessage]:
    """Ask and confirm; returns the letters that came of the confirmation."""
    signup.request(where.workspace, where.slug, ADA, topics, language, None)
    where.deliver()
    before = where.mails()
    signup.confirm(where.workspace, token_in(before[-1]), None)
    where.deliver()
    return where.mails()[len(before) :]


def write(where: Office, name: str, text: str | bytes) -> None:
    path = where.workspace.folder / "letters" / where.slug / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def parts(mail: EmailMessage) -> tuple[str, str]:
    html, text = (mail.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    return html.get_content(), text.get_content()


def test_who_confirms_is_told_what_they_get_and_how_to_change_it(here: Office) -> None:
    (mail,) = sign_up(here)
    assert mail["To"] == ADA
    assert mail["Subject"] == "Welcome to the newsletters of The Coalition"
    assert mail["Auto-Submitted"] == "auto-generated"
    for part in parts(mail):
        for words in ("Coalition news", "Jobs", "1 Main Street", "because you signed up"):
            assert words in part
    assert "<img" not in parts(mail)[0]
    assert here.letters(ADA) == [("sent", 1), ("sent", 1)]


def test_its_link_opens_the_own_page_and_stops_everything_with_one_click(here: Office) -> None:
    (mail,) = sign_up(here)
    (token,) = {found for part in parts(mail) for found in re.findall(r"/u/([A-Za-z0-9._-]+)", part)}
    view = subscription.page(here.workspace, token)
    assert view is not None
    assert (view.address, view.stopped) == ("a***@example.org", False)
    after = preferences.unsubscribe(here.workspace, token)
    assert after is not None
    assert after.stopped
    member = here.workspace.people(here.slug).find(ADA)
    assert member is not None
    assert member.id is not None
    assert here.workspace.people(here.slug).consent_log(member.id)[-1].source.endswith("link in a letter")


def test_the_link_ends_with_the_address_that_it_was_mailed_to(here: Office) -> None:
    (mail,) = sign_up(here)
    (token,) = set(re.findall(r"/u/([A-Za-z0-9._-]+)", parts(mail)[1]))
    people = here.workspace.people(here.slug)
    member = people.find(ADA)
    assert member is not None
    with people.db.atomic():
        people.update([replace(member, address="someone.else@example.org")], here.workspace.now())
    assert subscription.page(here.workspace, token) is None
    assert preferences.unsubscribe(here.workspace, token) is None


@pytest.mark.parametrize(
    ("language", "subject", "button"),
    [
        ("es", "Le damos la bienvenida a los boletines de The Coalition", "Elegir lo que recibe"),
        ("fr", "Bienvenue aux lettres d’information de The Coalition", "Choisir ce que vous recevez"),
    ],
)
def test_it_speaks_the_language_that_was_chosen(here: Office, language: str, subject: str, button: str) -> None:
    (mail,) = sign_up(here, language)
    assert mail["Subject"] == subject
    assert mail["Content-Language"] == language
    html, text = parts(mail)
    assert f'lang="{language}"' in html
    assert button in html
    assert button in text


def test_an_association_says_it_in_its_own_words(here: Office) -> None:
    write(here, "welcome.md", "# Hello, friend\r\n\r\nWe meet on\nMondays.\r\n\r\n\r\nSee {{ you }} <there>.\r\n")
    write(here, "welcome.es.md", "# Hola\n\nNos vemos.\n")
    (mail,) = sign_up(here)
    assert mail["Subject"] == "Hello, friend"
    html, text = parts(mail)
    assert "We meet on Mondays." in text
    assert "See {{ you }} <there>." in text
    assert "&lt;there&gt;" in html
    assert "Coalition news" not in text
    (mail,) = sign_up(here, "es")
    assert mail["Subject"] == "Hola"
    assert "Elegir lo que recibe" in parts(mail)[1]
    (mail,) = sign_up(here, "fr")
    assert mail["Subject"] == "Hello, friend", "the words for everyone for whom there are no others"


def test_words_in_a_language_that_we_do_not_speak_stand_beside_ours(here: Office) -> None:
    owner = here.workspace.association(here.slug)
    here.workspace.change_association(replace(owner, language="ar"))
    write(here, "welcome.md", "# أهلا وسهلا\n\nشكرا لكم.\n")
    (mail,) = sign_up(here, "ar")
    html, _ = parts(mail)
    assert 'lang="ar"' in html
    assert 'dir="rtl"' in html
    assert '<span lang="en" dir="ltr">Choose what you get</span>' in html


@pytest.mark.parametrize("language", ["../../elsewhere/welcome.x", "\x00", "es/../es", "x" * 5000, "%s", "\ud800"])
def test_no_language_leads_out_of_the_folder(here: Office, language: str) -> None:
    write(here, "../elsewhere/welcome.x.md", "# Stolen\n\nSecret.\n")
    write(here, "welcome.md", "# Ours\n\nText.\n")
    words = welcome.own_words(here.workspace, here.workspace.association(here.slug), language)
    assert words is not None
    assert words.heading == "Ours"


@pytest.mark.parametrize("text", ["", "No heading", "# Heading alone", b"# \xff\n\nText", "# Long\n\n" + "x" * 30_000])
def test_words_that_can_not_be_used_do_not_keep_anybody_from_being_welcomed(here: Office, text: str | bytes) -> None:
    write(here, "welcome.md", text)
    (mail,) = sign_up(here)
    assert mail["Subject"] == "Welcome to the newsletters of The Coalition"


def test_an_association_that_wants_none_sends_none(here: Office) -> None:
    here.workspace.change_association(replace(here.workspace.association(here.slug), welcome=False))
    assert sign_up(here) == []


def test_it_never_goes_to_a_suppressed_address(here: Office) -> None:
    signup.request(here.workspace, here.slug, ADA, ["news"], "en", None)
    here.deliver()
    people = here.workspace.people(here.slug)
    with people.db.atomic():
        people.suppress(ADA, SuppressionScope.ALL, "complaint", here.workspace.now())
    signup.confirm(here.workspace, token_in(here.mails()[-1]), None)
    assert here.letters(ADA) == [("sent", 1)]
