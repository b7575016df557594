"""Feeds, entry pages and media, over real HTTP."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import feedparser
import pytest
from http_browser import Browser
from sent_newsletter import CAMPAIGN, SITE, Sent, publish

FEEDS = [f"/feeds/coalition{topic}.{kind}" for topic in ("", "/news") for kind in ("rss", "atom", "json")]
TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
XSS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</title><script>alert(1)</script>",
    "{{ 1234*1000001 }}{% raw %}",
    "\ud800\x00\x1b[31m",
]

# --- feeds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FEEDS)
def test_every_feed_can_be_read_and_names_its_entry(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status == 200
    kind = path.rpartition(".")[2]
    assert answer.headers["content-type"] == f"{TYPES[kind]}; charset=utf-8"
    if kind == "json":
        assert [item["url"] for item in json.loads(answer.body)["items"]] == [f"{SITE}/a/coalition/{CAMPAIGN}"]
        return
    parsed = feedparser.parse(answer.body)
    assert not parsed.bozo
    assert [entry.link for entry in parsed.entries] == [f"{SITE}/a/coalition/{CAMPAIGN}"]


@pytest.mark.parametrize("path", FEEDS)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_either_validator_alone_saves_sending_the_feed_again(browser: Browser, path: str, encoding: str) -> None:
    first = browser.get(path, Accept_Encoding=encoding)
    for headers in (
        {"If_None_Match": first.headers["etag"]},
        {"If_None_Match": f'"other", W/{first.headers["etag"]}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": first.headers["last-modified"]},
    ):
        again = browser.get(path, Accept_Encoding=encoding, **headers)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


def test_a_validator_got_with_gzip_holds_without_it_too(browser: Browser) -> None:
    zipped = browser.get(FEEDS[0], Accept_Encoding="gzip").headers["etag"]
    plain = browser.get(FEEDS[0], Accept_Encoding="identity").headers["etag"]
    assert zipped != plain
    assert browser.get(FEEDS[0], Accept_Encoding="identity", If_None_Match=zipped).status == 304
    assert browser.get(FEEDS[0], Accept_Encoding="gzip", If_None_Match=plain).status == 304


def test_a_stale_etag_outweighs_a_date_that_would_match(browser: Browser) -> None:
    first = browser.get(FEEDS[0])
    headers = {"If_None_Match": '"old"', "If_Modified_Since": first.headers["last-modified"]}
    assert browser.get(FEEDS[0], **headers).status == 200


@pytest.mark.parametrize("since", ["nonsense", "Thu, 01 Jan 1970 00:00:00 GMT", "-1", "Mon, 99 Zzz 2027"])
def test_a_date_that_is_older_or_none_gets_the_feed(browser: Browser, since: str) -> None:
    assert browser.get(FEEDS[0], If_Modified_Since=since).status == 200


def test_a_feed_is_compressed_for_whom_it_suits_and_says_that_it_varies(browser: Browser) -> None:
    zipped = browser.get(FEEDS[0], Accept_Encoding="br, gzip;q=0.8")
    plain = browser.get(FEEDS[0], Accept_Encoding="gzip;q=0")
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(zipped.body) == plain.body
    assert zipped.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_an_edit_of_an_entry_changes_the_validators(sent: Sent, browser: Browser) -> None:
    before = browser.get(FEEDS[0])
    publish(sent.workspace, "coalition", content="<p>Corrected</p>")
    assert browser.get(FEEDS[0], If_None_Match=before.headers["etag"]).status == 200


@pytest.mark.parametrize(
    "path",
    ["/feeds/nobody.rss", "/feeds/coalition/secret.rss", "/feeds/coalition/jobs.xml", "/feeds/coalition.1.rss",
     "/feeds/coalition.0.rss",
     "/feeds/..%2f..%2fcomms.rss", "/feeds/.rss", "/feeds/coalition/%00.rss"],
)  # fmt: skip
def test_a_feed_that_does_not_exist_is_a_page_not_found(browser: Browser, path: str) -> None:
    assert browser.get(path).status == 404


# --- pages ------------------------------------------------------------------------------------


def test_the_page_of_an_entry_names_its_address_and_its_feeds(browser: Browser) -> None:
    answer = browser.get(f"/a/coalition/{CAMPAIGN}")
    assert answer.status == 200
    assert f'<link rel="canonical" href="{SITE}/a/coalition/{CAMPAIGN}">' in answer.text
    assert f'type="application/atom+xml" title="The Coalition (Atom)" href="{SITE}/feeds/coalition.atom"' in answer.text
    assert '<meta property="og:title" content="A partner">' in answer.text
    assert browser.get("/a/coalition/other").status == 404
    assert browser.get(f"/a/nobody/{CAMPAIGN}").status == 404


def test_the_front_page_leads_to_every_feed(browser: Browser) -> None:
    text = browser.get("/").text
    assert all(f'href="{SITE}{path}"' in text for path in FEEDS)


@pytest.mark.parametrize("evil", XSS)
def test_what_people_wrote_runs_nowhere(sent: Sent, browser: Browser, evil: str) -> None:
    content = f'{evil}<p onclick="alert(1)">Hi</p><a href="javascript:alert(1)">x</a><iframe src="//evil"></iframe>'
    with sent.workspace.host.db.atomic():
        sent.workspace.host.db.execute("DELETE FROM entry")
        sent.workspace.host.db.execute("UPDATE association SET name = ?", [evil.replace("\ud800", "")])
    publish(sent.workspace, "coalition", title=evil.replace("\ud800", ""), content=content.replace("\ud800", ""))
    for path in ("/", f"/a/coalition/{CAMPAIGN}", f"/u/{sent.token('ben@example.org')}"):
        text = browser.get(path).text.replace('<script type="application/ld+json">', "")  # no script: data
        for danger in (
            "<script",
            "onerror=alert(1)>",
            "onclick",
            "javascript:",
            "<iframe",
            "1234001234",
            "\x1b",
            "\x00",
        ):
            assert danger not in text.replace("onerror=alert(1)&gt;", ""), path


def test_headers_of_public_pages_allow_no_script_and_no_frame(browser: Browser) -> None:
    for path in ("/", f"/a/coalition/{CAMPAIGN}", FEEDS[0], "/site.css", "/nothing", "/media/nothing"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "script-src" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "x-robots-tag" not in headers


def test_health_says_ok_and_nothing_else(browser: Browser) -> None:
    answer = browser.get("/healthz")
    assert (answer.status, answer.text) == (200, '{"status":"ok"}')


# --- media ------------------------------------------------------------------------------------


@pytest.fixture
def media(sent: Sent) -> Path:
    folder = sent.workspace.media_folder
    (folder / "2027").mkdir()
    for name in ("logo.png", "drawing.svg", "page.html", "2027/photo.JPG", ".hidden.png"):
        (folder / name).write_bytes(b"<svg onload='alert(1)'/>")
    (folder / "link.png").symlink_to(sent.workspace.folder / "comms.toml")
    (folder / "up").symlink_to(sent.workspace.folder)
    return folder


@pytest.mark.usefixtures("media")
def test_pictures_are_shown_and_kept_by_their_readers(browser: Browser) -> None:
    for path in ("/media/logo.png", "/media/2027/photo.JPG"):
        answer = browser.get(path)
        assert answer.status == 200
        assert answer.headers["content-type"] in ("image/png", "image/jpeg")
        assert answer.headers["content-disposition"].startswith("inline")
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert browser.get(path, If_None_Match=answer.headers["etag"]).status == 304


@pytest.mark.usefixtures("media")
def test_whatever_could_run_something_is_only_offered_to_be_saved(browser: Browser) -> None:
    for path, kind in (("/media/drawing.svg", "image/svg+xml"), ("/media/page.html", "application/octet-stream")):
        answer = browser.get(path)
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-type"] == kind
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize(
    "path",
    ["../comms.toml", "..%2fcomms.toml", "%2e%2e/comms.toml", "2027/../../comms.toml", "..%5ccomms.toml",
     "/etc/passwd", "%2fetc%2fpasswd", "link.png", "up/comms.toml", ".hidden.png", "2027", "", "logo.png%00",
     "logo.png/", "a%0d%0ab", "x" * 3000, "../host.db", "%c0%ae%c0%ae/comms.toml"],
)  # fmt: skip
def test_no_path_leads_out_of_the_media_folder(browser: Browser, path: str) -> None:
    answer = browser.get(f"/media/{path}")
    assert answer.status == 404
    assert b"[site]" not in answer.body
