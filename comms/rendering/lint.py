"""What is wrong with a template, told before any campaign uses it. It changes and reads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jinja2.meta import find_undeclared_variables

from audiences.models import Association
from campaigns.models import (
    Button,
    Campaign,
    Columns,
    Divider,
    Event,
    Expression,
    Heading,
    Image,
    Link,
    ListBlock,
    NewsletterPart,
    Person,
    Plain,
    Poll,
    Quote,
    Statistic,
    Text,
    When,
)
from campaigns.moments import read_moment
from comms.rendering import slots
from comms.rendering.binding import bind
from comms.rendering.carriers import Carriers
from comms.rendering.compile import compile_edition, edition_environment
from comms.rendering.errors import TemplateError, TemplateProblem
from comms.rendering.fragments import fragments
from comms.rendering.jinja_parts import blanked, normalise, split
from comms.rendering.letter import LetterContent, render_letter
from comms.rendering.mjml import check, doubts
from comms.rendering.placing import refusals
from comms.rendering.sandbox import FAULTS, fault_words
from comms.rendering.source import TemplateSource

_MEDIA = "https://example.org/media"
_WORDS = Text((Plain("Text with "), Expression("{{ member.first_name or 'you' }}", 1)), 1)
_LINKED = Text((Link("https://example.org/", (Plain("a link"),)),), 1)
_SAMPLE = Campaign(
    id="sample",
    title="Sample",
    language="en",
    source="",
    newsletter=NewsletterPart(subject="Sample", preview="Preview"),
    blocks=(
        *(Heading(level, (Plain("Heading"),), 1) for level in (1, 2, 3, 4)),
        _WORDS,
        _LINKED,
        ListBlock(((_WORDS, ListBlock(((_LINKED,),), 1, 1)),), 1),
        Quote((_WORDS,), 1, attribution="Ana Ruiz, Lakeland Archives"),
        Image("photo.jpg", "A reading room", 1, caption="Caption", url="https://example.org/"),
        Button("https://example.org/", (Plain("Button"),), 1),
        Divider(1),
        Person("Ana Ruiz", (_WORDS,), 1, role="Archivist", photo="ana.jpg", url="mailto:ana@example.org"),
        Statistic("1.2 million", (Plain("objects"),), 1),
        Event(
            "Open day", read_moment("2027-05-01 10:00"), "UTC", (_WORDS,), 1, place="Hall", url="https://example.org/"
        ),
        Poll("Which day?", ("Monday", "Friday"), 1),
        When("state = WA", (_WORDS,), 1, otherwise=(_LINKED,)),
        Columns(((_WORDS,), (_LINKED,)), 1),
        When("state = WA", (Columns(((_WORDS,), (_WORDS,)), 1),), 1, otherwise=(_LINKED,)),
        *(Heading(2, (Plain(f"Story {number}"),), 1) for number in range(4)),
        When("state = WA", (Heading(2, (Plain("Story for some"),), 1), _WORDS), 1),
    ),
)
_LETTER = LetterContent(
    "Subject", "Heading", ("Words",), "Button", "https://example.org/", ("Point",), ("Note",), "Why"
)
_ASSOCIATION = Association(
    slug="sample",
    name="Sample Association",
    sender_address="news@example.org",
    postal_address="1 Main Street",
    homepage="https://example.org/",
)


def lint(template: TemplateSource) -> tuple[TemplateProblem, ...]:
    """Everything wrong with the template or partial, in line order; empty when a sample comes out well."""
    return tuple(sorted(dict.fromkeys(_problems(template))))


def _problems(template: TemplateSource) -> Iterator[TemplateProblem]:
    carriers = Carriers((template.text,))
    environment = edition_environment(template, carriers)
    try:
        bound = bind(environment, template.text, template.name, carriers)
    except TemplateError as error:
        yield error.problem
        return
    markup = blanked(split(environment, bound, template.name))
    found = [problem for _, problem in refusals(markup, carriers)]
    source = normalise(template.text)
    for fragment in fragments(split(environment, source, template.name)):
        found += check(fragment)
        yield from doubts(fragment, source)
    yield from found
    if "<mjml" in template.text and not found:
        try:
            is_letter = "letter" in find_undeclared_variables(environment.parse(bound))
            yield from _letter_problems(template) if is_letter else _sample_problems(template)
        except TemplateError as error:
            # Lines of a partial mean nothing in this file.
            here = error.template == template.name
            yield error.problem if here else replace(error.problem, line=0, message=error.message)
        except FAULTS as fault:
            yield TemplateProblem(0, fault_words(fault))


def _letter_problems(template: TemplateSource) -> Iterator[TemplateProblem]:
    """Raises TemplateError when no letter can be made."""
    html = render_letter(_LETTER, _ASSOCIATION, template, media_url=_MEDIA).html
    yield from _lacking(html)
    if _LETTER.url not in html:
        yield TemplateProblem(0, "nobody can follow the letter's link", 'add <a href="{{ letter.url }}">')


def _sample_problems(template: TemplateSource) -> Iterator[TemplateProblem]:
    """Raises TemplateError when no newsletter can be made."""
    part = NewsletterPart("Sample", "Preview", template.name, slots=slots.samples(slots.declared(template)))
    edition = compile_edition(replace(_SAMPLE, newsletter=part), _ASSOCIATION, template, media_url=_MEDIA)
    yield from _lacking(edition.html)
    if "links.unsubscribe" not in edition.html:
        yield TemplateProblem(
            0,
            "nobody can unsubscribe: there is no link to {{ links.unsubscribe }}",
            'add <a href="{{ links.unsubscribe }}">{{ strings.unsubscribe }}</a>',
        )


def _lacking(html: str) -> Iterator[TemplateProblem]:
    if _ASSOCIATION.postal_address not in html:
        yield TemplateProblem(
            0, "the sender's postal address is missing", "add {{ association.postal_address }}; the law asks for it"
        )
