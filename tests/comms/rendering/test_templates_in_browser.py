"""Every template as Chromium lays it out: nothing that axe-core finds, nothing that sticks out, by day and by night."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from test_announcement_in_browser import CHROMIUM

from audiences.models import Brand
from comms.preview.readers import Invented, worst
from tests.support import axe
from tests.support.template_gallery import (
    LANGUAGES,
    LETTERS,
    NAMES,
    PICTURES,
    arabic,
    association,
    drawn,
    example,
    letter,
    mail,
    translated,
)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

WRITTEN = [*NAMES, *(f"letters/{name}" for name in LETTERS)]
MAILS = [*WRITTEN, *(f"{name} in {tag}" for tag in LANGUAGES for name in WRITTEN), *(f"{name} in ar" for name in NAMES)]


def html(name: str, brand: Brand | None = None) -> str:
    sender = association(brand=brand) if brand else None
    base, _, tag = name.partition(" in ")
    if base.startswith("letters/"):
        return letter(base.removeprefix("letters/"), sender, tag or "en").html
    campaign = arabic(base) if tag == "ar" else translated(base, tag) if tag else example(base)
    return mail(campaign, sender).html


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.route(
        f"{PICTURES}**",
        lambda route: route.fulfill(body=drawn(route.request.url.rpartition("/")[2]), content_type="image/png"),
    )
    yield page
    page.close()


@pytest.fixture(scope="module")
def axe_script(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe.script(tmp_path_factory.mktemp("axe"))


@pytest.mark.parametrize("name", MAILS)
def test_axe_finds_nothing_by_day_and_by_night(page: Any, axe_script: str, name: str) -> None:
    page.set_viewport_size({"width": 700, "height": 800})
    page.set_content(html(name))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe.violations(page, axe_script) == []


@pytest.mark.parametrize("accent", ["#ffd400", "#101010", "#e8e8e8", "#ff0000"])
@pytest.mark.parametrize("name", WRITTEN)
def test_axe_finds_nothing_in_any_colour(page: Any, axe_script: str, name: str, accent: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.set_content(html(name, Brand(accent=accent, background="#dfe8e2")))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe.violations(page, axe_script) == []


@pytest.mark.parametrize("reader", [*worst(("first_name", "state"), ())], ids=lambda reader: reader.name)
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_and_nothing_sticks_out_whoever_reads_it(
    page: Any, axe_script: str, name: str, reader: Invented
) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.set_content(mail(example(name), member=reader.member.attributes).html)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe.violations(page, axe_script) == []


@pytest.mark.parametrize("name", MAILS)
def test_nothing_sticks_out_at_the_side(page: Any, name: str) -> None:
    page.set_content(html(name))
    for width in (320, 360, 520, 700):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", NAMES)
def test_from_right_to_left_words_begin_at_the_right(page: Any, name: str) -> None:
    page.set_viewport_size({"width": 700, "height": 800})
    page.set_content(html(f"{name} in ar"))
    astray = """() => [...document.querySelectorAll("h2, p, li, blockquote")]
      .filter(e => e.checkVisibility() && e.innerText.trim() && !["right", "center", "start"]
        .includes(getComputedStyle(e).textAlign)).map(e => e.innerText.slice(0, 40))"""
    assert page.evaluate(astray) == []
