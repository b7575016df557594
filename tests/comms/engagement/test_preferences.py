"""What a person may choose by the link in their mail, and what that leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sent_newsletter import (
    LINKS,
    NOW,
    Sent,
    add_member,
    add_topics,
    agrees,
    association,
    consent,
    log_of,
    make_workspace,
    member_id,
    save_campaign,
    send,
)

from audiences.choices import Choices
from audiences.models import ANY_TOPIC, TRACKING, Basis, ConsentState, Frequency, SuppressionScope, Topic
from audiences.store import EVERYONE
from comms.engine import preferences, readers, subscription
from comms.engine.audience import import_members, show_member, undo_import
from comms.errors import UsageError

ADA, BEN = "ada@example.org", "ben@example.org"
TODAY = NOW.date()


# --- stop, and keep some ----------------------------------------------------------------------


def test_the_page_shows_a_masked_address_and_what_is_subscribed(sent: Sent) -> None:
    view = subscription.page(sent.workspace, sent.token(BEN))
    assert view is not None
    assert view.address == "b***@example.org"
    assert {topic.slug: topic.agreed for topic in view.topics} == {"jobs": True, "news": True}
    assert (view.stopped, view.tracking) == (False, False)


def test_unsubscribing_withdraws_everything_and_doing_it_again_adds_nothing(sent: Sent) -> None:
    view = preferences.unsubscribe(sent.workspace, sent.token(BEN))
    assert view is not None
    assert view.stopped
    log = log_of(sent, BEN)
    last = log[-1]
    assert (last.topic, last.state) == (ANY_TOPIC, ConsentState.WITHDRAWN)
    assert last.source == "one-click unsubscribe, campaign hosting-partner"
    preferences.unsubscribe(sent.workspace, sent.token(BEN), source=preferences.PAGE)
    assert log_of(sent, BEN) == log
    assert sent.events() == [("unsubscribed", sent.deliveries[BEN], None)]


def test_unsubscribing_leaves_everybody_else_alone(sent: Sent) -> None:
    preferences.unsubscribe(sent.workspace, sent.token(BEN))
    assert agrees(sent, ADA, None)


def test_who_stopped_can_keep_one_topic_and_the_wording_is_recorded(sent: Sent) -> None:
    preferences.unsubscribe(sent.workspace, sent.token(BEN))
    view = preferences.choose_topics(sent.workspace, sent.token(BEN), ["jobs", "unknown"])
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
        preferences.choose_topics(sent.workspace, sent.token(BEN), ["jobs"])
        preferences.set_tracking(sent.workspace, sent.token(BEN), agree=True)
    assert [(record.topic, record.state.value) for record in log_of(sent, BEN)[1:]] == [
        (ANY_TOPIC, "withdrawn"),
        ("jobs", "granted"),
        (TRACKING, "granted"),
    ]


def test_who_got_everything_and_chooses_one_topic_no_longer_gets_topics_added_later(sent: Sent) -> None:
    preferences.choose_topics(sent.workspace, sent.token(BEN), ["jobs"])
    assert agrees(sent, BEN, "jobs")
    assert not agrees(sent, BEN, "a-topic-of-tomorrow")


def test_choosing_no_topic_at_all_counts_as_unsubscribing(sent: Sent) -> None:
    preferences.choose_topics(sent.workspace, sent.token(BEN), [])
    assert not agrees(sent, BEN, None)
    assert sent.events() == [("unsubscribed", sent.deliveries[BEN], None)]


def test_agreeing_to_tracking_is_recorded_with_its_wording_and_can_be_taken_back(sent: Sent) -> None:
    view = preferences.set_tracking(sent.workspace, sent.token(BEN), agree=True)
    assert view is not None
    assert view.tracking
    assert log_of(sent, BEN)[-1].wording == view.tracking_wording
    readers.opened(sent.workspace, sent.token(BEN))
    preferences.set_tracking(sent.workspace, sent.token(BEN), agree=False)
    readers.opened(sent.workspace, sent.token(BEN))
    assert sent.events() == [("opened", sent.deliveries[BEN], None)]


def test_an_erased_member_gets_a_friendly_page_and_nothing_is_recorded(sent: Sent) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.db.execute("DELETE FROM member WHERE address = ?", [ADA])
    for view in (
        subscription.page(sent.workspace, sent.token(ADA)),
        preferences.unsubscribe(sent.workspace, sent.token(ADA)),
        preferences.set_tracking(sent.workspace, sent.token(ADA), agree=True),
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
    assert subscription.mask(address) == masked


def test_a_reader_who_stops_stays_out_when_an_import_that_said_so_too_is_undone(sent: Sent, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text(f"email,status\n{BEN},unsubscribed\n")
    number = import_members(sent.workspace, file, sent.association).number
    assert number is not None
    preferences.unsubscribe(sent.workspace, sent.token(BEN))
    undo_import(sent.workspace, number, sent.association)
    assert not agrees(sent, BEN, None)


def test_a_private_topic_is_offered_only_to_who_gets_it_and_nobody_can_slip_into_it(sent: Sent) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.add_topic(Topic("board", "Board papers", public=False))
    consent(sent.workspace, "coalition", BEN, ANY_TOPIC, ConsentState.WITHDRAWN)
    view = preferences.choose_topics(sent.workspace, sent.token(BEN), ["board", "news"])
    assert view is not None
    assert {topic.slug for topic in view.topics} == {"jobs", "news"}
    assert not agrees(sent, BEN, "board")
    consent(sent.workspace, "coalition", ADA, "board", ConsentState.GRANTED)
    view = subscription.page(sent.workspace, sent.token(ADA))
    assert view is not None
    assert "board" in {topic.slug for topic in view.topics}


# --- how often --------------------------------------------------------------------------------


def test_a_chosen_frequency_is_kept_and_shown_and_choosing_the_topics_own_is_no_choice(sent: Sent) -> None:
    view = preferences.choose_topics(sent.workspace, sent.token(BEN), ["news", "jobs"], {"news": Frequency.WEEKLY})
    assert view is not None
    assert {topic.slug: topic.frequency for topic in view.topics} == {"news": "weekly", "jobs": "each"}
    preferences.choose_topics(sent.workspace, sent.token(BEN), ["news", "jobs"], {"news": Frequency.EACH})
    sent.workspace.add_topic("coalition", Topic("news", "News", Frequency.DAILY))
    view = subscription.page(sent.workspace, sent.token(BEN))
    assert view is not None
    assert {topic.slug: topic.frequency for topic in view.topics} == {"news": "daily", "jobs": "each"}


def test_a_frequency_for_a_topic_that_is_not_offered_is_left_out_of_account(sent: Sent) -> None:
    preferences.choose_topics(sent.workspace, sent.token(BEN), ["news"], {"nonsense": Frequency.WEEKLY})
    people = sent.workspace.people("coalition")
    assert Choices(people.db).wishes(member_id(sent, BEN)).paces == {}


# --- pause and language -----------------------------------------------------------------------


def test_who_pauses_is_excluded_with_that_reason_and_gets_mail_again_by_itself(sent: Sent) -> None:
    people = sent.workspace.people("coalition")
    view = preferences.pause_months(sent.workspace, sent.token(BEN), 1)
    assert view is not None
    assert view.paused_until == date(2027, 3, 1)
    assert not view.stopped
    assert people.exclusions(EVERYONE, "news", NOW) == {None: 1, "paused": 1}
    assert people.exclusions(EVERYONE, "news", NOW + timedelta(days=27)) == {None: 1, "paused": 1}
    assert people.exclusions(EVERYONE, "news", NOW + timedelta(days=28)) == {None: 2}
    shown = show_member(sent.workspace, BEN, "coalition")
    assert shown is not None
    assert (shown.mailable, shown.reason) == (False, "paused")


def test_a_pause_can_be_ended_and_leaves_consent_alone(sent: Sent) -> None:
    before = log_of(sent, BEN)
    preferences.pause(sent.workspace, sent.token(BEN), TODAY + timedelta(days=1))
    view = preferences.pause(sent.workspace, sent.token(BEN), None)
    assert view is not None
    assert view.paused_until is None
    assert sent.workspace.people("coalition").exclusions(EVERYONE, "news", NOW) == {None: 2}
    assert log_of(sent, BEN) == before


@pytest.mark.parametrize("until", [TODAY, TODAY - timedelta(days=1), date.min])
def test_a_pause_that_would_be_over_already_is_refused(sent: Sent, until: date) -> None:
    with pytest.raises(UsageError, match="can not end today"):
        preferences.pause(sent.workspace, sent.token(BEN), until)


@pytest.mark.parametrize("months", [0, -1, 2, 999_999])
def test_only_the_pauses_on_the_page_are_to_be_had(sent: Sent, months: int) -> None:
    with pytest.raises(UsageError, match="not offered"):
        preferences.pause_months(sent.workspace, sent.token(BEN), months)


def test_a_paused_member_is_left_out_of_a_run_that_was_frozen_before(sent: Sent) -> None:
    ledger = sent.workspace.ledger("coalition")
    with ledger.db.atomic():
        run = ledger.freeze(
            "second", "newsletter", topic="news", digest="d", doubt="resend", segment=EVERYONE, excluded={},
            due={None: NOW}, now=NOW,
        )  # fmt: skip
    preferences.pause_months(sent.workspace, sent.token(BEN), 3)
    with ledger.db.atomic():
        claim = ledger.claim(run, "b", 10, NOW)
    assert [recipient.address for recipient in claim.recipients] == [ADA]
    assert ledger.reasons(run.id, "skipped") == {"paused": 1}


def test_a_language_is_chosen_from_those_offered_and_shown_by_its_own_name(sent: Sent) -> None:
    view = preferences.set_language(sent.workspace, sent.token(BEN), "es")
    assert view is not None
    assert (view.language, view.languages["es"]) == ("es", "Español")
    member = sent.workspace.people("coalition").find(BEN)
    assert member is not None
    assert member.language == "es"
    for wrong in ("tlh", "", "en\n", "x" * 10_000):
        with pytest.raises(UsageError):
            preferences.set_language(sent.workspace, sent.token(BEN), wrong)


def test_the_language_that_a_person_came_with_stays_to_be_chosen(sent: Sent) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.db.execute("UPDATE member SET language = 'de-AT' WHERE address = ?", [BEN])
    view = subscription.page(sent.workspace, sent.token(BEN))
    assert view is not None
    assert list(view.languages.items()) == [
        ("en", "English"), ("es", "Español"), ("fr", "Français"), ("de-AT", "Deutsch (AT)"),
    ]  # fmt: skip


# --- relays -----------------------------------------------------------------------------------


@pytest.fixture
def relayed(tmp_path: Path) -> Iterator[Sent]:
    """A newsletter of an association that is not the host."""
    both = [association("coalition", "The Coalition"), association("lakeland", "Lakeland")]
    with make_workspace(tmp_path / "two", both) as workspace:
        add_topics(workspace, "lakeland", news="News")
        add_member(workspace, "lakeland", ADA)
        save_campaign(workspace, ["lakeland"])
        yield send(workspace, "lakeland")


def test_stopping_relays_holds_for_every_association_and_tells_none_whose_address_it_is(relayed: Sent) -> None:
    view = preferences.set_relays(relayed.workspace, relayed.token(ADA), stop=True)
    assert view is not None
    assert (view.coalition, view.relays_stopped, view.stopped) == ("The Coalition", True, False)
    host = relayed.workspace.people("coalition")
    assert host.suppressed_for_relays([ADA.upper(), BEN]) == {ADA.upper()}
    assert host.suppressed([ADA]) == set()
    assert agrees(relayed, ADA, "news")
    held = b"".join(path.read_bytes() for path in (relayed.workspace.folder / "associations").glob("coalition.db*"))
    assert ADA.encode() not in held.lower()


def test_only_the_person_lets_relays_come_again_whatever_an_import_said(relayed: Sent) -> None:
    own = relayed.workspace.people("lakeland")
    with own.db.atomic():
        own.suppress(ADA, SuppressionScope.RELAYS, "asked not to be written to for others", NOW)
    view = subscription.page(relayed.workspace, relayed.token(ADA))
    assert view is not None
    assert view.relays_stopped
    preferences.set_relays(relayed.workspace, relayed.token(ADA), stop=True)
    view = preferences.set_relays(relayed.workspace, relayed.token(ADA), stop=False)
    assert view is not None
    assert not view.relays_stopped
    for slug in ("coalition", "lakeland"):
        assert relayed.workspace.people(slug).suppressed_for_relays([ADA]) == set()


def test_the_hosts_own_readers_can_stop_relays_too_and_one_association_alone_has_none(sent: Sent) -> None:
    view = preferences.set_relays(sent.workspace, sent.token(BEN), stop=True)
    assert view is not None
    assert (view.relays_stopped, view.coalition) == (True, "")
    assert sent.workspace.people("coalition").suppressed_for_relays([BEN]) == {BEN}


def test_a_token_without_a_name_changes_nothing(sent: Sent) -> None:
    workspace, token = sent.workspace, sent.edition_token
    assert preferences.pause(workspace, token, date.max) is None
    assert preferences.set_language(workspace, token, "es") is None
    assert preferences.set_relays(workspace, token, stop=True) is None
    assert workspace.people("coalition").exclusions(EVERYONE, "news", NOW) == {None: 2}
