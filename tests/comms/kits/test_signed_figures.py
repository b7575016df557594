"""Posts of figures: what OpenSSL signs holds, one changed byte does not, and only figures that can be are read."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.figures import ToldFigures
from comms.kits.signed_figures import FiguresError, is_signed, read, signature, stamped

SECRET, BODY = "a-secret_of-the-tool", b'{"campaign": "partner", "copies": 30}'


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_signature_is_that_of_openssl() -> None:
    words = ["openssl", "dgst", "-sha256", "-hmac", SECRET]
    made = subprocess.run(words, input=b"1700000000." + BODY, capture_output=True, check=True)
    assert made.stdout.decode().split()[-1] == signature(SECRET, 1_700_000_000, BODY)


@given(at=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7), seconds=st.integers(0, 10**11))
def test_another_body_time_or_secret_is_not_signed(at: int, bit: int, seconds: int) -> None:
    made = signature(SECRET, seconds, BODY)
    changed = bytearray(BODY)
    changed[at] ^= 1 << bit
    assert is_signed(SECRET, seconds, made, BODY)
    assert not is_signed(SECRET, seconds, made, bytes(changed))
    assert not is_signed(SECRET, seconds + 1, made, BODY)
    assert not is_signed(f"{SECRET}x", seconds, made, BODY)


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Comms-Timestamp": "1"}, {"Comms-Timestamp": "-1", "Comms-Signature": "0" * 64},
        {"Comms-Timestamp": "١", "Comms-Signature": "0" * 64}, {"Comms-Timestamp": "1", "Comms-Signature": "0" * 63},
        {"Comms-Timestamp": "9" * 400, "Comms-Signature": "0" * 64},
        {"Comms-Timestamp": "1", "Comms-Signature": "é" * 64},
    ],
)  # fmt: skip
def test_headers_that_say_nothing_are_no_stamp(headers: dict[str, str]) -> None:
    assert stamped(headers) is None


def test_people_may_be_left_out() -> None:
    assert read(BODY).figures == ToldFigures(30, 30)
    assert read(b'{"campaign": "x.y", "copies": 30, "people": 20, "clicks": 4, "replies": 2}').figures == ToldFigures(
        30, 20, 4, 2
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "no JSON object"),
        (b"[]", "no JSON object"),
        (b"[" * 4_000, "no JSON object"),
        (b'{"campaign": "x"}', "copies is missing"),
        (b'{"copies": 4}', "campaign is missing"),
        (b'{"campaign": "x", "copies": 4, "opens": 3}', "'opens' is none of"),
        (b'{"campaign": "x", "copies": true}', "copies must be a whole number"),
        (b'{"campaign": "x", "copies": 4.0}', "copies must be a whole number"),
        (b'{"campaign": "x", "copies": "4"}', "copies must be a whole number"),
        (b'{"campaign": "x", "copies": NaN}', "copies must be a whole number"),
        (b'{"campaign": "x", "copies": -4}', "copies must be a whole number from 1"),
        (b'{"campaign": "x", "copies": 4, "people": 5}', "people must be a whole number from 1 to 4, not 5"),
        (b'{"campaign": "\\ud800", "copies": 4}', "id of a campaign"),
        (b'{"campaign": "x\\u0000", "copies": 4}', "id of a campaign"),
        (b'{"campaign": {}, "copies": 4}', "id of a campaign"),
    ],
)
def test_what_holds_no_figures_is_refused_by_the_name_of_the_field(body: bytes, fault: str) -> None:
    with pytest.raises(FiguresError, match=fault) as refused:
        read(body)
    assert len(str(refused.value)) < 300


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda each: st.lists(each) | (
    st.dictionaries(st.sampled_from(["campaign", "copies", "people"]) | st.text(), each)))  # fmt: skip


@given(JSON | st.binary().map(lambda data: data))
def test_no_body_does_more_than_be_refused(body: object) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        found = read(data)
    except FiguresError:
        return
    assert found.figures.copies >= found.figures.people
