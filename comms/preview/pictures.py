"""HTML of mails -> pictures of them, and what sticks out; scripts are off, and nothing is fetched from anywhere."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from comms.preview.chromium import BrowserError, Chromium, Event
from comms.preview.looks import LOOKS, Look

AT_ONCE = 2
"""Browsers that run side by side."""
TALLEST = 8_000
"""Pixels after which a picture ends."""
_ADDRESS = "http://mail.invalid/"
_FIRST_HEIGHT = 740
_HEADERS = {
    "Cache-Control": "no-store",  # or pictures that were shown once would be shown again where they are left out
    "Content-Security-Policy": "script-src 'none'; object-src 'none'; frame-src 'none'; connect-src 'none'",
    "X-Content-Type-Options": "nosniff",
}

Fetch = Callable[[str], tuple[str, bytes] | None]
"""Address of an image -> its media type and content; None for what is not to be shown. Called by several threads."""
Keep = Callable[[str, Look, bytes], None]
"""Takes each picture, a PNG, as it is made: name of the mail, look, content. Called by several threads."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """What came of picturing one mail."""

    looks: tuple[Look, ...] = ()
    """Those of which there is a picture."""
    wide: Mapping[Look, int] = field(default_factory=dict)
    """Looks in which something sticks out at the side -> the width that it takes."""
    reason: str = ""
    """Why there are no more pictures; empty when all is well."""


def take(
    program: str, mails: Mapping[str, str], fetch: Fetch, keep: Keep, done: Callable[[], None]
) -> dict[str, Pictured]:
    """Picture each mail in all looks. `mails` has the HTML by name; `done` is called after each.

    A browser that fails costs the pictures of one mail, not those of others.
    """
    work: SimpleQueue[tuple[str, str]] = SimpleQueue()
    for item in mails.items():
        work.put(item)
    stop = threading.Event()
    results: dict[str, Pictured] = {}

    def worker() -> None:
        studio = _Studio(program, fetch)
        try:
            for name, html in _items(work, stop):
                results[name] = studio.picture(html, lambda look, data, name=name: keep(name, look, data))  # type: ignore[misc]
                done()
        finally:
            studio.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for future in [pool.submit(worker) for _ in range(min(AT_ONCE, len(mails)))]:
                future.result()
        finally:
            stop.set()
    return results


def _items(work: SimpleQueue[tuple[str, str]], stop: threading.Event) -> Iterator[tuple[str, str]]:
    while not stop.is_set():
        try:
            yield work.get_nowait()
        except Empty:
            return


class _Studio:
    """A browser and its page, opened anew after a failure."""

    def __init__(self, program: str, fetch: Fetch) -> None:
        self._program = program
        self._fetch = fetch
        self._page: _Page | None = None

    def picture(self, html: str, keep: Callable[[Look, bytes], None]) -> Pictured:
        looks: list[Look] = []
        wide: dict[Look, int] = {}
        try:
            page = self._page = self._page or _Page(self._program, self._fetch)
            for look in LOOKS:
                width, data = page.picture(html, look)
                keep(look, data)
                looks.append(look)
                if width > look.width:
                    wide[look] = width
        except BrowserError as error:
            self.close()
            return Pictured(tuple(looks), wide, str(error))
        return Pictured(tuple(looks), wide)

    def close(self) -> None:
        if self._page is not None:
            self._page.close()
            self._page = None


class _Page:
    """Shows one mail after the other. Raises BrowserError."""

    def __init__(self, program: str, fetch: Fetch) -> None:
        self._chromium = Chromium(program, self._heard)
        self._fetch = fetch
        self._html, self._images, self._is_loaded = "", True, False
        try:
            target = self._chromium.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self._chromium.call("Target.attachToTarget", targetId=target, flatten=True)
            self._session: str = attached["sessionId"]
            self._call("Page.enable")
            self._call("Fetch.enable", patterns=[{"urlPattern": "*"}])
            self._call("Emulation.setScriptExecutionDisabled", value=True)
        except BaseException:
            self.close()
            raise

    def picture(self, html: str, look: Look) -> tuple[int, bytes]:
        """Width that the mail takes in pixels, and its picture."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if look.dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        size = {"width": look.width, "height": _FIRST_HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        self._html, self._images, self._is_loaded = html, look.images, False
        self._call("Page.navigate", url=_ADDRESS)
        self._chromium.wait_until(lambda: self._is_loaded, "loading the mail")
        content = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": look.width, "height": max(1, min(content["height"], TALLEST)), "scale": 1}
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return int(content["width"]), base64.b64decode(shot["data"])

    def close(self) -> None:
        self._chromium.close()

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        return self._chromium.call(method, self._session, **parameters)

    def _heard(self, event: Event) -> None:
        match event["method"]:
            case "Page.loadEventFired":
                self._is_loaded = True
            case "Fetch.requestPaused":
                self._answer(event["params"]["requestId"], event["params"]["request"]["url"])

    def _answer(self, request: str, url: str) -> None:
        if url == _ADDRESS:
            found: tuple[str, bytes] | None = "text/html; charset=utf-8", self._html.encode("utf-8", "replace")
        else:
            found = self._fetch(url) if self._images else None
        if found is None:
            self._chromium.tell("Fetch.failRequest", self._session, requestId=request, errorReason="BlockedByClient")
            return
        kind, data = found
        headers = {"Content-Type": kind, **_HEADERS}
        self._chromium.tell(
            "Fetch.fulfillRequest",
            self._session,
            requestId=request,
            responseCode=200,
            responseHeaders=[{"name": name, "value": value} for name, value in headers.items()],
            body=base64.b64encode(data).decode("ascii"),
        )
