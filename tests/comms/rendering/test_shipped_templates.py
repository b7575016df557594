"""Every template that comes with the program, filled as in its example: what each must say, and how large it may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import lxml.html
import pytest

from audiences.models import ANY_TOPIC, Basis, Brand, Consent, ConsentState, Member
from campaigns.blocks import parse_body
from comms.engine import checking, preview
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.preflight.spamassassin import judge
from comms.preview.readers import worst
from comms.rendering.compile import compile_edition
from comms.rendering.library import BUILT_IN, TemplateLibrary
from comms.surroundings import Surroundings
from tests.support.template_gallery import (
    EXAMPLES,
    LANGUAGES,
    LETTERS,
    LINKS,
    NAMES,
    PICTURES,
    arabic,
    association,
    drawn,
    example,
    letter,
    long_newsletter,
    mail,
    translated,
)

GMAIL_CLIP = 95_000
"""Bytes of HTML after which Gmail may hide the rest (hteumeuleu/email-bugs 41)."""
LONGEST_LINE = 998
"""RFC 5322 section 2.1.1."""
ANA = "ana@archives.org"


@dataclass(frozen=True)
class Office:
    """A workspace that has all that the examples name."""

    workspace: Workspace
    folder: Path

    def message(self, name: str, language: str = "en") -> bytes:
        """The example as Ana gets it, whole."""
        wishes = preview.Wishes(address=ANA, language=language)
        preview.show(self.workspace, EXAMPLES / f"{name}.md", self.folder, wishes, browser=None)
        return (self.folder / "message.eml").read_bytes()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    workspace = create_workspace(folder / "workspace", association(sender_address="news@coalition.org"))
    for name in ("reading-room.jpg", "museum.jpg", "archive.jpg", "ana.jpg", "mae.jpg"):
        (workspace.media_folder / name).write_bytes(drawn(name))
    people = workspace.people("coalition")
    consent = Consent(ANY_TOPIC, ConsentState.GRANTED, datetime(2027, 1, 1, tzinfo=UTC), "test", Basis.EXPRESS)
    with people.db.atomic():
        people.insert([Member(ANA, {"first_name": "Ana", "state": "WA"}, id=1)], workspace.now())
        people.record([(1, consent)], workspace.now())
        people.note_attributes(["first_name", "state"])
    yield Office(workspace, folder)
    workspace.close()


def test_every_template_has_an_example() -> None:
    for name in NAMES:
        part = example(name).newsletter
        assert part is not None
        assert part.template == name


@pytest.mark.parametrize("name", NAMES)
def test_nothing_must_be_fixed_in_the_examples(office: Office, name: str) -> None:
    found = checking.check(office.workspace, EXAMPLES / f"{name}.md").findings
    assert [finding for finding in found if finding.level == "must fix"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_says_who_sends_it_and_how_to_stop_it(name: str) -> None:
    tree = lxml.html.document_fromstring(mail(example(name)).html)
    text = tree.text_content()
    for words in ("The Coalition", "12 Shore Road", "Lakeland, WA 98001", "You receive this because"):
        assert words in text
    assert tree.xpath(f"//a[@href='{LINKS['unsubscribe']}']")[0].text_content() == "Unsubscribe"
    assert tree.xpath(f"//a[@href='{LINKS['view']}']")[0].text_content() == "View in browser"
    assert len(tree.xpath("//h1")) == (0 if name == "letter" else 1)
    assert all(table.get("role") == "presentation" for table in tree.xpath("//body//table"))
    assert all("alt" in image.attrib for image in tree.xpath("//img"))


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_without_pictures_still_says_everything(name: str) -> None:
    rendered = mail(example(name))
    shown = " ".join(lxml.html.document_fromstring(rendered.html).text_content().split())
    said = re.sub(r"https?://\S+|^[-=* >0-9.]+|\[.*?\]|[()]", " ", rendered.text.partition("\n-- \n")[0], flags=re.M)
    missing = [word for word in re.findall(r"\w+", said) if word not in shown]
    assert [word for word in missing if word != "Issue"] == []  # under a nameplate its number needs no label


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_the_html_is_in_the_text(name: str) -> None:
    rendered = mail(example(name), association(homepage=""))
    links = lxml.html.document_fromstring(rendered.html).xpath("//a/@href")
    assert len(links) >= 3
    assert [link for link in links if link.removeprefix("mailto:") not in rendered.text] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_an_association_passes_on_says_from_whom_and_shows_its_own_foot(name: str) -> None:
    relaying = association(name="Ohio Museums", brand=Brand(footer="Registered charity 123"))
    template, around = TemplateLibrary().find(name), Surroundings(relayed_from="The Coalition")
    relayed = compile_edition(example(name), relaying, template, media_url=PICTURES, around=around)
    for part in (relayed.html, relayed.text):
        assert "Relayed from The Coalition." in part
        assert "Registered charity 123" in part
    own = compile_edition(example(name), relaying, template, media_url=PICTURES)
    assert "Relayed" not in own.html + own.text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("brand", [Brand(), Brand(typeface="sans"), Brand(typeface="serif", logo_url="logo.png")])
def test_a_template_wears_the_brand_of_its_sender(name: str, brand: Brand) -> None:
    html = mail(example(name), association(brand=brand)).html
    assert ("Georgia" in html) == (brand.typeface != "sans")
    assert ("Segoe UI" in html) == (brand.typeface != "serif")
    assert (f'src="{PICTURES}logo.png"' in html) == bool(brand.logo_url)


@pytest.mark.parametrize("name", NAMES)
def test_from_right_to_left_everything_turns(name: str) -> None:
    html = mail(arabic(name)).html
    assert lxml.html.document_fromstring(html).get("dir") == "rtl"
    assert "direction:ltr" not in html
    assert "text-align:right" in html


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("newsletter", ["In this issue", "What the flood taught us"]),
        ("invitation", ["Jun", "14", "Details and registration"]),
        ("call-for-proposals", ["Deadline", "May 1, 2027", "Propose a talk"]),
        ("survey", ["Which days suit you best?", "One day only"]),
    ],
)
def test_what_matters_most_comes_first(name: str, words: list[str]) -> None:
    html = mail(example(name)).html
    top = lxml.html.document_fromstring(html[: len(html) * 2 // 3]).text_content()
    assert all(word in top for word in words)


def test_a_newsletter_of_ten_stories_is_not_clipped_whoever_reads_it() -> None:
    for reader in worst(("first_name",), ()):
        html = mail(long_newsletter(10), member=reader.member.attributes).html
        assert len(html.encode()) <= GMAIL_CLIP, reader.name


@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_a_message_is_too_long_whoever_reads_it(office: Office, name: str) -> None:
    wishes = preview.Wishes(worst_cases=True)
    made = preview.show(office.workspace, EXAMPLES / f"{name}.md", office.folder / name, wishes, browser=None)
    messages = [path.read_bytes() for path in made.files if path.suffix == ".eml"]
    assert len(messages) == 1 + len(list(worst((), ())))
    assert max(len(line) for message in messages for line in message.split(b"\r\n")) <= LONGEST_LINE


def test_every_example_is_there_in_every_language() -> None:
    for name in NAMES:
        assert set(example(name).variants) == set(LANGUAGES)


def test_a_label_is_set_apart_as_its_language_does_it() -> None:
    assert "Takes: half a minute" in mail(example("survey")).text
    french = mail(translated("survey", "fr"))
    assert "Durée\xa0: une demi-minute" in french.text
    assert "Clôture\xa0: <span" in french.html


def test_an_address_among_the_facts_can_be_followed() -> None:
    rendered = mail(example("call-for-proposals"))
    assert '<a class="link" href="mailto:programme@coalition.example"' in rendered.html
    assert "Questions to: programme@coalition.example\n" in rendered.text


def test_letters_are_clean_and_say_who_sends_them() -> None:
    assert LETTERS
    for name in LETTERS:
        assert TemplateLibrary([BUILT_IN / "letters"]).lint(name) == ()
        assert "12 Shore Road" in letter(name).html


def test_no_word_is_set_so_small_that_filters_take_it_for_hidden() -> None:
    """The rule WORD_INVIS of SpamAssassin 4.0.1 takes 0.9em for none."""
    blocks, problems = parse_body("Press `Enter`, **then** *wait*.\n\n::: statistic 4\nkeys\n:::", first_line=1)
    assert problems == ()
    html = mail(replace(example("announcement"), blocks=blocks)).html
    words = re.findall(r"<(\w+)\s[^>]*font-size:\s*0*[01](?:\.\d+)?[a-z]+[^>]*>\w{1,20}<", html)
    assert "Enter" in html
    assert words == []


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", *LANGUAGES])
@pytest.mark.parametrize("name", NAMES)
def test_spamassassin_has_nothing_against_it(office: Office, name: str, language: str) -> None:
    verdict = judge(office.message(name, language))
    if verdict is None:
        pytest.skip("SpamAssassin is not here: apt-get install spamassassin")
    assert verdict.points <= 0, verdict.hits
