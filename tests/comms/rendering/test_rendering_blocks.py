"""Events, people, polls and conditions in the HTML and in the text of a newsletter."""

from __future__ import annotations

import json
import quopri
import re
from collections.abc import Mapping
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering_samples import MEDIA, a_campaign, a_context, an_association, announcement, document

from audiences.models import Brand, Member
from audiences.segments import RuleError, matches, parse, resolve
from campaigns.blocks import parse_body
from campaigns.models import Blocks
from comms.pictures import Picture
from comms.rendering.compile import compile_edition
from comms.rendering.conditions import Conditions, freeze
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError, TemplateError
from comms.rendering.library import BUILT_IN, TemplateLibrary
from comms.rendering.render import Rendered, Renderer
from comms.rendering.source import TemplateSource
from comms.surroundings import NOTHING_AROUND, Surroundings

TODAY = date(2027, 1, 31)
POLL = "https://news.example.org/p/token"


def blocks(markdown: str) -> Blocks:
    found, problems = parse_body(markdown, first_line=1)
    assert problems == ()
    return found


def edition(
    markdown: str,
    around: Surroundings = NOTHING_AROUND,
    template: TemplateSource | None = None,
    *,
    brand: Brand | None = None,
    **changes: Any,
) -> Edition:
    campaign, sender = a_campaign(*blocks(markdown), **changes), an_association(brand=brand or Brand())
    return compile_edition(campaign, sender, template or announcement(), media_url=MEDIA, around=around)


def context(member: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {**a_context(member, poll=POLL), "today": TODAY}


def shown(compiled: Edition, **member: Any) -> Rendered:
    """What the member gets; the encoded message says the same."""
    renderer = Renderer(compiled)
    rendered = renderer.render(context(member))
    encoded = renderer.encode(context(member))
    for whole, part in ((rendered.html, encoded.html), (rendered.text, encoded.text)):
        assert quopri.decodestring(part.encode()).decode().replace("\r\n", "\n") == whole
    return rendered


def body(text: str) -> str:
    """The text above the footer."""
    return text.partition("\n-- \n")[0].rstrip("\n")


class Tags(HTMLParser):
    """All attributes by tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


# --- what each looks like -----------------------------------------------------------------------


def test_an_event_in_the_text() -> None:
    compiled = edition(
        "::: event Summer school\nstart: 2027-06-14 09:00\nend: 2027-06-14 16:00\ntimezone: America/Los_Angeles\n"
        "place: Lakeland\nlink: https://e.org/school\n\nThree days.\n:::",
        Surroundings("https://e.org/e/coalition/spring"),
    )
    rendered = shown(compiled)

    assert body(rendered.text) == (
        "Summer school\nMonday, June 14, 2027, 9:00\xa0AM – 4:00\xa0PM (Pacific Daylight Time)\nLakeland\n"
        "https://news.example.org/c/token/1\n\nThree days.\n\n"
        "Add to your calendar: https://news.example.org/c/token/2"
    )
    assert compiled.links[1:] == ("https://e.org/school", "https://e.org/e/coalition/spring/0.ics")
    for words in ("Summer school", "9:00\xa0AM", "Lakeland", "Three days.", "Add to your calendar", ">14<", ">Jun<"):
        assert words in rendered.html


def test_an_event_is_told_in_the_language_of_the_campaign() -> None:
    event = "::: event X\nstart: 2027-06-14 09:00\ntimezone: Europe/Paris\n:::"

    assert "lundi 14 juin 2027, 09:00" in shown(edition(event, language="fr")).text
    assert "calendar" not in shown(edition(event)).html.lower().replace("color-scheme", "")


def test_a_person_a_number_and_a_quotation_in_the_text() -> None:
    rendered = shown(
        edition(
            "::: person Ana\nrole: Head\nlink: mailto:ana@e.org\n\nShe led.\n:::\n\n"
            "::: statistic 1.2 million\nobjects *here*\n:::\n\n::: quote Ana, Head\nSo it is.\n:::"
        )
    )

    assert body(rendered.text) == (
        "Ana, Head\nana@e.org\n\nShe led.\n\n1.2 million objects here\n\n> So it is.\n> -- Ana, Head"
    )
    assert 'href="mailto:ana@e.org"' in rendered.html
    assert ">ana@e.org</a>" in rendered.html


def test_each_answer_of_a_poll_is_a_link_of_its_own_that_is_not_counted_as_a_click() -> None:
    compiled = edition("::: poll A?\n- one\n- two\n:::\n\n::: poll B?\n- three\n- four\n:::")
    rendered = shown(compiled)

    wanted = [f"{POLL}/0/0", f"{POLL}/0/1", f"{POLL}/1/0", f"{POLL}/1/1"]
    assert [link["href"] for link in Tags(rendered.html).all("a") if "/p/" in (link["href"] or "")] == wanted
    assert re.findall(r"https://\S+/p/\S+", rendered.text) == wanted
    assert compiled.links == ("https://example.org/",)


def test_a_picture_of_known_size_keeps_its_place_free_and_is_shown_no_larger_than_it_is() -> None:
    around = Surroundings(
        images={
            "wide.jpg": Picture("https://m.org/w.jpg", 1280, 640),
            "small.png": Picture("https://m.org/s.png", 90, 30),
        },
        portraits={"ana.jpg": Picture("https://m.org/a.jpg", 144, 144)},
    )
    rendered = shown(
        edition(
            "![Wide](wide.jpg)\n![Small](small.png)\n![Far](https://far.org/x.jpg)\n\n"
            "::: person Ana\nphoto: ana.jpg\n:::",
            around,
        )
    )

    images = {image["src"]: image for image in Tags(rendered.html).all("img")}
    wide, small = images["https://m.org/w.jpg"], images["https://m.org/s.png"]
    assert (wide["alt"], wide["width"], wide["height"]) == ("Wide", "544", "272")
    assert (small["width"], small["height"]) == ("90", "30")
    assert "height:auto" in (wide["style"] or "")
    assert images["https://far.org/x.jpg"]["width"] == "544"
    assert (images["https://m.org/a.jpg"]["alt"], images["https://m.org/a.jpg"]["width"]) == ("", "72")


def test_slots_and_locked_parts_are_what_they_hold() -> None:
    plain = "One\n\n---\n\nTwo"
    marked = '::: slot a "b"\nOne\n:::\n\n---\n\n::: locked\nTwo\n:::'

    assert edition(marked).html == edition(plain).html
    assert edition(marked).text == edition(plain).text


HOSTILE = [
    '"><script>alert(1)</script>',
    "{{ member.address }} {% if 1 %}",
    "<!--[if mso]>",
    "zJaA0Jz",
    "é\N{FAMILY}\u0915\u094d\u0937",
    "a & b < c > d ' e",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_words_in_any_place_are_words(words: str) -> None:
    typed = words.replace("{{", "\\{{").replace("{%", "\\{%")
    listed = typed.replace("<", "\\<").replace('"', "&quot;")
    markdown = (
        f"::: quote {typed}\nq\n:::\n\n::: person {typed}\nrole: {typed}\n:::\n\n::: statistic 5\n{listed}\n:::\n\n"
        f"::: event {typed}\nstart: 2027-06-14 09:00\ntimezone: UTC\nplace: {typed}\n:::\n\n"
        f"::: poll {typed}\n- {listed}\n- other\n:::"
    )
    rendered = shown(edition(markdown), address="secret@e.org")

    found = Tags(rendered.html)
    assert not found.all("script")
    assert "secret@e.org" not in rendered.html
    assert rendered.text.count(words) == 8
    parser = _Words()
    parser.feed(rendered.html)
    assert parser.text.count(words) == 8


class _Words(HTMLParser):
    text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


# --- conditions ---------------------------------------------------------------------------------

SIDES = (
    "Before\n\n::: when state in (WA, OR)\nWest\n\n[Bus](https://e.org/bus)\n:::\n"
    "::: otherwise\nElsewhere\n:::\n\nAfter"
)


def test_a_condition_shows_one_side_in_html_and_in_text_alike() -> None:
    compiled = edition(SIDES)
    west, east, nobody = shown(compiled, state="or"), shown(compiled, state="NY"), shown(compiled)

    assert body(west.text) == "Before\n\nWest\n\nBus (https://news.example.org/c/token/1)\n\nAfter"
    assert body(east.text) == body(nobody.text) == "Before\n\nElsewhere\n\nAfter"
    assert "West" in west.html
    assert "Elsewhere" not in west.html
    assert "West" not in east.html
    assert "Elsewhere" in east.html


def test_where_nobody_in_particular_reads_no_condition_holds() -> None:
    public = Renderer(edition("::: when state is missing\nAsk\n:::\n\n" + SIDES)).render_public(context())

    assert body(public.text) == "Before\n\nElsewhere\n\nAfter"
    assert "Ask" not in public.html


def test_conditions_nest_and_stand_around_and_within_columns() -> None:
    compiled = edition(
        "::: when a = 1\n::: columns\n::: column\nL\n\n::: when b = 1\nB\n:::\n::: otherwise\nN\n:::\n:::\n"
        "::: column\nR\n:::\n:::\n\nBelow\n:::\n::: otherwise\n::: when b = 1\nOnly\n:::\n:::\n\nEnd"
    )

    assert body(shown(compiled, a=1, b=1).text) == "L\n\nB\n\nR\n\nBelow\n\nEnd"
    assert body(shown(compiled, a=1).text) == "L\n\nN\n\nR\n\nBelow\n\nEnd"
    assert body(shown(compiled, b=1).text) == "Only\n\nEnd"
    assert body(shown(compiled).text) == "End"
    for member, columns in (({"a": 1, "b": 1}, 1), ({"a": 1}, 1), ({"b": 1}, 0), ({}, 0)):
        html = shown(compiled, **member).html
        assert html.count(">R<") == columns
        _assert_balanced(html)


def _assert_balanced(html: str) -> None:
    for tag in ("table", "tr", "td", "div"):
        assert len(re.findall(rf"<{tag}[\s>]", html)) == html.count(f"</{tag}>"), tag


@pytest.mark.parametrize("name", ["announcement", "house-style"])
def test_our_templates_show_a_condition_on_columns_as_a_whole(name: str) -> None:
    template = TemplateLibrary([BUILT_IN / "examples"]).find(name)
    wide = "::: when a = 1\n::: columns\n::: column\nL\n:::\n::: column\nR\n:::\n:::\n:::\n\nEnd"
    compiled = edition(wide, template=template)

    for member, columns in (({"a": 1}, 1), ({}, 0)):
        html = shown(compiled, **member).html
        assert html.count("R</p>") == columns
        _assert_balanced(html)


def test_a_value_that_only_one_side_needs_is_not_missed_on_the_other() -> None:
    compiled = edition("::: when renewal is present\nUntil {{ member.renewal }}\n:::\n::: otherwise\nNo date\n:::")

    assert body(shown(compiled, renewal="2027-05-01").text) == "Until 2027-05-01"
    assert body(shown(compiled).text) == "No date"


def test_a_condition_asks_what_day_it_is_when_the_mail_is_made() -> None:
    renderer = Renderer(edition("::: when membership is lapsed\nRenew\n:::\n\nEnd"))
    member = {"membership_status": "active", "renewal": "2027-01-31"}

    on_the_day = renderer.render({**context(member), "today": date(2027, 1, 31)})
    after = renderer.render({**context(member), "today": date(2027, 2, 1)})
    assert (body(on_the_day.text), body(after.text)) == ("End", "Renew\n\nEnd")


def test_values_of_members_can_not_answer_for_a_condition() -> None:
    compiled = edition(SIDES)
    assert "West" not in shown(compiled, **{"when 0": True, "state": '"] or true'}).html


def test_a_condition_that_is_no_rule_is_refused_with_its_line() -> None:
    with pytest.raises(TemplateError, match=r"line 3.*column 7") as caught:
        edition("a\n\n::: when state WA\nx\n:::")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("rule", "words", "column"),
    [
        ("state = WA and topic = news", "topics", 24),
        ("has topic", "topics", 1),
        ("consent = express", "consent", 1),
        ("tag = donor", "tags", 7),
        ("tag contains don", "tags", 1),
        ("not clicked any", "opens and clicks", 1),
        ('opened("spring")', "opens and clicks", 8),
        ("sample 10%", "samples", 1),
        ("a = b or timezone = UTC", "time zones", 10),
    ],
)
def test_what_no_sender_knows_is_refused_by_name_with_the_way_out(rule: str, words: str, column: int) -> None:
    with pytest.raises(RuleError, match=f"can not depend on {words}") as caught:
        freeze(resolve(parse(rule)), {})
    assert caught.value.column == column
    assert "audience.segment" in caught.value.hint


def test_what_a_rule_names_travels_with_it() -> None:
    named = {"big": "staff > 10 and segment western", "western": 'state in region "Far West"'}
    rule = resolve(parse("segment big"), named.get, {"far-west": ["WA", "CA"]})
    frozen = freeze(rule, {**named, "other": "x = y"})

    assert "other" not in frozen
    flags = Conditions([frozen]).flags
    assert flags({"staff": 11, "state": "ca"}, TODAY) == {"when 0": True}
    assert flags({"staff": 11, "state": "NV"}, TODAY) == {"when 0": False}


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"rule": 1, "segments": {}, "regions": {}}',
                                  '{"rule": "a =", "segments": {}, "regions": {}}',
                                  '{"rule": "segment x", "segments": {}, "regions": {}}',
                                  '{"rule": "a = b", "segments": 3, "regions": {}}'])  # fmt: skip
def test_an_edition_with_anything_else_for_a_condition_can_not_be_used(text: str) -> None:
    compiled = edition(SIDES)
    broken = Edition.from_json(json.dumps({**json.loads(compiled.to_json()), "conditions": [text]}))
    with pytest.raises(RenderError, match="no condition"):
        Renderer(broken)


def test_an_edition_carries_its_conditions_and_one_without_is_what_it_was_before() -> None:
    compiled = edition(SIDES)

    assert Edition.from_json(compiled.to_json()) == compiled
    assert len(compiled.conditions) == 1
    assert "conditions" not in edition("Hello").to_json()
    with pytest.raises(ValueError, match="wrong type"):
        Edition.from_json(json.dumps({**json.loads(compiled.to_json()), "conditions": "x"}))


VALUES = st.dictionaries(
    st.sampled_from(["state", "staff", "language", "address"]),
    st.sampled_from(["WA", "wa", "Oregon", "en", "a@b.org", "", "10", "2027-01-31"]) | st.integers(0, 20),
)
RULES = [
    "state = WA",
    "not state in region west",
    "staff > 9 or staff is missing",
    "language = en and address contains b.org",
    "state = today or has staff",
    "everyone",
]


@settings(deadline=None)
@given(values=VALUES, rules=st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True))
def test_a_sender_answers_as_segments_do(values: dict[str, Any], rules: list[str]) -> None:
    known = {name: str(value) if name in ("language", "address") else value for name, value in values.items()}
    attributes = {name: value for name, value in known.items() if name not in ("language", "address")}
    member = Member(known.get("address"), attributes, known.get("language"))
    present = {name: value for name, value in known.items() if value != ""}

    flags = Conditions([freeze(resolve(parse(rule)), {}) for rule in rules]).flags(present, TODAY)

    assert flags == {f"when {n}": matches(resolve(parse(rule)), member, TODAY) for n, rule in enumerate(rules)}


def test_a_condition_in_a_template_that_can_not_show_it_is_refused() -> None:
    bare = document(
        "<mj-section><mj-column>{% for s in sections %}{{ s.columns }}{% endfor %}</mj-column></mj-section>"
    )
    with pytest.raises(TemplateError):
        edition(SIDES, template=bare)
