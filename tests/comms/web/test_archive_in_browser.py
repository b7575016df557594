"""The pages of the archive as Chromium lays them out: for axe-core, on the smallest phones, and with a keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from http_browser import Browser
from sent_newsletter import CAMPAIGN, Sent
from test_web_archive import PAGE, more_entries, withdraw

from tests.support import axe

CHROMIUM = shutil.which("chromium")
LISTS = ("/", "/a/coalition", "/a/coalition?q=hello&page=2")

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe_script(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe.script(tmp_path_factory.mktemp("axe"))


def test_nothing_keeps_people_from_using_the_pages(
    sent: Sent, browser: Browser, chromium: Any, axe_script: str
) -> None:
    more_entries(sent, 30)
    page = chromium.new_page(bypass_csp=True)
    for path in (*LISTS, PAGE):
        page.goto(f"http://127.0.0.1:{browser.port}{path}")
        assert axe.violations(page, axe_script) == [], path
    withdraw(sent)
    page.goto(f"http://127.0.0.1:{browser.port}{PAGE}")
    assert axe.violations(page, axe_script) == []
    page.close()


def test_nothing_sticks_out_on_the_smallest_phones(sent: Sent, browser: Browser, chromium: Any) -> None:
    more_entries(sent, 30)
    page = chromium.new_page(viewport={"width": 320, "height": 640})
    for path in (*LISTS, PAGE):
        page.goto(f"http://127.0.0.1:{browser.port}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    page.close()


def test_an_entry_is_searched_for_with_a_keyboard_alone(sent: Sent, browser: Browser, chromium: Any) -> None:
    page = chromium.new_page()
    page.goto(f"http://127.0.0.1:{browser.port}/a/coalition")
    # The form leads to the site's public address, which is not this one.
    page.evaluate("document.forms[0].action = '/a/coalition'")
    page.focus("#words")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")
    assert page.inner_text(".entries h2") == "A partner"
    assert page.get_attribute(".entries h2 a", "href").endswith(CAMPAIGN)
    page.close()
