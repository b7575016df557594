"""Signatures that a verifier of somebody else's accepts, and refuses once anything is changed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import dkim
import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.message import Message
from comms.rendering.dkim import DkimKey, Signer, new_ed25519_key, new_rsa_key, relaxed_body
from comms.rendering.mime import build

NOW = datetime.now(UTC)  # a verifier takes no signature from the future
RSA = new_rsa_key("library.example.org", "comms1")
ED25519 = new_ed25519_key("library.example.org", "comms2")
DNS = {key.name: key.record for key in (RSA, ED25519)}


def verified(message: bytes, signature: int = 0) -> bool:
    def txt(name: bytes, timeout: int = 0) -> bytes | None:
        record = DNS.get(name.decode().rstrip("."))
        return record.encode() if record else None

    try:
        return bool(dkim.DKIM(message).verify(idx=signature, dnsfunc=txt))
    except dkim.ValidationError:
        return False


def message(text: str = "Hello.\n", html: str = "<p>Hello.</p>", subject: str = "News", name: str = "Ana") -> bytes:
    return build(
        Message(
            sender_name=name,
            sender_address="news@library.example.org",
            recipient="ben@example.net",
            subject=subject,
            html=html,
            text=text,
            message_id="<a.b.1@library.example.org>",
            date=NOW,
            language="en",
            headers=(
                ("List-ID", "<news.library.example.org>"),
                ("List-Unsubscribe", f"<https://news.example.org/u/{'x' * 300}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ),
        )
    )


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@settings(max_examples=60, deadline=None)
@given(text=words, html=words, subject=words, name=words)
def test_whatever_is_written_the_signature_holds(text: str, html: str, subject: str, name: str) -> None:
    signed = Signer([RSA]).sign(message(text, html, subject or "x", name), NOW)
    assert verified(signed)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([b" ", b"\t", b"a", b"\r\n", b"=20", b".", b"  "]), max_size=40))
def test_bodies_of_blanks_and_empty_lines_are_hashed_as_others_hash_them(parts: list[bytes]) -> None:
    body = b"".join(parts) + b"\r\n"  # as every message ends
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)
    assert verified(Signer([RSA]).sign(b"From: a@library.example.org\r\nSubject: x\r\n\r\n" + body, NOW))


def test_a_second_signature_stands_beside_the_first() -> None:
    signed = Signer([RSA, ED25519]).sign(message(), NOW)
    assert verified(signed, 0)
    assert verified(signed, 1)
    assert signed.count(b"DKIM-Signature:") == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Subject: News", b"Subject: Newt"),
        (b"Hello.", b"Hullo."),
        (b"One-Click", b"No-Click"),
        (b"To: ben@", b"To: eve@"),
        (b"MIME-Version: 1.0", b"From: eve@example.net\r\nMIME-Version: 1.0"),
        (b"<news.library", b"<newt.library"),
    ],
)
def test_what_is_changed_on_the_way_shows(before: bytes, after: bytes) -> None:
    signed = Signer([RSA]).sign(message(), NOW)
    assert before in signed
    assert not verified(signed.replace(before, after, 1))


def test_the_headers_that_make_the_unsubscribe_button_are_covered_and_lines_are_short() -> None:
    signed = Signer([RSA, ED25519]).sign(message(), NOW)
    head = signed.partition(b"\r\n\r\n")[0].decode()
    names = re.search(r"\sh=([^;]*);", head)
    assert names is not None
    listed = re.sub(r"\s", "", names[1]).split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post", "list-id", "subject", "date", "message-id"} <= set(listed)
    assert listed.count("from") == 2
    signature = head.split("From:")[0]
    assert all(len(line) <= 78 for line in signature.split("\r\n"))


@pytest.mark.parametrize("selector", ["", "A", "a.b", "-a", "a" * 64, "ü", "a b"])
def test_a_selector_that_can_be_none_is_refused(selector: str) -> None:
    with pytest.raises(ValueError, match="selector"):
        new_rsa_key("library.example.org", selector)


def test_a_key_is_not_printed_and_another_kind_is_refused() -> None:
    assert "PRIVATE" not in repr(RSA)
    with pytest.raises(ValueError, match="key"):
        Signer([DkimKey("library.example.org", "x", "nonsense")])
