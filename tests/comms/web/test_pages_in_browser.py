"""The pages where people choose, as Chromium lays them out: on the smallest phones, and with a keyboard alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from http_browser import Browser
from sent_newsletter import Sent, add_topics, agrees, association

from audiences.signups import SignUps

CHROMIUM = shutil.which("chromium")
BEN = "ben@example.org"
WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.mark.parametrize("width", [320, 800])
def test_nothing_sticks_out_and_no_target_is_too_small_for_a_finger(
    sent: Sent, browser: Browser, chromium: Any, width: int
) -> None:
    sent.workspace.add_association(association("lakeland", WORD))
    add_topics(sent.workspace, "coalition", long=WORD * 2)
    site = f"http://127.0.0.1:{browser.port}"
    page = chromium.new_page(viewport={"width": width, "height": 640})
    for path in (f"/u/{sent.token(BEN)}", "/subscribe/coalition"):
        page.goto(f"{site}{path}")
        if page.query_selector("summary"):
            page.click("summary")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        # WCAG 2.2, success criterion 2.5.8: at least 24 pixels.
        sizes = page.eval_on_selector_all(
            "button, select, input:not([type=hidden]):not([tabindex])",
            "all => all.map(e => e.getBoundingClientRect()).map(r => Math.min(r.width, r.height))",
        )
        assert min(sizes) >= 24, path
    page.close()


@pytest.mark.parametrize("width", [360, 700])
def test_a_page_that_reads_from_the_right_begins_where_it_is_looked_at(
    sent: Sent, browser: Browser, chromium: Any, width: int
) -> None:
    sent.workspace.host.db.execute("UPDATE entry SET language = 'ar', title = 'دعوة إلى شريك'")
    page = chromium.new_page(viewport={"width": width, "height": 640})
    page.goto(f"http://127.0.0.1:{browser.port}/a/coalition/hosting-partner")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.query_selector("h1").bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    page.close()


def test_a_browser_sends_the_sign_up_form_so_that_it_is_taken(sent: Sent, browser: Browser, chromium: Any) -> None:
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{browser.port}/subscribe/coalition")
    page.focus("#address")
    page.keyboard.type("eva@example.org")
    for key in ("Tab", "Space", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("text=Now look into your mailbox")
    page.close()
    (kept,) = SignUps(sent.workspace.association_db("coalition")).of_address("eva@example.org")
    assert list(kept.topics) == ["jobs"]


def test_the_choices_are_made_with_a_keyboard_alone_and_the_page_says_that_they_are_saved(
    sent: Sent, browser: Browser, chromium: Any
) -> None:
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{browser.port}/u/{sent.token(BEN)}")
    page.focus("summary")
    page.keyboard.press("Enter")
    for key in ("Tab", "Space", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("[role=status]")
    assert page.get_attribute("details", "open") is not None
    page.close()
    assert not agrees(sent, BEN, "jobs")
    assert agrees(sent, BEN, "news")
