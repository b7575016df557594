"""A campaign's blocks as HTML for readers whom we do not know."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.blocks import parse_body
from campaigns.models import (
    Blocks,
    Button,
    Code,
    Columns,
    Divider,
    Emphasis,
    Expression,
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
)
from comms.channels.expressions import ExpressionError
from comms.channels.feed_content import content_from_blocks
from comms.channels.markup import clean_text, sanitise
from comms.pictures import Picture
from comms.surroundings import Surroundings

URL = "https://coalition.example/c/1"
VALUES = {
    "campaign": {"title": "A & B"},
    "association": {"name": "{{ 7*7 }} <b>", "homepage": "https://a.example/?x=1&y"},
}


def html(*blocks: object) -> str:
    content: Blocks = blocks  # type: ignore[assignment]
    return content_from_blocks(content, url=URL, media_url="https://coalition.example/media", values=VALUES)


def html_of(markdown: str, **around: object) -> str:
    blocks, problems = parse_body(markdown, first_line=1)
    assert problems == ()
    surroundings = Surroundings(**around)  # type: ignore[arg-type]
    return content_from_blocks(blocks, url=URL, media_url="https://m.org", values=VALUES, around=surroundings)


def text(*spans: object) -> Text:
    inline: Inline = tuple(Plain(span) if isinstance(span, str) else span for span in spans)  # type: ignore[misc]
    return Text(inline, 7)


def expression(source: str) -> Expression:
    return Expression(source, 7)


def test_every_block_has_its_element() -> None:
    column = (Heading(4, (Plain("h"),), 1),)
    assert html(
        Heading(1, (Plain("Title"),), 1),
        text("a", Strong((Plain("b"),)), Emphasis((Plain("c"),)), Code((Plain("d"),)), LineBreak(), "e"),
        ListBlock(((text("one"), ListBlock(((text("deep"),),), 2)), (text("two"),)), 2),
        ListBlock(((text("three"),),), 3, start=3),
        Quote((text("q"),), 4),
        Image("a b.png", 'A "room"', 5, caption="Cap & tion", url="https://x.example/"),
        Button("{{ url }}", (Plain("Read"),), 6),
        Divider(7),
        Columns((column, column), 8),
    ).splitlines() == [
        "<h2>Title</h2>",
        "<p>a<strong>b</strong><em>c</em><code>d</code><br>e</p>",
        "<ul>",
        "<li>one",
        "<ul>",
        "<li>deep</li>",
        "</ul></li>",
        "<li>two</li>",
        "</ul>",
        '<ol start="3">',
        "<li>three</li>",
        "</ol>",
        "<blockquote>",
        "<p>q</p>",
        "</blockquote>",
        '<figure><a href="https://x.example/">'
        '<img src="https://coalition.example/media/a%20b.png" alt="A &quot;room&quot;"></a>',
        "<figcaption>Cap &amp; tion</figcaption></figure>",
        f'<p><a href="{URL}">Read</a></p>',
        "<hr>",
        "<div>",
        "<h5>h</h5>",
        "</div>",
        "<div>",
        "<h5>h</h5>",
        "</div>",
    ]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ('{{ member.first_name or "colleague" }}', "colleague"),
        ("{{ member.first_name|default('friend') }}", "friend"),
        ("{{ member.first_name }}", "…"),
        ("{{ member.first_name|upper }}", "…"),
        ('{{ member["first name"] }}', "…"),
        ("{{ member.visits + 1 }}", "…"),
        ('{{ "yes" if member.x else "no" }}', "no"),
        ('{{ "}}" }}', "}}"),
        ("{{ campaign.title }}", "A &amp; B"),
        ("{{ association.name }}", "{{ 7*7 }} &lt;b&gt;"),
        ("{{- url -}}", URL),
        ("{{ association.absent }}", "…"),
    ],
)
def test_expressions_are_read_as_by_nobody(source: str, shown: str) -> None:
    assert html(text(expression(source))) == f"<p>{shown}</p>"


def test_a_readers_data_never_reaches_the_feed() -> None:
    values = {**VALUES, "member": {"first_name": "Secret"}, "links": {"unsubscribe": "https://secret.example/"}}
    blocks = (text(expression("{{ member.first_name }}"), Link("{{ links.unsubscribe }}", (Plain("stop"),))),)
    assert content_from_blocks(blocks, url=URL, media_url=URL, values=values) == "<p>…stop</p>"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://x.example/?a=1&b=ü", "https://x.example/?a=1&amp;b=%C3%BC"),
        ("{{ url }}", URL),
        ("{{ association.homepage }}", "https://a.example/?x=1&amp;y"),
        (
            "https://x.example/?t={{ campaign.title }}&e={{ member.address }}",
            "https://x.example/?t=A%20%26%20B&amp;e=",
        ),
        ('https://x.example/{{ member.x or "}}" }}', "https://x.example/%7D%7D"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("tel:+15550100", "tel:+15550100"),
    ],
)
def test_links_lead_where_they_say(url: str, address: str) -> None:
    assert html(text(Link(url, (Plain("x"),)))) == f'<p><a href="{address}">x</a></p>'


@pytest.mark.parametrize(
    "url", ["", "{{ links.unsubscribe }}", "{{ member.page }}", "javascript:alert(1)", "data:x", "https://[x"]
)
def test_a_link_for_one_reader_or_for_harm_leaves_its_words(url: str) -> None:
    assert html(text(Link(url, (Plain("words"),))), Button(url, (Plain("label"),), 1)) == "<p>words</p>\n<p>label</p>"


def test_an_image_without_a_usable_address_leaves_its_description() -> None:
    assert html(Image("data:image/png,x", "A <room>", 1)) == "<figure>A &lt;room&gt;</figure>"


@pytest.mark.parametrize(
    "source", ["{{ 'x' * 1000000000 }}", "{{ member.__class__ }}", "{{ nobody }}", "{{ a", "{{ ''.join([]) }}"]
)
def test_a_forbidden_expression_is_refused_with_its_line(source: str) -> None:
    with pytest.raises(ExpressionError, match=r"^line 7: "):
        html(text(expression(source)))


class Outline(HTMLParser):
    """Tags with their attributes, and words, in order."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[tuple[str, ...]] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, *(f"{name}={value}" for name, value in sorted(attrs))))

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        self.seen.append((data,))


@given(st.text())
def test_literal_text_is_shown_as_it_was_written(written: str) -> None:
    outline = Outline(html(text(written)))
    assert outline.seen[0] == ("p",)
    assert "".join(outline.words) == clean_text(written)


def test_the_sanitiser_finds_nothing_to_take_away() -> None:
    written = html(
        Heading(2, (Plain("a < b"),), 1),
        Image("a.png", "", 2, decorative=True),
        ListBlock(((text("x", Link("https://x.example/?a=1&b=2", (Plain("y"),))),),), 3, start=1),
        Quote((text("q", LineBreak(), "r"),), 4),
        Columns(((text("l"),), (Divider(5),)), 6),
    )
    assert Outline(sanitise(written, URL)).seen == Outline(written).seen


def test_events_people_numbers_and_polls_are_plain_html_that_feeds_keep() -> None:
    written = html_of(
        "::: event Open <day\nstart: 2027-05-01 10:00\ntimezone: Europe/Paris\nplace: Here\nlink: https://e.org/\n\nMore\n:::\n"
        "::: person Ana\nphoto: ana.jpg\nrole: Head\n:::\n"
        "::: statistic 45\nof *them*\n:::\n"
        "::: quote Ben\nSo.\n:::\n"
        "::: poll Q & A?\n- one\n- two\n:::\n",
        calendar_url="https://e.org/e/coalition/1",
        portraits={"ana.jpg": Picture("https://m.org/mail/x.jpg", 144, 144)},
    )

    assert written == (
        '<div>\n<p><a href="https://e.org/"><strong>Open &lt;day</strong></a><br>'
        '<time datetime="2027-05-01T10:00+02:00">Saturday, May 1, 2027, 10:00\xa0AM (Central European Summer Time)'
        "</time><br>Here</p>\n<p>More</p>\n"
        '<p><a href="https://e.org/e/coalition/1/0.ics">Add to your calendar</a></p>\n</div>\n'
        '<div>\n<p><img src="https://m.org/mail/x.jpg" alt="" width="72" height="72"><br><strong>Ana</strong><br>Head'
        "</p>\n</div>\n"
        "<p><strong>45</strong> of <em>them</em></p>\n"
        "<figure>\n<blockquote>\n<p>So.</p>\n</blockquote>\n<figcaption>Ben</figcaption>\n</figure>\n"
        "<p><strong>Q &amp; A?</strong></p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>"
    )
    assert _pieces(sanitise(written, URL)) == _pieces(written)


def _pieces(markup: str) -> list[str]:
    """Tags, attributes and words, whatever the order of attributes."""
    return sorted(re.split(r"[\s<>]+", markup))


def test_nobody_sees_the_other_side_of_conditions_and_what_slots_hold() -> None:
    conditions = "::: when state is missing\nA\n:::\n\n::: when a = b\nC\n:::\n::: otherwise\nD\n:::\n"
    assert html_of(f"{conditions}\n::: slot x\nE\n:::\n::: locked\nF\n:::") == "<p>D</p>\n<p>E</p>\n<p>F</p>"


def test_a_picture_of_known_size_says_it() -> None:
    written = html_of("![A](a.jpg)", images={"a.jpg": Picture("https://m.org/mail/a.jpg", 1280, 640)})
    assert written == '<figure><img src="https://m.org/mail/a.jpg" alt="A" width="1280" height="640"></figure>'
