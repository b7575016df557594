"""What a template asks of a campaign: declared in a comment, checked at its line, shown in the campaign's language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendering_samples import a_campaign, a_context, an_association, column

from campaigns import definition
from campaigns.errors import DefinitionError
from campaigns.models import Campaign
from comms.rendering.compile import compile_edition
from comms.rendering.errors import TemplateError
from comms.rendering.render import Rendered, Renderer
from comms.rendering.slots import TemplateSlot, declaration, problems, samples
from comms.rendering.source import TemplateSource

DECLARED = """{# A call.
   slots: deadline date, amount text "How much, at most" optional, seats number optional,
   page link optional #}
"""
SLOTS = declaration("call", DECLARED).slots
SHOW = (
    "<mj-text>{% for fact in facts %}[{{ fact.label }}={{ fact.value }}]{% endfor %}"
    '<i title="{{ slots.amount }}">x</i></mj-text>'
)


def campaign(*lines: str, language: str = "en") -> Campaign:
    keys = "".join(f"    {line}\n" for line in lines)
    given = f"  slots:\n{keys}" if lines else ""
    return definition.read(
        f"---\ncampaign: call\ntitle: Call\nlanguage: {language}\nnewsletter:\n  subject: S\n  template: call\n{given}"
        "---\n# Call\n\nWords.\n"
    )


def shown(*lines: str, language: str = "en") -> Rendered:
    template = TemplateSource("call", DECLARED + column(SHOW).text)
    edition = compile_edition(campaign(*lines, language=language), an_association(), template, media_url="")
    return Renderer(edition).render(a_context())


def test_a_declaration_is_read_with_types_labels_and_what_may_be_missing() -> None:
    assert declaration("call", DECLARED).description == "A call."
    assert list(SLOTS) == [
        TemplateSlot("deadline", "date", "Deadline"),
        TemplateSlot("amount", "text", "How much, at most", optional=True),
        TemplateSlot("seats", "number", "Seats", optional=True),
        TemplateSlot("page", "link", "Page", optional=True),
    ]
    assert declaration("plain", "{# Plain. #}<mjml>").slots == declaration("none", "<mjml>").slots == ()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("{# slots: deadline #}", 1, "`deadline` is no slot"),
        ("{# A.\n slots: a text,\n b colour #}", 3, "`b colour` is no slot"),
        ("{# slots: a text,\n\n a date #}", 3, "`a date` is declared twice"),
        ('{# slots: a text "open #}', 1, "is no slot"),
        ("{# slots: A text #}", 1, "is no slot"),
    ],
)
def test_a_declaration_that_can_not_be_read_names_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(TemplateError, match=said) as caught:
        declaration("call", text)
    assert caught.value.line == line
    assert "deadline date" in caught.value.hint


@given(st.text() | st.text(alphabet='slots:, "abtex\n'))
def test_no_comment_breaks_the_reading(text: str) -> None:
    try:
        found = declaration("call", "{# slots:" + text.replace("#}", "") + "#}")
    except TemplateError:
        return  # with a line and a hint, as above
    assert all(slot.name and slot.label for slot in found.slots)


@pytest.mark.parametrize(
    ("lines", "line", "key", "said"),
    [
        ((), 7, "newsletter.slots", "needs `deadline` (date)"),
        (("amount: 5",), 8, "newsletter.slots", "needs `deadline` (date)"),
        (("deadline: soon",), 9, "newsletter.slots.deadline", "`soon` is not a date"),
        (("deadline: 2027-02-30",), 9, "newsletter.slots.deadline", "in the calendar"),
        (("deadline: 2027-03-01", "seats: many"), 10, "newsletter.slots.seats", "`many` is not a number"),
        (("deadline: 2027-03-01", "page: javascript:x"), 10, "newsletter.slots.page", "is not allowed"),
        (("deadline: 2027-03-01", 'amount: "{{ member.x }}"'), 10, "newsletter.slots.amount", "an expression"),
        (("deadline: 2027-03-01", "ammount: 5"), 10, "newsletter.slots.ammount", "has no slot `ammount`"),
    ],
)
def test_a_wrong_or_missing_value_is_told_at_its_line(lines: tuple[str, ...], line: int, key: str, said: str) -> None:
    [(field, problem)] = problems(SLOTS, campaign(*lines))
    assert (field, problem.line) == (key, line)
    assert said in problem.message
    assert problem.hint
    with pytest.raises(TemplateError, match="the campaign, line"):
        shown(*lines)


def test_a_misspelt_slot_is_recognised() -> None:
    [(_, problem)] = problems(SLOTS, campaign("deadline: 2027-03-01", "ammount: 5"))
    assert problem.hint == "did you mean `amount`?"


def test_values_are_shown_as_the_language_writes_them() -> None:
    lines = ("deadline: 2027-03-01", "seats: 1200.5")
    assert "[Deadline=March 1, 2027][Seats=1,200.5]" in shown(*lines).html
    assert "[Date limite=1er mars 2027][Seats=1\u202f200,5]" in shown(*lines, language="fr").html


def test_what_is_optional_and_not_given_is_empty() -> None:
    html = shown("deadline: 2027-03-01").html
    assert "Seats" not in html
    assert 'title=""' in html


def test_the_text_says_them_below_its_heading() -> None:
    text = shown("deadline: 2027-03-01", "page: https://e.org/call").text
    assert text.startswith(
        "Call\n====\n\n* Deadline: March 1, 2027\n* Page: https://news.example.org/c/token/0\n\nWords."
    )


def test_values_are_text_and_never_markup() -> None:
    html = shown("deadline: 2027-03-01", "amount: '\"><b>{ {'").html
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


def test_a_campaign_that_gives_nothing_where_nothing_is_asked_is_fine() -> None:
    assert list(problems((), a_campaign())) == []
    assert list(problems(SLOTS, campaign(*(f"{name}: {value}" for name, value in samples(SLOTS).items())))) == []


@pytest.mark.parametrize("value", ["[a]", "{a: [b]}", "{a: true}", "words"])
def test_slots_that_are_no_texts_are_told_by_the_definition(value: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        definition.read(
            f"---\ncampaign: c\ntitle: C\nlanguage: en\nnewsletter:\n  subject: S\n  slots: {value}\n---\nWords\n"
        )
    [problem] = caught.value.problems
    assert problem.line == 7
    assert problem.hint
