"""Asking for the link to one's own page: members get it by mail, and nobody learns who is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from signup_samples import Office, office

from audiences.errors import AddressError
from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member, SuppressionScope
from comms.engine import asking, subscription
from comms.engine.signup import MOST_OF_ADDRESS, MOST_OF_NETWORK
from comms.errors import UsageError
from tests.conftest import MailServer

ADA, EVA = "ada@example.org", "eva@example.org"
IP = "203.0.113.4"


@pytest.fixture
def here(tmp_path: Path, mail_server: Callable[..., MailServer]) -> Iterator[Office]:
    with office(tmp_path / "workspace", mail_server(content=True)) as found:
        people, now = found.workspace.people(found.slug), found.workspace.now()
        with people.db.atomic():
            people.insert([Member(ADA, language="fr", id=people.next_id())], now)
            member = people.find(ADA)
            assert member is not None
            assert member.id is not None
            people.record([(member.id, Consent(ANY_TOPIC, ConsentState.GRANTED, now, "form", Basis.EXPRESS))], now)
        yield found


def ask(where: Office, address: str = ADA, ip: str | None = IP) -> None:
    asking.request(where.workspace, where.slug, address, ip)


def suppress(where: Office, scope: SuppressionScope, reason: str) -> None:
    people = where.workspace.people(where.slug)
    with people.db.atomic():
        people.suppress(ADA, scope, reason, where.workspace.now())


def test_a_member_gets_the_link_in_their_language_and_it_opens_their_page(here: Office) -> None:
    ask(here, "ADA@Example.org")
    here.deliver()
    (mail,) = here.mails()
    assert mail["To"].lower() == ADA
    assert mail["Subject"] == "Votre lien : lettres d’information de The Coalition"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    (token,) = set(re.findall(r"/u/([A-Za-z0-9._-]+)", text))
    view = subscription.page(here.workspace, token)
    assert view is not None
    assert not view.stopped


def test_nobody_else_gets_anything(here: Office) -> None:
    ask(here, EVA)
    assert here.letters(EVA) == []
    with pytest.raises(AddressError):
        ask(here, "no address")
    with pytest.raises(UsageError):
        asking.request(here.workspace, "nobody", ADA, IP)


@pytest.mark.parametrize(
    ("scope", "reason", "goes"),
    [
        (SuppressionScope.RELAYS, "asked for on the preference page", True),
        (SuppressionScope.ASSOCIATION, "complaint", True),
        (SuppressionScope.ASSOCIATION, "hard bounce", False),
        (SuppressionScope.ASSOCIATION, "repeated bounces", False),
        (SuppressionScope.ASSOCIATION, "blocklisted", False),
        (SuppressionScope.ALL, "complaint", False),
    ],
)
def test_who_stopped_newsletters_may_come_back_to_their_page_and_dead_mailboxes_get_nothing(
    here: Office, scope: SuppressionScope, reason: str, goes: bool
) -> None:
    suppress(here, scope, reason)
    ask(here)
    assert len(here.letters(ADA)) == goes


def test_a_mailbox_can_not_be_filled(here: Office) -> None:
    for _ in range(MOST_OF_ADDRESS + 2):
        ask(here)
    assert len(here.letters(ADA)) == MOST_OF_ADDRESS
    here.clock.ahead += timedelta(days=1, minutes=1)
    here.deliver()
    here.recover()
    ask(here)
    assert len(here.letters(ADA)) == 1


def test_nobody_can_try_addresses_without_end(here: Office) -> None:
    for number in range(MOST_OF_NETWORK):
        ask(here, f"x{number}@example.org")
    ask(here)
    assert here.letters(ADA) == []
    ask(here, ip="203.0.113.5")
    assert len(here.letters(ADA)) == 1
    here.clock.ahead += timedelta(hours=1, minutes=1)
    ask(here)
    assert len(here.letters(ADA)) == 2


def test_from_where_somebody_asked_is_forgotten_within_the_hour(here: Office) -> None:
    ask(here)
    here.clock.ahead += timedelta(hours=1, minutes=1)
    ask(here, ip=None)
    rows = here.workspace.association_db(here.slug).execute("SELECT network FROM request").fetchall()
    assert rows == [(None,)]
