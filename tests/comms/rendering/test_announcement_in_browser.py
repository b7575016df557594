"""The announcement as Chromium lays it out, from the smallest phones to a desk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from rendering_samples import a_campaign, an_association, rendered
from test_announcement_template import story

from audiences.models import Brand
from campaigns.models import Button, Columns, Heading, Link, Plain, Quote, Text

CHROMIUM = shutil.which("chromium")
WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 2

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("width", [320, 360, 375, 480, 520, 700])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_nothing_sticks_out_at_the_side(browser: Any, width: int, language: str) -> None:
    long = Text((Plain(WORD),), 1)
    blocks = (
        Heading(1, (Plain(WORD),), 1),
        long,
        Button("https://a.example/", (Plain(WORD),), 1),
        Columns(((long,), (long,), (long,)), 1),
        *story(1),
    )
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.set_content(rendered(a_campaign(*blocks, language=language)).html)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["#ffd400", "#1f4e79", "#101010"])
def test_all_text_stands_out_from_what_is_behind_it(browser: Any, scheme: str, accent: str) -> None:
    association = an_association(brand=Brand(accent=accent, background="#eef3ef"))
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    linked = Text((Link("https://a.example/", (Plain("A link"),)),), 1)
    page.set_content(rendered(a_campaign(*story(1), linked, Quote((linked,), 1)), association).html)
    assert page.evaluate(LOW_CONTRAST) == []
    context.close()


LOW_CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length == 3 || c[3] > 0) return c; }
    return [255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), low = [];
  for (let node; node = walker.nextNode();) {
    const e = node.parentElement;
    if (!node.data.trim() || !e.checkVisibility() || parseFloat(getComputedStyle(e).fontSize) < 2) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => x - y);
    if ((b + .05) / (a + .05) < 4.5) low.push(node.data.trim().slice(0, 40));
  }
  return low;
}"""
