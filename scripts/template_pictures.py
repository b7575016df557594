"""Pictures of all templates filled with their examples, as Chromium shows them: what to look at after a change.

scripts/template_pictures.py            one sheet of all, for the docs: docs/pictures/templates.png
scripts/template_pictures.py FOLDER     each at 360 and 700 pixels, by day and by night, in all languages
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.support import template_gallery as gallery  # noqa: E402

SHEET = ROOT / "docs" / "pictures" / "templates.png"
WIDTHS, SCHEMES = (360, 700), ("light", "dark")
_TILE, _TALL, _GAP, _COLUMNS = 300, 400, 24, 4
_COLOURS = 256


def main(arguments: list[str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        if arguments:
            folder = Path(arguments[0])
            folder.mkdir(parents=True, exist_ok=True)
            for name, html in _all():
                for width in WIDTHS:
                    for scheme in SCHEMES:
                        (folder / f"{name}-{width}-{scheme}.png").write_bytes(_shot(browser, html, width, scheme))
        else:
            shots = [(name, _shot(browser, gallery.mail(gallery.example(name)).html, 700)) for name in gallery.NAMES]
            shots += [(name, _shot(browser, gallery.letter(name).html, 700)) for name in gallery.LETTERS[:1]]
            _sheet(shots).save(SHEET, optimize=True)
        browser.close()


def _all() -> Iterator[tuple[str, str]]:
    for name in gallery.NAMES:
        yield name, gallery.mail(gallery.example(name)).html
        yield f"{name}-arabic", gallery.mail(gallery.arabic(name)).html
        for tag in gallery.LANGUAGES:
            yield f"{name}-{tag}", gallery.mail(gallery.translated(name, tag)).html
    for name in gallery.LETTERS:
        for tag in ("en", *gallery.LANGUAGES):
            yield f"letters-{name}-{tag}", gallery.letter(name, language=tag).html


def _shot(browser: Any, html: str, width: int, scheme: str = "light") -> bytes:
    page = browser.new_page(viewport={"width": width, "height": 600}, color_scheme=scheme)
    page.route(
        f"{gallery.PICTURES}**",
        lambda route: route.fulfill(body=gallery.drawn(route.request.url.rpartition("/")[2]), content_type="image/png"),
    )
    page.set_content(html)
    taken: bytes = page.screenshot(full_page=True)
    page.close()
    return taken


def _sheet(shots: list[tuple[str, bytes]]) -> Image.Image:
    """The tops of all, side by side, each under its name."""
    rows = -(-len(shots) // _COLUMNS)
    size = _GAP + _COLUMNS * (_TILE + _GAP), _GAP + rows * (_TALL + 30 + _GAP)
    sheet = Image.new("RGB", size, "#ffffff")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(17)
    for number, (name, data) in enumerate(shots):
        left = _GAP + number % _COLUMNS * (_TILE + _GAP)
        top = _GAP + number // _COLUMNS * (_TALL + 30 + _GAP)
        pen.text((left, top), name, fill="#1d1d1f", font=font)
        with Image.open(io.BytesIO(data)) as shot:
            small = shot.convert("RGB").resize((_TILE, shot.height * _TILE // shot.width), Image.Resampling.LANCZOS)
        sheet.paste(small.crop((0, 0, _TILE, min(_TALL, small.height))), (left, top + 28))
        pen.rectangle((left, top + 28, left + _TILE - 1, top + 27 + _TALL), outline="#c9c7c2")
    return sheet.quantize(_COLOURS)


if __name__ == "__main__":
    main(sys.argv[1:])
