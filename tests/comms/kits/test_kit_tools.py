"""Tags of other tools: byte for byte where they belong, and nowhere else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit_samples import made, with_text

from comms.kits.marks import Marks
from comms.kits.tools import TOOLS, Tool
from comms.preflight import markup

KNOWN = [tool for tool in TOOLS.values() if tool.unsubscribe]
EXPECTED = {
    "mailchimp": ("*|UNSUB|*", "*|IF:FNAME|**|FNAME|**|ELSE:|*colleague*|END:IF|*"),
    "constantcontact": ("[[unsubscribeLink]]", '[[FirstName OR "colleague"]]'),
    "civicrm": ("{action.unsubscribeUrl}", '{contact.first_name|default:"colleague"}'),
    "wildapricot": ("{Unsubscribe_Url}", "colleague"),
    "listmonk": ("{{ UnsubscribeURL }}", '{{ .Subscriber.FirstName | default "colleague" }}'),
    "ghost": ("%%{unsubscribe_url}%%", '%%{first_name, "colleague"}%%'),
    "brevo": ("{{ unsubscribe }}", '{{ contact.FIRSTNAME | default : "colleague" }}'),
    "mailerlite": ("{$unsubscribe}", "{$name|default('colleague')}"),
    "hubspot": ("{{ unsubscribe_link }}", "{{ personalization_token('contact.firstname', 'colleague') }}"),
}


def test_every_tool_that_has_a_tag_is_tried_here() -> None:
    assert {tool.slug for tool in KNOWN} == set(EXPECTED)


@pytest.mark.parametrize("slug", EXPECTED)
def test_each_part_of_a_mail_holds_the_tags_of_its_tool_byte_for_byte(slug: str) -> None:
    unsubscribe, greeting = EXPECTED[slug]
    mail = made(TOOLS[slug])

    assert mail.unsubscribe == unsubscribe
    assert f'href="{unsubscribe}"' in mail.html
    assert f'href="{unsubscribe}"' in mail.mjml
    assert f"Unsubscribe: {unsubscribe}" in mail.text
    for part in (mail.html, mail.mjml, mail.text.replace("\n", " ")):
        assert f"Dear {greeting}, proposals" in part


@pytest.mark.parametrize("tool", [tool for tool in KNOWN if tool.view or tool.postal], ids=lambda tool: tool.slug)
def test_the_page_of_the_mail_and_the_postal_address_are_the_tools_where_it_has_them(tool: Tool) -> None:
    mail = made(tool)

    for part in (mail.html, mail.text):
        assert not tool.view or tool.view in part
        assert (tool.postal in part) if tool.postal else ("1 Pier Road" in part)
        assert ("1 Pier Road" in part) is not bool(tool.postal)


def test_without_a_tag_readers_write_to_the_sender_and_see_the_page_for_everyone() -> None:
    mail = made(TOOLS["plain"])
    links = markup.read(mail.html).links

    assert mail.unsubscribe == "mailto:news@lakeland.example?subject=Unsubscribe"
    assert mail.unsubscribe in links
    assert any(link.startswith("https://coalition.example/a/coalition/partner?") for link in links)
    assert "Dear colleague," in mail.text


@pytest.mark.parametrize("tool", KNOWN, ids=lambda tool: tool.slug)
def test_what_people_wrote_is_never_a_tag_of_the_tool(tool: Tool) -> None:
    """A tag that stands in the text is shown to readers, not run: the tool finds ours alone."""
    typed = [tool.unsubscribe, tool.view, *(tool.tag(name) or "" for name in tool.values)]
    quoted = " and ".join(tag for tag in typed if tag)
    mail = made(tool, with_text(f"Write {{{{ {quoted!r} }}}} here, the author said.", subject="News"))
    innocent = made(tool, with_text("Write nothing here, the author said.", subject="News"))

    for part, other in ((mail.html, innocent.html), (mail.mjml, innocent.mjml), (mail.text, innocent.text)):
        assert len(re.findall(tool.markup, part)) == len(re.findall(tool.markup, other))
    assert quoted in "".join(words.text for words in markup.read(mail.html).words)


@pytest.mark.parametrize(
    "words", ['say "hi"', "a' b", "{{ 7*7 }}", "*|UNSUB|*", "a|b", "}", "", "<b>", "\u202e", "x" * 90]
)
@pytest.mark.parametrize("tool", KNOWN, ids=lambda tool: tool.slug)
def test_a_fallback_that_would_end_the_tag_early_stands_there_instead_of_it(tool: Tool, words: str) -> None:
    tag = tool.tag("first_name", words)

    assert tag is None if words else tag == tool.tag("first_name")


@given(words=st.text(max_size=100), slug=st.sampled_from(sorted(EXPECTED)))
def test_a_tag_with_a_fallback_has_the_quotes_and_braces_of_one_without_any_words(words: str, slug: str) -> None:
    tool, signs = TOOLS[slug], frozenset("'\"{}[]|%*$<>()")
    tag, model = tool.tag("first_name", words), tool.tag("first_name", "Colleague" if words else "")

    if tag is not None and model is not None:
        assert [char for char in tag if char in signs] == [char for char in model if char in signs]


@given(pieces=st.lists(st.tuples(st.text(max_size=20), st.text(min_size=1, max_size=20)), max_size=8), end=st.text())
def test_tags_come_back_byte_for_byte_whatever_stands_around_them(pieces: list[tuple[str, str]], end: str) -> None:
    marks = Marks([*(text for text, _ in pieces), end])
    source = "".join(f"{text}{marks.add(tag)}" for text, tag in pieces) + end

    assert marks.filled(source, lambda text: text) == "".join(text + tag for text, tag in pieces) + end


def test_a_mark_that_a_filter_changed_is_noticed() -> None:
    marks = Marks(())
    with pytest.raises(ValueError, match="changed by a filter"):
        marks.filled(marks.add("{{ x }}").upper(), str)
