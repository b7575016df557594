"""Signed feeds of offers: read back as they were, and no byte of them changes unnoticed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.channels.feed_model import FeedError
from comms.kits.offer_feed import check_atom, read_json, to_atom, to_json
from comms.kits.offers import Offer, OfferFeed
from comms.kits.signing import PublicKey, SignatureError, SigningKey, canonical, key_document, read_keys

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
KEY, OTHER = SigningKey(bytes(32)), SigningKey(b"\1" * 32)
KEYS = {KEY.public.name: KEY.public}
OFFER = Offer(
    campaign="partner",
    version=2,
    title="A hosting partner",
    summary="Seeks “a” partner & more",
    language="en",
    url="https://c.example/a/coalition/partner",
    published=NOW,
    updated=NOW + timedelta(days=1),
    definition="---\ncampaign: partner\n---\n\x1ees\nHola\n",
    respond_by=date(2027, 2, 9),
)
GONE = replace(OFFER, campaign="gone", definition="", withdrawn=NOW + timedelta(days=2), reason="A wrong date")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)
OFFERS = st.builds(
    Offer, campaign=st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), version=st.integers(1, 10**6), title=TEXT,
    summary=TEXT, language=st.sampled_from(["en", "es-MX"]), url=st.just("https://c.example/x"), published=st.just(NOW),
    updated=st.just(NOW), definition=st.text(st.characters(codec="utf-8")), respond_by=st.none() | st.dates(),
)  # fmt: skip


def offered(*offers: Offer) -> OfferFeed:
    site = "https://c.example"
    return OfferFeed("lakeland", "Offered to Lakeland", "The Coalition", "en", f"{site}/", "c.example,2026",
                     f"{site}/relay/lakeland/feed.json", f"{site}/relay/lakeland/feed.atom", f"{site}/relay/keys.json",
                     offers, GONE.withdrawn)  # fmt: skip


JSON, ATOM = to_json(offered(OFFER, GONE), KEY), to_atom(offered(OFFER, GONE), KEY)


@given(offers=st.lists(OFFERS, max_size=4, unique_by=lambda offer: offer.campaign))
def test_what_is_offered_is_read_back_as_it_was(offers: list[Offer]) -> None:
    data = to_json(offered(*offers), KEY)
    found = read_json(data, KEYS)

    assert {offer.campaign: offer for offer in found.offers} == {offer.campaign: offer for offer in offers}
    assert found.association == "lakeland"
    assert data == to_json(offered(*offers), KEY)


def test_a_withdrawn_offer_stays_in_the_feed_without_its_text() -> None:
    found = {offer.campaign: offer for offer in read_json(JSON, KEYS).offers}

    assert found == {"partner": OFFER, "gone": GONE}
    assert read_json(JSON, KEYS).updated == GONE.withdrawn
    late = read_json(to_json(offered(replace(GONE, definition="secret")), KEY), KEYS).offers[0]
    assert late.definition == ""


def test_feed_readers_read_both() -> None:
    document = json.loads(JSON)
    atom = feedparser.parse(ATOM)

    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert {item["url"] for item in document["items"]} == {OFFER.url}
    assert not atom.bozo
    assert [entry.title for entry in atom.entries] == [OFFER.title]
    assert b'ref="tag:c.example,2026:relay/lakeland/gone"' in ATOM
    assert b"A wrong date" in ATOM


@settings(max_examples=400)
@given(position=st.integers(0, len(JSON) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_of_the_json_feed_is_noticed(position: int, byte: int) -> None:
    changed = JSON[:position] + bytes([byte]) + JSON[position + 1 :]
    if changed != JSON:
        with pytest.raises(SignatureError):
            read_json(changed, KEYS)


@settings(max_examples=400)
@given(position=st.integers(0, len(ATOM) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_of_the_atom_feed_is_noticed(position: int, byte: int) -> None:
    changed = ATOM[:position] + bytes([byte]) + ATOM[position + 1 :]
    if changed != ATOM:
        with pytest.raises(SignatureError):
            check_atom(changed, KEYS)


@given(cut=st.integers(0, len(JSON) - 1), more=st.binary(min_size=1, max_size=20))
def test_a_feed_cut_short_or_made_longer_is_refused(cut: int, more: bytes) -> None:
    for changed in (JSON[:cut], JSON + more, more + JSON):
        with pytest.raises(SignatureError):
            read_json(changed, KEYS)
    for changed in (ATOM[: min(cut, len(ATOM) - 1)], ATOM + more, more + ATOM):
        with pytest.raises(SignatureError):
            check_atom(changed, KEYS)


@given(st.one_of(st.binary(max_size=200), st.sampled_from([
    b"[" * 100_000, b'{"_comms":1}', b"null", b"1e999", b'{"a":NaN}', b'"\\ud800"', b'{"_comms":{"signature":{}}}',
])))  # fmt: skip
def test_anything_else_is_refused_without_a_traceback(data: bytes) -> None:
    with pytest.raises(SignatureError) as refused:
        read_json(data, KEYS)
    assert refused.value.message
    with pytest.raises(SignatureError):
        read_keys(data)
    with pytest.raises(SignatureError):
        check_atom(data, KEYS)


def test_a_feed_of_a_stranger_is_refused_by_the_name_of_the_key() -> None:
    for wrong in ({}, {OTHER.public.name: OTHER.public}):
        with pytest.raises(SignatureError, match="nobody here knows the key"):
            read_json(JSON, wrong)
        with pytest.raises(SignatureError, match="nobody here knows the key"):
            check_atom(ATOM, wrong)
    with pytest.raises(SignatureError, match="not that of this document"):
        read_json(JSON, {KEY.public.name: OTHER.public})


def test_an_item_can_not_be_moved_into_another_feed() -> None:
    """Its signature is good, and the feed's is not; and what is signed as an item is no feed."""
    document = json.loads(JSON)
    document["items"] = document["items"][:1]
    with pytest.raises(SignatureError):
        read_json(canonical(document), KEYS)


def test_an_offer_that_can_not_be_signed_is_said_in_words() -> None:
    with pytest.raises(FeedError, match="can not be signed"):
        to_json(offered(replace(OFFER, definition="\ud800")), KEY)
    with pytest.raises(FeedError, match="time zone"):
        to_json(offered(replace(OFFER, updated=datetime(2027, 1, 1))), KEY)  # noqa: DTZ001


# --- canonical JSON and keys ------------------------------------------------------------------


def test_canonical_json_is_that_of_rfc_8785() -> None:
    """The order of members from section 3.2.3 of the RFC, and escapes from section 3.2.2.2."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]

    assert list(json.loads(canonical(dict.fromkeys(names, 0)))) == ordered
    assert canonical({"b": [True, None, -1], "a": '\u20ac$\u000f\nA\'B"\\"/'}) == (
        b'{"a":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\"/","b":[true,null,-1]}'
    )


@pytest.mark.parametrize("value", [1.5, 2**53, float("nan"), b"x", {"a": "\ud800"}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical(value)


def test_who_knows_one_key_learns_the_next_and_no_other() -> None:
    first, second, third = (SigningKey(bytes([number]) * 32) for number in (7, 8, 9))
    document = key_document((first, second, third))
    pinned = {first.public.name: first.public}

    assert set(read_keys(document)) == {key.public.name for key in (first, second, third)}
    assert set(read_keys(document, pinned)) == {key.public.name for key in (first, second, third)}
    assert set(read_keys(document, {third.public.name: third.public})) == {third.public.name}
    forged = json.loads(document)
    forged["keys"][1]["key"] = OTHER.public.raw.hex()
    with pytest.raises(SignatureError):
        read_keys(canonical(forged), pinned)
    assert set(read_keys(key_document((OTHER,)), pinned)) == set(pinned)
    assert [entry["signs"] for entry in json.loads(document)["keys"]] == [False, False, True]


def test_a_signature_of_one_kind_is_good_for_no_other() -> None:
    signature = KEY.sign("comms relay item 1", b"x")
    KEY.public.check("comms relay item 1", b"x", signature)
    for kind, message, value in (
        ("comms relay feed 1", b"x", signature),
        ("comms relay item 1", b"y", signature),
        ("comms relay item 1", b"x", signature.upper()),
        ("comms relay item 1", b"x", ""),
    ):
        with pytest.raises(SignatureError):
            KEY.public.check(kind, message, value)
    with pytest.raises(SignatureError):
        PublicKey(b"\xff" * 32).check("comms relay item 1", b"x", signature)
