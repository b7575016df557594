"""The newsletter of a kit says what ours says, and asks nothing that only our engine could answer."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit_samples import MEDIA, PAGE, SENDER, campaign, made, with_text

from comms.kits.links import tagged
from comms.kits.tools import TOOLS
from comms.preflight import markup
from comms.rendering.compile import compile_edition
from comms.rendering.errors import TemplateError
from comms.rendering.library import TemplateLibrary
from comms.rendering.mjml import to_html
from comms.rendering.render import Renderer

SHIPPED = ("announcement", "newsletter", "digest", "letter")


class _Pictures(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "img":
            self.found.append((values.get("src") or "", values.get("alt") or ""))


def shown_words(html: str) -> str:
    return " ".join(" ".join(words.text for words in markup.read(html).words).split())


def test_the_html_says_the_words_links_and_alt_texts_of_the_newsletter_itself() -> None:
    kit = made(TOOLS["plain"])
    edition = compile_edition(kit.campaign, SENDER, TemplateLibrary().find("announcement"), media_url=MEDIA)
    links = {"click": "https://c.example", "unsubscribe": "u", "view": "v", "poll": "p", "pixel": ""}
    ours = Renderer(edition).render_public({"association": {}, "campaign": {}, "url": PAGE, "links": links})

    assert shown_words(kit.html).replace("Relayed from The Coalition. ", "") == shown_words(ours.html)
    assert _Pictures(kit.html).found == _Pictures(ours.html).found
    followed = [link for link in markup.read(kit.html).links if link.startswith("http")]
    meant = [*edition.links, PAGE]
    assert [link.partition("?")[0] for link in followed] == [link.partition("?")[0] for link in meant]


def test_the_mjml_compiles_to_the_links_words_and_pictures_of_the_html() -> None:
    kit = made(TOOLS["listmonk"])
    compiled = to_html(kit.mjml, name="kit")

    assert markup.read(compiled).links == markup.read(kit.html).links
    assert shown_words(compiled) == shown_words(kit.html)
    assert _Pictures(compiled).found == _Pictures(kit.html).found


@pytest.mark.parametrize("template", SHIPPED)
@pytest.mark.parametrize("slug", ["mailchimp", "listmonk", "civicrm"])
def test_every_shipped_template_keeps_the_tag(template: str, slug: str) -> None:
    mail = made(TOOLS[slug], template=template)

    assert f'href="{TOOLS[slug].unsubscribe}"' in mail.html


def test_conditions_show_what_everyone_may_see_and_polls_their_answers() -> None:
    text = made(TOOLS["mailchimp"]).text

    assert "Everywhere else" in text
    assert "Washington" not in text.replace("1 Pier Road", "")
    assert "Which day suits you?\n\n* Monday\n* Friday" in text
    assert "Words of the association." in text
    assert "Nobody changes this." in text


def test_every_link_names_the_association_and_nobody_who_reads() -> None:
    kit = made(TOOLS["mailchimp"])
    links = [link for link in markup.read(kit.html).links if link.startswith("http")]

    assert len(links) >= 5
    for link in links:
        if link != SENDER.homepage:
            query = parse_qs(urlsplit(link).query)
            assert query["utm_campaign"] == ["partner"]
            assert query["utm_source"] == (["own"] if "a" in query else ["lakeland"])
        assert link in kit.text or link == SENDER.homepage
    assert "https://archives.test-site.org/?for=&b=2&utm_source=lakeland&utm_campaign=partner" in links
    assert "member" not in kit.html


@given(
    url=st.one_of(
        st.text(max_size=60),
        st.text(max_size=60).map("https://x.org/?{}".format),
        st.just("http://[broken?utm_source=1"),
    )
)
def test_a_parameter_is_added_once_and_never_changed(url: str) -> None:
    once = tagged(url, "lakeland", "c")

    assert tagged(once, "lakeland", "c") == once
    if not url.lower().startswith(("http://", "https://")):
        assert once == url


def test_a_link_that_leads_nowhere_for_this_association_is_words() -> None:
    source = with_text("[Home]({{ association.homepage }}), or [leave]({{ links.unsubscribe }})")
    mail = made(TOOLS["mailchimp"], source, sender=replace(SENDER, homepage=""))

    assert "Home, or leave (*|UNSUB|*)" in mail.text
    assert mail.html.count('"*|UNSUB|*"') == 2


def test_a_value_that_the_tool_does_not_know_is_named_with_its_gap() -> None:
    source = with_text("Hello {{ member.city }}, {{ member.county or 'there' }}, {{ member.last_name }}")
    mail = made(TOOLS["ghost"], source)

    assert mail.gaps == ("city", "last_name")
    assert "Hello …, there, …" in mail.text
    assert made(TOOLS["mailchimp"], source).gaps == ("city",)


def test_the_subject_has_the_tag_and_is_checked_without() -> None:
    mail = made(TOOLS["mailchimp"])

    assert mail.subject == "*|IF:FNAME|**|FNAME|**|ELSE:|*Colleague*|END:IF|*, could you host us?"
    assert mail.spoken_subject == "Colleague, could you host us?"


def test_a_campaign_without_a_newsletter_has_none_in_a_kit_either() -> None:
    with pytest.raises(ValueError, match="no newsletter"):
        made(TOOLS["plain"], "---\ncampaign: c\ntitle: T\nlanguage: en\nfeed:\n  summary: S\n---\n\nText\n")


def test_an_accent_that_is_no_colour_is_said_in_words() -> None:
    sender = replace(SENDER, brand=replace(SENDER.brand, accent="red;}"))
    with pytest.raises(TemplateError):
        made(TOOLS["plain"], sender=sender)


@settings(max_examples=30)
@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=60), slug=st.sampled_from(sorted(TOOLS)))
def test_no_name_of_an_association_breaks_a_tag(text: str, slug: str) -> None:
    tool = TOOLS[slug]
    mail = made(tool, with_text("Words"), sender=replace(SENDER, name=text))

    assert f'href="{mail.unsubscribe}"' in mail.html
    counted = len(re.findall(tool.markup, mail.html)) if tool.markup else 0
    plain = made(tool, with_text("Words"), sender=replace(SENDER, name="Name"))
    assert counted == (len(re.findall(tool.markup, plain.html)) if tool.markup else 0)


def test_the_campaign_that_is_checked_holds_no_marks() -> None:
    kit = made(TOOLS["mailchimp"])

    assert "kQ" not in repr(kit.campaign)
    assert kit.campaign.id == campaign().id
