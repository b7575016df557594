"""Whatever the bytes, reading a bounce ends soon, raises nothing, and gives clean lines of text."""

from __future__ import annotations

import time

import pytest
from bounce_samples import ORIGINAL, complaint, dsn, letter, notice
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.engagement.bounces import Verdict, read_bounce
from comms.engagement.bounces.addresses import clean_address
from comms.engagement.bounces.mime import decode_words, parse

SAMPLES = [
    dsn("Final-Recipient: rfc822; ann@library.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no"),
    notice("<ann@library.example>:\n550 5.1.1 no such user"),
    complaint("Feedback-Type: abuse\nOriginal-Rcpt-To: ann@library.example"),
    letter("Out of Office", "I am away", headers="Auto-Submitted: auto-replied"),
]
HEAD = b"From: MAILER-DAEMON@mx.example\nSubject: failure notice\n"
SECONDS = 15


def assert_clean(verdict: Verdict) -> None:
    texts = [verdict.message_id, verdict.reason, verdict.status, *verdict.sent_to]
    for bounced in verdict.recipients:
        texts += [bounced.recipient, bounced.reason, bounced.status, bounced.written_to]
    for text in texts:
        text.encode("utf-8")
        assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in text), text


@given(st.binary(max_size=3_000))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    assert_clean(read_bounce(data))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 200)))
        put = draw(
            st.one_of(st.binary(max_size=40), st.just(data[:end]), st.sampled_from([b"\x1b$B", b"=?", b"\r", b"<"]))
        )
        data = data[:start] + put + data[end:]
    return data


@given(mutated())
@settings(max_examples=300)
def test_damaged_bounces_are_read_without_an_error(data: bytes) -> None:
    assert_clean(read_bounce(data))


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"\n" + b"a@" * 1_000_000,
        HEAD + b"\n" + b"<a@b.example>: 550 no such user\n" * 100_000,
        HEAD + b"\n" + b"user mailbox account is was are the " * 50_000,
        HEAD + b"\n" + b"a@" + b"b." * 500_000,
        HEAD + b"\n" + b"=" * 2_000_000,
        HEAD + b"Content-Type: text/html\n\n" + b"<style>" * 300_000,
        HEAD + b"Content-Type: text/html\n\n" + b"<a " * 500_000,
        HEAD + b"\n" + b'{"Message":' * 200_000,
        b'{"a":' + b"[" * 500_000 + b"}",
        b"Subject: " + b"=?utf-8?q?a?= " * 200_000,
        b"X: y\n" * 500_000,
        b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n" * 500_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5_000)),
        b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: rfc822; a@b.example\n\n" * 50_000,
        (HEAD + b"Content-Type: message/rfc822\n\n") * 5_000,
    ],
    ids=lambda data: repr(data[len(HEAD) : len(HEAD) + 20]),
)
def test_large_and_deep_messages_are_read_soon(data: bytes) -> None:
    began = time.monotonic()

    assert_clean(read_bounce(data))

    assert time.monotonic() - began < SECONDS


def test_only_the_first_ten_megabytes_are_looked_at() -> None:
    late = notice("x" * 100) + b"\n" * 10_000_000 + b"Final-Recipient: rfc822; late@library.example\n"

    assert "late@library.example" not in [bounced.recipient for bounced in read_bounce(late).recipients]


@given(st.text(max_size=60), st.sampled_from(["utf-8", "iso-8859-1", "nonsense", "base64", "idna"]))
def test_encoded_words_of_any_charset_are_read_or_left(text: str, charset: str) -> None:
    decode_words(f"=?{charset}?q?{text}?= =?{charset}?b?{text}?=").encode("utf-8")


@given(st.text(max_size=80))
def test_an_address_is_cleaned_once_and_stays(text: str) -> None:
    cleaned = clean_address(text)

    assert clean_address(cleaned) == cleaned


def test_a_header_names_fields_as_they_stand_however_lines_end() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        header = parse(ORIGINAL.encode().replace(b"\n", end)).headers
        assert header.get("message-id") == "<run-7.ann@news.example.org>"
