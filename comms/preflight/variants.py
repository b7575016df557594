"""Rules on a campaign in several languages: what its variants must have in common, and what they lack. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from campaigns.models import Campaign, Event, Poll, walk
from comms.preflight.report import Finding, must, should

POLLS = must(
    "variant-polls",
    "a variant whose polls are not those of the campaign",
    "Answers in all languages count together, by their place.",
)
EVENTS = should(
    "variant-events",
    "a variant whose events are not at the times of the campaign's",
    "Readers of different languages would note down different days.",
)
UNTRANSLATED = should(
    "variant-untranslated",
    "a variant that leaves out a text of the campaign",
    "Its readers get that text in the campaign's own language.",
)
UNUSED = should(
    "variant-unused",
    "a text for the feed or for networks in a variant",
    "Entries and posts go out once, in the campaign's own language.",
)
STRAY = should(
    "variant-stray",
    "a file beside the campaign's that is named after it without a language tag",
    "It is no variant, and nobody gets what it says.",
)
RULES = (POLLS, EVENTS, UNTRANSLATED, UNUSED, STRAY)

_Kind = TypeVar("_Kind", Poll, Event)


def find(campaign: Campaign, variant: Campaign) -> Iterator[Finding]:
    """Findings on one variant; their lines are those of its file."""
    yield from _polls(campaign, variant)
    yield from _events(campaign, variant)
    yield from _texts(campaign, variant)


def _polls(campaign: Campaign, variant: Campaign) -> Iterator[Finding]:
    ours, theirs = (_all(Poll, each) for each in (campaign, variant))
    if len(ours) != len(theirs):
        line = theirs[-1].line if theirs else 0
        message = f"has {_count(len(theirs), 'poll')}, and the campaign has {_count(len(ours), 'poll')}"
        yield POLLS.at(line, "body", message, "write the same polls, in the same order")
        return
    for own, other in zip(ours, theirs, strict=True):
        if len(own.answers) != len(other.answers):
            here, there = (_count(len(poll.answers), "answer") for poll in (other, own))
            message = f"`{other.question[:60]}` has {here}, and `{own.question[:60]}` of the campaign has {there}"
            yield POLLS.at(other.line, "body", message, "write the same answers, in the same order")


def _events(campaign: Campaign, variant: Campaign) -> Iterator[Finding]:
    ours, theirs = (_all(Event, each) for each in (campaign, variant))
    if len(ours) != len(theirs):
        line = theirs[-1].line if theirs else 0
        message = f"has {_count(len(theirs), 'event')}, and the campaign has {_count(len(ours), 'event')}"
        yield EVENTS.at(line, "body", message, "write the same events, in the same order")
        return
    for own, other in zip(ours, theirs, strict=True):
        if (own.start, own.end, own.timezone) != (other.start, other.end, other.timezone):
            message = f"the event `{other.title[:60]}` is not at the time of `{own.title[:60]}` in the campaign"
            yield EVENTS.at(other.line, "body", message, "compare start, end and timezone, and the order of events")


def _texts(campaign: Campaign, variant: Campaign) -> Iterator[Finding]:
    ours, said = campaign.newsletter, variant.key_lines
    if ours is None:
        return
    asked = {"title": campaign.title, "newsletter.subject": ours.subject, "newsletter.preview": ours.preview}
    for field in (name for name, text in asked.items() if text and name not in said):
        yield UNTRANSLATED.at(0, field, f"the variant has no `{field.rpartition('.')[2]}`", f"write `{field}` in it")
    for field in ("feed.summary", *(f"social.{network}" for network in variant.social)):
        if field in said:
            yield UNUSED.at(said[field], field, "this text is not used", "remove it, or leave it for yourself")


def _all(kind: type[_Kind], campaign: Campaign) -> list[_Kind]:
    return [block for block in walk(campaign.blocks) if isinstance(block, kind)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
