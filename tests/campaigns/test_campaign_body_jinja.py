"""Jinja in a body survives Markdown untouched, and nothing else becomes Jinja."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.blocks import parse_body
from campaigns.carriers import hide
from campaigns.models import (
    Block,
    Blocks,
    Button,
    Code,
    Emphasis,
    Expression,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    Plain,
    Span,
    Strong,
    Text,
    spans,
    walk,
)


def _good(markdown: str) -> Blocks:
    blocks, problems = parse_body(markdown, first_line=1)
    assert problems == ()
    return blocks


def _one(markdown: str) -> Block:
    (block,) = _good(markdown)
    return block


def _content(markdown: str) -> Inline:
    block = _one(markdown)
    assert isinstance(block, Text)
    return block.content


def _plain(text: str) -> Inline:
    return (Plain(text),)


@pytest.mark.parametrize(
    "source",
    [
        '{{ member.first_name or "colleague" }}',
        "{{member.a|default('*b* _c_ <d> `e` [f](g)')}}",
        "{{ 'a}}b' }}",
        "{{ {'en': 'Hi'}[member.language] }}",
        "{{ member['a | b'] }}",
        "{{- url -}}",
        "{{ '\\'' ~ url }}",
    ],
)
def test_an_expression_survives_verbatim_wherever_it_stands(source: str) -> None:
    expression = Expression(source, 1)

    assert _content(source) == (expression,)
    assert _content(f"a {source}b") == (Plain("a "), expression, Plain("b"))
    assert _content(f"**{source}**") == (Strong((expression,)),)
    assert _content(f"*{source}*{source}_") == (Emphasis((expression,)), expression, Plain("_"))
    assert _content(f"`{source}`") == (Code((expression,)),)
    assert _content(f"[{source}](https://e.org/?q={source})") == (Link(f"https://e.org/?q={source}", (expression,)),)
    assert _one(f"# {source}\n") == Heading(1, (expression,), 1)
    assert _one(f"::: button https://e.org/{source}\n{source}\n:::") == Button(
        f"https://e.org/{source}", (Expression(source, 2),), 1
    )


def test_an_expression_may_run_over_lines_and_those_after_keep_theirs() -> None:
    text, heading = _good("a\n{{ member.a or\n   'b' }}\nc\n\n# d\n")

    assert isinstance(text, Text)
    assert text.content == (Plain("a "), Expression("{{ member.a or\n   'b' }}", 2), Plain(" c"))
    assert heading.line == 6


def test_braces_after_a_backslash_are_literal_in_text_and_addresses() -> None:
    assert _content(r"\{{ a }} \{% b %} \{# c #}") == (Plain("{{ a }} {% b %} {# c #}"),)
    assert _content(r"[x](https://e.org/\{{a}})") == (Link("https://e.org/%7B%7Ba%7D%7D", _plain("x")),)
    assert _content(r"\\{{ url }}") == (Plain("\\"), Expression("{{ url }}", 1))


def test_braces_made_of_entities_never_become_an_expression() -> None:
    assert _content("&#123;&#123; url }}") == (Plain("{{ url }}"),)
    assert _content("[x](https://e.org/&#123;&#123;url}})") == (Link("https://e.org/%7B%7Burl%7D%7D", _plain("x")),)


@pytest.mark.parametrize(
    ("markdown", "lines", "words"),
    [
        ("a\n{% if member.x %}b{% endif %}", [2, 2], "statements belong in templates"),
        ("{# note #}", [1], "statement or comment"),
        ("a {{ member.x\n\nb }}", [1], "without `}}`"),
        ("{{ " + "'x' ~ " * 400 + "url }}", [1], "2,000 characters"),
        ("{{ }}", [1], "not valid Jinja"),
        ("{{ member.x", [1], "without `}}`"),
        ("a\n\n{{ member.first name }}", [3], "not valid Jinja"),
        ("{{ nme }}", [1], "unknown name `nme`"),
        ("{{ a\n }} {{ 'x' * 9 }}", [1, 2], "unknown name"),
        ("{{ url }}" * 2_001, [1], "more than 2,000"),
    ],
)
def test_jinja_that_can_not_be_used_is_a_problem(markdown: str, lines: list[int], words: str) -> None:
    _, problems = parse_body(markdown, first_line=1)

    assert [problem.line for problem in problems] == lines
    assert words in str(problems[0])


# --- properties ---------------------------------------------------------------------------------


def _words(spans: tuple[Span, ...]) -> str:
    words = []
    for span in spans:
        match span:
            case Plain(text=text):
                words.append(text)
            case Expression(source=source):
                words.append(source)
            case LineBreak():
                words.append(" ")
            case Strong(children=inner) | Emphasis(children=inner) | Code(children=inner):
                words.append(_words(inner))
            case Link(url=url, children=inner):
                words.append(_words(inner) + url)
    return "".join(words)


def _all_words(blocks: Blocks) -> str:
    words = []
    for block in walk(blocks):
        match block:
            case Heading(content=content) | Text(content=content):
                words.append(_words(content))
            case Button(url=url, label=label):
                words.append(_words(label) + url)
            case Image(src=src, alt=alt, caption=caption, url=url):
                words.append(src + alt + caption + url)
            case _:
                pass
    return " ".join(words)


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in r"!\"#$%&'()*+,-./:;<=>?@[\]^_`{|}~" else char for char in text)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))))
@example("{{ member.x }}")
@example("::: button")
@example("1) a")
@settings(deadline=None)
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    blocks, problems = parse_body(_escaped(text), first_line=1)

    assert problems == ()
    assert _all_words(blocks).split() == text.split()


_MARKUP = [
    "{{ url }}",
    '{{ member["*"] }}',
    "*",
    "**",
    "_",
    "`",
    "[",
    "](https://e.org/",
    ")",
    "![",
    "\n",
    "\n\n",
    "- ",
    "> ",
]


@given(st.lists(st.sampled_from([*_MARKUP, "k", " ", "<", ">", ": ", "[k]: ", "&#122;j", "::: button ", ":::", "\\"])))
@settings(max_examples=500, deadline=None)
def test_no_carrier_leaks_and_no_expression_is_made_up(pieces: list[str]) -> None:
    markdown = "".join(pieces)
    blocks, problems = parse_body(markdown, first_line=1)
    seen = _all_words(blocks) + "".join(f"{problem.message} {problem.hint}" for problem in problems)

    hexadecimal = "0123456789abcdef"
    runs = "".join(char if char in hexadecimal else " " for char in seen.casefold()).split()
    assert all(len(run) < 20 for run in runs)
    expressions = [span.source for span in spans(blocks) if isinstance(span, Expression)]
    assert set(expressions) <= {"{{ url }}", '{{ member["*"] }}'}
    assert len(expressions) <= markdown.count("{{")


def test_text_that_looks_like_a_carrier_stays_text() -> None:
    first = hide("{{ url }}", 1).text
    content = _content(f"{first} {{{{ url }}}}")

    assert content == (Plain(f"{first} "), Expression("{{ url }}", 1))
