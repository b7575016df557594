"""What is said to callbacks and hubs, to a real server, and where nothing is ever sent."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.outside import guard
from comms.outside.exchange import Exchange, Patience
from comms.outside.guard import Address
from comms.outside.websub import PATIENCE, Caller
from tests.support.websub_server import INSIDE, LOOPBACK, Manner, WebSubServer, websub_server

TOPIC = "https://news.example.org/feeds/coalition.atom"
SITE = "https://news.example.org"


@pytest.fixture
def server() -> Iterator[WebSubServer]:
    with websub_server() as running:
        yield running


def verify(server: WebSubServer, url: str) -> str:
    return server.caller().verify(url, "subscribe", TOPIC, 600).fault


def test_a_callback_that_gives_back_the_challenge_has_confirmed(server: WebSubServer) -> None:
    assert verify(server, server.url("reader.example/cb?id=7&hub.topic=mine")) == ""
    (asked,) = server.of("GET")
    assert asked.query["id"] == ["7"]
    assert asked.query["hub.topic"] == ["mine", TOPIC], "what the callback had stays, and stands first"
    assert asked.query["hub.mode"] == ["subscribe"]
    assert asked.query["hub.lease_seconds"] == ["600"]
    assert len(asked.query["hub.challenge"][0]) >= 32


def test_no_two_challenges_are_alike(server: WebSubServer) -> None:
    for _ in range(5):
        verify(server, server.url("reader.example/cb"))
    assert len({asked.query["hub.challenge"][0] for asked in server.of("GET")}) == 5


@pytest.mark.parametrize(
    "manner",
    [
        Manner(challenge="something else"),
        Manner(challenge=""),
        Manner(suffix="\n"),
        Manner(suffix=" or so"),
        Manner(challenge="x" * 100_000),
        Manner(verify_status=404),
        Manner(verify_status=302),
        Manner(verify_status=500),
    ],
)
def test_whatever_else_a_callback_says_is_a_no(server: WebSubServer, manner: Manner) -> None:
    server.manners["reader.example/cb"] = manner
    assert verify(server, server.url("reader.example/cb")) != ""


def test_a_redirect_leads_nowhere_neither_inside_nor_outside(server: WebSubServer) -> None:
    for status in (301, 302, 303, 307, 308):
        for target in (f"http://127.0.0.2:{server.port}/", server.url("other.example/")):
            server.manners["reader.example/cb"] = Manner(verify_status=status, status=status, location=target)
            caller = server.caller()
            assert caller.verify(server.url("reader.example/cb"), "subscribe", TOPIC, 1).fault == "it leads elsewhere"
            assert caller.deliver(server.url("reader.example/cb"), b"x", "text/xml", "", None).fault
            assert caller.ping(server.url("reader.example/cb"), TOPIC).fault
    assert {came.name for came in server.came} == {"reader.example/cb"}


def test_the_whole_feed_is_given_signed_and_with_its_links(server: WebSubServer) -> None:
    link = f'<{SITE}/hub>; rel="hub", <{TOPIC}>; rel="self"'
    url = server.url("reader.example/cb?id=7")
    assert server.caller().deliver(url, b"<feed/>", "application/atom+xml", link, b"s3cret").fault == ""
    (came,) = server.of("POST")
    assert came.body == b"<feed/>"
    assert came.query == {"id": ["7"]}
    assert came.headers["Content-Type"] == "application/atom+xml"
    assert came.headers["Link"] == link
    assert came.is_signed_with("s3cret")
    assert not came.is_signed_with("another")


def test_without_a_secret_nothing_is_signed(server: WebSubServer) -> None:
    server.caller().deliver(server.url("reader.example/cb"), b"<feed/>", "application/atom+xml", "", None)
    assert "X-Hub-Signature" not in server.of("POST")[0].headers


def test_a_hub_is_told_in_the_two_ways_that_hubs_understand(server: WebSubServer) -> None:
    assert server.caller().ping(server.url("hub.example/"), TOPIC).fault == ""
    (came,) = server.of("POST")
    assert came.body == (
        b"hub.mode=publish&hub.url=https%3A%2F%2Fnews.example.org%2Ffeeds%2Fcoalition.atom"
        b"&hub.topic=https%3A%2F%2Fnews.example.org%2Ffeeds%2Fcoalition.atom"
    )


def test_only_a_410_says_that_a_subscriber_is_gone(server: WebSubServer) -> None:
    for status, gone in ((200, False), (404, False), (410, True), (500, False)):
        server.manners["reader.example/cb"] = Manner(status=status)
        reply = server.caller().deliver(server.url("reader.example/cb"), b"x", "text/xml", "", None)
        assert reply.gone is gone


def test_who_is_slow_is_left_in_the_time_there_is(server: WebSubServer) -> None:
    server.manners["reader.example/cb"] = Manner(delay=3)
    started = time.monotonic()
    caller = server.caller(Patience(0.5, 0.5, 1))
    assert "in time" in caller.deliver(server.url("reader.example/cb"), b"x" * 10, "text/xml", "", None).fault
    assert time.monotonic() - started < 2.5


# --- where nothing goes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0.0.0.0",
        "localhost",
        "169.254.169.254",
        "10.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2001:0:808:808::80ff:fffe]",
        "[2001:0:7f00:1::f7f7:f7f7]",
        "[2606:4700::5efe:7f00:1]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[fd00::1]",
    ],
)
def test_nothing_is_sent_inside_in_whatever_clothes_the_address_comes(server: WebSubServer, host: str) -> None:
    caller, url = Caller(SITE), f"http://{host}:{server.port}/cb"
    for reply in (
        caller.verify(url, "subscribe", TOPIC, 600),
        caller.deliver(url, b"<feed/>", "application/atom+xml", "", b"s"),
        caller.ping(url, TOPIC),
    ):
        assert reply.fault in ("it is not on the public internet", "there is no such host")
    assert server.came == []


def test_a_name_is_looked_up_once_and_what_was_found_is_connected_to(server: WebSubServer) -> None:
    """A name that is public when looked at, and inside at the next look (DNS rebinding)."""
    answers = iter([[LOOPBACK], [INSIDE], [INSIDE]])
    asked: list[str] = []

    def look_up(host: str, port: int) -> list[Address]:
        asked.append(host)
        return list(next(answers))

    caller = Caller(SITE, Exchange(PATIENCE, look_up=look_up, allowed=lambda address: address == LOOPBACK))
    assert caller.verify(server.url("reader.example/cb"), "subscribe", TOPIC, 1).fault == ""
    assert len(asked) == 1
    assert "public" in caller.deliver(server.url("reader.example/cb"), b"x", "text/xml", "", None).fault
    assert server.of("POST") == []


def test_a_name_with_one_address_inside_is_not_asked_at_all(server: WebSubServer) -> None:
    both = Exchange(
        PATIENCE, look_up=lambda host, port: [LOOPBACK, INSIDE], allowed=lambda address: address == LOOPBACK
    )
    caller = Caller(SITE, both)
    assert "public" in caller.verify(server.url("reader.example/cb"), "subscribe", TOPIC, 1).fault
    assert server.came == []


@given(inner=st.ip_addresses(v=4), prefix=st.sampled_from(["::ffff:", "64:ff9b::", "6to4", "teredo", "isatap"]))
def test_an_ipv6_address_with_an_ipv4_one_in_it_is_as_public_as_that(inner: ipaddress.IPv4Address, prefix: str) -> None:
    value = int(inner)
    outer = {
        "::ffff:": 0xFFFF << 32 | value,
        "64:ff9b::": 0x64FF9B << 96 | value,
        "6to4": 0x2002 << 112 | value << 80,
        "teredo": 0x20010000 << 96 | 0x08080808 << 64 | (value ^ 0xFFFFFFFF),
        "isatap": 0x26064700 << 96 | 0x5EFE << 32 | value,
    }[prefix]
    assert guard.is_public(ipaddress.IPv6Address(outer)) == guard.is_public(inner)
