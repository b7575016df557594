"""Links in mails: only we can make them, and they name a reader only who agreed to it."""

from __future__ import annotations

import base64
import hashlib
import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from itsdangerous import Signer

from comms.keys import WorkspaceKey
from comms.links import EditionToken, LinkMaker, LinkSigner, MemberToken, Token

SIGNER = LinkSigner(WorkspaceKey(bytes(range(32))))
LINKS = LinkMaker("https://news.example.org", SIGNER)
MEMBER, EDITION = MemberToken("coalition", 8_675_309), EditionToken("coalition", 42)

slugs = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", fullmatch=True)
tokens: st.SearchStrategy[Token] = st.builds(
    lambda kind, slug, number: kind(slug, number),
    st.sampled_from([MemberToken, EditionToken]),
    slugs,
    st.integers(1, 10**18 - 1),
)


@given(tokens)
def test_a_token_is_read_back_as_it_was_signed(token: Token) -> None:
    text = SIGNER.sign(token)
    assert SIGNER.read(text) == token
    assert re.fullmatch(r"[A-Za-z0-9._-]+", text)


@given(tokens, st.data())
def test_any_other_text_is_no_token(token: Token, choice: st.DataObject) -> None:
    text = SIGNER.sign(token)
    position = choice.draw(st.integers(0, len(text) - 1))
    letter = choice.draw(st.sampled_from(string.ascii_letters + string.digits + "-_.=+/!%\n é\ud800\0"))
    changed = text[:position] + letter + text[position + 1 :]
    added = text[:position] + letter + text[position:]
    for forged in (changed, added, text[:position], text + letter):
        assert SIGNER.read(forged) == (token if forged == text else None)


def test_of_the_many_base64_texts_of_a_signature_only_ours_is_read() -> None:
    text = SIGNER.sign(MEMBER)
    value, _, signature = text.rpartition(".")
    digest = base64.urlsafe_b64decode(signature + "=")
    twins = [
        signature[:-1] + letter
        for letter in string.ascii_letters + string.digits + "-_"
        if base64.urlsafe_b64decode(signature[:-1] + letter + "=") == digest
    ]
    assert len(twins) == 4
    assert [SIGNER.read(f"{value}.{twin}") for twin in twins].count(MEMBER) == 1


@given(st.text(max_size=200))
@example("")
@example("m.coalition.1")
@example("m.coalition.1.")
@example("m.coalition.1." + "A" * 43)
@example("\ud800." * 50)
def test_text_that_nobody_signed_is_no_token(text: str) -> None:
    assert SIGNER.read(text) is None


def test_a_megabyte_is_no_token() -> None:
    assert SIGNER.read("m.coalition.1." + "A" * 1_000_000) is None
    assert SIGNER.read("." * 1_000_000) is None


def test_a_token_of_another_workspace_is_none() -> None:
    assert LinkSigner(WorkspaceKey(b"x" * 32)).read(SIGNER.sign(MEMBER)) is None


def test_a_reader_can_not_be_made_of_an_edition_nor_one_association_of_another() -> None:
    signed = SIGNER.sign(EditionToken("coalition", 7))
    assert SIGNER.read("m" + signed[1:]) is None
    assert SIGNER.read(signed.replace("coalition", "museums")) is None
    assert SIGNER.sign(MemberToken("coalition", 7))[2:] != signed[2:]


def test_without_consent_to_tracking_clicks_and_views_carry_no_delivery() -> None:
    urls = LINKS.for_mail(MEMBER, EDITION, tracked=False)
    assert urls["pixel"] == ""
    for kind in ("click", "view"):
        assert str(MEMBER.number) not in urls[kind]
        assert SIGNER.read(urls[kind].rpartition("/")[2]) == EDITION


def test_the_anonymous_links_are_the_same_for_every_reader() -> None:
    others = LINKS.for_mail(MemberToken("coalition", 99), EDITION, tracked=False)
    mine = LINKS.for_mail(MEMBER, EDITION, tracked=False)
    assert (mine["click"], mine["view"]) == (others["click"], others["view"])
    assert mine["unsubscribe"] != others["unsubscribe"]


def test_with_consent_clicks_and_pixel_name_the_delivery_and_the_view_to_pass_on_does_not() -> None:
    urls = LINKS.for_mail(MEMBER, EDITION, tracked=True)
    assert SIGNER.read(urls["click"].removeprefix("https://news.example.org/c/")) == MEMBER
    assert SIGNER.read(urls["pixel"].removeprefix("https://news.example.org/o/").removesuffix(".gif")) == MEMBER
    assert SIGNER.read(urls["view"].removeprefix("https://news.example.org/v/")) == EDITION


@pytest.mark.parametrize("tracked", [True, False])
def test_the_unsubscribe_link_always_knows_who_leaves(tracked: bool) -> None:
    url = LINKS.for_mail(MEMBER, EDITION, tracked=tracked)["unsubscribe"]
    assert url == LINKS.unsubscribe(MEMBER)
    assert SIGNER.read(url.removeprefix("https://news.example.org/u/")) == MEMBER


@given(tokens)
def test_a_token_is_signed_as_itsdangerous_signs(token: Token) -> None:
    key = WorkspaceKey(bytes(range(32))).derive("links")
    signer = Signer(key, sep=".", key_derivation="none", digest_method=staticmethod(hashlib.sha256))
    text = SIGNER.sign(token)
    assert signer.sign(text.rpartition(".")[0]).decode() == text


@pytest.mark.parametrize("tracked", [True, False])
def test_links_made_from_those_of_the_edition_are_the_same(tracked: bool) -> None:
    public = LINKS.for_public(EDITION)
    assert LINKS.personal(public, MEMBER, tracked=tracked) == LINKS.for_mail(MEMBER, EDITION, tracked=tracked)
    assert public == LINKS.for_public(EDITION)


def test_a_public_page_names_no_reader_in_any_link() -> None:
    urls = LINKS.for_public(EDITION)
    assert urls["pixel"] == ""
    read = {SIGNER.read(url.rpartition("/")[2]) for kind, url in urls.items() if kind != "pixel"}
    assert read == {EDITION}
    assert urls.keys() == LINKS.for_mail(MEMBER, EDITION, tracked=True).keys()
