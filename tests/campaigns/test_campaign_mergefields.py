"""Which Jinja people may write, and which values of a member a text can not do without."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.errors import CampaignError
from campaigns.expressions import MAX_EXPRESSION, PUBLIC, flaws, merge_field
from campaigns.mergefields import MergeEnvironment, MissingValueError, fields_without_fallback, merge_fields


def _render(source: str, member: dict[str, object]) -> str:
    return MergeEnvironment().from_string(source).render(member=member)


@pytest.mark.parametrize(
    "source",
    [
        '{{ member.a or "b" }}',
        '{{ member.a|default("b") }}',
        '{{ "a" if member.a else "b" }}',
        "{% if member.a %}{{ member.a }}{% endif %}",
        "{% if member.a is defined %}{{ member.a|upper }}{% endif %}",
        '{{ "yes" if member.a == "x" else "no" }}',
        '{{ "old" if member.a > 60 else "young" }}',
        '{{ "west" if member.a in ("WA", "OR") else "east" }}',
        '{{ "x" if "x" in member.a else "y" }}',
        "{% if not member.a %}Hello{% endif %}",
        '{{ (member.a or "x")|upper }}',
        "{{ association.name }} {{ links.view }} {{ url }}",
        "no fields",
    ],
)
def test_a_text_with_fallbacks_needs_nothing_and_renders_for_a_member_without_data(source: str) -> None:
    assert fields_without_fallback(source) == ()
    environment = MergeEnvironment()
    environment.from_string(source).render(member={}, association={"name": "A"}, links={"view": "v"}, url="u")


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("{{ member.a }}", ("a",)),
        ("{{ member['first name'] }}", ("first name",)),
        ("{{ member.a|upper }}", ("a",)),
        ("{{ member.a|int }}", ("a",)),
        ("{{ member.a|length }}", ("a",)),
        ("{{ member.a|truncate(5) }}", ("a",)),
        ("{{ member.a + 1 }}", ("a",)),
        ("{{ 'x' ~ member.a }}", ("a",)),
        ("{{ member.a[:3] }}", ("a",)),
        ("{{ -member.a }}", ("a",)),
        ("{{ member.b }} {{ member.a }}", ("b", "a")),
        ("{{ member.a or member.b }}", ("b",)),
        ("{{ member.a or member.b }} {{ member.a }}", ("a",)),
        ("{{ {'en': 'Hi'}[member.a] }}", ("a",)),
        ("{{ member.a|default(member.b) }}", ("b",)),
        ("{% if member.a %}{{ member.b }}{% endif %}", ("b",)),
        ("{% if member.a == 'fr' %}{{ member.b }}{% else %}{{ member.c }}{% endif %}", ("b", "c")),
        ("{{ member.b if member.a > 5 else member.c }}", ("b", "c")),
        ("{{ member.items }}", ("items",)),
        ("{{ member.a|truncate(1) }} {{ 1 // 0 }}", ()),
    ],
)
def test_values_without_fallback_are_named_in_order(source: str, needed: tuple[str, ...]) -> None:
    assert fields_without_fallback(source) == needed


@pytest.mark.parametrize("source", ["{{ member.a }}", "{{ member.a|e }}", "{{ member.a + 1 }}", "{{ member['a'] }}"])
def test_rendering_without_a_needed_value_names_it(source: str) -> None:
    with pytest.raises(MissingValueError) as caught:
        _render(source, {"b": 1})

    assert caught.value.name == "a"


def test_a_value_is_never_mistaken_for_a_method() -> None:
    assert _render("{{ member.items }} {{ member['values'] }}", {"items": 3, "values": "v"}) == "3 v"
    with pytest.raises(MissingValueError):
        _render("{{ member.keys }}", {})


def test_fields_are_listed_once_in_the_order_of_the_text() -> None:
    source = "{{ member.b }}{{ member['a c'] }}{% if member.b %}{{ member.d }}{% endif %}{{ association.e }}"

    assert merge_fields(source) == ("b", "a c", "d")
    assert merge_fields("{{ member.") == ()


def test_a_text_with_flaws_is_not_analysed() -> None:
    with pytest.raises(CampaignError, match="not available"):
        fields_without_fallback("{{ 'x' * 9 }}")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ name }}", "unknown name `name`"),
        ("{{ member }}", "`member` alone"),
        ("{{ member.name.first }}", "one dot at most"),
        ("{{ member[member.a] }}", "which value of `member`"),
        ("{{ url.x }}", "part of a plain value"),
        ("{{ 3[1:] }}", "part of a plain value"),
        ("{{ member.__class__ }}", "not a name of a value"),
        ("{{ member['__class__'] }}", "not a name of a value"),
        ("{{ ''.__class__ }}", "part of a plain value"),
        ("{{ member.name.upper() }}", "can not be called"),
        ("{{ range(10) }}", "`range` can not be called"),
        ("{{ lipsum() }}", "`lipsum` can not be called"),
        ("{{ cycler('a') }}", "`cycler` can not be called"),
        ("{{ joiner() }}", "`joiner` can not be called"),
        ("{{ namespace() }}", "`namespace` can not be called"),
        ("{{ lipsum.__globals__ }}", "unknown name `lipsum`"),
        ("{{ self }}", "unknown name `self`"),
        ("{{ member.a|attr('x') }}", "filter `attr`"),
        ("{{ member.a|uper }}", "did you mean `upper`?"),
        ("{{ member.a|replace('a', 'aaaaaaaa') }}", "filter `replace`"),
        ("{{ member.a|format(1) }}", "filter `format`"),
        ("{{ 'x'|center(999999999) }}", "filter `center`"),
        ("{{ 7 * 7 }}", "multiplication"),
        ("{{ 9 ** 9 ** 9 }}", "power"),
        ("{{ '%999999999d' % 1 }}", "remainder"),
        ("{{ member.a is divisibleby(3) }}", "test `is divisibleby`"),
        ("{% for i in member.a %}x{% endfor %}", "loop"),
        ("{% set a = 1 %}", "not available here"),
        ("{% include 'x' %}", "not available here"),
        ("{% import 'x' as y %}", "not available here"),
        ("{% macro m() %}{% endmacro %}", "not available here"),
        ("{{ member.a", "not valid Jinja"),
        ("{% if member.a %}x", "not valid Jinja"),
        ("{{ 'x' ~ '" + "y" * MAX_EXPRESSION + "' }}", "longer than 2,000"),
        ("{{ " + "(" * 900 + "1" + ")" * 900 + " }}", "nested too deeply"),
        ("{{ member.a" + "|upper" * 200 + " }}", "nested too deeply"),
    ],
)
def test_what_could_harm_or_hang_is_refused_by_name_without_being_run(source: str, words: str) -> None:
    started = time.process_time()
    found = flaws(source)

    assert any(words in f"{flaw.message} {flaw.hint}" for flaw in found)
    assert time.process_time() - started < 2


def test_a_flaw_is_on_its_line_of_the_text() -> None:
    assert [flaw.line for flaw in flaws("a\n{{ x }}\n\n{{ url }} {{ y }}")] == [2, 4]


def test_a_text_for_everyone_knows_no_member() -> None:
    (flaw,) = flaws("{{ url }} {{ campaign.title }} {{ member.a }}", names=PUBLIC)

    assert "same for everyone" in flaw.message
    assert flaw.hint == "available: association, campaign, url"


_FIELDS = st.sampled_from(["member.a", "member.b", "member['c d']", "member.e[:2]"])


def _either(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, st.sampled_from([" or ", " ~ "]), inner)
    filtered = st.tuples(inner, st.sampled_from(["|upper", "|default('d')", "|trim"]))
    return (pair | filtered).map("".join).map(lambda text: f"({text})")


@given(st.lists(st.recursive(_FIELDS | st.just("'t'"), _either, max_leaves=8), min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_member_with_the_needed_values_lacks_nothing(expressions: list[str]) -> None:
    source = " ".join(f"{{{{ {expression} }}}}" for expression in expressions)

    _render(source, dict.fromkeys(fields_without_fallback(source), "Text"))


def _anything(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = [" or ", " and ", " ~ ", " + ", " - ", " / ", " // ", " == ", " < ", " in "]
    pair = st.tuples(inner, st.sampled_from(signs), inner)
    ends = ["|upper", "|int", "|default('d')", "|truncate(1)", "|abs", " is defined"]
    ended = st.tuples(inner, st.sampled_from(ends))
    choice = st.tuples(inner, inner, inner).map(lambda parts: "({} if {} else {})".format(*parts))
    return (pair | ended).map("".join).map(lambda text: f"({text})") | choice | inner.map(lambda text: f"(not {text})")


@given(
    st.recursive(_FIELDS | st.sampled_from(["url", "'t'", "3", "none", "association.name"]), _anything, max_leaves=8)
)
@settings(max_examples=200, deadline=None)
def test_the_analysis_of_any_expression_ends_and_names_only_its_own_fields(expression: str) -> None:
    source = f"{{{{ {expression} }}}}"

    assert flaws(source) == ()
    assert set(fields_without_fallback(source)) <= set(merge_fields(source))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("{{ member.city }}", ("city", "")),
        ('{{ member.city or "here" }}', ("city", "here")),
        ('{{ member["a b"]|default("x") }}', ("a b", "x")),
        ("{{ member.city|upper }}", None),
        ("{{ member.a or member.b }}", None),
        ("{{ association.name }}", None),
        ("Hi {{ member.city }}", None),
        ("{{ member.city", None),
    ],
)
def test_a_plain_merge_field_is_taken_apart_and_nothing_else(source: str, found: tuple[str, str] | None) -> None:
    assert merge_field(source) == found
