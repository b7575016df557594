"""Pages as Chromium draws them, without any network, and how much two of them differ."""

from __future__ import annotations

import base64
import shutil
from types import TracebackType
from typing import Self

from playwright.sync_api import Route, sync_playwright

WIDTHS = (700, 360)
"""In CSS pixels: a desk and a phone."""
_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200" fill="#9ab"/>'
    '<circle cx="100" cy="80" r="50" fill="#345"/></svg>'
)
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_DIFFERENCE = """async ([one, other]) => {
  const draw = async (data) => {
    const image = new Image();
    image.src = "data:image/png;base64," + data;
    await image.decode();
    return image; };
  const [a, b] = [await draw(one), await draw(other)];
  const [width, height] = [Math.max(a.width, b.width), Math.max(a.height, b.height)];
  const pixels = (image) => {
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(image, 0, 0);
    return new Uint32Array(context.getImageData(0, 0, width, height).data.buffer); };
  const [left, right] = [pixels(a), pixels(b)];
  return left.reduce((count, pixel, at) => count + (pixel !== right[at]), 0) / left.length;
}"""


class Screen:
    """One browser for many pages."""

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        self._page = self._browser.new_page()
        self._page.route("**/*", _answer)
        self._blank = self._browser.new_page()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._browser.close()
        self._playwright.stop()

    def pictures(self, document: str) -> tuple[bytes, ...]:
        """The whole page as PNG, one for each of WIDTHS."""
        return tuple(self._picture(document, width) for width in WIDTHS)

    def difference(self, one: bytes, other: bytes) -> float:
        """The share of pixels in which two pictures differ, 0 when they are identical."""
        if one == other:
            return 0.0
        encoded = [base64.b64encode(picture).decode() for picture in (one, other)]
        return float(self._blank.evaluate(_DIFFERENCE, encoded))

    def _picture(self, document: str, width: int) -> bytes:
        self._page.set_viewport_size({"width": width, "height": 400})
        self._page.set_content(document)
        return self._page.screenshot(full_page=True)


def _answer(route: Route) -> None:
    """Every image is the same picture; fonts and all else are not to be had."""
    if route.request.resource_type == "image":
        route.fulfill(body=_PICTURE, content_type="image/svg+xml")
    else:
        route.abort()
