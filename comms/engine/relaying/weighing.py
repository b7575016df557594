"""Whether the lists of those to whom a campaign is offered can answer what it asks of readers.

Of a list the coalition learns here whether it knows what the campaign itself names; no number, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from audiences.segments import Rule, RuleError, Vocabulary, check_names, parse
from campaigns.models import Campaign
from comms.engine import readership, segments
from comms.engine.audience import known_names
from comms.engine.readership import Wish
from comms.engine.relaying import making
from comms.engine.workspace import Workspace
from comms.preflight import audience as rules
from comms.preflight.report import Finding

Use = Callable[[Workspace, str, str], object]
"""Does with a rule, for an association, what sending will do with it. Raises RuleError."""


def lacks(workspace: Workspace, campaign: Campaign, slug: str) -> Iterator[str]:
    """In words, why the list of an association can not answer what the campaign asks of readers."""
    if campaign.audience.segment and (error := _obstacle(workspace, campaign.audience.segment, slug, _audience)):
        yield f"its list can not answer the rule of the audience: {error.message}"
    for part in (campaign, *campaign.variants.values()):
        for block in readership.conditional(part):
            if error := _obstacle(workspace, block.rule, slug, segments.condition):
                yield f"its list can not answer the condition in line {block.line}: {error.message}"


@dataclass(frozen=True, slots=True)
class OfferedReaders:
    """The members of all to whom a campaign is offered: `readership.Readers`.

    What one of their lists can answer is not refused; `lacks` says which can not.
    """

    workspace: Workspace
    slugs: Sequence[str]
    """Of those whose lists are here; one at least."""

    def audience(self, campaign: Campaign) -> Iterator[Finding]:
        rule = campaign.audience.segment
        if rule and (error := self._refusal(rule, _audience)):
            yield readership.bad_audience(campaign, error)

    def conditions(self, campaign: Campaign) -> Iterator[Finding]:
        blocks = list(readership.conditional(campaign))
        refused = [(block, error) for block in blocks if (error := self._refusal(block.rule, segments.condition))]
        if blocks and not refused and not self.spokesman(campaign):
            refused = [(blocks[0], _each_lacks_something("the conditions of the text"))]
        yield from (readership.bad_condition(block, error) for block, error in refused)

    def merge_fields(self, campaign: Campaign, html: str) -> Iterator[Finding]:
        for wish in readership.wishes(campaign, html):
            lists = [slug for slug in self.slugs if wish.name in known_names(self.workspace, slug)]
            if not lists:
                message = f"no member of the associations that it is offered to has {wish.name!r}"
                yield rules.UNKNOWN_FIELD.at(wish.line, wish.field, message, wish.mend)
            elif any(self._is_lacking(campaign, wish, slug) for slug in self.slugs):
                message = f"not all who would get it have {wish.name!r}; the others would see a gap"
                yield rules.GAP.at(wish.line, wish.field, message, wish.mend)

    def spokesman(self, campaign: Campaign) -> str:
        """The first whose list can answer all conditions; empty when there is none."""
        texts = [block.rule for block in readership.conditional(campaign)]
        able = (
            slug
            for slug in self.slugs
            if not any(_obstacle(self.workspace, text, slug, segments.condition) for text in texts)
        )
        return next(able, "")

    def _refusal(self, text: str, use: Use) -> RuleError | None:
        """Why none of the lists can answer a rule; None when one can."""
        try:
            rule = parse(text)
        except RuleError as error:
            return error
        refused = [_obstacle(self.workspace, text, slug, use) for slug in self.slugs]
        if any(error is None for error in refused):
            return None
        try:
            check_names(rule, self._all_they_know())
        except RuleError as error:
            message = f"no association that it is offered to can answer it: {error.message}"
            return RuleError(message, error.column, self._guess(rule, error))
        said = {error.message: error for error in refused if error is not None}
        return next(iter(said.values())) if len(said) == 1 else _each_lacks_something("the rule")

    def _all_they_know(self) -> Vocabulary:
        known = [segments.vocabulary(self.workspace, slug) for slug in self.slugs]
        return Vocabulary(
            {name for each in known for name in each.attributes},
            topics={topic for each in known for topic in each.topics or ()},
            tags={tag for each in known for tag in each.tags or ()},
            campaigns=self.workspace.host.campaign_ids(),
        )

    def _guess(self, rule: Rule, error: RuleError) -> str:
        """What was meant, by what the coalition's own members have: what others have is not told."""
        try:
            check_names(rule, segments.vocabulary(self.workspace, self.workspace.association(None).slug))
        except RuleError as own:
            return own.hint if own.message == error.message else ""
        return "the coalition's own members have it, but the campaign is offered to others"

    def _is_lacking(self, campaign: Campaign, wish: Wish, slug: str) -> bool:
        """Would somebody of the association see a gap."""
        workspace, audience = self.workspace, making.unadapted(self.workspace, campaign, slug).audience
        try:
            meant = readership.condition(workspace, replace(campaign, audience=audience), slug, wish.within)
        except RuleError:
            return False  # it can not send it as it is, which the plan says
        return workspace.people(slug).lacking(meant, audience.topic, wish.name, workspace.now()) > 0


def _audience(workspace: Workspace, text: str, slug: str) -> object:
    return segments.compile_rule(workspace, text, slug, workspace.now().date())


def _obstacle(workspace: Workspace, text: str, slug: str, use: Use) -> RuleError | None:
    """Why an association can not use a rule, told by what the rule itself names; None when it can."""
    try:
        rule = parse(text)
        check_names(rule, segments.vocabulary(workspace, slug))
    except RuleError as error:
        return RuleError(error.message, error.column)  # the hint would name what else there is in the list
    try:
        use(workspace, text, slug)
    except RuleError as error:
        if rule.segments():  # which the association may have made itself
            return RuleError("it names a segment that can not be used there", error.column)
        return RuleError(error.message, error.column, error.hint)
    return None


def _each_lacks_something(what: str) -> RuleError:
    message = f"none of the associations that it is offered to can answer {what}: each lacks something that it names"
    return RuleError(message, 1, "offer them campaigns of their own, with rules that their lists can answer")
