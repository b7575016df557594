"""All rules in one place: applied to facts, and listed for the page that explains them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from comms.preflight import (
    audience,
    contrast,
    dates,
    enclosures,
    footer,
    headings,
    language,
    links,
    parts,
    pictures,
    sender,
    spamassassin,
    subject,
    tracking,
    variants,
    words,
)
from comms.preflight.facts import Facts
from comms.preflight.online import links as online_links
from comms.preflight.online import sender as online_sender
from comms.preflight.report import Finding, Rule

RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType({
    "Readers and channels": audience.RULES,
    "Subject and preview": subject.RULES,
    "Words": words.RULES,
    "Headings": headings.RULES,
    "Links": links.RULES,
    "Images": pictures.RULES,
    "Files that go with the mail": enclosures.RULES,
    "Dates": dates.RULES,
    "Language": language.RULES,
    "Variants": variants.RULES,
    "The mail as a whole": (*parts.RULES, *contrast.RULES, *footer.RULES, *spamassassin.RULES),
    "Tracking": tracking.RULES,
    "Sender": sender.RULES,
    "Links, asked (`--online`)": online_links.RULES,
    "Sender, by the DNS (`--online`)": online_sender.RULES,
})  # fmt: skip
"""Every rule, by what it concerns."""


def find(facts: Facts, *, postal_placeholder: str) -> Iterator[Finding]:
    """Everything that can be found without asking anyone. What concerns the campaign alone comes out alike for
    every association."""
    for module in (
        subject,
        words,
        headings,
        links,
        pictures,
        enclosures,
        dates,
        language,
        parts,
        contrast,
        tracking,
        sender,
    ):
        yield from module.find(facts)
    yield from footer.find(facts, placeholder=postal_placeholder)
