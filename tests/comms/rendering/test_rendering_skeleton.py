"""A message encoded piece by piece is the message that is rendered whole and then encoded."""

from __future__ import annotations

import quopri
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rendering_samples import LINKS, a_campaign, a_context, compiled

from comms.rendering import quoted
from comms.rendering.clean import printable
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError
from comms.rendering.render import Encoded, Rendered, Renderer
from comms.rendering.sandbox import FAULTS, SafeEnvironment, render
from comms.rendering.skeleton import skeleton

literals = st.text(alphabet="ab .=\n\t<>&'\"-é字😀\x00\x85", max_size=12) | st.sampled_from(
    [".", "\n.\n", "   \n", "x" * 80, "=" * 30, "<p>\n", "é" * 40, "a " * 50, "From me\n"]
)
outputs = st.sampled_from(
    [
        "{{ member.a }}",
        "{{ member.b or 'nobody' }}",
        "{{ member.b or member.a or '' }}",
        "{{ member.n }}",
        "{{ member.n + 1 }}",
        "{{ member.a|upper }}",
        "{{ member.a|default('é.')|title }}",
        "{{ member.b|d('')|truncate(9) }}",
        "{{ member.a ~ ' & ' ~ member.n }}",
        "{{ member.a|e }}",
        "{{ member.tags|join('.') }}",
        "{{ 'x' if member.b else member.a }}",
        "{{ links.click }}/3",
        "{{ links.unsubscribe }}",
        "{{ '{{ & \r' }}",
        "{{ x or '' }}",
        "{{ loop.index or 0 }}",
        "{{ y }}",
        "{% set y = member.a %}",
        "{% set member = {'a': 'another'} %}",
    ]
)
conditions = st.sampled_from(["member.b", "not member.b", "member.n > 2", "member.a == member.b", "links.pixel", "x"])


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    inner = st.lists(inner, max_size=4).map("".join)
    return st.one_of(
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, conditions, inner, inner),
        st.builds("{{% for x in member.tags %}}{}{{% else %}}{}{{% endfor %}}".format, inner, inner),
        st.builds("{{% for x in member.tags if x != member.a %}}{}{{{{ loop.index }}}}{{% endfor %}}".format, inner),
    )


sources = st.lists(st.recursive(literals | outputs, _blocks, max_leaves=8), max_size=10).map("".join)
words = (
    st.text(max_size=30)
    | st.text(alphabet=" .=\r\n\t<&é字😀\ud800\x00", max_size=20)
    | st.sampled_from(["", ".", "=", "\r\n", "a\r", "\na", "x" * 1_100, "é" * 400, " ", "trailing  "])
    | st.sampled_from(["مرحبا", "हिन्दी", "👩‍👧"])
)
members = st.fixed_dictionaries(
    {"a": words, "b": words, "n": st.integers(-5, 10**6), "tags": st.lists(words, max_size=3)}
)


def an_edition(source: str) -> Edition:
    return Edition("spring", "Spring", "en", "coalition", "Spring", "", source, source)


def decoded(encoded: str) -> str:
    assert all(len(line) <= 76 and not line.startswith(".") for line in encoded.split("\r\n"))
    assert encoded.isascii()
    return quopri.decodestring(encoded.encode("ascii")).decode("utf-8")


@settings(max_examples=400, deadline=None)
@given(sources, members)
@example("{{ member.a }}\n{{ member.a }}", {"a": "a\r"})
@example("{% if member.b %}{{ member.a }}{% endif %}{{ member.a or '' }}", {"b": ""})
def test_any_template_gives_any_member_the_same_text_either_way(source: str, member: dict[str, Any]) -> None:
    renderer, context = Renderer(an_edition(source)), a_context(member)
    assert outcome(lambda: renderer.encode(context)) == outcome(lambda: as_encoded(renderer.render(context)))


def as_encoded(rendered: Rendered) -> Encoded:
    return Encoded(rendered.subject, quoted.encode(rendered.html), quoted.encode(rendered.text))


def outcome(make: Callable[[], Encoded]) -> tuple[str, ...]:
    """What a reader sees, or why there is nothing to see."""
    try:
        encoded = make()
    except RenderError as fault:
        return (str(fault),)
    return encoded.subject, decoded(encoded.html), decoded(encoded.text)


@settings(max_examples=200, deadline=None)
@given(sources, members, st.booleans())
@example("{% set y = member.a %}{{ y }}", {"a": "Ana"}, True)
@example("{{ member.a }}{% set member = {'a': 'another'} %}{{ member.a }}", {"a": "Ana"}, True)
@example("{% for x in member.tags %}{{ x or '' }}{% endfor %}{{ x or '' }}", {"tags": ["1", "2"]}, False)
@example(
    "{% for x in member.tags %}{{ loop.index or 0 }}{% endfor %}{{ loop.index or 0 }}", {"tags": ["1", "2"]}, False
)
def test_all_that_prints_where_it_stands_has_a_skeleton(source: str, member: dict[str, Any], autoescape: bool) -> None:
    template = skeleton(source, autoescape=autoescape)
    assert template is not None
    plain = SafeEnvironment(autoescape=autoescape, finalize=printable).from_string(source)
    try:
        expected = render(plain, a_context(member))
    except FAULTS:
        return
    assert decoded(template.fill(a_context(member))) == decoded(quoted.encode(expected))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% set x %}a={{ member.a }}{% endset %}{{ x|length }} {{ x }}", "14 a=&lt;Ana.&gt;"),
        ("{% filter upper %}a={{ member.a }}{% endfilter %}", "A=&LT;ANA.&GT;"),
        ("{% macro m(x) %}={{ x }}{% endmacro %}{{ m(member.a)|length }}{{ m('é') }}", "13=é"),
        ("{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}={% endcall %}", "="),
        ("{% for x in [1, 2] recursive %}{{ x }}={% endfor %}", "1=2="),
        ("{% autoescape false %}{{ member.a }}={% endautoescape %}", "<Ana.>="),
        ("{% block b %}={{ member.a }}{% endblock %}", "=&lt;Ana.&gt;"),
        ("{% with x = member.a %}={{ x }}{% endwith %}", "=&lt;Ana.&gt;"),
        ("{{ _shared_0 or 'none' }}={{ member.a }}", "none=&lt;Ana.&gt;"),
    ],
)
def test_what_catches_its_own_output_is_rendered_whole_first(source: str, expected: str) -> None:
    assert skeleton(source, autoescape=True) is None
    encoded = Renderer(an_edition(source)).encode(a_context({"a": "<Ana.>"}))
    assert decoded(encoded.html) == expected


def test_a_compiled_newsletter_has_skeletons() -> None:
    edition = compiled(a_campaign())
    for source, autoescape in ((edition.html, True), (edition.text, False)):
        assert skeleton(source, autoescape=autoescape) is not None


def test_a_value_in_a_branch_not_taken_is_not_asked_for() -> None:
    renderer = Renderer(an_edition("{% if links.pixel %}{{ member.b }}{% endif %}."))
    assert decoded(renderer.encode(a_context()).text) == "."
    with pytest.raises(RenderError, match="b: this member has no value for it, and the html has no fallback"):
        renderer.encode(a_context(pixel="https://news.example.org/o/token.gif"))


def test_what_is_printed_often_is_worked_out_once() -> None:
    links = Counting(LINKS)
    template = skeleton(
        "{{ links.click }}/1 {{ links.click }}/2{% if links.view %}{{ links.click }}{% endif %}" * 10, autoescape=True
    )
    assert template is not None
    assert decoded(template.fill({"links": links})).count(LINKS["click"]) == 30
    assert links.asked.count("click") == 1


class Counting(dict[str, str]):
    """Remembers which values it was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> str:
        self.asked.append(name)
        return super().__getitem__(name)


def test_numbers_that_are_equal_keep_their_looks() -> None:
    renderer = Renderer(an_edition("{{ member.a }} {{ member.b }} {{ member.c }}"))
    assert decoded(renderer.encode(a_context({"a": 1, "b": True, "c": 1.0})).text) == "1 True 1.0"
    assert decoded(renderer.encode(a_context({"a": True, "b": 1.0, "c": 1})).text) == "True 1.0 1"


@pytest.mark.parametrize("bomb", ["{% for x in member.a %}" * 5 + "x" + "{% endfor %}" * 5, "{{ member.a * 9 ** 9 }}"])
def test_the_limits_of_templates_hold(bomb: str) -> None:
    with pytest.raises(RenderError):
        Renderer(an_edition(bomb)).encode(a_context({"a": "x" * 100}))


def test_output_stays_limited() -> None:
    source = "{% for x in member.a %}{{ member.b }}{% endfor %}"
    with pytest.raises(RenderError, match="2000000 characters"):
        Renderer(an_edition(source)).encode(a_context({"a": "x" * 1_000, "b": "y" * 10_000}))
