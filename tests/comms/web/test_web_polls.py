"""Polls and files for calendars, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import icalendar
import pytest
from http_browser import Browser
from sent_newsletter import CAMPAIGN, DEFINITION, SITE, Sent, add_member, make_workspace, publish, save_campaign, send
from test_web_letters import bad_tokens

from comms.engagement.polls import Ballots
from comms.web.server import serve

ADA, BEN = "ada@example.org", "ben@example.org"
ASKING = f"""{DEFINITION}
::: poll Which <3 "day"?
- Monday
- Tuesday & Wednesday
:::

::: event Open day
start: 2027-05-01 10:00
timezone: Europe/Paris
link: https://example.org/open
:::

::: locked
::: event Second day
start: 2027-05-02 10:00
timezone: Europe/Paris
:::
:::
"""


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[Sent]:
    with make_workspace(tmp_path / "coalition") as workspace:
        add_member(workspace, "coalition", ADA, tracked=True)
        add_member(workspace, "coalition", BEN)
        save_campaign(workspace, ["coalition"], definition=ASKING)
        yield send(workspace, "coalition")


@pytest.fixture
def browser(sent: Sent) -> Iterator[Browser]:
    server = serve(sent.workspace.folder, "127.0.0.1", 0)
    server.start()
    yield Browser(server.port)
    server.stop()


def counts(sent: Sent) -> dict[tuple[int, int], int]:
    return dict(Ballots(sent.workspace.association_db("coalition")).counts(sent.run))


# --- polls ------------------------------------------------------------------------------------


def test_the_answer_chosen_in_the_mail_is_chosen_on_the_page_and_one_button_gives_it(
    sent: Sent, browser: Browser
) -> None:
    page = browser.get(f"/p/{sent.token(ADA)}/0/1")
    assert page.status == 200
    assert "Which &lt;3 &#34;day&#34;?" in page.text
    assert 'value="1" checked' in page.text
    assert 'value="0" checked' not in page.text
    assert page.text.count("<button>") == 1
    assert page.headers["cache-control"] == "private, no-store"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert "script-src" not in page.headers["content-security-policy"]

    thanks = browser.form(f"/p/{sent.token(ADA)}/0", "choice=1")
    assert thanks.status == 200
    assert "Thank you, your answer is counted." in thanks.text
    assert counts(sent) == {(0, 1): 1}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_programs_that_follow_every_link_of_a_mail_vote_for_nothing(sent: Sent, browser: Browser, method: str) -> None:
    for choice in (0, 1):
        assert browser(method, f"/p/{sent.token(ADA)}/0/{choice}").status == 200
    assert counts(sent) == {}


def test_who_comes_back_is_told_what_counts_now(sent: Sent, browser: Browser) -> None:
    browser.form(f"/p/{sent.token(ADA)}/0", "choice=1")

    again = browser.get(f"/p/{sent.token(ADA)}/0/0")
    assert 'So far it is: <span lang="en" dir="ltr">Tuesday &amp; Wednesday</span>' in again.text
    browser.form(f"/p/{sent.token(ADA)}/0", "choice=0")
    assert counts(sent) == {(0, 0): 1}


@pytest.mark.parametrize(
    "path", ["/0/2", "/1/0", "/0/x", "/x/0", "/0/-1", "/0/99999999999999999999", "/0/%D9%A1", "/0/"]
)
def test_polls_and_answers_that_do_not_exist_are_not_found(sent: Sent, browser: Browser, path: str) -> None:
    assert browser.get(f"/p/{sent.token(ADA)}{path}").status == 404


@pytest.mark.parametrize("form", ["", "choice=", "choice=2", "choice=x", "choice=-1", "other=0"])
def test_a_form_without_an_answer_counts_nothing(sent: Sent, browser: Browser, form: str) -> None:
    assert browser.form(f"/p/{sent.token(ADA)}/0", form).status == 404
    assert counts(sent) == {}


def test_tokens_of_others_are_not_found(sent: Sent, browser: Browser) -> None:
    for token in bad_tokens(sent):
        assert browser.get(f"/p/{token}/0/0").status == 404
        assert browser.form(f"/p/{token}/0", "choice=0").status == 404
    assert counts(sent) == {}


def test_the_link_that_everybody_has_says_why_it_takes_no_answer(sent: Sent, browser: Browser) -> None:
    page = browser.get(f"/p/{sent.edition_token}/0/1")
    assert page.status == 200
    assert "<form" not in page.text
    assert "can not be answered here" in page.text
    answered = browser.form(f"/p/{sent.edition_token}/0", "choice=0")
    assert "Thank you" not in answered.text
    assert counts(sent) == {}


# --- files for calendars ----------------------------------------------------------------------


def test_each_event_has_a_file_at_an_address_that_stays(sent: Sent, browser: Browser) -> None:
    first = browser.get(f"/e/coalition/{CAMPAIGN}/0.ics")
    assert (first.status, first.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert first.headers["content-disposition"] == f'attachment; filename="{CAMPAIGN}.ics"'
    (entry,) = icalendar.Calendar.from_ical(first.body).walk("VEVENT")
    assert (entry["SUMMARY"], entry["URL"]) == ("Open day", "https://example.org/open")
    assert entry["UID"] == f"0.{CAMPAIGN}.coalition@news.example.org"

    (second,) = icalendar.Calendar.from_ical(browser.get(f"/e/coalition/{CAMPAIGN}/1.ics").body).walk("VEVENT")
    assert (second["SUMMARY"], second["URL"]) == ("Second day", f"{SITE}/")
    again = browser.get(f"/e/coalition/{CAMPAIGN}/0.ics", If_None_Match=first.headers["etag"])
    assert again.status == 304


@pytest.mark.parametrize(
    "path",
    [f"coalition/{CAMPAIGN}/2.ics", f"coalition/{CAMPAIGN}/x.ics", "coalition/none/0.ics", f"x/{CAMPAIGN}/0.ics"],
)
def test_events_that_do_not_exist_are_not_found(sent: Sent, browser: Browser, path: str) -> None:
    assert browser.get(f"/e/{path}").status == 404


def test_an_event_is_nobodys_business_before_it_was_sent_or_published(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "waiting") as workspace:
        save_campaign(workspace, ["coalition"], definition=ASKING)
        server = serve(workspace.folder, "127.0.0.1", 0)
        server.start()
        browser = Browser(server.port)
        assert browser.get(f"/e/coalition/{CAMPAIGN}/0.ics").status == 404
        publish(workspace, "coalition")
        assert browser.get(f"/e/coalition/{CAMPAIGN}/0.ics").status == 200
        server.stop()
