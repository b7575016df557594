"""One Jinja syntax, two times: compiling once and rendering per member equals doing all at once."""

from __future__ import annotations

import itertools
from typing import Any

import jinja2
import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering_samples import column, document

from comms.rendering.binding import bind
from comms.rendering.carriers import Carrier, Carriers, literal
from comms.rendering.compile import edition_environment, render_template
from comms.rendering.errors import TemplateError
from comms.rendering.mjml import to_html
from comms.rendering.placing import place
from comms.rendering.sandbox import SafeEnvironment, render
from comms.rendering.source import TemplateSource

EDITION: dict[str, Any] = {
    "association": {"name": "A & B <Libraries>", "homepage": "https://a.example/"},
    "brand": {"accent": "#123456", "logo_url": ""},
    "campaign": {"title": "Spring"},
    "strings": {"hello": "Hello"},
    "blocks": [{"text": "one"}, {"text": "two {{ 7*7 }}"}, {"text": "{% raw %}three"}],
}

TEMPLATES = {
    "an expression in text": column("<mj-text>{{ strings.hello }} {{ member.name }}, welcome</mj-text>"),
    "an expression in attributes": column(
        '<mj-image src="{{ member.photo }}" alt="{{ member.name }}" href="{{ member.site }}" />'
        '<mj-text css-class="{{ member.tier }}"><p title="{{ member.name }}">x</p></mj-text>'
    ),
    "if and else within text": column(
        "<mj-text>{% if member.tier == 'gold' %}Gold {{ association.name }}{% elif member.tier %}"
        "{{ member.tier }}{% else %}None{% endif %} end</mj-text>"
    ),
    "if around a section": document(
        "{% if member.tier %}<mj-section><mj-column><mj-text>{{ member.tier }}</mj-text></mj-column>"
        "</mj-section>{% else %}<mj-section><mj-column><mj-text>none</mj-text></mj-column></mj-section>{% endif %}"
        "<mj-section><mj-column><mj-text>always</mj-text></mj-column></mj-section>"
    ),
    "if around a wrapper": document(
        "{% if member.tier is defined %}<mj-wrapper><mj-section><mj-column><mj-text>w</mj-text></mj-column>"
        "</mj-section></mj-wrapper>{% endif %}"
    ),
    "if around columns of fixed width": document(
        '<mj-section>{% if member.tier %}<mj-column width="50%"><mj-text>a</mj-text></mj-column>{% endif %}'
        '<mj-column width="50%"><mj-text>b</mj-text></mj-column></mj-section>'
    ),
    "if around what a column holds": column(
        '{% if member.books %}<mj-button href="{{ url }}">Go, {{ member.name }}</mj-button>{% endif %}<mj-divider />'
    ),
    "a loop over a member's list": column(
        "<mj-text><ul>{% for book in member.books %}<li>{{ loop.index }}: {{ book.title|upper }}"
        "{% if not loop.last %},{% endif %}</li>{% else %}<li>no books</li>{% endfor %}</ul></mj-text>"
    ),
    "table rows": column(
        "<mj-table>{% for book in member.books if book.year %}<tr><td>{{ book.title }}</td>"
        "<td>{{ book.year + 1 }}</td></tr>{% endfor %}</mj-table>"
    ),
    "sections in a loop": document(
        "{% for book in member.books %}<mj-section><mj-column><mj-text>{{ book.title }}</mj-text></mj-column>"
        "</mj-section>{% endfor %}"
    ),
    "an edition's loop around a member's condition": column(
        "{% for block in blocks %}<mj-text>{{ loop.index }} {{ block.text }}"
        "{% if member.tier %} for {{ member.tier }}{% endif %}</mj-text>{% endfor %}"
    ),
    "a variable set from a member": column(
        "{% set who = member.name or 'you' %}{% set long = who|length > 5 %}"
        "<mj-text>{{ who }}{% if long %} (long){% endif %} {{ brand.accent }}</mj-text>"
    ),
    "a variable set within a member's condition": column(
        "{% set tone = 'plain' %}{% if member.tier %}{% set tone = 'warm' %}{% endif %}<mj-text>{{ tone }}</mj-text>"
    ),
    "a block set with a member's value": column(
        "{% set greeting %}Dear {{ member.name }}{% endset %}<mj-text>{{ greeting }}, {{ greeting }}</mj-text>"
    ),
    "with": column(
        "{% with a = member.name, tier = member.tier %}<mj-text>{{ a }}/{{ tier or '-' }}</mj-text>{% endwith %}"
    ),
    "white space control": column(
        "<mj-text>  a  {%- if member.tier -%}  b  {%- endif -%}  c {{- member.name -}}  d </mj-text>"
    ),
    "a macro around a member's value": document(
        "{% macro greet(word, url) %}<mj-text>{{ word }} {{ member.name }} {{ url }}</mj-text>{% endmacro %}"
        "<mj-section><mj-column>{{ greet(strings.hello, 'x') }}{{ greet('Bye', 'y') }}</mj-column></mj-section>"
    ),
    "an included and an imported file": document(
        '{% import "lib.mjml" as lib %}<mj-section><mj-column>{% include "part.mjml" %}'
        "{% call lib.box('b') %}<p>{{ member.name }}</p>{% endcall %}</mj-column></mj-section>",
        part="<mj-text>{{ member.name }} of {{ association.name }}</mj-text>",
        lib="{% macro box(x) %}<mj-text>{{ x }}{{ caller() }}{{ member.tier or 'none' }}</mj-text>{% endmacro %}",
    ),
    "title, preview and style": document(
        "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>",
        "<mj-title>For {{ member.name }}</mj-title><mj-preview>{{ member.name }}{% if member.tier %}!{% endif %}"
        "</mj-preview><mj-style>.a { color: {{ member.colour or 'red' }}; }</mj-style>",
    ),
    "navbar and accordion": column(
        '<mj-navbar><mj-navbar-link href="/x">{{ member.name }}</mj-navbar-link></mj-navbar>'
        "<mj-accordion><mj-accordion-element><mj-accordion-title>{{ member.name }}</mj-accordion-title>"
        "<mj-accordion-text>{{ member.name }}</mj-accordion-text></mj-accordion-element></mj-accordion>"
    ),
    "an accordion's title with markup": column(
        "<mj-accordion><mj-accordion-element><mj-accordion-title>For <b>{{ member.name }}</b>{% if member.tier %}!"
        "{% endif %}</mj-accordion-title></mj-accordion-element></mj-accordion>"
    ),
    "raw HTML in a menu": column(
        "<mj-navbar><mj-raw><b>{{ member.name }}</b>{% if member.tier %}<i>{{ member.tier }}</i>{% endif %}</mj-raw>"
        '<mj-navbar-link href="/x">x</mj-navbar-link></mj-navbar>'
    ),
    "classes, and attributes that are added afterwards": document(
        '<mj-section><mj-column><mj-text mj-class="a b" css-class="{{ member.tier }}">x</mj-text>'
        '<mj-button href="{{ member.site }}" title="{{ member.name }}">go</mj-button>'
        '<mj-image src="a" border-left="1px solid #000000" alt="{{ member.name }}" /></mj-column></mj-section>',
        '<mj-attributes><mj-class name="a" color="#111111" /><mj-class name="b" color="#222222" /></mj-attributes>',
    ),
    "styles set in line": document(
        '<mj-section><mj-column><mj-text><p class="q" style="color: {{ member.colour or \'red\' }}">'
        "{% if member.tier %}<b>{{ member.tier }}</b>{% endif %}</p></mj-text><mj-table>{% for book in member.books %}"
        "<tr><td>{{ book.title }}</td></tr>{% endfor %}</mj-table></mj-column></mj-section>",
        '<mj-style inline="inline">.q { margin: 0 } b { color: blue } td { padding-top: 1px }</mj-style>',
    ),
    "attributes by selectors": document(
        '<mj-section css-class="s"><mj-column><mj-text><p>{{ member.name }}</p></mj-text></mj-column></mj-section>',
        '<mj-html-attributes><mj-selector path=".s p"><mj-html-attribute name="title">For {{ member.name }}'
        "</mj-html-attribute></mj-selector></mj-html-attributes>",
    ),
    "raw and comments": column(
        "<mj-text>{% raw %}{{ member.name }}{% endraw %}{# {{ member.name }} #} {{ '{{' }} {{ member.name }}</mj-text>"
    ),
    "outlook's conditional comments": column(
        "<mj-raw><!--[if mso]><p>{{ member.name }}{% if member.tier %}!{% endif %}</p><![endif]--></mj-raw>"
    ),
}

EMPTY: dict[str, Any] = {"name": "X", "photo": "", "site": "", "colour": "", "tier": "", "books": []}

CONTEXTS: dict[str, dict[str, Any]] = {
    "plain": {"name": "Maya", "photo": "p.png", "site": "https://m.example/", "tier": "gold", "books": []},
    "poor": {"name": "X"},
    "hostile": {"name": "{{ 7*7 }}<b>\"'&{% raw %}", "tier": "<i>", "books": [{"title": "</td>{#"}], "photo": '"x'},
    "scripts": {"name": "नमस्ते עִבְרִית 👨‍👩‍👧", "tier": "gold", "books": [{"title": "ก็", "year": 1999}], "site": "é"},
    "many": {"name": "M", "tier": "t", "books": [{"title": f"b{n}", "year": n} for n in range(12)], "colour": "blue"},
    "long": {"name": "W" * 300, "tier": "", "books": [{"title": "a"}, {"title": "b", "year": 0}], "photo": "a b"},
}


def jinja_first(template: TemplateSource, context: dict[str, Any]) -> str:
    files = {"t.mjml": template.text, **template.partials}
    environment = SafeEnvironment(autoescape=True, loader=jinja2.DictLoader(files))
    environment.globals.update({**EDITION, **context})
    return to_html(render(environment.get_template("t.mjml"), {}))


def compile_first(template: TemplateSource, context: dict[str, Any]) -> str:
    carriers = Carriers((template.text, *template.partials.values()))
    mjml = render_template(edition_environment(template, carriers), template, EDITION)
    source = carriers.restore(carriers.unwrap(to_html(place(mjml, carriers))))
    per_member = {**context, "association": EDITION["association"], "campaign": EDITION["campaign"]}
    return render(SafeEnvironment(autoescape=True).from_string(source), per_member)


def comparable(document: str) -> list[Any]:
    """The parsed document; styles of the head apart, which serve columns that may not be there."""
    tree = lxml.html.document_fromstring(document)
    return [
        (element.tag if isinstance(element.tag, str) else "comment", dict(element.attrib), words(element))
        for element in tree.iter()
        if not (element.tag == "style" and ".mj-" in (element.text or ""))
    ]


def words(element: Any) -> tuple[str, str]:
    return " ".join((element.text or "").split()), " ".join((element.tail or "").split())


@pytest.mark.parametrize(("template", "context"), [*itertools.product(TEMPLATES, CONTEXTS)])
def test_compiling_once_equals_answering_all_jinja_first(template: str, context: str) -> None:
    names = {"member": {**EMPTY, **CONTEXTS[context]}, "links": {}, "url": "https://u.example/"}
    source = TEMPLATES[template]
    assert comparable(compile_first(source, names)) == comparable(jinja_first(source, names))


# --- any template built of the allowed places --------------------------------------------------

EXPRESSIONS = st.sampled_from(
    [
        "{{ member.name }}",
        "{{ member.tier or 'none' }}",
        "{{ association.name }}",
        "{{ brand.accent }}",
        "words &amp; more",
    ]
)
CONDITIONS = st.sampled_from(
    ["member.tier", "member.books", "not member.tier", "member.name|length > 3", "brand.accent"]
)


def guarded(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What `inner` makes: as it is, in branches, in a member's loop, in the edition's loop."""
    return st.one_of(
        inner,
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, CONDITIONS, inner, inner),
        st.builds("{{% if {} %}}{}{{% endif %}}".format, CONDITIONS, inner),
        st.builds("{{% for book in member.books %}}{}{{% endfor %}}".format, inner),
        st.builds("{{% for block in blocks %}}{}{{% endfor %}}".format, inner),
    )


def several(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(guarded(inner), min_size=1, max_size=3).map("".join)


WORDS = several(EXPRESSIONS)
RICH = several(st.one_of(WORDS, WORDS.map("<b>{}</b>".format), WORDS.map("<ul><li>{}</li></ul>".format)))
ROWS = several(WORDS.map("<tr><td>{}</td></tr>".format))
PARTS = st.one_of(
    RICH.map("<mj-text>{}</mj-text>".format),
    ROWS.map("<mj-table>{}</mj-table>".format),
    st.builds('<mj-button href="{{{{ url }}}}" css-class="k">{}</mj-button>'.format, WORDS),
    EXPRESSIONS.map('<mj-image src="a.png" alt="{}" padding="0 9px" border-top="1px solid #000000" />'.format),
    st.just('<mj-divider border-color="{{ brand.accent }}" />'),
)
COLUMNS = several(PARTS.map('<mj-column width="50%">{}</mj-column>'.format))
SECTIONS = COLUMNS.map("<mj-section>{}</mj-section>".format)
BODIES = several(st.one_of(SECTIONS, SECTIONS.map('<mj-wrapper padding="3px">{}</mj-wrapper>'.format)))
MEMBERS = st.fixed_dictionaries(
    {
        "name": st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9),
        "tier": st.sampled_from(["", "gold", "<i>"]),
        "books": st.lists(st.just({"title": "T"}), max_size=2),
    }
)


@settings(max_examples=150, deadline=None)
@given(BODIES, MEMBERS)
def test_any_template_of_allowed_places_says_the_same_at_both_times(body: str, member: dict[str, Any]) -> None:
    names = {"member": {**EMPTY, **member}, "links": {}, "url": "https://u.example/"}
    assert comparable(compile_first(document(body), names)) == comparable(jinja_first(document(body), names))


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ('<mj-text padding="{{ member.x }}">a</mj-text>', "padding of <mj-text>"),
        ('<mj-image src="a" width="{{ member.x }}" />', "width of <mj-image>"),
        ('<mj-text mj-class="{{ member.x }}">a</mj-text>', "mj-class of <mj-text>"),
        ('<mj-text {% if member.x %}color="red"{% endif %}>a</mj-text>', "attributes of <mj-text>"),
        ("<mj-text {{ member.x }}>a</mj-text>", "attributes of <mj-text>"),
        ('<mj-text><p onclick="{{ member.x }}">a</p></mj-text>', "run as a script"),
        (
            '<mj-social>{% for s in member.x %}<mj-social-element name="x" href="{{ s }}">x</mj-social-element>'
            "{% endfor %}</mj-social>",
            "elements of <mj-social>",
        ),
        (
            '<mj-carousel>{% for s in member.x %}<mj-carousel-image src="{{ s }}" />{% endfor %}</mj-carousel>',
            "elements of <mj-carousel>",
        ),
        ('<mj-text padding-left="{% if member.x %}1px{% else %}2px{% endif %}">a</mj-text>', "padding-left of"),
        ('<mj-navbar ico-padding-left="{{ member.x }}"></mj-navbar>', "ico-padding-left of <mj-navbar>"),
        (
            "<mj-accordion>{% if member.x %}<mj-accordion-element />{% endif %}</mj-accordion>",
            "elements of <mj-accordion>",
        ),
        ("{{ member.name }}", "text can not stand directly in <mj-column>"),
        ("{% include member.x %}", "which file to include"),
        ("<mj-text>{% for b in blocks %}{{ member[b.text] }}{% endfor %}</mj-text>", "'b' is known when"),
        ("<mj-text>{{ member.x or strings.hello }}</mj-text>", "'strings' is known when"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}<mj-text>{{ m(member.x) }}</mj-text>", "'m' is known when"),
        ("{% macro m(a=member.x) %}{{ a }}{% endmacro %}<mj-text>{{ m() }}</mj-text>", "a macro can not depend"),
        ("{% if member.x %}{% set c = brand.accent %}{% endif %}<mj-text>{{ c }}</mj-text>", "'brand' is known"),
        ("<mj-text>{{ member.x|safe }}</mj-text>", "no filter called safe"),
        ("<mj-text>{{ member.x is defind }}</mj-text>", "no test called defind"),
    ],
)
def test_a_member_where_mjml_can_not_wait_is_refused_by_name_and_line(inner: str, said: str) -> None:
    template = column(f"\n<mj-spacer />\n{inner}\n")
    with pytest.raises(TemplateError) as caught:
        compile_first(template, {"member": {}})
    assert said in caught.value.reason
    assert caught.value.line == 3
    assert caught.value.template == "t"
    assert caught.value.hint


def test_columns_without_width_can_not_depend_on_the_member() -> None:
    body = "<mj-section>\n{% if member.x %}<mj-column><mj-text>a</mj-text></mj-column>{% endif %}</mj-section>"
    with pytest.raises(TemplateError, match="columns without a width") as caught:
        compile_first(document(body), {"member": {}})
    assert caught.value.line == 2


def test_a_refusal_in_an_included_file_names_that_file() -> None:
    template = document('\n{% include "part.mjml" %}', part='\n\n<mj-text padding="{{ member.x }}">a</mj-text>')
    with pytest.raises(TemplateError) as caught:
        compile_first(template, {"member": {}})
    assert (caught.value.template, caught.value.line) == ("part", 3)


def test_a_filter_of_the_edition_on_a_members_value_is_found_out() -> None:
    template = column("{% set a %}{{ member.x }}{% endset %}<mj-text>{{ a|upper }}</mj-text>")
    with pytest.raises(ValueError, match="changed by a filter"):
        compile_first(template, {"member": {"x": "y"}})


def test_lines_stay_when_jinja_spans_lines() -> None:
    environment = SafeEnvironment(autoescape=True)
    source = "{{ member.x\n\n}}\n{% if member.y\n%}a{% endif %}\n{{ brand.z }}"
    bound = bind(environment, source, "t", Carriers())
    assert bound.count("\n") == source.count("\n")
    assert bound.splitlines()[-1] == "{{ brand.z }}"


@given(st.text(alphabet="{}%#-+ zJa1\n\"'<\\", max_size=60))
def test_literal_text_prints_as_it_stands(text: str) -> None:
    environment = SafeEnvironment(autoescape=True)
    assert render(environment.from_string(literal(text)), {}) == text


@given(st.lists(st.sampled_from(["{", "{{", "}", "%", "#", "{% x", "zJa0Jz", "zja"]), max_size=8))
def test_carriers_come_back_between_any_literal_text(parts: list[str]) -> None:
    carriers = Carriers(parts)
    token = carriers.add(Carrier("{{ member.x }}", "t", 1))
    source = carriers.restore(token.join(parts))
    template = SafeEnvironment(autoescape=True).from_string(source)
    assert render(template, {"member": {"x": "V"}}) == "V".join(parts)
