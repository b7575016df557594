"""What was published, over real HTTP: pages, lists, searches, withdrawals, and feeds that are kept warm."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from http_browser import Browser
from sent_newsletter import CAMPAIGN, NOW, SITE, Sent, add_member, publish

from audiences.models import Member
from campaigns import definition
from comms.engine import corrections, editions, feeds

PAGE = f"/a/coalition/{CAMPAIGN}"


def withdraw(sent: Sent) -> None:
    changes = corrections.withdrawal(sent.workspace, CAMPAIGN, reason="It was <wrong>.")
    corrections.apply(sent.workspace, changes, who="ann")


def more_entries(sent: Sent, number: int) -> None:
    """One a day before the first, so that the list has several pages and years."""
    host = sent.workspace.host
    row = host.entry("coalition", CAMPAIGN)
    assert row is not None
    with host.db.atomic():
        for day in range(1, number + 1):
            name, at = f"older-{day}", NOW - timedelta(days=day)
            host.save_campaign(
                name, title=name, definition="", state="sent", senders=["coalition"], due_at=None, now=NOW
            )
            host.save_entry(
                dataclasses.replace(
                    row, campaign=name, tag_uri=f"{row.tag_uri}/{day}", title=f"Older {day}", published=at, updated=at
                )
            )


def titles(text: str) -> list[str]:
    return re.findall(r'<h2><a href="[^"]+">(.*?)</a></h2>', text)


def test_the_list_is_paged_and_leads_to_every_year(sent: Sent, browser: Browser) -> None:
    more_entries(sent, 40)
    first = browser.get("/a/coalition").text
    assert titles(first)[:2] == ["A partner", "Older 1"]
    assert len(titles(first)) == 20
    assert "Page 1 of 3" in first
    assert f'<a rel="next" href="{SITE}/a/coalition?page=2">' in first
    assert titles(browser.get("/a/coalition?page=3").text) == ["Older 40"]
    assert f'<a href="{SITE}/a/coalition?year=2026">2026' in first
    assert titles(browser.get("/a/coalition?year=2026").text)[0] == "Older 32"


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=2", "page=99999", "year=1999", "year=x", "year=20277", "year=%00"]
)
def test_a_page_or_year_that_does_not_exist_is_not_found(browser: Browser, query: str) -> None:
    assert browser.get(f"/a/coalition?{query}").status == 404
    assert browser.get("/a/nobody").status == 404


def test_a_search_marks_what_it_found_and_is_no_page_to_index(browser: Browser) -> None:
    answer = browser.get("/a/coalition?q=partn")
    assert titles(answer.text) == ["A <mark>partner</mark>"]
    assert answer.headers["x-robots-tag"] == "noindex"
    assert titles(browser.get("/a/coalition?q=nothing-like-it").text) == []


@pytest.mark.parametrize(
    "words",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', '" OR 1=1 --', "NEAR(", "\x02\x03", "%",
     "x" * 5_000, "{{ 7*7 }}", "\u202e", "*"],
)  # fmt: skip
def test_nothing_that_is_searched_for_does_harm(browser: Browser, words: str) -> None:
    answer = browser.get(f"/a/coalition?q={quote(words)}")
    assert answer.status == 200
    assert "<script>" not in answer.text
    assert "<img" not in answer.text
    assert not set("\x02\x03") & set(answer.text)


def test_bytes_that_are_no_text_can_be_searched_for(browser: Browser) -> None:
    assert browser.get("/a/coalition?q=%ff%ed%a0%80").status == 200


def test_an_entry_says_to_machines_what_it_is_and_nothing_in_it_ends_the_data(sent: Sent, browser: Browser) -> None:
    publish(sent.workspace, "coalition", title="</script><b>&")
    text = browser.get(PAGE).text
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text)
    assert json.loads(data)["headline"] == "</script><b>&"
    assert json.loads(data)["@type"] == "NewsArticle"
    assert json.loads(data)["mainEntityOfPage"] == f"{SITE}{PAGE}"


def test_a_withdrawn_entry_is_gone_and_its_page_says_so_and_why(sent: Sent, browser: Browser) -> None:
    kept = browser.get(PAGE).headers["etag"]
    withdraw(sent)
    answer = browser.get(PAGE, If_None_Match=kept)
    assert answer.status == 410
    assert "The Coalition withdrew this on" in answer.text
    assert "It was &lt;wrong&gt;." in answer.text
    assert "Hello." not in answer.text
    assert "ld+json" not in answer.text
    assert titles(browser.get("/a/coalition").text) == []


def test_an_entry_stays_when_its_campaign_is_cancelled(sent: Sent, browser: Browser) -> None:
    with sent.workspace.host.db.atomic():
        sent.workspace.host.db.execute("UPDATE campaign SET state = 'cancelled'")
    assert browser.get(PAGE).status == 200
    assert titles(browser.get("/a/coalition").text) == ["A partner"]


CANARY = "Zuckerkandl-Canary"


def test_nothing_of_any_member_is_in_what_anyone_can_read(sent: Sent, browser: Browser) -> None:
    people = sent.workspace.people("coalition")
    number = add_member(sent.workspace, "coalition", "canary@canary.example")
    with people.db.atomic():
        people.update([Member("canary@canary.example", id=number, attributes={"first_name": CANARY})], NOW)
    text = (
        "---\ncampaign: hosting-partner\ntitle: For you\nlanguage: en\naudience:\n  topic: news\n"
        "feed:\n  summary: x\n---\n\n"
        'Dear {{ member.first_name or "colleague" }}, {{ member.email }}\n'
    )
    campaign = definition.read(text, path="x.md")
    with sent.workspace.host.db.atomic():
        sent.workspace.host.db.execute("DELETE FROM entry")
        row = editions.entry(sent.workspace, campaign, sent.workspace.association("coalition"), NOW)
        sent.workspace.host.save_entry(row)
    assert "colleague" in browser.get(PAGE).text
    public = [PAGE, "/a/coalition", "/a/coalition?q=canary", "/", "/feeds.opml"]
    public += [f"/feeds/coalition{stem}.{kind}" for stem in ("", "/news") for kind in feeds.MEDIA_TYPES]
    for path in public:
        answer = browser.get(path)
        assert answer.status == 200, path
        assert "canary" not in re.sub(r"(value|href)=\"[^\"]*\"|<bdi>[^<]*|<title>[^<]*", "", answer.text).lower(), path


# --- feeds that are kept --------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(feeds.MEDIA_TYPES))
def test_an_edit_in_the_same_second_is_served_at_once(sent: Sent, browser: Browser, kind: str) -> None:
    path = f"/feeds/coalition.{kind}"
    before = browser.get(path)
    publish(sent.workspace, "coalition", title="Corrected at once")
    after = browser.get(path, If_None_Match=before.headers["etag"])
    assert after.status == 200
    assert b"Corrected at once" in after.body


def test_a_feed_bears_the_new_name_of_its_association_at_once(sent: Sent, browser: Browser) -> None:
    browser.get("/feeds/coalition.json")
    owner = sent.workspace.association("coalition")
    sent.workspace.change_association(dataclasses.replace(owner, name="The Alliance"))
    assert json.loads(browser.get("/feeds/coalition.json").body)["title"] == "The Alliance"


@pytest.mark.parametrize("kind", list(feeds.MEDIA_TYPES))
def test_head_says_what_get_would_without_the_body(browser: Browser, kind: str) -> None:
    path = f"/feeds/coalition.{kind}"
    head, got = browser("HEAD", path), browser.get(path)
    assert (head.status, head.body) == (200, b"")
    for name in ("etag", "last-modified", "content-type", "content-length", "vary", "cache-control"):
        assert head.headers[name] == got.headers[name]


def test_archive_documents_are_served_and_lead_from_one_to_the_next(
    sent: Sent, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "NEWEST", 3)
    more_entries(sent, 6)
    newest = json.loads(browser.get("/feeds/coalition.json").body)
    assert newest["next_url"] == f"{SITE}/feeds/coalition.2.json"
    middle = json.loads(browser.get("/feeds/coalition.2.json").body)
    oldest = json.loads(browser.get("/feeds/coalition.1.json").body)
    assert middle["next_url"] == f"{SITE}/feeds/coalition.1.json"
    assert "next_url" not in oldest
    seen = {item["id"] for each in (newest, middle, oldest) for item in each["items"]}
    assert len(seen) == 7
    assert browser.get("/feeds/coalition.3.json").status == 404
    assert browser.get("/feeds/coalition.1.atom").headers["cache-control"] == "public, max-age=86400"


def test_the_list_of_feeds_is_offered_as_a_file(browser: Browser) -> None:
    answer = browser.get("/feeds.opml")
    assert answer.headers["content-type"] == "text/x-opml; charset=utf-8"
    assert f'xmlUrl="{SITE}/feeds/coalition/news.atom"' in answer.text
