"""Of what somebody wrote their words are kept, and what says who they are is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.engagement.bounces.mime import parse
from comms.engagement.withholding import LEFT_OUT, Known, withheld, words_of

ANA = Known.of(
    ["Ana María Pérez-Roca"],
    {"first_name": "Ana", "street": "12 Shore Road", "sector": "archives", "work_phone": "ext 412"},
    ["ana.perez@archives.example"],
)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Write to ana.perez@archives.example or ANA@HOME.EXAMPLE.", f"Write to {LEFT_OUT} or {LEFT_OUT}"),
        ("It is ana＠home.example, of course", f"It is {LEFT_OUT}, of course"),
        ("Write to lee (at) home dot org, please", f"Write to {LEFT_OUT}, please"),
        ("Write to lee[at]home.example.org today", f"Write to {LEFT_OUT} today"),
        ("Escriba a lee arroba casa punto es", f"Escriba a {LEFT_OUT}"),
        ("lee.roe at home dot example dot org is mine", f"{LEFT_OUT} is mine"),
        ("Call +1 (207) 555-0123 before ten", f"Call {LEFT_OUT} before ten"),
        ("Call 207.555.0123 or ext 412", f"Call {LEFT_OUT} or {LEFT_OUT}"),
        ("Best wishes, Ana", f"Best wishes, {LEFT_OUT}"),
        ("Ana Maria Perez speaking", f"{LEFT_OUT} speaking"),
        ("We are at 12 shore road, Lakeland", f"We are at {LEFT_OUT}, Lakeland"),
        ("Stop: https://x.example/u/m.maine.7.abc", f"Stop: {LEFT_OUT}"),
        ("Meet us at noon. Point taken at last", None),
        ("We have 250 shelves since 1987, and 2027-03-01 suits us", None),
        ("Analysis of archives takes 10 days", None),
    ],
)
def test_what_says_who_wrote_is_taken_out_and_the_rest_stays(line: str, kept: str | None) -> None:
    (found,) = withheld([line], ANA)
    if kept is None:
        assert found == line
    else:
        assert found.replace(f"{LEFT_OUT} ", LEFT_OUT) == kept.replace(f"{LEFT_OUT} ", LEFT_OUT)


def test_a_line_of_which_nothing_is_left_is_left_out() -> None:
    assert withheld(
        ["Yes, we could.", "Ana Pérez", "— ANA MARÍA PÉREZ", "ana.perez@archives.example", "+1 207 555 0123"], ANA
    ) == ["Yes, we could."]


@pytest.mark.parametrize("key", ["Apellidos", "nombre", "prénom", "NOM", "nom_de_famille", "last_name"])
def test_names_are_known_whichever_language_their_attributes_are_called_in(key: str) -> None:
    assert withheld(["Roca writes"], Known.of([], {key: "Roca"}, [])) == [f"{LEFT_OUT} writes"]


@pytest.mark.parametrize("key", ["true_fan", "economics"])
def test_what_only_holds_such_a_word_is_no_name(key: str) -> None:
    assert withheld(["Roca writes"], Known.of([], {key: "Roca"}, [])) == ["Roca writes"]


@pytest.mark.parametrize("many", ["a ", "at ", "a at b dot ", "a(at)", "a (", "-.", "a[at]b[.]"])
def test_a_line_that_looks_like_many_addresses_takes_no_time(many: str) -> None:
    began = time.perf_counter()
    withheld([(many * 2_000)[:2_000]] * 80, ANA)
    assert time.perf_counter() - began < 5


def test_a_line_of_very_many_dashes_takes_no_time() -> None:
    started = time.monotonic()
    _words("text/plain", f"Yes.\n{'-' * 20_000}x")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("line", ["----", "--x--", "-" * 200, f"-----{'Original Message'}-----", "-- a -- b ---"])
def test_nothing_below_a_line_of_dashes_counts(line: str) -> None:
    assert _words("text/plain", f"Yes.\n{line}\nNo.") == ["Yes."]


@given(st.text(max_size=300), st.sampled_from(["ana.perez@archives.example", "Pérez", "PEREZ", "+1 207 555 0123"]))
def test_whatever_stands_around_it_it_is_gone(text: str, secret: str) -> None:
    for line in withheld([f"{text} {secret} {text}"], ANA):
        assert secret not in line


@given(st.text(max_size=100), st.one_of(st.emails(), st.just("ana@[192.0.2.7]")))
def test_no_address_is_left_whoever_s_it_is(text: str, address: str) -> None:
    for line in withheld([f"{text} {address} {text}"], Known.of([text], {"name": text, "street": text}, [address])):
        assert address not in line


def _words(kind: str, body: str, charset: str = "utf-8") -> list[str]:
    head = f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return words_of(parse(head.encode() + body.encode(charset)))


@pytest.mark.parametrize(
    "below",
    [
        "-- \r\nAna Pérez\r\nArchives of Lakeland",
        "-----Original Message-----\r\nFrom: Maine <news@maine.example>\r\nSecret",
        "________________________________\r\nVon: Maine\r\nSecret",
        "From: Maine Libraries <news@maine.example>\r\nSent: Monday\r\nTo: Ana\r\nSecret",
        "> Dear Ana\r\n> Secret",
    ],
)
def test_signatures_and_what_is_quoted_are_no_words_of_the_person(below: str) -> None:
    assert _words("text/plain", f"Yes, we could.\r\n{below}\r\n") == ["Yes, we could."]


def test_a_line_that_begins_like_a_header_is_kept() -> None:
    assert _words("text/plain", "From: Bangor\r\nwe have three shelves") == ["From: Bangor", "we have three shelves"]


def test_of_a_page_its_text_counts_without_what_it_quotes() -> None:
    page = "<style>p {}</style><p>S&iacute;, podr&iacute;amos.</p><blockquote>Dear Ana<p>Secret</blockquote>"
    assert _words("text/html", page) == ["Sí, podríamos."]


def test_odd_charsets_are_read() -> None:
    assert _words("text/plain", "Да, мы могли бы", "koi8-r") == ["Да, мы могли бы"]
    assert _words("text/plain", "はい、できます", "iso-2022-jp") == ["はい、できます"]
