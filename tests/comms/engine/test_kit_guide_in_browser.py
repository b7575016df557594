"""The guide of a kit as Chromium shows and prints it: axe-core finds nothing, a phone has all of it, one sheet does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_kits import HOST, LAKE, SOURCE, kit, opened

from comms.engine.setup import create_workspace
from tests.support import axe

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]
LETTER = {"width": "8.5in", "height": "11in"}
A4 = {"width": "210mm", "height": "297mm"}


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with create_workspace(tmp_path / "w", HOST) as workspace:
        workspace.add_association(LAKE)
        source = SOURCE.replace("questions before", "{{ member.city }}, {{ member.county }}, questions before")
        guide = opened(kit(workspace, "civicrm", source))["guide.html"]
    (tmp_path / "guide.html").write_bytes(guide)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto((tmp_path / "guide.html").as_uri())
        yield page
        browser.close()


def test_the_guide_fits_a_phone_and_one_sheet(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for sheet in (A4, LETTER):
        printed = page.pdf(**sheet, print_background=True)
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 1


def test_axe_finds_nothing_in_the_guide(page: Any, tmp_path: Path) -> None:
    script = axe.script(tmp_path)
    for width in (360, 1_000):
        page.set_viewport_size({"width": width, "height": 800})
        assert axe.violations(page, script) == []
