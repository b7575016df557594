"""Pictures of a preview: what sticks out is measured, nothing runs or is fetched, and the browser leaves no trace."""

from __future__ import annotations

import http.server
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from preview_samples import campaign, office

from comms.engine import preview
from comms.engine.preview import Wishes
from comms.preview import chromium, pictures
from comms.preview.looks import LOOKS, Look
from comms.preview.pictures import Pictured
from tests.support import axe

CHROMIUM = chromium.find()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]
MAIL = "<!doctype html><html><head><style>{style}</style></head><body style='margin:0'>{body}</body></html>"
DARK = "@media (prefers-color-scheme: dark) { body { background: #000 } }"


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where browsers put their profiles; empty, and without a process that uses it, when a test is over."""
    folder = Path(tempfile.mkdtemp(prefix="p-"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert [*folder.iterdir(), *processes(folder)] == []
    folder.rmdir()


def is_clean(folder: Path) -> bool:
    return not list(folder.iterdir()) and not processes(folder)


def processes(folder: Path) -> list[int]:
    """Those that name the folder in their command line."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in line.read_bytes() and int(line.parent.name) != os.getpid():
                found.append(int(line.parent.name))
        except OSError:
            continue
    return found


def taken(*bodies: str, style: str = "", fetch: Any = lambda url: None) -> tuple[dict[str, Pictured], dict[Any, bytes]]:
    assert CHROMIUM is not None
    shots: dict[Any, bytes] = {}

    def keep(name: str, look: Look, data: bytes) -> None:
        shots[name, look.name] = data

    mails = {str(number): MAIL.format(body=body, style=style) for number, body in enumerate(bodies)}
    return pictures.take(CHROMIUM, mails, fetch, keep, lambda: None), shots


def pixel(data: bytes, x: int, y: int) -> tuple[int, ...]:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").getpixel((x, y))


def test_every_mail_is_pictured_in_every_look() -> None:
    red = io.BytesIO()
    Image.new("RGB", (10, 10), "#ff0000").save(red, "PNG")
    found, shots = taken(
        '<img src="http://a.example/media/red.png" width="200" height="50" alt="">',
        *["<p>more</p>"] * 2,
        style=DARK,
        fetch=lambda url: ("image/png", red.getvalue()) if url == "http://a.example/media/red.png" else None,
    )
    assert {name: (each.looks, each.wide, each.reason) for name, each in found.items()} == dict.fromkeys(
        "012", (LOOKS, {}, "")
    )
    assert set(shots) == {(name, look.name) for name in "012" for look in LOOKS}
    for look in LOOKS:
        with Image.open(io.BytesIO(shots["0", look.name])) as image:
            assert image.width == look.width
        background = (0, 0, 0) if look.dark else (255, 255, 255)
        assert pixel(shots["0", look.name], 300, 5) == background
        assert pixel(shots["0", look.name], 100, 25) == ((255, 0, 0) if look.images else background)


def test_what_sticks_out_is_measured() -> None:
    found, _ = taken('<div style="width:500px">wide</div>', "<p>narrow</p>")
    assert {look.name: width for look, width in found["0"].wide.items()} == {
        "360-light": 500,
        "360-dark": 500,
        "360-no-images": 500,
    }
    assert found["1"].wide == {}


class _Counting(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_no_script_runs_and_nobody_is_asked_for_anything(tmp_path: Path) -> None:
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>')
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Counting) as server:
        server.asked = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = f"http://127.0.0.1:{server.server_port}"
        body = f"""
        <script>document.body.style.background = "red"; fetch("{site}/fetch")</script>
        <img src="{site}/image" onerror="document.body.style.background='red'"><img src="file://{secret}">
        <iframe src="{site}/frame"></iframe><iframe srcdoc="<img src='{site}/inner'>"></iframe>
        <object data="{site}/object"></object><link rel="stylesheet" href="{site}/style">
        <link rel="preconnect" href="{site}">
        <video src="{site}/video" autoplay></video>
        <form action="{site}/form"><button autofocus>x</button></form>"""
        refresh = f'<meta http-equiv="refresh" content="0; url={site}/refresh">'
        found, shots = taken(
            body, refresh, style=f'@import "{site}/import"; @font-face {{ font-family: x; src: url({site}/font) }}'
        )
        server.shutdown()
    assert found["0"].reason == ""
    assert server.asked == []  # type: ignore[attr-defined]
    assert pixel(shots["0", "360-light"], 1, 1) == (255, 255, 255)


def test_a_kill_leaves_no_browser_and_no_profile(profiles: Path) -> None:
    program = f"""
import tempfile, time; tempfile.tempdir = {str(profiles)!r}
from comms.preview.chromium import Chromium, find
browser = Chromium(find()); browser.call("Browser.getVersion"); print("up", flush=True); time.sleep(60)"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert processes(profiles)
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 20
    while not is_clean(profiles) and time.monotonic() < end:
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exec sleep 60", "did not answer"),
        ("exit 3", "ended by itself"),
        ("printf 'x' >&4; sleep 60", "did not answer"),
    ],
)
def test_a_browser_that_fails_costs_the_pictures_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    monkeypatch.setattr(chromium, "ANSWER_S", 0.5)
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    started = time.monotonic()
    with office(tmp_path) as workspace:
        made = preview.show(workspace, campaign(workspace), tmp_path / "out", Wishes(), browser=str(program))
    assert time.monotonic() - started < 20
    assert [note.kind for note in made.proofs[0].notes] == ["no-picture"]
    assert said in made.proofs[0].notes[0].message
    assert (tmp_path / "out" / "message.eml").exists()
    assert (tmp_path / "out" / "index.html").exists()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = pictures.take(str(tmp_path / "none"), {"a": "x"}, lambda url: None, lambda *_: None, lambda: None)
    assert "ended by itself" in found["a"].reason


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contact sheet with pictures, one mail without, and one that can not be made."""
    folder = tmp_path_factory.mktemp("sheet")
    with office(folder) as workspace:
        file = campaign(workspace, text="City: {{ member.first_name|upper }}")
        wishes = Wishes(worst_cases=True)
        preview.show(workspace, file, folder / "plain", wishes, browser=None)
        preview.show(workspace, file, folder / "out", wishes, browser=CHROMIUM)
    return folder


def test_the_sheet_shows_the_pictures_and_says_what_they_show(sheet: Path) -> None:
    text = (sheet / "out" / "index.html").read_text("utf-8")
    shown = [path.name for path in (sheet / "out").glob("*.png")]
    assert len(shown) == len(LOOKS) * 7
    assert all(f'src="{name}"' in text for name in shown)
    assert "no Chromium was found" not in text


@pytest.mark.parametrize("folder", ["out", "plain"])
def test_the_sheet_is_for_everyone(sheet: Path, tmp_path_factory: pytest.TempPathFactory, folder: str) -> None:
    from playwright.sync_api import sync_playwright

    script = axe.script(tmp_path_factory.getbasetemp() / "axe-of-sheets")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        outside: list[str] = []
        page.on("request", lambda request: outside.append(request.url) if not request.url.startswith("file:") else None)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto((sheet / folder / "index.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert axe.violations(page, script) == []
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the mails"
        reached = set()
        for _ in range(300):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.tagName"))
        assert {"message.eml", "message.html", "message.txt"} <= reached
        assert ("DIV" if folder == "out" else "IFRAME") in reached
        browser.close()
    assert [url for url in outside if not url.startswith("http://127.0.0.1")] == []
