"""What is wrong with a template, told before any campaign uses it. It changes and reads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from audiences.models import Association
from campaigns.models import (
    Button,
    Campaign,
    Columns,
    Divider,
    Expression,
    Heading,
    Image,
    Link,
    ListBlock,
    NewsletterPart,
    Plain,
    Quote,
    Text,
)
from comms.rendering.binding import bind
from comms.rendering.carriers import Carriers
from comms.rendering.compile import compile_edition, edition_environment
from comms.rendering.errors import TemplateError, TemplateProblem
from comms.rendering.fragments import fragments
from comms.rendering.jinja_parts import blanked, normalise, split
from comms.rendering.mjml import check, doubts
from comms.rendering.placing import refusals
from comms.rendering.source import TemplateSource

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
        Quote((_WORDS,), 1),
        Image("photo.jpg", "A reading room", 1, caption="Caption", url="https://example.org/"),
        Button("https://example.org/", (Plain("Button"),), 1),
        Divider(1),
        Columns(((_WORDS,), (_LINKED,)), 1),
    ),
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
        yield from _sample_problems(template)


def _sample_problems(template: TemplateSource) -> Iterator[TemplateProblem]:
    try:
        edition = compile_edition(_SAMPLE, _ASSOCIATION, template, media_url="https://example.org/media")
    except TemplateError as error:
        # Lines of a partial mean nothing in this file.
        here = error.template == template.name
        yield error.problem if here else replace(error.problem, line=0, message=error.message)
        return
    if "links.unsubscribe" not in edition.html:
        yield TemplateProblem(
            0,
            "nobody can unsubscribe: there is no link to {{ links.unsubscribe }}",
            'add <a href="{{ links.unsubscribe }}">{{ strings.unsubscribe }}</a>',
        )
    if _ASSOCIATION.postal_address not in edition.html:
        yield TemplateProblem(
            0, "the sender's postal address is missing", "add {{ association.postal_address }}; the law asks for it"
        )
