"""Markdown, containers, images and addresses of a body become blocks, or problems on the right line."""

from __future__ import annotations

import pytest

from campaigns.blocks import MAX_BLOCKS, parse_body
from campaigns.models import (
    Block,
    Blocks,
    Button,
    Code,
    Columns,
    Divider,
    Emphasis,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Plain,
    Quote,
    Strong,
    Text,
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


def _wrong(markdown: str) -> list[tuple[int, str]]:
    _, problems = parse_body(markdown, first_line=1)
    assert {problem.field for problem in problems} <= {"body"}
    return [(problem.line, f"{problem.message} ({problem.hint})") for problem in problems]


# --- Markdown -----------------------------------------------------------------------------------


def test_each_kind_of_block_is_read_with_its_line_in_the_file() -> None:
    blocks, problems = parse_body(
        "# One\n\nTwo\nthree\n\n- a\n- b\n\n5. c\n\n> q\n\n---\n\n![d](e.jpg)\n\n::: button https://e.org\nGo\n:::\n",
        first_line=10,
    )

    assert problems == ()
    assert blocks == (
        Heading(1, _plain("One"), 10),
        Text(_plain("Two three"), 12),
        ListBlock(((Text(_plain("a"), 15),), (Text(_plain("b"), 16),)), 15),
        ListBlock(((Text(_plain("c"), 18),),), 18, start=5),
        Quote((Text(_plain("q"), 20),), 20),
        Divider(22),
        Image("e.jpg", "d", 24),
        Button("https://e.org", _plain("Go"), 26),
    )


def test_emphasis_code_links_and_breaks_become_spans() -> None:
    assert _content("a **b *c*** `d` [e](https://e.org)  \nf <https://f.org>") == (
        Plain("a "),
        Strong((Plain("b "), Emphasis(_plain("c")))),
        Plain(" "),
        Code(_plain("d")),
        Plain(" "),
        Link("https://e.org", _plain("e")),
        LineBreak(),
        Plain("f "),
        Link("https://f.org", _plain("https://f.org")),
    )


def test_lists_nest_within_their_items() -> None:
    block = _one("- a\n  1. b\n  2. c\n- d\n")

    assert isinstance(block, ListBlock)
    text, inner = block.items[0]
    assert text == Text(_plain("a"), 1)
    assert isinstance(inner, ListBlock)
    assert (inner.start, len(inner.items), inner.line) == (1, 2, 2)


def test_links_by_reference_work_wherever_they_are_defined() -> None:
    blocks = _good("::: columns\n::: column\n[a][x]\n:::\n::: column\nb\n:::\n:::\n\n[x]: https://e.org/{{ url }}\n")

    texts = [block for block in walk(blocks) if isinstance(block, Text)]
    assert texts[0].content == (Link("https://e.org/{{ url }}", _plain("a")),)


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("##### low", "# to ####"),
        ("```\nx\n```", "picture"),
        ("text\n\n    x", "remove the spaces"),
        ("a <b>b", "`<b>` looks like HTML"),
        ("a <!-- b", "looks like HTML"),
        ('<p style="x">', "looks like HTML"),
        ("<br/>", "looks like HTML"),
        ("> " * 21 + "x", "nested"),
        ("- " * 21 + "x", "nested"),
        ("*a _b " * 15 + "c" + "_*" * 15, "nested"),
        ("x\n\n" * (MAX_BLOCKS + 1), "more than 2,000 blocks"),
        ("x" * 100_001, "too long"),
        ("[](https://e.org)", "no text"),
    ],
)
def test_what_mail_can_not_show_is_a_problem(markdown: str, words: str) -> None:
    problems = _wrong(markdown)

    assert problems
    assert all(words in text for _, text in problems)


@pytest.mark.parametrize("markdown", [r"\<b>", "&lt;b&gt;", "1 < 2 > 0", "a <3 b", "`<b>`", "~~a~~", "| a | b |"])
def test_signs_that_are_no_tags_stay_text(markdown: str) -> None:
    assert _content(markdown)


def test_a_tag_is_blamed_on_its_own_line_of_the_paragraph() -> None:
    assert [line for line, _ in _wrong("one {{ member.a or\n'b' }} two\nthree\nfour <i>\n")] == [4]


# --- containers ---------------------------------------------------------------------------------


def test_columns_hold_everything_else() -> None:
    block = _one(
        "::: columns\n::: column\n# A\n::: button mailto:a@b.org\nWrite\n:::\n:::\n::: column\n- b\n\n> c\n:::\n:::\n"
    )

    assert isinstance(block, Columns)
    assert [[type(inner) for inner in column] for column in block.columns] == [[Heading, Button], [ListBlock, Quote]]
    assert block.columns[0][1].line == 4


CONTAINERS = [
    ("::: buton https://e.org\nx\n:::", [1], "did you mean `button`?"),
    ("::: warning\nx\n:::", [1], "button, columns, column"),
    ("a\n\n::: button https://e.org\nx\n", [3], "not closed"),
    ("::: columns\n::: column\na\n::: column\nb\n:::\n:::\n", [2], "`::: column` is not closed"),
    ("::: columns\n::: column\na\n:::\n::: column\nb\n:::\n", [1], "`::: columns` is not closed"),
    ("::: button https://e.org\na\n::: button https://e.org\nb\n:::\n", [1], "not closed"),
    ("a\n:::\nb", [2], "closes nothing"),
    ("::: button\nx\n:::", [1], "no address"),
    ("::: button https://e.org\n:::", [1], "no label"),
    ("::: button https://e.org\na\n\nb\n:::", [1], "one line"),
    ("::: button https://e.org\n[a](https://e.org)\n:::", [1], "without links"),
    ("::: button https://e.org Read me\n:::", [1], "holds a space"),
    ("::: button e.org\nx\n:::", [1], "not a whole address"),
    ("::: button javascript:alert(1)\nx\n:::", [1], "not allowed"),
    ("::: column\nx\n:::", [1], "outside of columns"),
    ("::: columns\n::: column\na\n:::\n:::", [1], "two to four"),
    ("::: columns\n" + "::: column\na\n:::\n" * 5 + ":::", [1], "two to four"),
    ("::: columns\nx\n::: column\na\n:::\n::: column\nb\n:::\n:::", [2], "put it in a `::: column`"),
    ("::: columns 2\n::: column\na\n:::\n::: column\nb\n:::\n:::", [1], "nothing after the name"),
    (
        "::: columns\n::: column\n::: columns\n" + "::: column\na\n:::\n" * 2 + ":::\n:::\n::: column\nb\n:::\n:::",
        [3],
        "can not be nested",
    ),
    ("> ::: button https://e.org\n> x\n> :::", [1], "outside lists and quotes"),
    ("- a\n\n  ::: button https://e.org\n  x\n  :::", [3], "outside lists and quotes"),
]


@pytest.mark.parametrize(("markdown", "lines", "words"), CONTAINERS, ids=[repr(row[0][:40]) for row in CONTAINERS])
def test_a_broken_container_is_blamed_where_it_opens(markdown: str, lines: list[int], words: str) -> None:
    problems = _wrong(markdown)

    assert [line for line, _ in problems] == lines
    assert words in problems[0][1]


# --- images and addresses -----------------------------------------------------------------------


def test_an_image_line_can_have_caption_link_and_neighbours() -> None:
    assert _good(
        '![A door](photos/door.jpg "Our *new* door")\n[![Map](https://e.org/m.png)](https://e.org)\n![](l.gif){decorative}'
    ) == (
        Image("photos/door.jpg", "A door", 1, caption="Our *new* door"),
        Image("https://e.org/m.png", "Map", 2, url="https://e.org"),
        Image("l.gif", "", 3, decorative=True),
    )


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("![](a.jpg)", "declare it decorative"),
        ("![a](a.jpg){decorative}", "remove one of the two"),
        ("Look: ![a](a.jpg)", "line of its own"),
        ("- ![a](a.jpg) b", "line of its own"),
        ("# ![a](a.jpg)", "line of its own"),
        ("![a]()", "no file"),
        ("![a](data:image/png;base64,AAAA)", "media folder"),
        ("![a](file:///etc/passwd)", "media folder"),
        ("![a](/etc/passwd)", "media folder"),
        ("![a](../a.jpg)", "media folder"),
        ("![a](b/%2e%2e/%2e%2e/a.jpg)", "media folder"),
        ("![a]({{ member.photo }})", "one file for all readers"),
        ("![{{ member.name }}](a.jpg)", "words that fit every reader"),
        ('![a](a.jpg "{{ member.name }}")', "words that fit every reader"),
    ],
)
def test_an_image_that_some_reader_would_miss_is_a_problem(markdown: str, words: str) -> None:
    ((line, text),) = _wrong(markdown)

    assert line == 1
    assert words in text


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a?b=c#d",
        "HTTP://example.org",
        "mailto:a@b.org",
        "tel:+15551234",
        "{{ url }}",
        "{{ links.view }}",
        "{{association.homepage}}",
        "https://example.org/{{ member.id|urlencode }}?u={{ url }}",
    ],
)
def test_whole_addresses_are_kept_as_written(url: str) -> None:
    assert _content(f"[x]({url})") == (Link(url, _plain("x")),)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("page.html", "in full"),
        ("/page", "in full"),
        ("//example.org/page", "in full"),
        ("#top", "in full"),
        ("www.example.org", "write https://www.example.org"),
        ("office@example.org", "write mailto:office@example.org"),
        ("", "leads nowhere"),
        ("javascript:alert(1)", "not allowed"),
        ("JaVaScRiPt:alert(1)", "not allowed"),
        ("javascript&colon;alert(1)", "not allowed"),
        ("data:text/html,x", "not allowed"),
        ("vbscript:x", "not allowed"),
        ("ftp://example.org", "not allowed"),
        ("https://", "names no site"),
        ("https:page", "names no site"),
        ("<https://[::1/>", "names no site"),
        ("https://%5B", "names no site"),
        ("https://bank.example@evil.example", "names no site"),
        ("mailto:", "not complete"),
        ("{{ member.website }}", "can not be a whole address"),
        ("{{ url }}/more", "can not be a whole address"),
        ("{{ url or links.view }}", "can not be a whole address"),
        ("https://{{ member.site }}/x", "depends on an expression"),
        ("https://example.org{{ member.site }}", "depends on an expression"),
        ("https://é{{ member.site }}.org/", "depends on an expression"),
        ("https://example.org/" + "x" * 2_000, "too long"),
    ],
)
def test_an_address_that_leads_nowhere_safe_is_a_problem(url: str, words: str) -> None:
    ((_, text),) = _wrong(f"[x]({url})")

    assert words in text
