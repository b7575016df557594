"""Return paths: only we can make them, they fit into any address, and come back whatever servers do to their case."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.config import LONGEST_BOUNCE_NAME
from comms.keys import WorkspaceKey
from comms.verp import LONGEST_LOCAL_PART, Returned, ReturnSigner

SIGNER = ReturnSigner(WorkspaceKey(bytes(range(32))))
OTHER = ReturnSigner(WorkspaceKey(bytes(range(1, 33))))
ALPHABET = string.ascii_lowercase + "234567"

slugs = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", fullmatch=True)
numbers = st.integers(1, (1 << 64) - 1)


@given(slugs, numbers)
def test_a_token_is_read_back_as_it_was_signed(slug: str, number: int) -> None:
    assert SIGNER.read(SIGNER.sign(slug, number)) == Returned(SIGNER.mark(slug), number)


@given(slugs, numbers, st.data())
def test_it_is_read_in_any_case(slug: str, number: int, choice: st.DataObject) -> None:
    token = SIGNER.sign(slug, number)
    folded = "".join(letter.upper() if choice.draw(st.booleans()) else letter for letter in token)
    assert SIGNER.read(folded) == SIGNER.read(token) is not None


@given(slugs, numbers, st.data())
def test_with_any_other_letter_anywhere_it_is_no_token(slug: str, number: int, choice: st.DataObject) -> None:
    token = SIGNER.sign(slug, number)
    position = choice.draw(st.integers(0, len(token) - 1))
    letter = choice.draw(st.sampled_from(ALPHABET + "01890-_.=+@\n é\ud800\0").filter(lambda x: x != token[position]))
    changed = token[:position] + letter + token[position + 1 :]
    for forged in (changed, token[:position] + letter + token[position:], token[:position], token + letter):
        assert SIGNER.read(forged) is None


@given(slugs, numbers)
def test_of_every_bit_flipped_none_is_let_through(slug: str, number: int) -> None:
    token = SIGNER.sign(slug, number)
    for position, letter in enumerate(token):
        for bit in range(7):
            flipped = chr(ord(letter) ^ (1 << bit))
            if flipped.lower() != letter:  # case is no bit of the token
                assert SIGNER.read(token[:position] + flipped + token[position + 1 :]) is None


@given(slugs, numbers)
def test_another_workspace_can_make_none(slug: str, number: int) -> None:
    assert SIGNER.read(OTHER.sign(slug, number)) is None


@given(slugs, numbers, st.integers(1, LONGEST_LOCAL_PART))
def test_the_address_fits_the_limits_of_mail_servers_and_is_found_in_any_text(
    slug: str, number: int, length: int
) -> None:
    address = SIGNER.address(f"{'b' * length}@lists.example.org", SIGNER.sign(slug, number))
    local, _, domain = address.rpartition("@")
    assert len(local) <= 64
    assert domain == "lists.example.org"
    assert SIGNER.find(["", f"To: <{address.upper()}>\r\n"]) == Returned(SIGNER.mark(slug), number)


def test_of_several_texts_the_first_signed_token_counts() -> None:
    mine, other = (SIGNER.address("b@x.example", SIGNER.sign("a", number)) for number in (1, 2))
    forged = OTHER.address("b@x.example", OTHER.sign("a", 3))
    found = SIGNER.find([f"{forged} {mine}", other])
    assert found is not None
    assert found.delivery == 1


@given(slugs, numbers)
def test_a_token_that_names_the_envelope_is_found_in_a_report_and_in_the_command_that_it_quotes(
    slug: str, number: int
) -> None:
    token = SIGNER.sign(slug, number)

    for text in (
        f"Reporting-MTA: dns; mx\nOriginal-Envelope-Id: {token}\n\nFinal-Recipient: rfc822; a@x.example",
        f"ORIGINAL-ENVELOPE-ID:{token.upper()}",
        f">>> MAIL FROM:<news@x.example> RET=HDRS ENVID={token} SIZE=5",
    ):
        assert SIGNER.find([text]) == Returned(SIGNER.mark(slug), number)


def test_a_token_in_any_other_place_is_none() -> None:
    token = SIGNER.sign("a", 1)
    assert SIGNER.find([token, f"Envelope: {token}", f"+{token}", f"ENVID={token}a", f"myenvid={token}"]) is None


def test_a_text_of_nothing_but_false_tokens_costs_no_more_than_a_hundred() -> None:
    false = f"+{OTHER.sign('a', 1)}@x.example "
    assert SIGNER.find([f"{false * 100}+{SIGNER.sign('a', 1)}@x.example"]) is None
    assert SIGNER.find([false * 20_000]) is None


def test_the_settings_know_how_long_an_address_may_be() -> None:
    assert LONGEST_BOUNCE_NAME == LONGEST_LOCAL_PART


def test_a_number_that_no_delivery_has_is_refused() -> None:
    with pytest.raises(OverflowError):
        SIGNER.sign("a", 1 << 64)
