"""A campaign, an association and a template -> an Edition. Knows no member, and opens no file.

    template --bind--> Jinja with carriers --render--> MJML --place, compile once--> HTML
             --addresses--> tracked links --restore--> Jinja that waits for a member only

Text that people wrote is data throughout: where it holds braces, the restored Jinja prints them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jinja2

from audiences.models import Association
from audiences.segments import RuleError, parse, resolve
from campaigns.gathering import section_topics
from campaigns.models import Campaign, NewsletterPart, When, walk
from comms.language.tags import direction
from comms.rendering import plaintext, slots
from comms.rendering.addresses import Addresses
from comms.rendering.binding import bind, bind_text
from comms.rendering.body import BodyData, numbered_rules
from comms.rendering.carriers import Carrier, Carriers
from comms.rendering.clean import clean, single
from comms.rendering.conditions import freeze
from comms.rendering.context import association_data, campaign_data, postal_lines
from comms.rendering.edition import Edition
from comms.rendering.errors import TemplateError
from comms.rendering.fragments import fragments
from comms.rendering.jinja_parts import blanked, split
from comms.rendering.layout import arranged
from comms.rendering.look import look
from comms.rendering.mjml import check, to_html
from comms.rendering.placing import place, refusals
from comms.rendering.sandbox import FAULTS, MAX_TOKENS, SafeEnvironment, fault_line, fault_words, render
from comms.rendering.source import SUFFIX, TemplateSource
from comms.rendering.strings import strings
from comms.surroundings import NOTHING_AROUND, Surroundings

MAX_MJML = 500_000
_PIXEL = (
    '{% if links.pixel %}<img src="{{ links.pixel }}" width="1" height="1" alt="" '
    'style="display:block;border:0;width:1px;height:1px;" />{% endif %}'
)


def compile_edition(
    campaign: Campaign,
    association: Association,
    template: TemplateSource,
    *,
    media_url: str,
    around: Surroundings = NOTHING_AROUND,
) -> Edition:
    """The campaign's newsletter as `association` sends it.

    `media_url` is the public address of the folder in which relative images are found. Raises
    TemplateError; ValueError when the campaign has no newsletter.
    """
    if campaign.newsletter is None:
        raise ValueError(f"campaign {campaign.id} has no newsletter")
    return _Compilation(campaign, campaign.newsletter, association, template, media_url, around).edition()


def compile_mjml(
    campaign: Campaign,
    association: Association,
    template: TemplateSource,
    *,
    media_url: str,
    around: Surroundings = NOTHING_AROUND,
) -> str:
    """The newsletter's MJML, with Jinja that waits for a member only; links in it are not tracked.

    For those who compile it with a tool of their own. Raises as `compile_edition` does.
    """
    if campaign.newsletter is None:
        raise ValueError(f"campaign {campaign.id} has no newsletter")
    return _Compilation(campaign, campaign.newsletter, association, template, media_url, around).mjml()


class _Compilation:
    """What the steps of one compilation share."""

    def __init__(
        self,
        campaign: Campaign,
        newsletter: NewsletterPart,
        association: Association,
        template: TemplateSource,
        media_url: str,
        around: Surroundings,
    ) -> None:
        self._campaign = campaign
        self._newsletter = newsletter
        self._association = association
        self._template = template
        taken = (template.text, *template.partials.values(), repr(campaign), repr(association), media_url, repr(around))
        self._carriers = Carriers(taken)
        self._addresses = Addresses(self._carriers)
        self._environment = edition_environment(template, self._carriers)
        self._conditions = _conditions(campaign, around)
        self._body = BodyData(self._carry, media_url, around, campaign.blocks, language=campaign.language)
        self._blocks = self._body.blocks(campaign.blocks)
        self._words = around.catalogues.words(campaign.language)
        self._strings = strings(self._words, association.name, around.relayed_from)
        declared = slots.declared(template)
        self._slots = slots.values(declared, campaign)
        self._facts = slots.facts(declared, self._slots, self._words)

    def edition(self) -> Edition:
        html, text = self._html(), self._text()
        newsletter = self._newsletter
        edition = Edition(
            campaign=self._campaign.id,
            title=clean(self._campaign.title),
            language=self._campaign.language,
            association=self._association.slug,
            subject=newsletter.subject,
            preview=newsletter.preview,
            html=html,
            text=text,
            links=self._addresses.tracked,
            conditions=self._conditions,
            topics=section_topics(self._campaign.blocks),
        )
        for name in ("subject", "preview", "html", "text"):
            check_member_source(name, getattr(edition, name))
        return edition

    def mjml(self) -> str:
        return self._restored(render_template(self._environment, self._template, self._data()))

    def _html(self) -> str:
        name = self._template.name
        mjml = render_template(self._environment, self._template, self._data())
        compiled = self._carriers.unwrap(to_html(place(mjml, self._carriers), name=name))
        document = self._addresses.in_document(compiled)
        return self._restored(with_pixel(document, self._carriers))

    def _text(self) -> str:
        words = self._strings
        links = [
            (words["unsubscribe"], self._link("unsubscribe")),
            (words["view_online"], self._link("view")),
        ]
        body = plaintext.body(plaintext.with_facts(self._blocks, self._facts), self._addresses.clickable)
        footer = plaintext.footer(
            name=self._association.name,
            postal_lines=postal_lines(self._association),
            notes=(self._association.brand.footer, words["relayed"], words["why"]),
            links=links,
        )
        return self._restored(clean(f"{body}{footer}\n"))

    def _data(self) -> dict[str, Any]:
        return {
            **letterhead(
                self._association, self._campaign.language, self._body, self._words.beside(self._campaign.language)
            ),
            "campaign": campaign_data(self._campaign),
            "blocks": self._blocks,
            **arranged(self._blocks),
            "slots": self._slots,
            "facts": self._facts,
            "preview": self._carry(self._newsletter.preview, self._newsletter.preview_line),
            "strings": self._strings,
        }

    def _carry(self, source: str, line: int) -> str:
        return bind_text(self._environment, source, "the campaign", line, self._carriers)

    def _link(self, name: str) -> str:
        return self._carriers.add(Carrier(f"{{{{ links.{name} }}}}", "links", 0))

    def _restored(self, text: str) -> str:
        try:
            return self._carriers.restore(text)
        except ValueError as error:
            hint = "filters on a member's value go inside its own braces"
            raise TemplateError(self._template.name, 0, str(error), hint=hint) from error


def _conditions(campaign: Campaign, around: Surroundings) -> tuple[str, ...]:
    """The conditions of the campaign by number, frozen. Raises TemplateError, with the line of the condition."""
    frozen: list[str] = []
    for rule in numbered_rules(campaign.blocks):
        try:
            frozen.append(around.conditions.get(rule) or freeze(resolve(parse(rule)), {}))
        except RuleError as error:
            line = next(each.line for each in walk(campaign.blocks) if isinstance(each, When) and each.rule == rule)
            message = f"{error.message} (column {error.column} of the condition)"
            raise TemplateError("the campaign", line, message, hint=error.hint) from error
    return tuple(frozen)


def letterhead(association: Association, language: str, body: BodyData, spoken: str = "") -> dict[str, Any]:
    """What every template sees of who sends, and of the direction that the language is written in.

    `spoken` are the attributes of words that are in another language than all the rest.
    Raises TemplateError for a colour that is none.
    """
    brand, rtl = association.brand, direction(language) == "rtl"
    start, end = ("right", "left") if rtl else ("left", "right")
    try:
        looks = look(brand, start, end, spoken)
    except ValueError as error:
        raise TemplateError(f"the brand of {association.name}", 0, str(error)) from error
    logo = {"logo_url": body.media(brand.logo_url), "logo_alt": brand.logo_alt, "footer": brand.footer}
    return {
        "association": association_data(association),
        "brand": looks | logo,
        "look": looks,
        "postal_lines": postal_lines(association),
        "language": language,
        "direction": "rtl" if rtl else "ltr",
        "start": start,
        "end": end,
        "spoken": looks["spoken"],
    }


def edition_environment(template: TemplateSource, carriers: Carriers) -> SafeEnvironment:
    """Where the template's compile-time half is rendered; the files it loads are bound as they come in."""
    environment = SafeEnvironment(autoescape=True, undefined=jinja2.StrictUndefined, finalize=_printable)
    environment.loader = jinja2.FunctionLoader(_loader(environment, template, carriers))
    return environment


def render_template(environment: SafeEnvironment, template: TemplateSource, data: dict[str, Any]) -> str:
    """The template's MJML, with carriers for what waits for a member. Raises TemplateError."""
    filename = f"{template.name}{SUFFIX}"
    try:
        mjml = render(environment.get_template(filename), data)
    except TemplateError:
        raise
    except FAULTS as fault:
        name = next((file for file in (filename, *template.files) if fault_line(fault, file)), filename)
        raise TemplateError(name.removesuffix(SUFFIX), fault_line(fault, name), fault_words(fault)) from fault
    if len(mjml) > MAX_MJML:
        message = f"comes to {len(mjml):,} characters of MJML; {MAX_MJML:,} are allowed"
        raise TemplateError(template.name, 0, message, hint="a mail of a tenth of that is cut off by Gmail")
    return mjml


def check_member_source(name: str, source: str) -> None:
    """Raises TemplateError unless the source can be rendered for members."""
    try:
        SafeEnvironment(autoescape=True).from_string(source)
    except FAULTS as fault:
        raise TemplateError(f"the newsletter's {name}", fault_line(fault, "<unknown>"), str(fault)) from fault


def with_pixel(document: str, carriers: Carriers) -> str:
    """The HTML with the image that tells of opening, for those who agreed to it."""
    end = document.rfind("</body>")
    if end < 0:
        return document
    return f"{document[:end]}{carriers.add(Carrier(_PIXEL, 'links', 0))}{document[end:]}"


def _loader(
    environment: SafeEnvironment, template: TemplateSource, carriers: Carriers
) -> Callable[[str], tuple[str, str, Callable[[], bool]] | None]:
    tokens = 0

    def load(filename: str) -> tuple[str, str, Callable[[], bool]] | None:
        nonlocal tokens
        text = template.file(filename)
        if text is None:
            return None
        name = filename.removesuffix(SUFFIX)
        bound = bind(environment, text, name, carriers)
        parts = split(environment, bound, name)
        tokens += sum(len(part.tokens) for part in parts)
        if tokens > MAX_TOKENS:
            message = f"with it there are {tokens:,} words and signs of Jinja; {MAX_TOKENS:,} are allowed"
            raise TemplateError(name, 0, message, hint="include fewer or smaller files")
        refused = (found for _, found in refusals(blanked(parts), carriers))
        broken = (found for each in fragments(parts) for found in check(each))
        for problem in (*refused, *broken):
            raise TemplateError.of(name, problem)
        return bound, filename, lambda: True

    return load


def _printable(value: Any) -> Any:
    if value is None:
        raise ValueError("a value that is printed is empty")
    return clean(value) if type(value) is str else single(value)
