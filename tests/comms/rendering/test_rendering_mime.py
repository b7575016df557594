"""A message's bytes: what any parser reads back is what went in."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, default
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.message import Message
from comms.rendering.clean import clean, one_line
from comms.rendering.errors import UnsendableAddress
from comms.rendering.mime import addr_spec, build
from comms.rendering.quoted import encode

LONG_URL = "<https://news.example.org/u/" + "abcDEF0123456789_-" * 30 + ">"


def a_message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "sender_name": "Coalition",
        "sender_address": "news@example.org",
        "recipient": "maya@example.net",
        "subject": "News",
        "html": "<p>Hello</p>",
        "text": "Hello",
        "message_id": "<1.2@example.org>",
        "date": datetime(2026, 11, 22, 9, 30, tzinfo=timezone(timedelta(hours=-8))),
        "language": "en-GB",
    }
    return Message(**{**values, **changes})


def parsed(message: Message) -> EmailMessage:
    read = email.message_from_bytes(build(message), policy=default)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    return read


def part(read: EmailMessage, kind: str) -> str:
    found = read.get_body((kind,))
    assert found is not None
    content: str = found.get_content()
    return content.replace("\r\n", "\n")


def sender_name(raw: bytes) -> str:
    """The display name by RFC 2047; `policy.default` puts spaces between encoded-words (cpython issue 128110)."""
    name, _ = parseaddr(email.message_from_bytes(raw, policy=compat32)["From"])
    return str(make_header(decode_header(name)))


NAMES = [
    "हिन्दी पुस्तकालय",
    "סִפְרִיָּה",
    "مكتبة",
    "👨‍👩‍👧 🏳️‍🌈",
    'O\'Brien, "Al" <x@y>',
    "a" * 300,
    "é" * 300,
    "=?utf-8?q?x?=",
    "ab\\c",
    "x ",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_and_subjects_come_back_as_they_were(name: str) -> None:
    read = parsed(a_message(sender_name=name, subject=name, text=name, html=f"<p>{name}</p>"))
    assert read["Subject"] == one_line(name)
    assert sender_name(build(a_message(sender_name=name))) == one_line(name)
    assert read["From"].addresses[0].addr_spec == "news@example.org"
    assert part(read, "plain") == name
    assert part(read, "html") == f"<p>{name}</p>"


@settings(max_examples=150)
@given(st.text(max_size=120), st.text(min_size=1, max_size=80), st.text(max_size=400))
def test_any_text_comes_back(subject: str, name: str, body: str) -> None:
    message = a_message(subject=subject, sender_name=name, text=body, html=body)
    raw = build(message)
    read = parsed(message)
    assert read["Subject"] == one_line(subject)
    assert sender_name(raw) == (one_line(name) or "news")
    expected = re.sub("\r\n|\r|\n|\x85", "\n", clean(body))
    assert part(read, "plain") == part(read, "html") == expected
    assert raw.isascii()
    assert all(len(line) <= 76 for line in raw.split(b"\r\n") if not line.startswith((b"From: ", b"Subject: ")))
    assert all(len(line) <= 76 for line in raw.split(b"\r\n") if b"=?utf-8?b?" in line)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")


def test_a_long_unsubscribe_address_stays_whole() -> None:
    headers = (("List-Unsubscribe", LONG_URL), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    raw = build(a_message(headers=headers))
    assert f"\r\nList-Unsubscribe: {LONG_URL}\r\n".encode() in raw
    assert b"=?" not in raw.split(b"\r\n\r\n")[0]


def test_headers_that_fit_no_line_are_folded_at_spaces_or_refused() -> None:
    ids = " ".join(f"<{number}@example.org>" for number in range(100))
    raw = build(a_message(headers=(("References", ids),)))
    assert email.message_from_bytes(raw, policy=default)["References"] == ids
    with pytest.raises(ValueError, match="fits no line"):
        build(a_message(headers=(("List-Unsubscribe", f"<https://a/{'x' * 1000}>"),)))


@pytest.mark.parametrize("field", ["sender_name", "subject"])
def test_no_text_can_add_a_header(field: str) -> None:
    read = parsed(a_message(**{field: "Eve\r\nBcc: all@example.org\n\nbody\x00\x0b\u2028"}))
    assert read["Bcc"] is None
    assert len(read.keys()) == 8


@pytest.mark.parametrize(
    "header", [("X-A", "a\r\nBcc: b"), ("X-A", "a\nb"), ("X-A\r\nBcc", "b"), ("X A", "b"), ("", "b"), ("X:", "b")]
)
def test_a_forged_header_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError):
        build(a_message(headers=(header,)))


@pytest.mark.parametrize("field", ["sender_address", "recipient"])
@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b.org",
        "a@",
        "a b@c.org",
        "a@b c.org",
        "a\r\nBcc: x@c.org",
        "a@b.org\r\nBcc: x",
        "jörg@b.org",
        "a@b..org",
        "a@-b.org",
        "a,b@c.org",
        "<a@b.org>",
        "a@b.org, c@d.org",
        ".a@b.org",
        "x" * 65 + "@b.org",
        "a@" + "b" * 64 + ".org",
        "\ud800@b.org",
    ],
)
def test_an_address_that_can_not_be_sent_to_is_refused(field: str, address: str) -> None:
    with pytest.raises(UnsendableAddress) as caught:
        build(a_message(**{field: address}))
    assert caught.value.address == address


def test_domains_in_any_script_are_written_in_ascii() -> None:
    assert addr_spec("hans@münchen.example") == "hans@xn--mnchen-3ya.example"
    assert addr_spec("a.b+c@BÜCHER.example") == "a.b+c@xn--bcher-kva.example"
    assert addr_spec('"a b"@example.org') == '"a b"@example.org'
    assert parsed(a_message(recipient="hans@münchen.example"))["To"] == "hans@xn--mnchen-3ya.example"


def test_the_structure_is_text_then_html_with_language_and_date() -> None:
    message = a_message()
    read = parsed(message)
    assert [each.get_content_type() for each in read.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert read["Content-Language"] == "en-GB"
    assert read["Date"].datetime == message.date.astimezone(UTC)
    assert read["Message-ID"] == "<1.2@example.org>"
    assert build(message) == build(message)
    assert "Content-Language" not in parsed(a_message(language="x\ny"))


def test_a_text_that_looks_like_the_boundary_ends_nothing() -> None:
    boundary = re.search(r'boundary="(.*)"', build(a_message()).decode())
    assert boundary is not None
    text = f"Before\n--{boundary[1]}--\n\nafter"
    assert part(parsed(a_message(text=text, html=text)), "html") == text


def test_a_name_that_is_empty_falls_back_to_the_address() -> None:
    assert parsed(a_message(sender_name=""))["From"].addresses[0].display_name == "news"


def test_long_lines_are_broken_softly() -> None:
    encoded = encode("x" * 5_000 + " \n.\nFrom here\n" + "é" * 500)
    assert max(map(len, encoded.split("\r\n"))) <= 76
