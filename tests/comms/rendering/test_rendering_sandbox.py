"""Text that people wrote can not run code, reach an object, or eat the machine."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from rendering_samples import a_campaign, a_context, column, compiled, rendered, words

from campaigns.models import Expression, NewsletterPart, Text
from comms.rendering.errors import RenderError, TemplateError
from comms.rendering.render import Renderer
from comms.rendering.sandbox import FAULTS, SafeEnvironment, render

ATTACKS = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ member.__class__ }}",
    "{{ member['__class__'] }}",
    "{{ member|attr('__class__') }}",
    "{{ member.items() }}",
    "{{ member.name.format(member) }}",
    "{{ '{0.__class__}'.format(member) }}",
    "{{ '%s' % member }}",
    "{{ '%(a)s'|format(a=member) }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ joiner.__init__ }}",
    "{{ namespace(a=1).a }}",
    "{{ url.__add__ }}",
    "{{ url.join(['a', 'b']) }}",
    "{{ [].append(1) }}",
    "{{ [member]|map(attribute='__class__')|list }}",
    "{{ [member]|sum(attribute='__class__') }}",
    "{{ member.name|tojson }}",
    "{{ member.name|safe }}",
    "{% include 'announcement.mjml' %}",
    "{% import 'blocks.mjml' as b %}{{ b }}",
    "{% extends 'announcement.mjml' %}",
    "{% for x in range(3) %}{{ x }}{% endfor %}",
    "{{ (url|string).__class__ }}",
    "{{ 0.0.__class__ }}",
    "{% set x = member %}{{ x.__class__ }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}{{ m.name }}",
    "{% for x in [1] %}{{ loop.__class__ }}{{ loop._iterable }}{{ loop.cycle(1) }}{% endfor %}",
    "{{ caller.__globals__ }}",
    "{{ _budget }}{{ context.x }}",
]

BOMBS = [
    "{{ 'x' * 10**9 }}",
    "{{ 10**10**10 }}",
    "{{ 9**9**9**9 }}",
    "{{ [0] * 10**9 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'x'|center(10**9) }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ 'x'|indent(1000000000) }}",
    "{{ 1|round(1000000000, 'floor') }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% set a = 'x' %}" + "".join(f"{{% set a{n} = {'~'.join([f'a{n - 1}' if n else 'a'] * 20)} %}}" for n in range(9)),
    "".join(f"{{% set a{n} %}}{(f'{{{{ a{n - 1} }}}}' if n else 'x') * 20}{{% endset %}}" for n in range(9)),
    "{% set a = ['x'] %}" + "{% set a = a + a %}" * 40,
    "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a|join(a) %}" * 12,
    "".join(f"{{% for a{n} in [1,2,3,4,5,6,7,8,9,10] %}}" for n in range(9)) + "{% endfor %}" * 9,
    "".join(f"{{% for a{n} in 'aaaaaaaaaa' %}}" for n in range(9)) + "x" + "{% endfor %}" * 9,
    "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "9" * 5000 + " }}",
    "{% for x in y recursive %}{{ loop([1]) }}{% endfor %}" + "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
]


def run(source: str, **context: Any) -> str:
    return render(SafeEnvironment(autoescape=False).from_string(source), context)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("place", ["subject", "preview", "body", "template"])
def test_no_template_reaches_beyond_its_data(attack: str, place: str) -> None:
    newsletter = NewsletterPart(
        attack if place == "subject" else "Subject", attack if place == "preview" else "Preview"
    )
    body = (Text((Expression(attack, 1),), 1),) if place == "body" else words("Hello")
    template = column(f"<mj-text>{attack}</mj-text>") if place == "template" else None
    with pytest.raises((TemplateError, RenderError)):
        rendered(a_campaign(*body, newsletter=newsletter), template=template, member={"name": "Maya"})


@pytest.mark.parametrize("attack", [*ATTACKS, *BOMBS[:8]])
def test_a_members_value_is_never_a_template(attack: str) -> None:
    campaign = a_campaign(
        *words("{{ member.name }}"), newsletter=NewsletterPart("{{ member.name }}", "{{ member.name }}")
    )
    message = Renderer(compiled(campaign)).render(a_context({"name": attack}))
    assert message.subject == message.preview == attack


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_stopped_in_time(bomb: str) -> None:
    start = time.monotonic()
    with pytest.raises(FAULTS):
        run(bomb, y=[1])
    assert time.monotonic() - start < 5


def test_output_is_limited() -> None:
    with pytest.raises(FAULTS, match="2000000 characters"):
        run("{% for x in y %}{{ z }}{% endfor %}", y=list(range(100)), z="x" * 40_000)


def test_plain_data_works_as_in_any_template() -> None:
    member = {"name": "Ana", "n": 3, "items": ["a", "b"], "price": Decimal("2.50")}
    assert run("{{ member.items|join(', ') }} {{ member['n'] * 2 + 1 }}", member=member) == "a, b 7"
    assert run("{{ member.name[0] }}{{ member.items[1] }}{{ member.items[9] or '-' }}", member=member) == "Ab-"
    assert (
        run("{{ member.price }} {{ member.price|round(1) }} {{ 7 // 2 }} {{ 7 % 4 }}", member=member) == "2.50 2.5 3 3"
    )
    assert run("{{ 'a' + 'b' ~ 1 }} {{ 'x' if member.nothing else 'y' }}", member=member) == "ab1 y"
    assert run("{% for i in member.items %}{{ loop.index }}{{ i }}{% endfor %}", member=member) == "1a2b"


def test_a_refused_part_says_what_to_write_instead() -> None:
    with pytest.raises(FAULTS, match="use a filter"):
        run("{{ name.upper() }}", name="x")
