"""A campaign becomes an edition, and an edition a member's message: what is in it and what can not be."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from typing import Any

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering_samples import (
    a_campaign,
    a_context,
    an_association,
    column,
    compiled,
    document,
    rendered,
    spans,
    words,
)

from audiences.models import Brand, Member
from campaigns.definition import read
from campaigns.models import (
    Button,
    Code,
    Columns,
    Divider,
    Emphasis,
    Expression,
    Heading,
    Image,
    LineBreak,
    Link,
    ListBlock,
    NewsletterPart,
    Plain,
    Quote,
    Strong,
    Text,
)
from comms.rendering.context import member_data
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError, TemplateError
from comms.rendering.render import Renderer

BRACES = "{{ 7*7 }}{% if 1 %}{# gone #}{"
POSITIONS: dict[str, dict[str, Any]] = {
    "heading": {"blocks": (Heading(2, (Plain(BRACES),), 1),)},
    "text": {"blocks": (Text((Plain(BRACES),), 1),)},
    "strong, emphasis and code": {
        "blocks": (Text((Strong((Emphasis((Code((Plain(BRACES),)),)),)),), 1),),
    },
    "link label": {"blocks": (Text((Link("https://a.example/", (Plain(BRACES),)),), 1),)},
    "list": {"blocks": (ListBlock(((Text((Plain(BRACES),), 1),),), 1),)},
    "quote": {"blocks": (Quote((Text((Plain(BRACES),), 1),), 1),)},
    "button": {"blocks": (Button("https://a.example/", (Plain(BRACES),), 1),)},
    "columns": {"blocks": (Columns(((Text((Plain(BRACES),), 1),), words("b")), 1),)},
    "caption": {"blocks": (Image("a.jpg", "x", 1, caption=BRACES),)},
    "alternative text": {"blocks": (Image("a.jpg", BRACES, 1),)},
    "title": {"title": BRACES},
}


def visible(document: str) -> str:
    """All text and attribute values of a page, as its reader's program sees them."""
    tree = lxml.html.document_fromstring(document)
    values = [value for element in tree.iter() if isinstance(element.tag, str) for value in element.attrib.values()]
    return "\n".join([tree.text_content(), *values])


@pytest.mark.parametrize("position", POSITIONS)
def test_braces_that_people_wrote_reach_the_reader_and_never_run(position: str) -> None:
    message = rendered(a_campaign(**POSITIONS[position]))
    assert BRACES in visible(message.html)
    assert "49" not in visible(message.html).replace("#1f4e79", "")
    if position not in ("title",):
        assert BRACES in message.text


@pytest.mark.parametrize("field", ["name", "postal_address"])
def test_braces_in_an_associations_data_are_text(field: str) -> None:
    message = rendered(association=an_association(**{field: BRACES}))
    assert BRACES in visible(message.html)
    assert BRACES in message.text


def test_braces_in_addresses_of_images_are_text() -> None:
    brand = Brand(logo_url="https://a.example/{{7*7}}.png", logo_alt=BRACES)
    message = rendered(
        a_campaign(Image("https://a.example/{{8*8}}.png", "x", 1)),
        an_association(brand=brand, homepage="https://a/{{9}}"),
    )
    assert "https://a.example/{{7*7}}.png" in visible(message.html)
    assert "https://a.example/{{8*8}}.png" in visible(message.html)
    assert BRACES in visible(message.html)
    assert "https://a/{{9}}" in compiled(association=an_association(homepage="https://a/{{9}}")).links


@pytest.mark.parametrize("value", ["{{ 7*7 }}", "{% for x in y %}", "<script>alert(1)</script>", "\x00a\ud800\x1b[31m"])
def test_a_members_value_is_text_everywhere(value: str) -> None:
    campaign = a_campaign(
        Text(spans("Hello ", "{{ member.name }}"), 1),
        newsletter=NewsletterPart("Hi {{ member.name }}", "For {{ member.name }}"),
    )
    message = rendered(campaign, member={"name": value})
    shown = value.replace("\x00", "").replace("\x1b", "").replace("\ud800", "\ufffd")
    assert shown in visible(message.html)
    assert shown in message.text
    assert message.preview == f"For {shown}"
    assert "<script" not in message.html
    assert message.html.encode()


def test_a_subject_is_always_one_line() -> None:
    campaign = a_campaign(newsletter=NewsletterPart("Hi {{ member.name }}"))
    message = rendered(campaign, member={"name": "Eve\r\nBcc: all@example.org\x00\x85\u2028  end "})
    assert message.subject == "Hi Eve Bcc: all@example.org end"


def test_a_missing_value_without_fallback_names_the_field() -> None:
    campaign = a_campaign(*words("Dear ", "{{ member.first_name|upper }}"))
    with pytest.raises(RenderError) as caught:
        rendered(campaign)
    assert caught.value.field == "first_name"
    assert "member.first_name or" in caught.value.hint


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_value_counts_as_missing(empty: str | None) -> None:
    campaign = a_campaign(*words("Dear ", "{{ member.first_name or 'colleague' }}"))
    assert "Dear colleague" in rendered(campaign, member={"first_name": empty}).text
    with pytest.raises(RenderError, match="first_name"):
        rendered(a_campaign(*words("{{ member.first_name }}")), member={"first_name": empty})


def test_a_member_is_given_to_templates_without_empty_values() -> None:
    member = Member("a@example.org", {"city": "", "name": "Ana"}, language="es")
    assert member_data(member) == {"address": "a@example.org", "language": "es", "name": "Ana"}


def test_web_links_are_tracked_once_each_and_others_are_left_alone() -> None:
    campaign = a_campaign(
        Text(
            (
                Link("https://a.example/?x=1&y=2", (Plain("a"),)),
                Link("https://a.example/?x=1&y=2", (Plain("again"),)),
                Link("mailto:a@example.org", (Plain("write"),)),
                Link("{{ url }}", (Plain("page"),)),
            ),
            1,
        ),
        Button("https://b.example/", (Plain("b"),), 2),
    )
    edition = compiled(campaign)
    assert edition.links == ("https://example.org/", "https://a.example/?x=1&y=2", "https://b.example/")
    message = Renderer(edition).render(a_context())
    hrefs = lxml.html.document_fromstring(message.html).xpath("//a/@href")
    click = "https://news.example.org/c/token"
    assert hrefs == [
        f"{click}/0",
        f"{click}/1",
        f"{click}/1",
        "mailto:a@example.org",
        "https://news.example.org/spring",
        f"{click}/2",
        "https://news.example.org/u/token",
        "https://news.example.org/v/token",
    ]
    for href in hrefs[1:]:
        assert href in message.text


def test_a_members_value_in_an_address_is_encoded() -> None:
    campaign = a_campaign(Button("https://a.example/?city={{ member.city }}&z=1", (Plain("Go"),), 1))
    message = rendered(campaign, member={"city": 'St. "John\'s" & <más>'})
    address = "https://a.example/?city=St.%20%22John%27s%22%20%26%20%3Cm%C3%A1s%3E&z=1"
    assert address in lxml.html.document_fromstring(message.html).xpath("//a/@href")
    assert address in message.text
    assert compiled(campaign).links == ("https://example.org/",)


@pytest.mark.parametrize("value", ["javascript:alert(1)", "data:text/html,x", "no address", " //evil.example"])
def test_a_members_value_can_not_make_a_link_that_runs(value: str) -> None:
    template = column('<mj-text><a href="{{ member.site }}">site</a></mj-text>')
    with pytest.raises(RenderError, match="not a web address"):
        rendered(template=template, member={"site": value})
    assert (
        'href="https://m.example/a&amp;b"' in rendered(template=template, member={"site": "https://m.example/a&b"}).html
    )


def test_a_template_or_campaign_can_not_link_to_a_script() -> None:
    with pytest.raises(TemplateError, match="javascript: addresses are not allowed"):
        compiled(a_campaign(Text((Link("JavaScript:alert(1)", (Plain("x"),)),), 1)))
    assert "javascript" not in rendered(association=an_association(homepage="javascript:alert(1)")).html


def test_values_in_outlooks_comments_are_encoded_too() -> None:
    template = column(
        '<mj-raw><!--[if mso]><v:rect href="https://a.example/{{ member.x }}"></v:rect><![endif]--></mj-raw>'
    )
    assert "https://a.example/a%20b" in rendered(template=template, member={"x": "a b"}).html


def test_the_pixel_is_there_only_for_those_who_have_one() -> None:
    assert "<img" not in rendered().html
    page = lxml.html.document_fromstring(rendered(pixel="https://news.example.org/o/1.gif").html)
    [pixel] = page.xpath("//img")
    assert (pixel.get("src"), pixel.get("width"), pixel.get("alt")) == ("https://news.example.org/o/1.gif", "1", "")


def test_relative_images_come_from_the_media_folder() -> None:
    message = rendered(a_campaign(Image("photos/my door.jpg", "Door", 1)))
    assert 'src="https://news.example.org/media/photos/my%20door.jpg"' in message.html


def test_the_public_page_has_fallbacks_and_an_ellipsis_for_the_rest() -> None:
    campaign = a_campaign(
        *words(
            "Dear ",
            "{{ member.first_name or 'colleague' }}",
            ", of ",
            "{{ member.city|upper }}",
            "!",
            "{{ member.n + 1 }}",
        )
    )
    context = a_context({"first_name": "Maya", "city": "Spokane"})
    page = Renderer(compiled(campaign)).render_public(context)
    assert "Dear colleague, of …!…" in page.text
    assert "Maya" not in page.html


def test_the_text_part_says_what_the_blocks_say() -> None:
    long = "word " * 30
    campaign = a_campaign(
        Heading(1, (Plain("Title"),), 1),
        Text((Plain("See "), Link("https://a.example/", (Plain("the page"),)), Plain(" now.")), 2),
        Text((Link("https://a.example/", (Plain("https://a.example/"),)),), 2),
        Text((Plain("One"), LineBreak(), Plain("Two")), 3),
        ListBlock(((Text((Plain(long),), 4), ListBlock(((Text((Plain("inner"),), 4),),), 4)),), 4, start=9),
        Quote((Text((Plain(long),), 5),), 5),
        Image("a.jpg", "A door", 6, caption="Open"),
        Divider(7),
        Columns(((Text((Plain("left"),), 8),), (Text((Plain("right"),), 8),)), 8),
        Button("https://b.example/", (Plain("Go"),), 9),
    )
    text = rendered(campaign).text
    click = "https://news.example.org/c/token"
    assert text.startswith(f"Title\n=====\n\nSee the page ({click}/1) now.\n\n{click}/1\n\nOne\nTwo\n\n9. word")
    assert "\n   * inner\n\n> word" in text
    assert "\n\n[A door]\nOpen\n\n" in text
    assert "\n\nleft\n\nright\n\nGo: " in text
    assert text.endswith(
        "\n\n-- \nCoalition of Libraries\n1 Main Street\nSpokane, WA 99201\n\n"
        "You receive this because you are subscribed to news from Coalition of\nLibraries.\n\n"
        "Unsubscribe: https://news.example.org/u/token\nView in browser: https://news.example.org/v/token\n"
    )
    assert all(len(line) <= 72 for line in text.splitlines() if "https:" not in line)


def test_an_edition_survives_json_and_has_a_digest_that_depends_on_all_of_it() -> None:
    edition = compiled(a_campaign(*words("é \ud800 {{ x")))
    again = Edition.from_json(edition.to_json())
    assert again == edition
    assert again.digest == edition.digest == compiled(a_campaign(*words("é \ud800 {{ x"))).digest
    assert re.fullmatch("[0-9a-f]{64}", edition.digest)
    assert replace(edition, links=()).digest != edition.digest


@pytest.mark.parametrize("text", ["[]", "{}", "nonsense", '{"links": 1}', "null"])
def test_other_json_is_no_edition(text: str) -> None:
    with pytest.raises(ValueError):
        Edition.from_json(text)
    data = json.loads(compiled().to_json()) | {"html": 1}
    with pytest.raises(ValueError, match="no edition"):
        Edition.from_json(json.dumps(data))


def test_a_colour_that_is_none_is_an_error_for_people() -> None:
    with pytest.raises(TemplateError, match=r"brand of Coalition.*'red; }' is not a colour"):
        compiled(association=an_association(brand=Brand(accent="red; }")))


def test_an_unknown_name_in_a_template_is_an_error_with_its_line() -> None:
    with pytest.raises(TemplateError) as caught:
        compiled(template=column("\n<mj-text>{{ asociation.name }}</mj-text>"))
    assert (caught.value.line, caught.value.template) == (2, "t")
    assert "asociation" in caught.value.reason


def test_a_file_that_is_not_there_can_not_be_included() -> None:
    for name in ("no.mjml", "../../etc/passwd", "/etc/passwd"):
        with pytest.raises(TemplateError, match="does not exist"):
            compiled(template=document(f'{{% include "{name}" %}}'))


def test_a_definition_file_becomes_a_message() -> None:
    campaign = read(
        "---\ncampaign: c\ntitle: T\nlanguage: en\nnewsletter:\n"
        "  subject: \"Hi {{ member.name or 'you' }}\"\n---\n\n# Hello\n\n"
        "Dear *{{ member.name or 'you' }}*, \\{{ 7*7 }} [here](https://a.example/?q={{ member.city or 'x y' }}).\n"
    )
    message = rendered(campaign, member={"name": "<Ana>"})
    assert message.subject == "Hi <Ana>"
    assert message.text.startswith("Hello\n=====\n\nDear <Ana>, {{ 7*7 }} here (https://a.example/?q=x%20y).")
    assert "<em>&lt;Ana&gt;</em>" in message.html


def test_a_campaign_without_newsletter_has_no_edition() -> None:
    with pytest.raises(ValueError, match="spring has no newsletter"):
        compiled(a_campaign(newsletter=None))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_text_in_any_place_comes_out_as_it_went_in(plain: str, value: str, name: str) -> None:
    campaign = a_campaign(Text((Plain(f"[{plain}]"), Expression("{{ member.x or '-' }}", 1)), 1))
    message = rendered(campaign, an_association(name=name or "x"), member={"x": f"<{value}>"})
    assert squeezed(f"[{plain}]<{value}>") in squeezed(html.unescape(re.sub(r"<[^>]*>", "", message.html)))


def squeezed(text: str) -> str:
    """Without white space, and without what can not stand in a message."""
    kept = (mark for mark in text if not mark.isspace() and mark.isprintable() and not 0xD800 <= ord(mark) < 0xE000)
    return html.unescape("".join(mark for mark in kept if mark != "\ufffd"))
