"""Double opt-in: nobody is signed up but by a link in their own mailbox, and nobody learns who is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from signup_samples import Office, office, token_in

from audiences.carrying import Carrier
from audiences.errors import AddressError
from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, SuppressionScope
from audiences.signups import SignUps
from comms.engine import rights, signup
from comms.engine.audience import import_members, show_member
from comms.engine.signup import Stage, network_of
from comms.errors import StateError, UsageError
from tests.conftest import MailServer

ADA, BEN = "Ada@example.org", "ben@example.org"
IP = "203.0.113.4"


@pytest.fixture
def here(tmp_path: Path, mail_server: Callable[..., MailServer]) -> Iterator[Office]:
    with office(tmp_path / "workspace", mail_server(content=True)) as found:
        yield found


def ask(where: Office, address: str = ADA, topics: tuple[str, ...] = ("news",), ip: str | None = IP) -> None:
    signup.request(where.workspace, where.slug, address, topics, "es", ip)


def asked(where: Office, address: str = ADA, **options: tuple[str, ...]) -> str:
    """The token that reaches the mailbox."""
    ask(where, address, **options)  # type: ignore[arg-type]
    where.deliver()
    mail = where.mails()[-1]
    assert str(mail["To"]).lower() == address.lower()
    return token_in(mail)


def stage(where: Office, token: str) -> Stage | None:
    view = signup.look(where.workspace, token)
    return view.stage if view else None


def confirm(where: Office, token: str) -> Stage | None:
    view = signup.confirm(where.workspace, token, IP)
    return view.stage if view else None


def mailable(where: Office, address: str = ADA) -> bool:
    shown = show_member(where.workspace, address, where.slug)
    return shown is not None and shown.mailable


def import_text(where: Office, tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text(text)
    import_members(where.workspace, file, where.slug)


# --- the way in -------------------------------------------------------------------------------


def test_nobody_is_signed_up_before_they_follow_the_link_and_press_the_button(here: Office) -> None:
    token = asked(here)
    people = here.workspace.people(here.slug)
    for _ in range(3):
        view = signup.look(here.workspace, token)
        assert view is not None
        assert (view.stage, view.address) == (Stage.WAITING, "A***@example.org")
    assert people.find(ADA) is None
    assert confirm(here, token) is Stage.CONFIRMED
    assert mailable(here)


def test_the_consent_says_what_was_agreed_to_from_where_and_how_it_was_confirmed(here: Office) -> None:
    token = asked(here, topics=("news", "jobs"))
    here.clock.ahead += timedelta(hours=1)
    confirm(here, token)
    member = here.workspace.people(here.slug).find(ADA)
    assert member is not None
    assert member.language == "es"
    shown = show_member(here.workspace, ADA, here.slug)
    assert shown is not None
    assert [record.topic for record in shown.log] == ["jobs", "news"]
    record = shown.log[1]
    mailed = here.mails()[0]["Date"].datetime
    assert record == Consent(
        "news",
        ConsentState.GRANTED,
        record.at,
        "sign-up form, wording 1",
        Basis.EXPRESS,
        "The Coalition puede enviarme «Coalition news» por correo electrónico hasta que yo lo cancele.",
        IP,
        f"link in the mail of {mailed:%Y-%m-%dT%H:%MZ}",
    )
    assert here.workspace.now() - record.at < timedelta(minutes=1)
    told = rights.export_member(here.workspace, ADA, here.slug)
    assert told is not None
    assert {each["request_address"] for each in told["consent"]} == {IP}
    assert [each["confirmed"] for each in told["consent"]] == [record.confirmed] * 2
    assert [each["topics"] for each in told["sign_ups"]] == [["jobs", "news"]]


def test_the_mail_shows_the_same_words_that_the_consent_keeps(here: Office) -> None:
    token = asked(here, topics=("news", "jobs"))
    view = signup.look(here.workspace, token)
    assert view is not None
    for kind in ("plain", "html"):
        part = here.mails()[0].get_body((kind,))
        assert part is not None
        words = " ".join(part.get_content().split())
        assert all(wording in words for wording in view.wordings)


def test_a_link_is_good_for_one_time(here: Office) -> None:
    token = asked(here)
    confirm(here, token)
    shown = show_member(here.workspace, ADA, here.slug)
    assert shown is not None
    assert confirm(here, token) is stage(here, token) is Stage.USED
    again = show_member(here.workspace, ADA, here.slug)
    assert again is not None
    assert again.log == shown.log


def test_a_link_expires_after_three_days(here: Office) -> None:
    token = asked(here)
    here.clock.ahead += timedelta(hours=72)
    assert stage(here, token) is confirm(here, token) is Stage.EXPIRED
    assert here.workspace.people(here.slug).find(ADA) is None


def test_only_public_topics_can_be_signed_up_for(here: Office) -> None:
    ask(here, topics=("board", "news"))
    with pytest.raises(UsageError, match="no newsletter was chosen"):
        ask(here, topics=("board",))
    (kept,) = SignUps(here.workspace.association_db(here.slug)).of_address(ADA)
    assert list(kept.topics) == ["news"]
    form = signup.form(here.workspace, here.slug)
    assert form is not None
    assert [topic.slug for topic in form.topics] == ["jobs", "news"]


@pytest.mark.parametrize(
    "address", ["", "nonsense", "a@b", "x" * 1_000_000, "a@example.org\r\nBcc: b@example.org", "\ud800@x.org"]
)
def test_what_is_no_address_is_refused_and_leaves_nothing(here: Office, address: str) -> None:
    with pytest.raises(AddressError):
        ask(here, address)
    assert here.hand_out() == 0


def test_a_language_that_is_not_offered_is_not_kept(here: Office) -> None:
    signup.request(here.workspace, here.slug, ADA, ["news"], "x" * 10_000, IP)
    (kept,) = SignUps(here.workspace.association_db(here.slug)).of_address(ADA)
    assert kept.language is None


# --- tokens -----------------------------------------------------------------------------------


def test_the_database_holds_no_token(here: Office) -> None:
    token = asked(here)
    folder = here.workspace.folder / "associations"
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"ada@example.org" in held.lower()
    assert token.encode() not in held
    assert token.partition(".")[2].encode() not in held


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str]]:
    """An office with one sign-up that waits; and its token, read from the sealed letter."""
    server = MailServer(None, 1, Path("/dev/null"))  # type: ignore[arg-type] # nothing is sent
    with office(tmp_path_factory.mktemp("tokens") / "workspace", server) as found:
        ask(found)
        box = found.workspace.association_db(found.slug).execute("SELECT content FROM letter").fetchone()
        text = found.workspace.key.unseal(bytes(box[0])).decode()
        yield found, text.split("/s/")[1].split('"')[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_other_token_is_refused(waiting: tuple[Office, str], data: st.DataObject) -> None:
    where, token = waiting
    place = data.draw(st.integers(0, len(token)))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.text(max_size=3) | st.text("AZaz09-_.=", max_size=3))
    other = token[:place] + put + token[place + cut :]
    assume(other != token)
    assert confirm(where, other) in (None, Stage.EXPIRED)
    assert stage(where, token) is Stage.WAITING


@given(text=st.text() | st.from_regex(r"coalition\.[A-Za-z0-9_-]{43}", fullmatch=True))
def test_no_text_whatever_signs_anybody_up(waiting: tuple[Office, str], text: str) -> None:
    where, token = waiting
    assume(text != token)
    assert confirm(where, text) in (None, Stage.EXPIRED)
    assert where.workspace.people(where.slug).count() == 0


# --- coming back ------------------------------------------------------------------------------


def test_who_opted_out_comes_back_by_the_link_and_by_no_import(here: Office, tmp_path: Path) -> None:
    import_text(here, tmp_path, f"email,status\n{ADA},unsubscribed\n")
    import_text(here, tmp_path, f"email,status\n{ADA},subscribed\n")
    assert not mailable(here)
    confirm(here, asked(here))
    assert mailable(here)
    states = Carrier.withdrawals(here.workspace.association_db(here.slug))
    assert states == {ADA: [ANY_TOPIC]}, "the topics that were not asked for stay stopped"


@pytest.mark.parametrize("reason", ["hard bounce", "complaint"])
def test_a_bounce_or_complaint_ends_with_the_link_that_arrived(here: Office, reason: str) -> None:
    people = here.workspace.people(here.slug)
    with people.db.atomic():
        people.suppress(ADA, SuppressionScope.ASSOCIATION, reason, here.workspace.now())
    token = asked(here)
    assert not mailable(here)
    confirm(here, token)
    assert mailable(here)


def test_who_comes_back_after_a_complaint_gets_what_they_asked_for_and_nothing_else(
    here: Office, tmp_path: Path
) -> None:
    import_text(here, tmp_path, f"email,status\n{ADA},subscribed\n")
    people = here.workspace.people(here.slug)
    with people.db.atomic():
        people.suppress(ADA, SuppressionScope.ASSOCIATION, "complaint", here.workspace.now())
    confirm(here, asked(here, topics=("jobs",)))
    member = people.find(ADA)
    assert member is not None
    assert member.id is not None
    standing = people.standings({member.id: ADA})[member.id]
    assert [topic for topic in ("jobs", "news", "board") if standing.agrees_to(topic)] == ["jobs"]


def test_an_erased_person_who_signs_up_again_is_somebody_new(here: Office, tmp_path: Path) -> None:
    import_text(here, tmp_path, f"email,name,status\n{ADA},Ada,subscribed\n")
    rights.erase_member(here.workspace, ADA, here.slug)
    import_text(here, tmp_path, f"email,status\n{BEN},subscribed\n")
    confirm(here, asked(here))
    shown = show_member(here.workspace, ADA, here.slug)
    assert shown is not None
    assert (shown.mailable, shown.member.attributes, len(shown.log)) == (True, {}, 1)


def test_who_only_asked_is_told_what_is_held_of_them_too(here: Office) -> None:
    assert rights.export_member(here.workspace, ADA, here.slug) is None
    ask(here)
    held = rights.export_member(here.workspace, ADA.lower(), here.slug)
    assert held is not None
    assert [(each["topics"], each["request_address"]) for each in held["sign_ups"]] == [(["news"], IP)]
    assert [(each["about"], each["state"]) for each in held["letters"]] == [("confirm", "queued")]


def test_to_be_forgotten_takes_the_links_that_wait_along(here: Office) -> None:
    token = asked(here)
    rights.erase_member(here.workspace, ADA, here.slug)
    assert confirm(here, token) is Stage.EXPIRED
    assert here.workspace.people(here.slug).find(ADA) is None
    assert here.letters(ADA) == []


@pytest.mark.parametrize(
    ("scope", "reason"), [(SuppressionScope.ALL, "complaint"), (SuppressionScope.ASSOCIATION, "blocklisted")]
)
def test_an_address_that_was_shut_out_gets_no_mail_and_nobody_is_told(
    here: Office, scope: SuppressionScope, reason: str
) -> None:
    people = here.workspace.people(here.slug)
    with people.db.atomic():
        people.suppress(ADA, scope, reason, here.workspace.now())
    ask(here)
    assert here.hand_out() == 0
    with pytest.raises(StateError, match="blocked"):
        signup.invite(here.workspace, here.slug, ADA, who="dana")


def test_who_was_blocklisted_elsewhere_stays_out_when_the_list_came_by_import(here: Office, tmp_path: Path) -> None:
    file = tmp_path / "subscribers.csv"
    file.write_text(
        f'uuid,email,name,attributes,status,created_at,updated_at\n1,{ADA},Ada,"{{}}",blocklisted,2026-01-01,2026-01-01\n'
    )
    import_members(here.workspace, file, here.slug, source="listmonk")
    ask(here)
    assert here.hand_out() == 0


def test_stopping_relays_outlasts_a_sign_up(here: Office) -> None:
    people = here.workspace.people(here.slug)
    with people.db.atomic():
        people.suppress(ADA, SuppressionScope.RELAYS, "asked", here.workspace.now())
    confirm(here, asked(here))
    assert mailable(here)
    assert people.suppressed_for_relays([ADA]) == {ADA}


# --- limits -----------------------------------------------------------------------------------


def test_a_mailbox_gets_at_most_three_links_a_day(here: Office) -> None:
    for _ in range(5):
        ask(here, ip=None)
    here.deliver()
    assert here.server.recipients() == [ADA] * 3
    ask(here, BEN, ip=None)
    here.clock.ahead += timedelta(days=1, seconds=1)
    ask(here, ip=None)
    here.deliver()
    assert sorted(here.server.recipients()) == [ADA] * 4 + [BEN]


def test_one_visitor_can_ask_for_twenty_addresses_an_hour(here: Office) -> None:
    for number in range(25):
        ask(here, f"m{number}@example.org", ip=f"2001:db8::{number:x}")
    signups = SignUps(here.workspace.association_db(here.slug))
    assert signups.waiting(here.workspace.now()) == signup.MOST_OF_NETWORK == 20
    ask(here, "another@example.org", ip="2001:db8:0:1::1")
    here.clock.ahead += timedelta(hours=1, seconds=1)
    ask(here, "later@example.org", ip="2001:db8::1")
    assert signups.waiting(here.workspace.now()) == 22


def test_an_association_has_a_bounded_number_of_links_that_wait(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signup, "MOST_WAITING", 2)
    tokens = [asked(here, f"m{number}@example.org") for number in range(2)]
    ask(here, BEN)
    assert here.letters(BEN) == []
    confirm(here, tokens[0])
    ask(here, BEN)
    assert here.letters(BEN) == [("queued", 0)]


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        (None, None),
        ("", None),
        ("nonsense", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("203.0.113.4", "203.0.113.4"),
        ("::ffff:203.0.113.4", "203.0.113.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_visitors_are_counted_by_what_they_can_not_change_at_will(ip: str | None, network: str | None) -> None:
    assert network_of(ip) == network


# --- invitations ------------------------------------------------------------------------------


def test_staff_can_ask_but_only_the_person_agrees(here: Office) -> None:
    signup.invite(here.workspace, here.slug, ADA, ["jobs"], who="dana")
    here.deliver()
    assert not mailable(here)
    token = token_in(here.mails()[0])
    assert confirm(here, token) is Stage.CONFIRMED
    shown = show_member(here.workspace, ADA, here.slug)
    assert shown is not None
    (record,) = shown.log
    assert (record.topic, record.source, record.request_address) == (
        "jobs", "invitation by the association, wording 1", IP,
    )  # fmt: skip
    audit = here.workspace.host.db.execute("SELECT who, what, detail FROM audit").fetchall()
    assert ("dana", "invited a person", here.slug) in audit
    assert "ada" not in str(audit).lower()


def test_an_invitation_names_the_topics_that_there_are(here: Office) -> None:
    with pytest.raises(UsageError, match="no public topic 'board'") as caught:
        signup.invite(here.workspace, here.slug, ADA, ["board"], who="dana")
    assert caught.value.hint == "It has: jobs, news."
