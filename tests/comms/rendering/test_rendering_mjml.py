"""The shim over mjml-python: what it mends and what it says about broken markup."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.rendering.errors import TemplateError
from comms.rendering.markup import scan
from comms.rendering.mjml import check, to_html

DATA = Path(__file__).parents[4] / "shared" / "data" / "mjml"


def page(inner: str, head: str = "", attributes: str = "") -> str:
    return (
        f"<mjml{attributes}><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>{inner}</mj-column>"
        "</mj-section></mj-body></mjml>"
    )


HARD = ["हिन्दी नि", "עִבְרִית", "👨‍👩‍👧", "ก็", "a\u00a0b", 'say "hi"', "it's", "back\\slash", "two\nlines", "tab\there"]


@pytest.mark.parametrize("value", HARD)
def test_attribute_values_come_through_unharmed(value: str) -> None:
    quoted = value.replace("&", "&amp;").replace('"', "&quot;")
    html = to_html(page(f'<mj-image src="a.png" alt="{quoted}" /><mj-text><p title="{quoted}">x</p></mj-text>'))
    tree = lxml.html.document_fromstring(html)
    assert tree.xpath("//img/@alt") == [value]
    assert tree.xpath("//p/@title") == [value]


@pytest.mark.parametrize("value", HARD)
def test_titles_come_through_unharmed(value: str) -> None:
    tree = lxml.html.document_fromstring(to_html(page("", f"<mj-title>{value}</mj-title>")))
    assert tree.xpath("//title")[0].text_content() == value
    assert tree.xpath("//*[@role='article']/@aria-label") == [value]


def test_single_quoted_values_may_hold_double_quotes() -> None:
    html = to_html(page("<mj-text><p title='say \"hi\"'>x</p></mj-text>"))
    assert lxml.html.document_fromstring(html).xpath("//p/@title") == ['say "hi"']


def test_every_image_has_an_alternative_text() -> None:
    html = to_html(page('<mj-image src="a.png" /><mj-text><img src="b.png" /></mj-text><mj-image src="c" alt="C" />'))
    assert lxml.html.document_fromstring(html).xpath("//img/@alt") == ["", "", "C"]


def test_language_and_direction_are_said() -> None:
    tree = lxml.html.document_fromstring(to_html(page("", attributes=' lang="ar" dir="rtl"')))
    assert tree.xpath("/html/@lang | /html/@dir") == ["ar", "rtl"]


def test_no_font_is_fetched_unless_asked_for() -> None:
    inner = '<mj-text>a</mj-text><mj-text font-family="Roboto, Lato, Ubuntu">b</mj-text>'
    assert "http" not in to_html(page(inner)).replace("http://www.w3.org/1999/xhtml", "").replace("http-equiv", "")
    asked = '<mj-font name="Own" href="https://fonts.example.org/own.css" />'
    inner = '<mj-text font-family="Own">b</mj-text>'
    assert "https://fonts.example.org/own.css" in to_html(page(inner, asked))


def test_control_characters_and_surrogates_do_not_reach_the_mail() -> None:
    html = to_html(page("<mj-text>a\x00\x1b\ud800b</mj-text>"))
    assert "a\ufffdb" in html


BROKEN = [
    ("<mj-text>\na</mj-txt>", 2, "no component mj-txt", "did you mean mj-text?"),
    ("\n<mj-text>a", 2, "<mj-text> is not closed before the end", "same branch"),
    ("<mj-navbar>\n<mj-navbar-link>\n</mj-navbar>", 2, "<mj-navbar-link> is not closed before </mj-navbar> in", ""),
    ("\n<MJ-Text>x</MJ-Text>", 2, "mj-text is written with capital letters", "write <mj-text>"),
    ("<mj-text>\n<![CDATA[x]]></mj-text>", 2, "CDATA is not used", "&lt;"),
    ("\n<mj-section></mj-section>", 2, "<mj-section> can not stand directly in <mj-column>", "mj-body or mj-wrapper"),
    (
        "<mj-text>\n<mj-button>x</mj-button></mj-text>",
        2,
        "<mj-button> can not stand directly in <mj-text>",
        "mj-column",
    ),
    ("<mj-social>\n<mj-text>x</mj-text></mj-social>", 2, "<mj-text> can not stand directly in <mj-social>", ""),
    ("\n\n</mj-text>", 3, "</mj-text> closes nothing", ""),
    ("<mj-text>a\n<b>b</mj-text>", 2, "<b> is not closed before </mj-text> in line 2", ""),
    ("<mj-text>\n1 < 2</mj-text>", 2, "a '<' that starts no tag", "&lt;"),
    ("\n<mj-buton href='a'>x</mj-buton>", 2, "no component mj-buton", "did you mean mj-button?"),
    ("\n<mj-text align=left>x</mj-text>", 2, "align in <mj-text> has no value in quotes", 'align="..."'),
    ("\n<mj-include path='/etc/passwd' />", 2, "mj-include is not used here", "include"),
    ('\n\n<mj-image src="a />', 3, "a '<' that starts no tag", ""),
    ("<mj-text>\n<p>a<p>b</p></mj-text>", 2, "<p> is not closed before </mj-text> in line 2", ""),
]


@pytest.mark.parametrize(("source", "line", "said", "hint"), BROKEN)
def test_broken_markup_is_reported_with_line_and_remedy(source: str, line: int, said: str, hint: str) -> None:
    problem = check(f"<mj-column>{source}</mj-column>" if "closed before the end" not in said else source)[0]
    assert problem.line == line
    assert said in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(("source", "line"), [(source, line) for source, line, _, _ in BROKEN])
def test_broken_markup_is_never_compiled(source: str, line: int) -> None:
    with pytest.raises(TemplateError) as caught:
        to_html(page(source), name="mine")
    assert (caught.value.template, caught.value.line) == ("mine", line)


def test_all_problems_are_reported_not_only_the_first() -> None:
    assert [problem.line for problem in check("<mj-foo />\n<mj-bar />\n<b>")] == [1, 2, 3]


def test_void_elements_comments_and_styles_are_no_problem() -> None:
    source = (
        "<mj-text>a<br>b<img src='x' alt=''><hr /><!-- <b> --></mj-text>"
        "<mj-style>a > b { content: '<' }</mj-style><!--[if mso]><table><![endif]-->"
    )
    assert check(source) == []


@settings(max_examples=200)
@given(st.text(alphabet="<>/\"'=! -mjtexab\n", max_size=80))
def test_any_text_is_scanned_without_gaps(source: str) -> None:
    position = 0
    for piece in scan(source):
        assert piece.start == position
        position = piece.end
    assert position == len(source)


@settings(max_examples=200)
@given(st.text(alphabet="<>/\"'=! -mjtexab&;#\n", max_size=80))
def test_any_markup_compiles_or_is_refused_for_people(source: str) -> None:
    with contextlib.suppress(TemplateError):
        assert to_html(page(f"<mj-text>{source}</mj-text>")).startswith("<!doctype html>")


@pytest.mark.parametrize("source", ["<a " * 50_000, '<a b="' * 50_000, "<" * 100_000, "<!--" * 50_000, "<b>" * 30_000])
def test_hostile_markup_takes_no_time(source: str) -> None:
    start = time.monotonic()
    check(source)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("deep", [256, 20_000])
def test_elements_that_stand_too_deep_are_refused_before_they_end_the_process(deep: int) -> None:
    with pytest.raises(TemplateError, match="256 deep"):
        to_html(page(f"<mj-text>{'<b>' * deep}{'</b>' * deep}</mj-text>"))
    assert "</b>" in to_html(page(f"<mj-text>{'<b>' * 200}{'</b>' * 200}</mj-text>"))


@pytest.mark.data
def test_the_published_examples_of_mjml_compile() -> None:
    if not DATA.is_dir():
        pytest.skip("the MJML corpus is not here: ../shared/data/mjml")
    sources = sorted(DATA.glob("*.mjml"))
    refused = []
    for path in sources:
        try:
            html = to_html(path.read_text(encoding="utf-8"))
        except TemplateError as error:
            refused.append((path.name, str(error)))
        else:
            assert "\\u{" not in html
    assert sources
    assert refused == []
