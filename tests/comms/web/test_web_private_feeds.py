"""Feeds for one member alone, over real HTTP: who makes them, what stands in them, and how they end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import feedparser
import pytest
from http_browser import Browser
from sent_newsletter import CAMPAIGN, SITE, Sent, add_member, consent, member_id, publish

from audiences.models import ANY_TOPIC, ConsentState, Member, SuppressionScope, Topic
from campaigns.store import EntryRow
from comms.engine import private_feeds, rights
from comms.engine.workspace import Workspace

BEN = "ben@example.org"
KINDS = ("rss", "atom", "json")


def make(sent: Sent, browser: Browser, address: str = BEN) -> dict[str, str]:
    """Make a feed on the page of a member: format -> path of its address."""
    answer = browser("POST", f"/u/{sent.token(address)}/feed", b"")
    assert answer.headers["cache-control"] == "private, no-store"
    page = answer.text
    return {kind: path for path, kind in re.findall(rf'value="{SITE}(/r/[^"]+\.(\w+))" readonly', page)}


def add_entry(workspace: Workspace, name: str, topic: str) -> None:
    entry = workspace.host.entry("coalition", CAMPAIGN)
    assert entry is not None
    host = workspace.host
    with host.db.atomic():
        host.save_campaign(
            name, title=name, definition="x", state="sent", senders=["coalition"], due_at=None, now=entry.published
        )
        host.save_entry(
            replace(entry, campaign=name, topic=topic, title=name.capitalize(), tag_uri=f"tag:x.example,2026:{name}")
        )


def titles(body: bytes) -> set[str]:
    return {entry.title for entry in feedparser.parse(body).entries}


def test_a_member_makes_a_feed_whose_addresses_are_shown_once(sent: Sent, browser: Browser) -> None:
    path = f"/u/{sent.token(BEN)}"
    assert "Make my feed" in browser.get(path).text
    paths = make(sent, browser)
    assert list(paths) == list(KINDS)
    token = paths["atom"].rpartition("/")[2].removesuffix(".atom")
    assert len(token.partition(".")[2]) == 43
    later = browser.get(path).text
    assert token not in later
    assert "You have had a feed of your own since" in later
    assert "Make a new address" in later


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_served_is_a_feed_that_nobody_may_keep_or_find(sent: Sent, browser: Browser, kind: str) -> None:
    answer = browser.get(make(sent, browser)[kind])
    assert answer.status == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert "link" not in answer.headers
    assert b"hub" not in answer.body
    assert b"A partner" in answer.body


def test_a_reader_that_has_it_already_gets_no_second_copy(sent: Sent, browser: Browser) -> None:
    path = make(sent, browser)["rss"]
    first = browser.get(path)
    again = browser.get(path, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["cache-control"] == "private, no-store"


def test_it_holds_what_the_member_agrees_to_now_and_what_has_no_topic(sent: Sent, browser: Browser) -> None:
    workspace = sent.workspace
    add_entry(workspace, "vacancy", "jobs")
    add_entry(workspace, "notice", "")
    path = make(sent, browser)["atom"]
    assert titles(browser.get(path).body) == {"A partner", "Vacancy", "Notice"}
    consent(workspace, "coalition", BEN, "jobs", ConsentState.WITHDRAWN)
    assert titles(browser.get(path).body) == {"A partner", "Notice"}
    consent(workspace, "coalition", BEN, "jobs", ConsentState.GRANTED)
    assert titles(browser.get(path).body) == {"A partner", "Vacancy", "Notice"}


def test_a_topic_that_is_not_public_reaches_who_agreed_to_it_alone(sent: Sent, browser: Browser) -> None:
    workspace = sent.workspace
    people = workspace.people("coalition")
    with people.db.atomic():
        people.add_topic(Topic("board", "Board papers", public=False))
    add_entry(workspace, "agenda", "board")
    add_member(workspace, "coalition", "board@example.org", grants=["board"])
    add_member(workspace, "coalition", "news@example.org", grants=["news"])
    found = {}
    for address in ("board@example.org", "news@example.org"):
        url = private_feeds.make_for(workspace, "coalition", address, who="dana").atom
        found[address] = titles(browser.get(url.removeprefix(SITE)).body)
    assert found == {"board@example.org": {"Agenda"}, "news@example.org": {"A partner"}}


def test_each_member_has_a_feed_of_another_id_and_no_token_in_it(sent: Sent, browser: Browser) -> None:
    ids = set()
    for address in ("ada@example.org", BEN):
        path = make(sent, browser, address)["atom"]
        parsed = feedparser.parse(browser.get(path).body)
        ids.add(parsed.feed.id)
        assert path.split(".")[1] not in parsed.feed.id
    assert len(ids) == 2


def test_a_replaced_token_is_refused_on_the_next_request_and_the_new_one_works(sent: Sent, browser: Browser) -> None:
    old = make(sent, browser)
    assert browser.get(old["atom"]).status == 200
    new = make(sent, browser)
    for kind in KINDS:
        assert browser.get(old[kind]).status == 410
        assert browser.get(new[kind]).status == 200


def test_an_ended_feed_is_refused_on_the_next_request(sent: Sent, browser: Browser) -> None:
    path = make(sent, browser)["rss"]
    etag = browser.get(path).headers["etag"]
    assert browser("POST", f"/u/{sent.token(BEN)}/feed/end", b"").status == 200
    for headers in ({}, {"If-None-Match": etag}):
        answer = browser("GET", path, headers=headers)
        assert answer.status == 410
        assert answer.headers["cache-control"] == "private, no-store"
    assert "Make my feed" in browser.get(f"/u/{sent.token(BEN)}").text


def stopped(sent: Sent) -> None:
    consent(sent.workspace, "coalition", BEN, ANY_TOPIC, ConsentState.WITHDRAWN)


def suppressed(sent: Sent) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.suppress(BEN, SuppressionScope.ASSOCIATION, "complained", sent.workspace.now())


def erased(sent: Sent) -> None:
    assert rights.erase_member(sent.workspace, BEN, "coalition") is not None


def left_without_an_address(sent: Sent) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.update([Member(None, id=member_id(sent, BEN))], sent.workspace.now())


@pytest.mark.parametrize("happens", [stopped, suppressed, erased, left_without_an_address])
def test_who_gets_no_newsletters_any_more_has_no_feed(
    sent: Sent, browser: Browser, happens: Callable[[Sent], None]
) -> None:
    path = make(sent, browser)["atom"]
    happens(sent)
    assert browser.get(path).status == 410


def test_who_stopped_can_make_no_feed_even_with_a_request_of_their_own_making(sent: Sent, browser: Browser) -> None:
    stopped(sent)
    token = sent.token(BEN)
    assert "feed" not in browser.get(f"/u/{token}").text
    answer = browser("POST", f"/u/{token}/feed", b"")
    assert answer.status == 400
    assert "/r/" not in answer.text


def test_looking_changes_nothing(sent: Sent, browser: Browser) -> None:
    """Scanners follow every link: only POST makes or ends a feed."""
    path = make(sent, browser)["rss"]
    for name in ("feed", "feed/end"):
        for method in ("GET", "HEAD"):
            assert browser(method, f"/u/{sent.token(BEN)}/{name}").status in (404, 405)
    assert browser.get(path).status == 200


def test_an_edition_s_token_which_everybody_has_makes_no_feed(sent: Sent, browser: Browser) -> None:
    assert browser("POST", f"/u/{sent.edition_token}/feed", b"").status == 404


@pytest.mark.parametrize(
    "name",
    [
        f"coalition.{'x' * 43}.rss",
        f"nowhere.{'x' * 43}.rss",
        "coalition..rss",
        ".rss",
        f"{'c' * 70}.{'x' * 43}.atom",
        f"coalition.{'%00' * 43}.json",
        f"coalition.{'%C3%A9' * 43}.json",
        f"coalition.{'x' * 43}.rss%0A",
        f"{'x' * 20_000}.rss",
        f"coalition.{'x' * 43}.exe",
    ],
)
def test_an_address_that_leads_to_no_feed_says_nothing_of_any(browser: Browser, name: str) -> None:
    answer = browser.get(f"/r/{name}")
    assert answer.status in (404, 410)
    assert answer.headers["cache-control"] == "private, no-store"


def test_no_public_page_names_a_private_feed(sent: Sent, browser: Browser) -> None:
    token = make(sent, browser)["rss"].split(".")[1]
    for path in ("/", "/feeds.opml", "/feeds/coalition.atom", f"/a/coalition/{CAMPAIGN}", "/a/coalition"):
        assert token not in browser.get(path).text
        assert "/r/" not in browser.get(path).text


def test_the_database_holds_no_token(sent: Sent, browser: Browser) -> None:
    token = make(sent, browser)["rss"].split(".")[1].encode()
    folder = sent.workspace.folder
    for path in (*folder.glob("*.db*"), *folder.glob("associations/*")):
        assert token not in path.read_bytes()


def test_an_entry_that_was_withdrawn_goes_from_it_too(sent: Sent, browser: Browser) -> None:
    path = make(sent, browser)["rss"]
    row = sent.workspace.host.entry("coalition", CAMPAIGN)
    assert isinstance(row, EntryRow)
    with sent.workspace.host.db.atomic():
        sent.workspace.host.save_entry(replace(row, withdrawn=row.updated, note="Wrong."))
    assert titles(browser.get(path).body) == set()


def test_a_feed_of_another_association_holds_nothing_of_this_one(sent: Sent, browser: Browser) -> None:
    workspace = sent.workspace
    workspace.add_association(replace(workspace.association(None), slug="lakeland", name="Lakeland"))
    publish(workspace, "lakeland", title="From the lake", topic="news")
    assert titles(browser.get(make(sent, browser)["atom"]).body) == {"A partner"}
