"""Broken templates: each fault is found at its line and told in words, and nothing makes the linter fall over."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering_samples import compiled

from comms.rendering.errors import TemplateError
from comms.rendering.library import TemplateLibrary
from comms.rendering.lint import lint
from comms.rendering.source import TemplateSource

SHIPPED = TemplateLibrary()
NAMES = sorted(info.name for info in SHIPPED.list())

HEAD = '<mjml><mj-head><mj-style>a { color: red; }</mj-style></mj-head><mj-body width="600px">'
FOOT = (
    '<mj-section><mj-column><mj-text>{{ association.postal_address }}<a href="{{ links.unsubscribe }}">x</a></mj-text>'
    "</mj-column></mj-section></mj-body></mjml>"
)


def template(body: str) -> TemplateSource:
    """A template in which `body` begins on line 2, between good sections."""
    return TemplateSource("mine", f"{HEAD}\n{body}\n{FOOT}", {})


def column(inner: str) -> str:
    """A section with one column, in which `inner` begins on line 3 of the template."""
    return f"<mj-section><mj-column>\n{inner}\n</mj-column></mj-section>"


FAULTS = [
    ("a component that does not exist", column("<mj-buton>x</mj-buton>"), 3, "no component mj-buton", "mj-button?"),
    ("a component from nowhere", column("<mj-zzzz />"), 3, "no component mj-zzzz", "MJML documentation"),
    ("a closing tag of another name", column("<mj-text>\n\nx</mj-txt>"), 5, "no component mj-txt", "mj-text?"),
    ("a closing tag too many", "<mj-section></mj-section>\n</mj-section>", 3, "closes nothing", "remove it"),
    ("a tag that is not closed", column("<mj-text>\n<b>x\n</mj-text>"), 4, "<b> is not closed", "open and close"),
    (
        "a tag that ends in another branch",
        column("{% if member.x %}<mj-text>{% else %}\n<mj-text>{% endif %}x</mj-text>"),
        3,
        "<mj-text> is not closed",
        "same branch",
    ),
    (
        "text in a section",
        "<mj-section>\n<mj-text>x</mj-text></mj-section>",
        3,
        "can not stand directly in <mj-section>",
        "mj-column or mj-hero",
    ),
    ("a section in a column", column("<mj-section></mj-section>"), 3, "in <mj-column>", "mj-body or mj-wrapper"),
    (
        "a column in the body",
        "\n<mj-column></mj-column>",
        3,
        "<mj-column> can not stand directly in <mj-body>",
        "mj-group",
    ),
    ("a style in the body", "<mj-style>a {}</mj-style>", 2, "<mj-style> can not stand", "mj-head"),
    ("a button in a text", column("<mj-text>a\n<mj-button>x</mj-button></mj-text>"), 4, "in <mj-text>", "mj-column"),
    (
        "a link outside of its menu",
        column('<mj-navbar-link href="#">x</mj-navbar-link>'),
        3,
        "<mj-navbar-link>",
        "mj-navbar",
    ),
    (
        "nesting in a macro",
        column("{% macro m() %}\n<mj-text><mj-text>x</mj-text></mj-text>{% endmacro %}"),
        4,
        "<mj-text> can not stand directly in <mj-text>",
        "mj-column",
    ),
    ("an attribute that is none", column('<mj-text\n  colour="#111111">x</mj-text>'), 4, "knows no colour", "color?"),
    ("an attribute of another component", column('<mj-text href="#">x</mj-text>'), 3, "knows no href", "remove it"),
    ("an attribute of no use", column('<mj-spacer zzzz="1" />'), 3, "knows no zzzz: it has no effect", "remove it"),
    (
        "an attribute twice",
        column('<mj-text color="#111111" color="#222222">x</mj-text>'),
        3,
        "stands twice",
        "keep one",
    ),
    ("an attribute without quotes", column("<mj-text align=left>x</mj-text>"), 3, "no value in quotes", 'align="..."'),
    ("a number without unit", column('<mj-text font-size="17">x</mj-text>'), 3, 'font-size="17"', "with px"),
    ("a unit that mail does not know", column('<mj-text padding="1em 2em">x</mj-text>'), 3, "padding", "px or %"),
    ("too many values", column('<mj-text padding="1px 2px 3px 4px 5px">x</mj-text>'), 3, "padding", "1 to 4 numbers"),
    ("a colour that is none", column('<mj-text color="bluish">x</mj-text>'), 3, 'color="bluish"', "#1f4e79"),
    ("a colour of five digits", column('<mj-divider border-color="#12345" />'), 3, "border-color", "darkblue"),
    (
        "a word that is not on the list",
        column('<mj-text align="centre">x</mj-text>'),
        3,
        'align="centre"',
        "left, right, center",
    ),
    ("neither yes nor no", column('<mj-image src="a" fluid-on-mobile="yes" />'), 3, "fluid-on-mobile", "true or false"),
    ("a word for a number", column('<mj-table cellpadding="wide"></mj-table>'), 3, "cellpadding", "a whole number"),
    ("words between components", column("\nHello {{ member.name or 'you' }}"), 4, "Hello can not stand", "mj-text"),
    ("HTML between components", column("<p>Hello</p>"), 3, "<p> can not stand directly in <mj-column>", "mj-raw"),
    ("a sign that starts no tag", column("<mj-text>a\n1 < 2</mj-text>"), 4, "'<' that starts no tag", "&lt;"),
    ("mj-include", column('<mj-include path="x.mjml" />'), 3, "mj-include is not used here", "{% include"),
    ("Jinja without end", column("{% if member.x %}<mj-text>x</mj-text>"), 5, "end of template", ""),
    ("a filter that is none", column("<mj-text>{{ member.x|uper }}</mj-text>"), 3, "no filter called uper", "upper?"),
    ("a member in a width", column('<mj-image src="a" width="{{ member.x }}" />'), 3, "width of <mj-image>", "branch"),
    ("a member in a padding", column('<mj-text padding="0 {{ member.x }}">x</mj-text>'), 3, "padding of", "branch"),
    (
        "a member's social networks",
        column("<mj-social>{% for s in member.x %}\n<mj-social-element>x</mj-social-element>{% endfor %}</mj-social>"),
        3,
        "the elements of <mj-social>",
        "whole mj-social",
    ),
    (
        "a member's pictures",
        column("<mj-carousel>{% for s in member.x %}\n<mj-carousel-image />{% endfor %}</mj-carousel>"),
        3,
        "the elements of <mj-carousel>",
        "whole mj-carousel",
    ),
    (
        "a member's columns without width",
        "<mj-section>\n{% if member.x %}<mj-column></mj-column>{% endif %}</mj-section>",
        3,
        "columns without a width",
        'width="50%"',
    ),
    ("a member's file", column("{% include member.x %}"), 3, "which file to include", "around it"),
    ("a member's value between components", column("{{ member.name or 'you' }}"), 3, "text can not stand", "mj-text"),
    (
        "a member in styles set in line",
        '</mj-body><mj-head>\n<mj-style inline="inline">p { color: {{ member.x }} }</mj-style></mj-head><mj-body>',
        3,
        "set in line can not depend",
        "without inline",
    ),
]


@pytest.mark.parametrize(("body", "line", "said", "hint"), [fault[1:] for fault in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_fault_is_found_at_its_line_and_told_with_a_remedy(body: str, line: int, said: str, hint: str) -> None:
    problems = lint(template(body))
    found = [problem for problem in problems if problem.line == line and said in problem.message]
    assert found, problems
    assert hint in found[0].hint


def test_the_template_around_the_faults_has_none() -> None:
    assert lint(template(column("<mj-text>x</mj-text>"))) == ()


@pytest.mark.parametrize("name", NAMES)
def test_shipped_templates_have_no_problems(name: str) -> None:
    assert SHIPPED.lint(name) == ()


GOOD = [
    '<mj-text padding="{{ pad }}px">x</mj-text>',
    '<mj-text padding="{% if wide %}20px{% else %}4px 3px{% endif %}" color="{{ brand.accent }}">x</mj-text>',
    '<mj-image src="a"{% if strings.why %} href="{{ association.homepage }}"{% endif %} alt="" />',
    "<mj-text css-class=\"{{ member.tier or 'none' }}\" color=\"{{ member.colour or 'red' }}\">x</mj-text>",
    "{% set words %}Words of {{ association.name }}{% endset %}<mj-text>{{ words }}</mj-text>",
    "{% macro row(x) %}words {{ x }}{% endmacro %}<mj-text>{{ row(1) }}</mj-text>",
    "{% macro box(x) %}<mj-text>{{ x }}</mj-text>{% endmacro %}{{ box('a') }}",
    "{# <mj-nothing> #}<!-- <mj-nothing> --><mj-text>{% raw %}{{ x }}{% endraw %}</mj-text>",
    '<mj-text line-height="1.5" letter-spacing="-1px" padding="0" font-size="0">x</mj-text>',
    '<mj-text color="rgb(1, 2, 3)" container-background-color="rgba(1,2,3,0.5)">x</mj-text>',
    '<mj-text color="DarkBlue" padding="1.5px 2%">x</mj-text><mj-image src="a" height="auto" width="50px" />',
    "<mj-table><tr><td>x</td></tr></mj-table><mj-raw><tr><td>x</td></tr></mj-raw>",
]


@pytest.mark.parametrize("inner", GOOD)
def test_a_good_template_gives_no_false_alarm(inner: str) -> None:
    known = "{% set pad = 3 %}{% set wide = true %}"
    assert lint(template(f"{known}{column(inner)}")) == ()


@pytest.mark.parametrize("inner", ['<mj-text colour="red" padding="3em">x</mj-text>', "words", "<p>x</p>"])
def test_what_mjml_only_ignores_is_told_but_still_sent(inner: str) -> None:
    source = template(column(inner))
    assert lint(source)
    assert "1 Main Street" in compiled(template=source).html


def test_a_document_with_wrong_nesting_is_not_sent() -> None:
    with pytest.raises(TemplateError, match="can not stand directly in <mj-section>"):
        compiled(template=template("<mj-section><mj-text>x</mj-text></mj-section>"))


@st.composite
def mutations(draw: st.DrawFn) -> TemplateSource:
    """A shipped template in which some stretches were taken out, doubled, or replaced by others' favourite mistakes."""
    source = SHIPPED.find(draw(st.sampled_from(NAMES)))
    text = source.text
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 30))
        mistake = draw(
            st.sampled_from(
                [
                    "",
                    "<",
                    ">",
                    '"',
                    "{{",
                    "%}",
                    "{%",
                    "</mj-text>",
                    "<mj-text>",
                    "\0",
                    "\ud800",
                    "<!--",
                    "-->",
                    "{{ member.x }}",
                    "{% if member.x %}",
                    "mj-",
                    "=",
                    "<![CDATA[",
                    "é",
                    "&",
                    "zJa0Jz",
                    text[start : start + length] * 2,
                ],
            )
        )
        text = text[:start] + mistake + text[start + length :]
    return TemplateSource(source.name, text, {**source.partials, f"{source.name}.mjml": text})


@settings(max_examples=60, deadline=None)
@given(mutations())
def test_no_mutation_of_a_shipped_template_makes_the_linter_fall_over(source: TemplateSource) -> None:
    lines = source.text.count("\n") + source.text.count("\r") + 1
    for problem in lint(source):
        assert problem.message
        assert 0 <= problem.line <= lines


@pytest.mark.parametrize(
    "inner",
    [
        "<mj-text " * 5_000,
        '<mj-text padding="' + "1px " * 100_000 + '">x</mj-text>',
        "<mj-column>" * 5_000,
        '<mj-text color="' + "#" * 500_000 + '">x</mj-text>',
        "\x00\x1b[31m" * 1_000,
        "x " * 200_000,
    ],
)
def test_hostile_templates_take_no_time(inner: str) -> None:
    start = time.monotonic()
    for problem in lint(template(column(inner))):
        assert len(problem.message) < 1_000
    assert time.monotonic() - start < 10
