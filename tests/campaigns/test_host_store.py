"""The host's database: what is kept for good, what may change, and in which order it comes back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from campaigns.migrations import CAMPAIGNS
from campaigns.store import EntryRow, HostStore
from campaigns.times import stamp
from comms.db import DATABASE_ERRORS, open_database

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

ENTRY = EntryRow(
    campaign="partner",
    association="coalition",
    topic="news",
    tag_uri="tag:example.org,2027:partner",
    title="A partner",
    summary="Summary",
    content="<p>Text</p>",
    language="en",
    tags=("libraries", "archives"),
    published=NOW,
    updated=NOW,
)


def association(slug: str) -> dict[str, Any]:
    return {"slug": slug, "name": slug.title(), "sender_address": f"news@{slug}.example", "postal_address": "1 Main St",
            "brand": {"accent": "#123456", "logo_alt": "Zoë \"logo\""}}  # fmt: skip


def save(store: HostStore, campaign: str, state: str = "sending", **changes: Any) -> None:
    values = {"title": "Title", "definition": "text", "senders": ["coalition"], "due_at": None, "now": NOW}
    store.save_campaign(campaign, state=state, **{**values, **changes})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HostStore]:
    db = open_database(tmp_path / "host.db", (CAMPAIGNS,), create=True)
    store = HostStore(db)
    with db.atomic():
        store.add_association(association("museums"), NOW)
        store.add_association(association("coalition"), NOW, is_host=True)
        save(store, "partner")
    yield store
    db.close()


# --- associations ---------------------------------------------------------------------------


def test_the_host_comes_first_then_the_others_by_slug(store: HostStore) -> None:
    store.add_association(association("archives"), NOW)
    assert [row["slug"] for row in store.associations()] == ["coalition", "archives", "museums"]


def test_a_brand_comes_back_as_it_was(store: HostStore) -> None:
    assert store.associations()[0]["brand"] == association("coalition")["brand"]


def test_there_is_one_host_and_one_association_of_each_slug(store: HostStore) -> None:
    with pytest.raises(DATABASE_ERRORS, match="UNIQUE"):
        store.add_association(association("second"), NOW, is_host=True)
    with pytest.raises(DATABASE_ERRORS, match="UNIQUE"):
        store.add_association(association("museums"), NOW)


def test_a_change_concerns_one_association_and_keeps_it_host(store: HostStore) -> None:
    store.update_association({**association("coalition"), "name": "New name", "brand": {"accent": "#000000"}})
    host, museums = store.associations()
    assert (host["name"], host["brand"], host["is_host"]) == ("New name", {"accent": "#000000"}, 1)
    assert museums["name"] == "Museums"


# --- campaigns and editions -----------------------------------------------------------------


def test_a_campaign_saved_again_keeps_the_time_it_was_made(store: HostStore) -> None:
    due = datetime.fromisoformat("2027-03-01T09:00:00-05:00")
    save(store, "partner", "scheduled", title="New", definition="new", senders=["a", "b"], due_at=due, now=LATER)
    row = store.campaign("partner")
    assert row is not None
    assert (row.title, row.definition, row.state, row.senders) == ("New", "new", "scheduled", ("a", "b"))
    assert (row.due_at, row.created_at) == (due, NOW)


def test_campaigns_are_listed_by_state_oldest_first(store: HostStore) -> None:
    save(store, "b-later", "sent", now=LATER)
    save(store, "a-later", "sending", now=LATER)
    assert [row.id for row in store.campaigns()] == ["partner", "a-later", "b-later"]
    assert [row.id for row in store.campaigns(["sending", "scheduled"])] == ["partner", "a-later"]
    assert store.campaigns([]) == []
    assert not store.set_state("partner", "paused", LATER, was=["cancelled"])
    assert store.set_state("partner", "paused", LATER, was=["sending", "scheduled"])
    assert [row.id for row in store.campaigns(["paused"])] == ["partner"]
    assert store.campaign("none") is None


def test_an_edition_is_kept_for_good(store: HostStore) -> None:
    body = bytes(range(256))
    store.save_edition("partner", "coalition", "newsletter", "d1", body, NOW)
    store.save_edition("partner", "coalition", "newsletter", "d2", b"changed", LATER)
    assert store.edition("partner", "coalition", "newsletter") == body
    assert store.edition("partner", "museums", "newsletter") is None


def test_only_the_editions_of_the_campaign_that_is_prepared_anew_are_dropped(store: HostStore) -> None:
    save(store, "other")
    for campaign in ("partner", "other"):
        store.save_edition(campaign, "coalition", "newsletter", "d", campaign.encode(), NOW)
    store.drop_editions("partner")
    assert store.edition("partner", "coalition", "newsletter") is None
    assert store.edition("other", "coalition", "newsletter") == b"other"


def test_nothing_can_hang_on_a_campaign_or_association_that_does_not_exist(store: HostStore) -> None:
    for campaign, slug in (("none", "coalition"), ("partner", "none")):
        with pytest.raises(DATABASE_ERRORS, match="FOREIGN KEY"):
            store.save_edition(campaign, slug, "newsletter", "d", b"", NOW)
        with pytest.raises(DATABASE_ERRORS, match="FOREIGN KEY"):
            store.add_post(campaign, slug, "x", "text", "queued", NOW)
        with pytest.raises(DATABASE_ERRORS, match="FOREIGN KEY"):
            store.save_entry(dataclasses.replace(ENTRY, campaign=campaign, association=slug))


# --- feed entries ---------------------------------------------------------------------------


def test_an_entry_comes_back_as_it_was(store: HostStore) -> None:
    store.save_entry(ENTRY)
    assert store.entry("coalition", "partner") == ENTRY
    assert store.entry("museums", "partner") is None


def test_an_edit_changes_what_is_said_and_never_the_identity_or_first_date(store: HostStore) -> None:
    store.save_entry(ENTRY)
    edited = dataclasses.replace(
        ENTRY, title="Edited", tags=(), tag_uri="tag:other", topic="jobs", published=LATER, updated=LATER
    )
    store.save_entry(edited)
    expected = dataclasses.replace(ENTRY, title="Edited", tags=(), updated=LATER)
    assert store.entry("coalition", "partner") == expected


def test_saving_the_same_words_again_is_no_edit(store: HostStore) -> None:
    store.save_entry(ENTRY)
    store.save_entry(dataclasses.replace(ENTRY, updated=LATER))
    assert store.entry("coalition", "partner") == ENTRY


# --- posts ----------------------------------------------------------------------------------


def test_a_post_is_queued_once(store: HostStore) -> None:
    store.add_post("partner", "coalition", "x", "first words", "queued", NOW)
    store.add_post("partner", "coalition", "x", "other words", "queued", LATER)
    assert [(post.text, post.state, post.updated_at) for post in store.posts("partner")] == [
        ("first words", "queued", NOW)
    ]


def test_a_post_moves_only_from_the_state_it_is_in(store: HostStore) -> None:
    store.add_post("partner", "coalition", "x", "text", "queued", NOW)
    number = store.posts()[0].id
    assert store.update_post(number, was="queued", state="posting", now=NOW, attempt=True)
    assert not store.update_post(number, was="queued", state="posting", now=LATER, attempt=True)
    assert store.update_post(number, was="posting", state="queued", now=LATER, reason="busy", next_at=LATER)
    post = store.posts("partner", ["queued"])[0]
    assert (post.attempts, post.reason, post.next_at, post.updated_at) == (1, "busy", LATER, LATER)
    assert store.posts("partner", ["posted"]) == []


def test_cancelling_a_campaign_cancels_only_its_own_waiting_posts(store: HostStore) -> None:
    save(store, "other")
    for campaign, network in (("partner", "x"), ("partner", "mastodon"), ("other", "x")):
        store.add_post(campaign, "coalition", network, "text", "queued", NOW)
    store.update_post(store.posts("partner")[1].id, was="queued", state="posted", now=NOW)
    store.cancel_posts("partner", was="queued", state="cancelled", now=LATER)
    assert [post.state for post in store.posts()] == ["cancelled", "posted", "queued"]


# --- audit ----------------------------------------------------------------------------------


def test_the_audit_log_tells_what_was_done_in_order(store: HostStore) -> None:
    store.note("dana", "approved", "partner", "plan abc", NOW)
    store.note("lee", "paused", "partner", "", LATER)
    store.note("lee", "paused", "other", "", LATER)
    assert [tuple(row) for row in store.audit("partner")] == [
        ("2027-02-01T09:00:00+00:00", "dana", "approved", "plan abc"),
        ("2027-02-01T10:00:00+00:00", "lee", "paused", ""),
    ]


def test_a_time_is_written_so_that_it_sorts_whatever_zone_it_came_in() -> None:
    moments = [datetime.fromisoformat(text) for text in ("2027-02-01T09:00:00+14:00", "2027-01-31T19:00:01+00:00")]
    assert stamp(moments[0]) < stamp(moments[1])
    assert datetime.fromisoformat(stamp(moments[0])) == moments[0]
