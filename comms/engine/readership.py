"""What a campaign asks of the list of the association that sends it: its rule, topic, conditions and merge fields.

Counts and compares for `checking`; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple, Protocol

from audiences.models import Association
from audiences.segments import Condition, RuleError
from campaigns.errors import CampaignError
from campaigns.expressions import merge_fields
from campaigns.gathering import feeds
from campaigns.mergefields import fields_without_fallback
from campaigns.models import Blocks, Campaign, Expression, When, own_spans, parts, walk
from comms.engine import segments, timing
from comms.engine.audience import known_names
from comms.engine.segments import compile_rule
from comms.engine.workspace import Workspace
from comms.preflight import audience as rules
from comms.preflight.report import Finding


class Readers(Protocol):
    """Those whom a campaign is for, as a check asks about them."""

    def audience(self, campaign: Campaign) -> Iterator[Finding]:
        """What is wrong with whom it goes to."""
        ...

    def conditions(self, campaign: Campaign) -> Iterator[Finding]:
        """Conditions of its text that can not be used; while there are any it is not compiled."""
        ...

    def merge_fields(self, campaign: Campaign, html: str) -> Iterator[Finding]:
        """Values that readers lack and for which nothing else is said; `html` is that of the compiled newsletter."""
        ...

    def spokesman(self, campaign: Campaign) -> str:
        """Slug of an association whose list knows all that the conditions name."""
        ...


@dataclass(frozen=True, slots=True)
class OwnReaders:
    """The members of the association that sends it."""

    workspace: Workspace
    association: Association

    def audience(self, campaign: Campaign) -> Iterator[Finding]:
        workspace, slug = self.workspace, self.association.slug
        try:
            meant = condition(workspace, campaign, slug)
        except RuleError as error:
            yield bad_audience(campaign, error)
            return
        topic = campaign.audience.topic
        people = workspace.people(slug)
        topics = {known.slug for known in people.topics()}
        if topic and topic not in topics:
            line = campaign.key_lines.get("audience.topic", 0)
            yield self._unknown_topic(topic, topics, line, "audience.topic")
        for block in feeds(campaign):
            if block.topic and block.topic not in topics:
                yield self._unknown_topic(block.topic, topics, block.line, "body")
        further = timing.heard_enough(workspace, campaign, workspace.now())
        if campaign.newsletter is not None and not people.exclusions(meant, topic, workspace.now(), further).get(None):
            yield rules.NOBODY.at(
                campaign.audience.segment_line or campaign.key_lines.get("audience", 0),
                "audience",
                f"nobody at {slug} would get the newsletter",
                "see: comms campaign plan",
            )

    def conditions(self, campaign: Campaign) -> Iterator[Finding]:
        for block in conditional(campaign):
            try:
                segments.condition(self.workspace, block.rule, self.association.slug)
            except RuleError as error:
                yield bad_condition(block, error)

    def merge_fields(self, campaign: Campaign, html: str) -> Iterator[Finding]:
        for wish in wishes(campaign, html):
            yield from self._merge_field(campaign, wish)

    def spokesman(self, campaign: Campaign) -> str:
        return self.association.slug

    def _merge_field(self, campaign: Campaign, wish: Wish) -> Iterator[Finding]:
        workspace, slug, name = self.workspace, self.association.slug, wish.name
        known = known_names(workspace, slug)
        if name not in known:
            near = get_close_matches(name, known, n=1)
            guess = f"did you mean member.{near[0]}? Or {wish.mend}" if near else wish.mend
            yield rules.UNKNOWN_FIELD.at(wish.line, wish.field, f"no member of {slug} has {name!r}", guess)
            return
        try:
            meant = condition(workspace, campaign, slug, wish.within)
        except RuleError:
            return  # said at the rule itself
        people, topic = workspace.people(slug), campaign.audience.topic
        lacking = people.lacking(meant, topic, name, workspace.now())
        if lacking:
            total = people.exclusions(meant, topic, workspace.now()).get(None, 0)
            message = f"{lacking:,} of {total:,} recipients at {slug} have no {name!r} and would see a gap"
            yield rules.GAP.at(wish.line, wish.field, message, wish.mend)

    def _unknown_topic(self, topic: str, topics: set[str], line: int, field: str) -> Finding:
        near = get_close_matches(topic, topics, n=1)
        slug = self.association.slug
        message = f"nobody at {slug} subscribed to {topic!r} by name; it goes to who agreed to all newsletters"
        return rules.UNKNOWN_TOPIC.at(line, field, message, f"did you mean {near[0]}?" if near else "")


def own_readers(workspace: Workspace, campaign: Campaign, association: Association) -> Readers:
    """Of any campaign that is sent: the members of who sends it."""
    return OwnReaders(workspace, association)


class Wish(NamedTuple):
    """A value of the reader for which the campaign says nothing else, and where it stands."""

    line: int
    field: str
    name: str
    within: tuple[str, ...] = ()
    """Rules that hold for everyone who sees it."""

    @property
    def mend(self) -> str:
        return f'write a fallback: {{{{ member.{self.name} or "..." }}}}'


def wishes(campaign: Campaign, html: str) -> Iterator[Wish]:
    """What the text asks of readers without a fallback, then what its template does, whose compiled HTML this is."""
    assert campaign.newsletter is not None
    places: list[tuple[int, str, str, tuple[str, ...]]] = [
        (campaign.newsletter.subject_line, "newsletter.subject", campaign.newsletter.subject, ()),
        (campaign.newsletter.preview_line, "newsletter.preview", campaign.newsletter.preview, ()),
        *((span.line, "body", span.source, within) for span, within in _expressions(campaign.blocks)),
    ]
    seen = set()
    for line, field, source, within in places:
        for name in fields_without_fallback(source):
            seen.add(name)
            yield Wish(line, field, name, within)
        seen.update(merge_fields(source))
    for name in set(_missing_in(html)) - seen:
        yield Wish(campaign.key_lines.get("newsletter.template", 0), "newsletter.template", name)


def conditional(campaign: Campaign) -> Iterator[When]:
    """The parts of the text that not everyone sees."""
    return (block for block in walk(campaign.blocks) if isinstance(block, When))


def condition(workspace: Workspace, campaign: Campaign, slug: str, within: tuple[str, ...] = ()) -> Condition:
    """Of the audience, among an association's members, for whom these rules hold, too. Raises RuleError."""
    every = [f"({rule})" for rule in (campaign.audience.segment, *within) if rule]
    # The audience's own rule alone stays as it is, for the places that messages name.
    text = " and ".join(every) if within else campaign.audience.segment
    return compile_rule(workspace, text, slug, workspace.now().date())


def bad_audience(campaign: Campaign, error: RuleError) -> Finding:
    """The audience's rule can not be used."""
    message = f"{error.message} (column {error.column})"
    hint = error.hint or error.caret(campaign.audience.segment or "")
    return rules.BAD_RULE.at(campaign.audience.segment_line, "audience.segment", message, hint)


def bad_condition(block: When, error: RuleError) -> Finding:
    """The rule of a part of the text can not be used."""
    message = f"{error.message} (column {error.column} of the condition)"
    return rules.BAD_RULE.at(block.line, "body", message, error.hint or error.caret(block.rule))


def _expressions(blocks: Blocks, within: tuple[str, ...] = ()) -> Iterator[tuple[Expression, tuple[str, ...]]]:
    """Each expression of the text, with the rules that hold for everyone who sees it."""
    for block in blocks:
        yield from ((span, within) for span in own_spans(block) if isinstance(span, Expression))
        match block:
            case When(rule=rule, blocks=inner, otherwise=otherwise):
                yield from _expressions(inner, (*within, rule))
                yield from _expressions(otherwise, (*within, f"not ({rule})"))
            case _:
                for part in parts(block):
                    yield from _expressions(part, within)


def _missing_in(html: str) -> tuple[str, ...]:
    """What a template itself asks of members. One that computes more than definitions may is left to rendering,
    which never lets a gap through."""
    try:
        return fields_without_fallback(html)
    except CampaignError:
        return ()
