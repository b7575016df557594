"""Making a feed of one's own in Chromium: by keyboard, on the smallest phone, and for axe-core."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from http_browser import Browser
from sent_newsletter import SITE, Sent

from tests.support import axe

CHROMIUM = shutil.which("chromium")
BEN = "ben@example.org"

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


def test_a_member_makes_a_feed_with_a_keyboard_on_the_smallest_phone(
    sent: Sent, browser: Browser, chromium: Any
) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 640})
    page.goto(f"http://127.0.0.1:{browser.port}/u/{sent.token(BEN)}")
    page.focus("summary")
    page.keyboard.press("Enter")
    page.focus("text=Make my feed")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('The address of your feed')")
    url = page.input_value("#feed")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.focus("#feed")
    page.keyboard.press("Control+A")
    assert page.evaluate("document.getSelection().toString()") == url, "it can be taken whole"
    page.click("text=Back to all choices")
    page.click("summary")
    page.wait_for_selector("text=You have had a feed of your own since")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.close()
    assert browser.get(url.removeprefix(SITE)).status == 200


def test_nothing_keeps_people_from_making_a_feed(
    sent: Sent, browser: Browser, chromium: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    script = axe.script(tmp_path_factory.mktemp("axe"))
    page = chromium.new_page(bypass_csp=True)
    page.goto(f"http://127.0.0.1:{browser.port}/u/{sent.token(BEN)}")
    page.click("summary")
    assert axe.violations(page, script) == []
    page.click("text=Make my feed")
    page.wait_for_selector("#feed")
    page.click("summary")
    assert axe.violations(page, script) == []
    page.close()
