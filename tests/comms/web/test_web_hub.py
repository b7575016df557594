"""The hub over real HTTP, beside a thread that announces: what a subscriber on the web goes through."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from http_browser import Browser
from sent_newsletter import CAMPAIGN, SITE, Sent, publish

from comms.engine.announcer import announcer
from comms.engine.workspace import Workspace
from comms.web.server import serve
from tests.conftest import Comms
from tests.support.processes import wait_until
from tests.support.websub_server import WebSubServer, websub_server

TOPIC = f"{SITE}/feeds/coalition.atom"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def subscriber() -> Iterator[WebSubServer]:
    with websub_server() as running:
        yield running


def ask(browser: Browser, **fields: str) -> tuple[int, str]:
    answer = browser.form("/hub", urlencode({f"hub.{name}": value for name, value in fields.items()}))
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status, answer.text


def test_a_subscriber_finds_the_hub_subscribes_and_gets_what_is_published(
    sent: Sent, browser: Browser, subscriber: WebSubServer
) -> None:
    found = browser.get("/feeds/coalition.atom")
    assert found.headers["link"] == f'<{SITE}/hub>; rel="hub", <{TOPIC}>; rel="self"'
    links = {link.get("rel"): link.get("href") for link in ET.fromstring(found.body).iter(f"{ATOM}link")}
    assert links["hub"] == f"{SITE}/hub"
    folder = sent.workspace.folder
    with announcer(lambda: Workspace(folder, environment={}), caller=subscriber.caller()):
        wanted = {"mode": "subscribe", "topic": links["self"] or "", "callback": subscriber.url("reader.example/cb")}
        assert ask(browser, **wanted, secret="s3cret")[0] == 202
        wait_until(lambda: sent.workspace.host.db.execute("SELECT count(*) FROM subscriber").fetchone() == (1,))
        publish(sent.workspace, "coalition", title="Put right")
        wait_until(lambda: subscriber.of("POST"))
    came = subscriber.of("POST")[0]
    assert came.is_signed_with("s3cret")
    assert came.body == browser.get("/feeds/coalition.atom").body


@pytest.mark.parametrize("name", ["coalition.rss", "coalition/news.atom", "coalition/tag/hosting.json"])
def test_every_public_feed_names_itself_and_the_hub(browser: Browser, name: str) -> None:
    for status, headers in ((200, {}), (304, {"If-None-Match": browser.get(f"/feeds/{name}").headers["etag"]})):
        answer = browser("GET", f"/feeds/{name}", headers=headers)
        assert answer.status == status
        assert answer.headers["link"] == f'<{SITE}/hub>; rel="hub", <{SITE}/feeds/{name}>; rel="self"'


def test_the_answer_says_what_is_wrong_and_the_body_may_be_anything(browser: Browser) -> None:
    status, text = ask(browser, mode="subscribe", topic="https://elsewhere.example/", callback="https://a.example/")
    assert (status, text) == (404, 'hub.topic must be the rel="self" address of a public feed of this site.\n')
    for body in (b"", b"\xff\xfe\x00", b"hub.mode=subscribe&" * 100, b"hub.topic=%ED%B2%80&hub.mode=subscribe"):
        answer = browser("POST", "/hub", body, {"Content-Type": "application/x-www-form-urlencoded"})
        assert 400 <= answer.status < 500
    assert browser("POST", "/hub", b"x" * 100_000, {"Content-Type": "application/x-www-form-urlencoded"}).status == 413
    assert browser.get("/hub").status == 405


def test_who_asks_too_often_is_told_when_to_come_back(browser: Browser) -> None:
    body = urlencode({"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": "https://victim.example/"})
    statuses = [browser.form("/hub", body) for _ in range(101)]
    assert [answer.status for answer in statuses] == [202] * 100 + [429]
    assert statuses[-1].headers["retry-after"] == "3600"


def test_where_the_settings_want_no_hub_there_is_none_and_hubs_of_others_are_named(sent: Sent) -> None:
    settings = f'[site]\nurl = "{SITE}"\n[feeds]\nhub = false\nhubs = ["https://hub.example/"]\n'
    (sent.workspace.folder / "comms.toml").write_text(settings)
    server = serve(sent.workspace.folder, "127.0.0.1", 0)
    server.start()
    try:
        browser = Browser(server.port)
        assert browser.form("/hub", "hub.mode=subscribe").status == 404
        answer = browser.get("/feeds/coalition.rss")
        assert answer.headers["link"] == (
            f'<https://hub.example/>; rel="hub", <{SITE}/feeds/coalition.rss>; rel="self"'
        )
        assert b"https://hub.example/" in answer.body
        assert f"{SITE}/hub".encode() not in answer.body
    finally:
        server.stop()


def test_pages_and_archive_documents_name_no_hub(browser: Browser) -> None:
    for path in ("/", "/feeds.opml", f"/a/coalition/{CAMPAIGN}"):
        assert "/hub" not in browser.get(path).text


@pytest.mark.slow
def test_the_running_program_asks_no_callback_inside_and_shows_who_subscribed(
    comms: Comms, tmp_path: Path, subscriber: WebSubServer
) -> None:
    port = comms.environment["COMMS_SITE__PORT"]
    comms.environment |= {"COMMS_SITE__URL": SITE, "COMMS_DELIVERY__SENDERS": "1"}
    browser = Browser(int(port))
    with (tmp_path / "log").open("wb") as log:
        running = comms.start("run", stdout=log, stderr=log)

        def is_up() -> bool:
            try:
                return browser.get("/healthz").status == 200
            except OSError:
                return False

        try:
            wait_until(is_up)
            for host in ("localhost", "ip6-localhost", "127.1", "2130706433"):
                wanted = {"mode": "subscribe", "topic": TOPIC, "callback": subscriber.url(f"{host}/cb")}
                assert ask(browser, **wanted)[0] == 202
            wait_until(lambda: comms("feed", "subscribers", "--json").json()["waiting"] == 0)
        finally:
            running.terminate()
            running.wait(timeout=30)
    assert subscriber.came == []
    shown = comms("feed", "subscribers", "--json").json()
    assert shown == {"hub": f"{SITE}/hub", "waiting": 0, "subscribers": [], "pings": []}
    assert "Nobody subscribes" in comms("feed", "subscribers").out
