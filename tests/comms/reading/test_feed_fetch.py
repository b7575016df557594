"""Feeds are asked for politely, in bounds, and never within a private network. A real server."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.outside import guard
from comms.outside.exchange import Patience
from comms.reading.fetch import MAX_BYTES, Validators
from tests.support.feed_server import FeedServer, Page, feed_server, rss

FEED = rss("News", ("One", "https://museum.org/1"))


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with feed_server() as site:
        yield site


def test_a_feed_comes_with_what_the_server_says_of_it(site: FeedServer) -> None:
    site.pages["museum.org/feed"] = Page(FEED, headers={"Last-Modified": "Mon, 01 Feb 2027 09:00:00 GMT"})
    answer = site.fetcher().fetch(site.url("museum.org/feed"))
    assert (answer.status, answer.body, answer.fault, answer.moved_to) == (200, FEED, "", "")
    assert answer.validators.etag.startswith('W/"')
    assert answer.validators.last_modified == "Mon, 01 Feb 2027 09:00:00 GMT"


def test_we_say_who_asks_and_send_neither_cookies_nor_referrer(site: FeedServer) -> None:
    site.pages["museum.org/feed"] = Page(FEED, headers={"Set-Cookie": "you=1"})
    fetcher = site.fetcher()
    for _ in range(2):
        fetcher.fetch(site.url("museum.org/feed"))
    for request in site.asked:
        assert "https://news.example.org" in request.headers["User-Agent"]
        assert not {"Cookie", "Referer"} & set(request.headers)


def test_validators_go_back_to_the_letter_and_a_304_has_no_body(site: FeedServer) -> None:
    site.pages["museum.org/feed"] = Page(FEED)
    first = site.fetcher().fetch(site.url("museum.org/feed"))
    again = site.fetcher().fetch(site.url("museum.org/feed"), first.validators)
    assert (again.status, again.body) == (304, b"")
    assert site.asked[1].headers["If-None-Match"] == first.validators.etag


def test_a_date_alone_goes_back_too(site: FeedServer) -> None:
    site.pages["museum.org/feed"] = Page(FEED, conditional=False)
    site.fetcher().fetch(site.url("museum.org/feed"), Validators(last_modified="yesterday, they say"))
    assert site.asked[0].headers["If-Modified-Since"] == "yesterday, they say"
    assert "If-None-Match" not in site.asked[0].headers


def test_a_zipped_feed_is_unpacked(site: FeedServer) -> None:
    site.pages["museum.org/feed"] = Page(FEED, zipped=True)
    assert site.fetcher().fetch(site.url("museum.org/feed")).body == FEED


@pytest.mark.parametrize("zipped", [False, True])
def test_more_than_there_is_room_for_is_refused_also_when_it_comes_small(site: FeedServer, zipped: bool) -> None:
    site.pages["museum.org/feed"] = Page(b" " * (MAX_BYTES + 1), zipped=zipped)
    answer = site.fetcher().fetch(site.url("museum.org/feed"))
    assert (answer.status, answer.body) == (0, b"")
    assert "5,000,000 bytes" in answer.fault


@pytest.mark.parametrize(("encoding", "body"), [("br", FEED), ("gzip", b"\x1f\x8b\x08broken"), ("gzip", b"")])
def test_what_is_packed_otherwise_or_badly_is_refused(site: FeedServer, encoding: str, body: bytes) -> None:
    site.pages["museum.org/feed"] = Page(body, headers={"Content-Encoding": encoding})
    assert "packed" in site.fetcher().fetch(site.url("museum.org/feed")).fault


def test_a_server_that_is_never_done_is_left(site: FeedServer) -> None:
    site.pages["museum.org/feed"] = Page(FEED, drip=True)
    answer = site.fetcher(Patience(1, 1, 0.6)).fetch(site.url("museum.org/feed"))
    assert answer.fault == "the site does not answer in time"


@pytest.mark.parametrize(("statuses", "moves"), [((301, 308), True), ((301, 302), False), ((302, 301), False)])
def test_a_feed_has_moved_when_every_step_on_the_way_says_so(
    site: FeedServer, statuses: tuple[int, int], moves: bool
) -> None:
    site.pages["museum.org/old"] = Page(status=statuses[0], headers={"Location": "/newer"})
    site.pages["museum.org/newer"] = Page(status=statuses[1], headers={"Location": site.url("library.org/feed")})
    site.pages["library.org/feed"] = Page(FEED)
    answer = site.fetcher().fetch(site.url("museum.org/old"))
    assert answer.body == FEED
    assert answer.moved_to == (site.url("library.org/feed") if moves else "")


def test_circles_end(site: FeedServer) -> None:
    site.pages["museum.org/feed"] = Page(status=302, headers={"Location": "/feed"})
    assert "more than five times" in site.fetcher().fetch(site.url("museum.org/feed")).fault
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "address",
    [
        "http://inside.example/feed",
        "http://10.1.2.3/feed",
        "http://[::1]/feed",
        "http://[::ffff:169.254.169.254]/latest",
        "http://[64:ff9b::a9fe:a9fe]/latest",
        "http://[2002:7f00:1::]/feed",
        "http://[fec0::1]/feed",
    ],
)
def test_nothing_within_a_network_is_asked_not_even_after_a_redirect(site: FeedServer, address: str) -> None:
    assert site.fetcher().fetch(address).fault == "the address is not a public one"
    site.pages["museum.org/feed"] = Page(status=302, headers={"Location": address})
    assert site.fetcher().fetch(site.url("museum.org/feed")).fault == "the address is not a public one"


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://museum.org/feed", "//", "http://", "gopher://x"])
def test_a_redirect_to_what_is_no_web_address_ends_there(site: FeedServer, address: str) -> None:
    site.pages["museum.org/feed"] = Page(status=302, headers={"Location": address})
    answer = site.fetcher().fetch(site.url("museum.org/feed"))
    assert answer.status == 0
    assert answer.fault


def test_a_site_that_is_gone_is_said_to_be(site: FeedServer) -> None:
    assert "no such site" in site.fetcher().fetch("http://museum.gone/feed").fault


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_in_ipv6_clothes_is_public_only_if_it_is_itself(number: int) -> None:
    plain = ipaddress.IPv4Address(number)
    for high in (0xFFFF << 32, 0x0064FF9B << 96):
        assert guard.is_public(ipaddress.IPv6Address(high | number)) == guard.is_public(plain)
