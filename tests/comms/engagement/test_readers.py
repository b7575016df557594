"""What is recorded of readers, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sent_newsletter import LINKS, SITE, Sent, agrees, consent

from audiences.models import TRACKING, ConsentState
from comms.engagement import store
from comms.engine import preferences, readers, subscription
from comms.engine.workspace import Workspace
from comms.links import EditionToken, LinkSigner, MemberToken

ADA, BEN = "ada@example.org", "ben@example.org"


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
        assert subscription.page(sent.workspace, text) is None
        assert preferences.unsubscribe(sent.workspace, text) is None
        assert subscription.newsletter_of(sent.workspace, text) is None
        assert readers.view_online(sent.workspace, text) is None


def test_a_token_signed_with_another_key_is_refused(sent: Sent) -> None:
    class OtherKey:
        def derive(self, purpose: str) -> bytes:
            return b"\0" * 32

    forged = LinkSigner(OtherKey()).sign(MemberToken("coalition", sent.deliveries[BEN]))  # type: ignore[arg-type]
    assert preferences.unsubscribe(sent.workspace, forged) is None
    assert agrees(sent, BEN, None)


@given(text=st.text())
def test_no_text_whatever_is_taken_for_a_token(sent_once: Sent, text: str) -> None:
    assert readers.click(sent_once.workspace, text, 0) is None
    assert preferences.set_tracking(sent_once.workspace, text, agree=True) is None


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
    assert subscription.newsletter_of(sent.workspace, sent.edition_token) == "The Coalition"
    assert subscription.newsletter_of(sent.workspace, sent.token(ADA)) is None
    assert preferences.unsubscribe(sent.workspace, sent.edition_token) is None
    assert preferences.choose_topics(sent.workspace, sent.edition_token, []) is None
    assert agrees(sent, ADA, None)
