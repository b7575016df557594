"""The page of a collective report as Chromium shows it: for axe-core, on the smallest phones, without a connection."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from collective_samples import CLOSED, carried, large, report

from comms.engagement.collective import combine, write_html
from comms.preview import chromium
from tests.support import axe

CHROMIUM = chromium.find()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


def test_the_page_is_for_everyone(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    from playwright.sync_api import sync_playwright

    far = report(
        *(carried(f"a{at}", 90 + at, state=state) for at, state in enumerate(["Yukon", "HI", "WA", "WA", "WA"])),
        campaign="far",
        closed=CLOSED - timedelta(days=9),
    )
    write_html(large(people=4_000), tmp_path / "one.html")
    write_html(far, tmp_path / "far.html")
    write_html(combine([large(), far], title="A quarter", coalition="The Coalition"), tmp_path / "quarter.html")
    script = axe.script(tmp_path_factory.mktemp("axe"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        outside: list[str] = []
        page.on("request", lambda request: outside.append(request.url))
        for name in ("one", "far", "quarter"):
            for width in (320, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                page.goto((tmp_path / f"{name}.html").as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    assert axe.violations(page, script) == [], (name, width, scheme)
        browser.close()
    assert {url.split(":")[0] for url in outside} == {"file"}
