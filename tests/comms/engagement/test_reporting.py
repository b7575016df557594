"""A report adds up, says what it counts, and runs nothing that people wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sent_newsletter import CAMPAIGN, LINKS, NOW, add_member, association, make_workspace, publish, save_campaign, send

from comms.delivery.batches import Outcome, Receipt
from comms.engagement.html import to_html
from comms.engagement.report import STATES, ReportData
from comms.engagement.terminal import render
from comms.engine import preferences, readers, reporting
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.events import EventKind

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{ 7*7 }}[red]\x1b[31m\ud800'


def printed(data: ReportData, *, width: int = 110) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    console.print(render(data))
    output = console.file
    assert isinstance(output, StringIO)
    return output.getvalue()


class Page(HTMLParser):
    """What a page is made of: every element with its attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Workspace]:
    """Two associations: of twelve members three fail, one is deferred, one is in doubt; the other list has two."""
    names = [association("coalition", "The Coalition"), association("north", "Northern Archives")]
    with make_workspace(tmp_path / "w", names) as workspace:
        for number in range(12):
            add_member(workspace, "coalition", f"m{number}@example.org", tracked=number < 4)
        for number in range(2):
            add_member(workspace, "north", f"n{number}@example.org", tracked=True)
        save_campaign(workspace, ["coalition", "north"])
        outcomes = [
            *(Receipt(number, Outcome.REJECTED, 550, "no such user") for number in (6, 7, 8)),
            Receipt(9, Outcome.DEFERRED, 451, "later"),
            Receipt(10, Outcome.UNKNOWN, 0, "the connection was lost"),
            *(Receipt(number, Outcome.ACCEPTED, 250, "ok") for number in (1, 2, 3, 4, 5)),
        ]
        first = send(workspace, "coalition", outcomes)
        second = send(workspace, "north")
        publish(workspace, "coalition")
        with workspace.host.db.atomic():
            workspace.host.add_post(CAMPAIGN, "coalition", "x", "Hello", "queued", NOW)
        for address in ("m0@example.org", "m0@example.org", "m1@example.org", "m5@example.org"):
            readers.click(workspace, first.token(address), 0)
        readers.click(workspace, second.token("n0@example.org"), 1)
        readers.opened(workspace, first.token("m0@example.org"))
        readers.opened(workspace, first.token("m0@example.org"))
        preferences.unsubscribe(workspace, second.token("n1@example.org"))
        readers.view_online(workspace, first.edition_token)
        yield workspace


def test_every_state_has_a_count_and_their_sum_is_the_audience(two: Workspace) -> None:
    data = reporting.report(two, CAMPAIGN).to_json()
    assert data["deliveries"] == {
        "sent": 7,
        "deferred": 1,
        "failed": 3,
        "skipped": 0,
        "uncertain": 0,
        "cancelled": 0,
        "ready": 3,
        "claimed": 0,
    }
    assert sum(data["deliveries"].values()) == data["audience"] == 14
    for part in data["associations"]:
        assert sum(part["deliveries"].values()) == part["audience"]
    assert sum(part["audience"] for part in data["associations"]) == data["audience"]


def test_status_is_the_top_of_the_report(two: Workspace) -> None:
    status, report = reporting.status(two, CAMPAIGN).to_json(), reporting.report(two, CAMPAIGN).to_json()
    assert list(status) == ["id", "state", "audience", "deliveries"]
    assert list(report)[:4] == list(status)
    assert {name: report[name] for name in status} == status
    assert (status["id"], status["state"]) == (CAMPAIGN, "sending")
    json.dumps(report)


def test_each_case_in_doubt_is_named(two: Workspace) -> None:
    (case,) = reporting.report(two, CAMPAIGN).to_json()["in_doubt"]
    assert case == {
        "association": "coalition",
        "address": "m9@example.org",
        "at": NOW.isoformat(timespec="seconds"),
        "cause": "the connection was lost",
        "resolution": "resent",
    }


def test_engagement_counts_clicks_of_all_and_people_only_of_those_who_agreed(two: Workspace) -> None:
    data = reporting.report(two, CAMPAIGN)
    done = data.engagement
    assert (done.clicked, done.clickers, done.opened, done.unsubscribed, done.views) == (5, 3, 1, 1, 1)
    assert done.trackable == 6
    assert [(link.url, link.clicks, link.people) for link in data.links] == [(LINKS[0], 4, 2), (LINKS[1], 1, 1)]
    assert data.clicks_by_hour == (("2027-02-01T09", 5),)


def test_why_people_were_not_reached_is_told_per_association(two: Workspace) -> None:
    coalition, north = reporting.report(two, CAMPAIGN).associations
    assert coalition.excluded == {"no_consent": 2}
    assert coalition.failures == {"550 no such user": 3}
    assert north.failures == {}


def test_a_campaign_that_was_only_scheduled_has_a_report_of_noughts(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "w") as workspace:
        save_campaign(workspace, ["coalition"])
        data = reporting.report(workspace, CAMPAIGN)
    assert data.to_json()["deliveries"] == dict.fromkeys((state.value for state in STATES), 0)
    assert "0 of 0" in printed(data)
    assert "None: what became of every message is recorded." in to_html(data)


def test_a_campaign_nobody_knows_is_a_plain_message(two: Workspace) -> None:
    for tell in (reporting.report, reporting.status):
        with pytest.raises(UsageError, match="there is no campaign 'other'"):
            tell(two, "other")


# --- the page ---------------------------------------------------------------------------------


def test_the_page_needs_nothing_but_itself(two: Workspace) -> None:
    page = Page(to_html(reporting.report(two, CAMPAIGN)))
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not any(name in ("src", "srcset") or name.startswith("on") for _, a in page.elements for name in a)
    assert "url(" not in to_html(reporting.report(two, CAMPAIGN))


def test_every_plot_has_a_title_a_description_and_names_of_its_own(two: Workspace) -> None:
    page = Page(to_html(reporting.report(two, CAMPAIGN)))
    plots = [attributes for tag, attributes in page.elements if tag == "svg"]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(plots) == 5
    assert len(ids) == len(set(ids))
    for plot in plots:
        assert plot["role"] == "img"
        assert set((plot["aria-labelledby"] or "").split()) <= set(ids)


def test_the_page_names_each_case_in_doubt_and_defines_its_figures(two: Workspace) -> None:
    words = Page(to_html(reporting.report(two, CAMPAIGN))).words
    assert "m9@example.org" in words
    assert "the mail server took the message" in words
    assert "of those who agreed to be recorded by name" in words


def test_the_same_data_gives_the_same_page(two: Workspace) -> None:
    assert to_html(reporting.report(two, CAMPAIGN)) == to_html(reporting.report(two, CAMPAIGN))


def test_shares_of_fewer_than_ten_are_not_given(two: Workspace) -> None:
    data = reporting.report(two, CAMPAIGN)
    assert data.engagement.trackable == 6
    words = Page(to_html(data)).words
    assert "50.0 %" in words  # 7 of 14 deliveries
    assert "14.3 %" not in words  # 1 unsubscribed of 7 sent
    assert "16.7 %" not in words  # 1 opened of 6
    assert "14.3 %" not in printed(data)


def test_nothing_that_people_wrote_runs_in_the_page_or_steers_the_terminal(tmp_path: Path) -> None:
    text = EVIL.replace("\ud800", "")
    with make_workspace(tmp_path / "w", [association("coalition", text)]) as workspace:
        add_member(workspace, "coalition", "<b>@example.org")
        save_campaign(workspace, ["coalition"], title=text)
        sent = send(workspace, "coalition", [Receipt(1, Outcome.REJECTED, 550, text)], title=text)
        readers.click(workspace, sent.token("<b>@example.org"), 0)
        with workspace.host.db.atomic():
            workspace.host.add_post(CAMPAIGN, "coalition", "x", "Hello", "queued", NOW)
            (post,) = workspace.host.posts(CAMPAIGN)
            bad = "javascript:alert(1)"
            workspace.host.update_post(post.id, was="queued", state="failed", now=NOW, url=bad, reason=text)
        data = reporting.report(workspace, CAMPAIGN)
    page = Page(to_html(data))
    assert not {tag for tag, _ in page.elements} & {"script", "img", "b"}
    assert not any((attributes.get("href") or "").startswith("javascript") for _, attributes in page.elements)
    assert "<script>alert(1)</script>" in page.words
    assert "{{ 7*7 }}" in page.words
    for output in (to_html(data), printed(data)):
        assert "\x1b" not in output
        output.encode()
    assert "[red]" in printed(data)


# --- the terminal -----------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_terminal_shows_every_section_at_any_width(two: Workspace, width: int) -> None:
    words = printed(reporting.report(two, CAMPAIGN), width=width)
    for title in ("Deliveries", "Readers", "Links", "By association", "Not reached", "Feeds and posts", "In doubt"):
        assert title in words
    assert "█" in words
    assert max(map(len, words.splitlines())) <= width


def test_events_of_many_days_are_counted_in_their_hours(two: Workspace) -> None:
    run = two.ledger("coalition").run(CAMPAIGN, "newsletter")
    assert run is not None
    with two.association_db("coalition").atomic():
        two.events("coalition").add(run.id, EventKind.CLICKED, NOW + timedelta(days=2), link=0)
    assert reporting.report(two, CAMPAIGN).clicks_by_hour == (("2027-02-01T09", 5), ("2027-02-03T09", 1))
