"""What is recorded of readers, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sent_newsletter import LINKS, SITE, Sent, consent

from audiences.models import ANY_TOPIC, TRACKING, Basis, Consent, ConsentState
from comms.engagement import store
from comms.engine import readers
from comms.engine.audience import import_members, undo_import
from comms.engine.workspace import Workspace
from comms.links import EditionToken, LinkSigner, MemberToken

ADA, BEN = "ada@example.org", "ben@example.org"


def log_of(sent: Sent, address: str) -> list[Consent]:
    people = sent.workspace.people("coalition")
    member = people.find(address)
    assert member is not None
    assert member.id is not None
    return people.consent_log(member.id)


def agrees(sent: Sent, address: str, topic: str | None) -> bool:
    people = sent.workspace.people("coalition")
    member = people.find(address)
    assert member is not None
    assert member.id is not None
    return people.standings({member.id: address})[member.id].agrees_to(topic)


# --- clicks and opens -------------------------------------------------------------------------


def test_a_click_of_who_agreed_to_tracking_has_a_name(sent: Sent) -> None:
    assert readers.click(sent.workspace, sent.token(ADA), 1) == LINKS[1]
    assert sent.events() == [("clicked", sent.deliveries[ADA], 1)]


def test_a_click_of_who_did_not_agree_has_none_whatever_token_stands_in_the_mail(sent: Sent) -> None:
    assert readers.click(sent.workspace, sent.token(BEN), 0) == LINKS[0]
    assert readers.click(sent.workspace, sent.edition_token, 0) == LINKS[0]
    assert sent.events() == [("clicked", None, 0), ("clicked", None, 0)]


def test_withdrawing_consent_silences_links_and_pictures_already_sent(sent: Sent) -> None:
    consent(sent.workspace, "coalition", ADA, TRACKING, ConsentState.WITHDRAWN)
    readers.opened(sent.workspace, sent.token(ADA))
    assert readers.click(sent.workspace, sent.token(ADA), 0) == LINKS[0]
    assert sent.events() == [("clicked", None, 0)]


def test_an_open_is_recorded_only_of_who_agreed(sent: Sent) -> None:
    for token in (sent.token(ADA), sent.token(BEN), sent.edition_token, "nonsense"):
        readers.opened(sent.workspace, token)
    assert sent.events() == [("opened", sent.deliveries[ADA], None)]


@pytest.mark.parametrize("index", [-1, 2, 10**6])
def test_a_link_that_the_edition_does_not_have_leads_nowhere(sent: Sent, index: int) -> None:
    assert readers.click(sent.workspace, sent.token(ADA), index) is None
    assert sent.events() == []


def test_a_click_that_is_not_to_be_recorded_leads_to_the_link_all_the_same(sent: Sent) -> None:
    assert readers.click(sent.workspace, sent.token(ADA), 0, record=False) == LINKS[0]
    assert sent.events() == []


def test_tokens_for_what_does_not_exist_are_like_forged_ones(sent: Sent) -> None:
    signer = sent.workspace.links.signer
    for token in (MemberToken("coalition", 999), EditionToken("coalition", 999), MemberToken("nobody", 1)):
        text = signer.sign(token)
        assert readers.click(sent.workspace, text, 0) is None
        assert readers.subscription_page(sent.workspace, text) is None
        assert readers.unsubscribe(sent.workspace, text) is None
        assert readers.newsletter_of(sent.workspace, text) is None
        assert readers.view_online(sent.workspace, text) is None


def test_a_token_signed_with_another_key_is_refused(sent: Sent) -> None:
    class OtherKey:
        def derive(self, purpose: str) -> bytes:
            return b"\0" * 32

    forged = LinkSigner(OtherKey()).sign(MemberToken("coalition", sent.deliveries[BEN]))  # type: ignore[arg-type]
    assert readers.unsubscribe(sent.workspace, forged) is None
    assert agrees(sent, BEN, None)


@given(text=st.text())
def test_no_text_whatever_is_taken_for_a_token(sent_once: Sent, text: str) -> None:
    assert readers.click(sent_once.workspace, text, 0) is None
    assert readers.set_tracking(sent_once.workspace, text, agree=True) is None


def test_a_busy_database_costs_a_count_but_sends_no_reader_away(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "NOTE_TIMEOUT_MS", 50)
    with Workspace(sent.workspace.folder, environment={}) as other, other.association_db("coalition").atomic():
        assert readers.click(sent.workspace, sent.token(ADA), 0) == LINKS[0]
    assert sent.events() == []
    assert readers.click(sent.workspace, sent.token(ADA), 0) == LINKS[0]
    assert len(sent.events()) == 1


# --- reading online ---------------------------------------------------------------------------


def test_the_page_for_everyone_has_no_name_in_any_link_even_with_a_members_token(sent: Sent) -> None:
    for token in (sent.token(ADA), sent.edition_token):
        page = readers.view_online(sent.workspace, token)
        assert page is not None
        assert "Dear colleague" in page
        assert f"{SITE}/c/{sent.edition_token}/0" in page
        assert sent.token(ADA) not in page
        assert "<img" not in page
    assert sent.events() == [("viewed", None, None)] * 2


def test_an_editions_token_says_whose_newsletter_it_is_but_stops_nobodys(sent: Sent) -> None:
    assert readers.newsletter_of(sent.workspace, sent.edition_token) == "The Coalition"
    assert readers.newsletter_of(sent.workspace, sent.token(ADA)) is None
    assert readers.unsubscribe(sent.workspace, sent.edition_token) is None
    assert readers.choose_topics(sent.workspace, sent.edition_token, []) is None
    assert agrees(sent, ADA, None)


# --- subscriptions ----------------------------------------------------------------------------


def test_the_page_shows_a_masked_address_and_what_is_subscribed(sent: Sent) -> None:
    view = readers.subscription_page(sent.workspace, sent.token(BEN))
    assert view is not None
    assert view.address == "b***@example.org"
    assert {topic.slug: topic.agreed for topic in view.topics} == {"jobs": True, "news": True}
    assert (view.stopped, view.tracking) == (False, False)


def test_unsubscribing_withdraws_everything_and_doing_it_again_adds_nothing(sent: Sent) -> None:
    view = readers.unsubscribe(sent.workspace, sent.token(BEN))
    assert view is not None
    assert view.stopped
    log = log_of(sent, BEN)
    last = log[-1]
    assert (last.topic, last.state) == (ANY_TOPIC, ConsentState.WITHDRAWN)
    assert last.source == "one-click unsubscribe, campaign hosting-partner"
    readers.unsubscribe(sent.workspace, sent.token(BEN), source=readers.PAGE)
    assert log_of(sent, BEN) == log
    assert sent.events() == [("unsubscribed", sent.deliveries[BEN], None)]


def test_unsubscribing_leaves_everybody_else_alone(sent: Sent) -> None:
    readers.unsubscribe(sent.workspace, sent.token(BEN))
    assert agrees(sent, ADA, None)


def test_who_stopped_can_keep_one_topic_and_the_wording_is_recorded(sent: Sent) -> None:
    readers.unsubscribe(sent.workspace, sent.token(BEN))
    view = readers.choose_topics(sent.workspace, sent.token(BEN), ["jobs", "unknown"])
    assert view is not None
    assert not view.stopped
    assert agrees(sent, BEN, "jobs")
    assert not agrees(sent, BEN, "news")
    last = log_of(sent, BEN)[-1]
    assert (last.topic, last.basis) == ("jobs", Basis.EXPRESS)
    shown = {topic.slug: topic.wording for topic in view.topics}
    assert last.wording == shown["jobs"] == "Keep sending me Jobs from The Coalition."


def test_choosing_the_same_again_adds_nothing(sent: Sent) -> None:
    for _ in range(2):
        readers.choose_topics(sent.workspace, sent.token(BEN), ["jobs"])
        readers.set_tracking(sent.workspace, sent.token(BEN), agree=True)
    assert [(record.topic, record.state.value) for record in log_of(sent, BEN)[1:]] == [
        (ANY_TOPIC, "withdrawn"),
        ("jobs", "granted"),
        (TRACKING, "granted"),
    ]


def test_who_got_everything_and_chooses_one_topic_no_longer_gets_topics_added_later(sent: Sent) -> None:
    readers.choose_topics(sent.workspace, sent.token(BEN), ["jobs"])
    assert agrees(sent, BEN, "jobs")
    assert not agrees(sent, BEN, "a-topic-of-tomorrow")


def test_choosing_no_topic_at_all_counts_as_unsubscribing(sent: Sent) -> None:
    readers.choose_topics(sent.workspace, sent.token(BEN), [])
    assert not agrees(sent, BEN, None)
    assert sent.events() == [("unsubscribed", sent.deliveries[BEN], None)]


def test_agreeing_to_tracking_is_recorded_with_its_wording_and_can_be_taken_back(sent: Sent) -> None:
    view = readers.set_tracking(sent.workspace, sent.token(BEN), agree=True)
    assert view is not None
    assert view.tracking
    assert log_of(sent, BEN)[-1].wording == view.tracking_wording
    readers.opened(sent.workspace, sent.token(BEN))
    readers.set_tracking(sent.workspace, sent.token(BEN), agree=False)
    readers.opened(sent.workspace, sent.token(BEN))
    assert sent.events() == [("opened", sent.deliveries[BEN], None)]


def test_an_erased_member_gets_a_friendly_page_and_nothing_is_recorded(sent: Sent) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.db.execute("DELETE FROM member WHERE address = ?", [ADA])
    for view in (
        readers.subscription_page(sent.workspace, sent.token(ADA)),
        readers.unsubscribe(sent.workspace, sent.token(ADA)),
        readers.set_tracking(sent.workspace, sent.token(ADA), agree=True),
    ):
        assert view is not None
        assert view.erased
        assert view.address == ""
    assert readers.click(sent.workspace, sent.token(ADA), 0) == LINKS[0]
    assert sent.events() == [("clicked", None, 0)]


@pytest.mark.parametrize(
    ("address", "masked"),
    [("dora@example.org", "d***@example.org"), ("@example.org", "***@example.org"), ("", ""), ("nonsense", "")],
)
def test_a_masked_address_shows_one_letter_at_most(address: str, masked: str) -> None:
    assert readers.mask(address) == masked


def test_a_reader_who_stops_stays_out_when_an_import_that_said_so_too_is_undone(sent: Sent, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text(f"email,status\n{BEN},unsubscribed\n")
    number = import_members(sent.workspace, file, sent.association).number
    assert number is not None
    readers.unsubscribe(sent.workspace, sent.token(BEN))
    undo_import(sent.workspace, number, sent.association)
    assert not agrees(sent, BEN, None)
