"""The page behind the unsubscribe link, over real HTTP: what it offers beside the one button."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from http_browser import Browser
from sent_newsletter import Sent, agrees, association, log_of, member_id

from audiences.choices import Choices
from audiences.consent import Wishes
from audiences.models import TRACKING, SuppressionScope

ADA, BEN = "ada@example.org", "ben@example.org"
TODAY = datetime.now(UTC).date()


def wishes(sent: Sent, address: str = BEN) -> Wishes:
    return Choices(sent.workspace.people("coalition").db).wishes(member_id(sent, address))


def test_the_first_view_is_one_button_and_everything_else_is_folded_away(sent: Sent, browser: Browser) -> None:
    page = browser.get(f"/u/{sent.token(BEN)}").text
    before, _, folded = page.partition("<details>")
    assert len(re.findall("<button", before)) == 1
    assert "<h2" not in before
    for heading in ("Take a pause", "Your language", "What is recorded about you"):
        assert heading in folded


def test_every_field_of_the_page_has_a_name_for_who_can_not_see_it(sent: Sent, browser: Browser) -> None:
    page = browser.get(f"/u/{sent.token(BEN)}").text
    fields = re.findall(r'<(?:select|input(?! type="(?:hidden|checkbox)"))[^>]*>', page)
    assert fields
    labels = set(re.findall(r'<label[^>]* for="([^"]+)"', page))
    for field in fields:
        named = re.search(r' id="([^"]+)"', field)
        assert "aria-label=" in field or (named and named[1] in labels), field
    for checkbox in re.finditer(r'<input type="checkbox"', page):
        assert page.rfind("<label>", 0, checkbox.start()) > page.rfind("</label>", 0, checkbox.start())


def test_topics_and_frequencies_are_chosen_in_one_go(sent: Sent, browser: Browser) -> None:
    path = f"/u/{sent.token(BEN)}/topics"
    answer = browser.form(path, "topic=news&frequency-news=weekly&frequency-jobs=daily&frequency-news-2=weekly")
    assert answer.status == 200
    assert 'role="status"' in answer.text
    assert agrees(sent, BEN, "news")
    assert not agrees(sent, BEN, "jobs")
    assert {topic: pace.frequency.value for topic, pace in wishes(sent).paces.items()} == {
        "news": "weekly",
        "jobs": "daily",
    }
    assert re.search(r'<option value="weekly" selected>', answer.text)


@pytest.mark.parametrize("value", ["hourly", "", "%00", "each%0d%0a", "x" * 5000])
def test_a_frequency_that_is_none_is_left_out_of_account(sent: Sent, browser: Browser, value: str) -> None:
    assert browser.form(f"/u/{sent.token(BEN)}/topics", f"topic=news&frequency-news={value}").status == 200
    assert wishes(sent).paces == {}


def test_a_pause_is_one_click_and_so_is_its_end(sent: Sent, browser: Browser) -> None:
    path = f"/u/{sent.token(BEN)}/pause"
    answer = browser.form(path, "months=3")
    until = wishes(sent).paused_until
    assert until is not None
    assert timedelta(days=89) <= until - TODAY <= timedelta(days=92)
    assert "You asked for a pause" in answer.text
    assert f'datetime="{until.isoformat()}"' in answer.text
    assert "End the pause" in answer.text
    assert browser.form(path, "end=now").status == 200
    assert wishes(sent).paused_until is None


def test_a_pause_can_last_until_any_day_to_come(sent: Sent, browser: Browser) -> None:
    path, day = f"/u/{sent.token(BEN)}/pause", TODAY + timedelta(days=10)
    assert browser.form(path, f"until={day.isoformat()}").status == 200
    assert wishes(sent).paused_until == day


@pytest.mark.parametrize(
    "body", ["", "months=2", "months=99999999", "months=%D9%A1", "until=", "until=yesterday", "until=2020-01-01",
             "until=2027-02-30", "end=later", "until=%00", "months=1x"],
)  # fmt: skip
def test_a_pause_that_makes_no_sense_is_refused_with_the_reason(sent: Sent, browser: Browser, body: str) -> None:
    answer = browser.form(f"/u/{sent.token(BEN)}/pause", body)
    assert answer.status == 400
    assert "Nothing was changed" in answer.text
    assert wishes(sent).paused_until is None


def test_a_language_is_chosen_from_the_list(sent: Sent, browser: Browser) -> None:
    answer = browser.form(f"/u/{sent.token(BEN)}/language", "language=es")
    assert '<option value="es" lang="es" selected>Español</option>' in answer.text
    assert browser.form(f"/u/{sent.token(BEN)}/language", "language=tlh").status == 400
    member = sent.workspace.people("coalition").find(BEN)
    assert member is not None
    assert member.language == "es"


def test_relays_are_stopped_from_everyone_and_let_in_again(sent: Sent, browser: Browser) -> None:
    path = f"/u/{sent.token(BEN)}"
    assert "pass on" not in browser.get(path).text, "one association alone relays nothing"
    sent.workspace.add_association(association("lakeland", "Lakeland"))
    assert "Stop what is passed on, from everyone" in browser.get(path).text
    host = sent.workspace.people("coalition")
    assert "Let it come again" in browser.form(f"{path}/relays", "stop=yes").text
    assert host.suppressed_for_relays([BEN]) == {BEN}
    browser.form(f"{path}/relays", "stop=no")
    assert host.suppressed_for_relays([BEN]) == set()


def test_who_is_blocked_is_shown_the_way_back(sent: Sent, browser: Browser) -> None:
    people = sent.workspace.people("coalition")
    with people.db.atomic():
        people.suppress(BEN, SuppressionScope.ASSOCIATION, "hard bounce", datetime.now(UTC))
    assert 'href="/subscribe/coalition"' in browser.get(f"/u/{sent.token(BEN)}").text


def test_no_way_of_asking_but_the_forms_changes_anything(sent: Sent, browser: Browser) -> None:
    before = log_of(sent, BEN)
    for name in ("topics", "pause", "language", "relays", "tracking"):
        path = f"/u/{sent.token(BEN)}/{name}"
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            assert browser(method, f"{path}?months=1&language=es&stop=yes&agree=yes").status == 405
        for token in (sent.edition_token, "nonsense", sent.token(BEN)[:-2]):
            answer = browser.form(f"/u/{token}/{name}", "months=1&language=es&stop=yes&agree=yes&topic=news")
            assert answer.status == 404
    assert log_of(sent, BEN) == before
    assert wishes(sent) == Wishes()


def test_a_choice_leaves_tracking_as_it_was(sent: Sent, browser: Browser) -> None:
    for name, body in (("topics", "topic=news"), ("pause", "months=1"), ("language", "language=fr")):
        browser.form(f"/u/{sent.token(ADA)}/{name}", body)
    people = sent.workspace.people("coalition")
    number = member_id(sent, ADA)
    assert people.standings({number: ADA})[number].states[TRACKING] == "granted"
