"""What the law asks of every newsletter: a way out, and an address by post."""

from __future__ import annotations

from collections.abc import Iterator

from comms.preflight import markup
from comms.preflight.facts import Facts
from comms.preflight.report import Finding, must, should
from comms.rendering.clean import clean
from comms.rendering.context import postal_lines

NO_WAY_OUT = must(
    "footer-unsubscribe",
    "a mail without a visible link to unsubscribe",
    "The law and every mailbox provider ask for one, and who finds none reports spam.",
)
NO_POST = must(
    "footer-postal",
    "a sender without a postal address, or a template that leaves it out",
    "The law of many countries asks for it (in the USA CAN-SPAM, 15 U.S.C. 7704).",
)
PLACEHOLDER = should(
    "footer-placeholder", "a postal address that is not set yet", "The law of many countries asks for it."
)
RULES = (NO_WAY_OUT, NO_POST, PLACEHOLDER)


def find(facts: Facts, *, placeholder: str) -> Iterator[Finding]:
    """Findings on the foot of the newsletter. `placeholder` stands for a postal address in a new workspace."""
    if facts.campaign.newsletter is None:
        return
    yield from _of_association(facts, placeholder)
    if facts.mail is None:
        return
    document = markup.read(facts.mail.shown.html)
    line, field = facts.template_line, "newsletter.template"
    if facts.mail.unsubscribe not in document.links:
        hint = 'add to the template: <a href="{{ links.unsubscribe }}">{{ strings.unsubscribe }}</a>'
        yield NO_WAY_OUT.at(line, field, "the mail has no link to unsubscribe", hint)
    shown = _bare(document.text)
    if not all(_bare(each) in shown for each in postal_lines(facts.association)):
        message = "the mail does not show the sender's postal address"
        yield NO_POST.at(line, field, message, "add {{ association.postal_address }} to the template")


def _of_association(facts: Facts, placeholder: str) -> Iterator[Finding]:
    slug, address = facts.association.slug, facts.association.postal_address
    hint = f'comms association edit {slug} --postal-address "..."'
    if address == placeholder:
        yield PLACEHOLDER.at(0, "association", f"{slug} has no postal address yet: the mail says so in its foot", hint)
    elif not address.strip():
        yield NO_POST.at(0, "association", f"{slug} has no postal address, which every newsletter must show", hint)


def _bare(text: str) -> str:
    """The text without white space: where lines break is the template's business."""
    return "".join(clean(text).split())
