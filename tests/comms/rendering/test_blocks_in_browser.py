"""Every kind of block as Chromium lays it out: nothing sticks out, and all of it can be read, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from test_announcement_in_browser import CHROMIUM, LOW_CONTRAST, WORD
from test_rendering_blocks import edition, shown

from audiences.models import Brand
from comms.engine.preview import SAMPLE
from comms.pictures import Picture
from comms.surroundings import Surroundings

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="
AROUND = Surroundings(
    "https://e.org/e/coalition/spring",
    {"wide.jpg": Picture(PIXEL, 1280, 640)},
    {"ana.jpg": Picture(PIXEL, 144, 144)},
)
SHORT = SAMPLE.split("---\n", 2)[2] + "\n![Wide](wide.jpg)\n\n::: person Ana\nphoto: ana.jpg\n\nWords about her.\n:::\n"
LONG = (
    f"::: quote {WORD}\n{WORD}\n:::\n\n::: person {WORD}\nphoto: ana.jpg\nrole: {WORD}\n"
    f"link: mailto:a@{WORD[:60]}.org\n:::\n\n"
    f"::: event {WORD}\nstart: 2027-06-14 09:00\ntimezone: UTC\nplace: {WORD}\n\n{WORD}\n:::\n\n"
    f"::: poll {WORD}\n- {WORD}\n- other\n:::\n\n"
    f"::: columns\n::: column\n::: statistic 1,234,567,890,123\n{WORD}\n:::\n:::\n"
    "::: column\n::: person Ana\nphoto: ana.jpg\n:::\n:::\n:::\n"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("width", [320, 360, 480, 700])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_block_sticks_out_at_the_side(browser: Any, width: int, language: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for markdown in (SHORT, LONG):
        page.set_content(shown(edition(markdown, AROUND, language=language)).html)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["#ffd400", "#1f4e79", "#101010"])
def test_all_words_of_all_blocks_stand_out(browser: Any, scheme: str, accent: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    compiled = edition(SHORT, AROUND, brand=Brand(accent=accent))
    for member in ({}, {"state": "WA"}):
        page.set_content(shown(compiled, **member).html)
        assert page.evaluate(LOW_CONTRAST) == []
    context.close()


@pytest.mark.parametrize("width", [360, 700])
def test_the_place_of_a_picture_is_kept_free_until_it_has_come(browser: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.route("**/slow.jpg", lambda route: None)
    around = Surroundings(images={"wide.jpg": Picture("https://e.org/slow.jpg", 1280, 640)})
    page.set_content(shown(edition("![Wide](wide.jpg)", around)).html, wait_until="domcontentloaded")
    box = page.evaluate("(({width, height}) => [width, height])(document.images[0].getBoundingClientRect())")
    room = min(width - 44, 544)
    assert box == [room, room / 2]
    page.close()
