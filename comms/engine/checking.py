"""Everything that can be known to be wrong with a campaign before anyone gets it, at its line of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from audiences.models import Association
from audiences.segments import Condition, RuleError
from campaigns.errors import CampaignError, DefinitionError
from campaigns.expressions import merge_fields
from campaigns.mergefields import fields_without_fallback
from campaigns.models import Blocks, Campaign, Expression, Image, Person, When, own_spans, parts, walk
from comms.engine import editions, pictures, segments
from comms.engine.audience import known_names
from comms.engine.segments import compile_rule
from comms.engine.setup import POSTAL_PLACEHOLDER
from comms.engine.workspace import Workspace
from comms.errors import CommsError, UsageError
from comms.pictures import OtherKindError, PictureError
from comms.rendering.errors import TemplateError

Level = Literal["must fix", "should fix"]
LONGEST_OFFSET = timedelta(hours=14)
"""No place on earth is further from UTC."""
LONG_SUBJECT = 90
"""Characters; phones show some 40, most mail programs cut before this."""
GMAIL_CLIP_BYTES = 95_000
"""Gmail hides what follows about 100 KB of HTML, the unsubscribe link first (hteumeuleu/email-bugs 41)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend; `line` is 1-based, 0 when it concerns no line of the file."""

    level: Level
    line: int
    field: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """All findings, what must be fixed first. `campaign` is None when the file could not be read as one."""

    path: str
    campaign: Campaign | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Nothing stands in the way of sending."""
        return not any(finding.level == "must fix" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.path,
            "id": self.campaign.id if self.campaign else None,
            "ok": self.ok,
            "problems": [asdict(finding) for finding in self.findings],
        }


def _must(line: int, field: str, message: str, hint: str = "") -> Finding:
    return Finding("must fix", line, field, message, hint)


def _should(line: int, field: str, message: str, hint: str = "") -> Finding:
    return Finding("should fix", line, field, message, hint)


def check(workspace: Workspace, path: Path, senders: tuple[str, ...] = ()) -> CheckResult:
    """Check a definition against the workspace. `senders` are slugs; empty for the one the definition names."""
    try:
        campaign = editions.read_definition(path)
    except DefinitionError as error:
        problems = (_must(p.line, p.field, p.message, p.hint) for p in error.problems)
        return CheckResult(str(path), None, tuple(problems))
    findings = list(_findings(workspace, campaign, senders))
    findings.sort(key=lambda finding: (finding.level != "must fix", finding.line))
    return CheckResult(str(path), campaign, tuple(dict.fromkeys(findings)))


def _findings(workspace: Workspace, campaign: Campaign, senders: tuple[str, ...]) -> Iterator[Finding]:
    for slug in senders or (campaign.association,):
        try:
            association = workspace.association(slug)
        except UsageError as error:
            yield _must(campaign.key_lines.get("association", 1), "association", error.message, error.hint)
            continue
        yield from _check_sender(campaign, association)
        yield from _check_audience(workspace, campaign, association)
        refused = tuple(_check_conditions(workspace, campaign, association))
        yield from refused
        if not refused:
            yield from _check_newsletter(workspace, campaign, association)
        yield from _check_social(workspace, campaign, association)
    yield from _check_images(workspace, campaign)
    if campaign.schedule is not None and campaign.schedule.at < workspace.now().replace(tzinfo=None) - LONGEST_OFFSET:
        line = campaign.key_lines.get("schedule.at", 0)
        yield _should(
            line, "schedule.at", "is past everywhere: scheduled, it would go out at once", "choose a time to come"
        )
    if campaign.relay is not None:
        line = campaign.key_lines.get("relay", 0)
        yield _should(
            line,
            "relay",
            "offers are not sent out yet: only the sender's own edition goes",
            "send it for an association with: --association SLUG",
        )


def _check_sender(campaign: Campaign, association: Association) -> Iterator[Finding]:
    if association.sender_address.endswith((".example", "@example.org", "@example.com", "@example.net")):
        yield _should(
            0,
            "association",
            f"{association.slug} still sends from {association.sender_address}, an address that does not exist",
            f"comms association edit {association.slug} --from news@your-domain",
        )
    if association.postal_address == POSTAL_PLACEHOLDER and campaign.newsletter is not None:
        yield _should(0, "association", f"{association.slug} has no postal address yet: the mail says so in its foot",
                      f'comms association edit {association.slug} --postal-address "..."')  # fmt: skip
    if not association.postal_address.strip() and campaign.newsletter is not None:
        yield _must(
            0,
            "association",
            f"{association.slug} has no postal address, which every newsletter must show",
            f'comms association edit {association.slug} --postal-address "..."',
        )


def _check_audience(workspace: Workspace, campaign: Campaign, association: Association) -> Iterator[Finding]:
    try:
        condition = _condition(workspace, campaign, association)
    except RuleError as error:
        rule = campaign.audience.segment or ""
        yield _must(
            campaign.audience.segment_line,
            "audience.segment",
            f"{error.message} (column {error.column})",
            error.hint or error.caret(rule),
        )
        return
    topic = campaign.audience.topic
    people = workspace.people(association.slug)
    topics = {known.slug for known in people.topics()}
    if topic and topic not in topics:
        near = get_close_matches(topic, topics, n=1)
        yield _should(
            campaign.key_lines.get("audience.topic", 0),
            "audience.topic",
            f"nobody at {association.slug} subscribed to {topic!r} by name; it goes to who agreed to all newsletters",
            f"did you mean {near[0]}?" if near else "",
        )
    if campaign.newsletter is not None and not people.exclusions(condition, topic, workspace.now()).get(None):
        yield _should(
            campaign.audience.segment_line or campaign.key_lines.get("audience", 0),
            "audience",
            f"nobody at {association.slug} would get the newsletter",
            "see: comms campaign plan",
        )


def _check_conditions(workspace: Workspace, campaign: Campaign, association: Association) -> Iterator[Finding]:
    for block in walk(campaign.blocks):
        if isinstance(block, When):
            try:
                segments.condition(workspace, block.rule, association.slug)
            except RuleError as error:
                message = f"{error.message} (column {error.column} of the condition)"
                yield _must(block.line, "body", message, error.hint or error.caret(block.rule))


def _check_newsletter(workspace: Workspace, campaign: Campaign, association: Association) -> Iterator[Finding]:
    part = campaign.newsletter
    if part is None:
        return
    if len(part.subject) > LONG_SUBJECT and "{" not in part.subject:
        yield _should(
            part.subject_line,
            "newsletter.subject",
            f"has {len(part.subject)} characters; most readers see the first 40 to {LONG_SUBJECT}",
        )
    if not part.preview:
        yield _should(
            part.subject_line,
            "newsletter.preview",
            "is missing: readers see the first words of the mail beside the subject",
            "add `preview:`",
        )
    try:
        edition = editions.newsletter(workspace, campaign, association)
    except (TemplateError, UsageError) as error:
        line = campaign.key_lines.get("newsletter.template", campaign.key_lines.get("newsletter", 0))
        yield _must(line, "newsletter.template", error.message, error.hint)
        return
    size = len(edition.html.encode())
    if size > GMAIL_CLIP_BYTES:
        yield _should(
            0,
            "body",
            f"the mail has {size:,} bytes of HTML; Gmail hides what comes after about 100,000",
            "shorten it, and link to the rest",
        )
    yield from _check_merge_fields(workspace, campaign, association, edition.html)


def _check_merge_fields(
    workspace: Workspace, campaign: Campaign, association: Association, html: str
) -> Iterator[Finding]:
    assert campaign.newsletter is not None
    places: list[tuple[int, str, str, tuple[str, ...]]] = [
        (campaign.newsletter.subject_line, "newsletter.subject", campaign.newsletter.subject, ()),
        (campaign.newsletter.preview_line, "newsletter.preview", campaign.newsletter.preview, ()),
        *((span.line, "body", span.source, rules) for span, rules in _expressions(campaign.blocks)),
    ]
    seen = set()
    for line, field, source, rules in places:
        for name in fields_without_fallback(source):
            seen.add(name)
            yield from _check_merge_field(workspace, campaign, association, line, field, name, rules)
        seen.update(merge_fields(source))
    for name in set(_missing_in(html)) - seen:
        line = campaign.key_lines.get("newsletter.template", 0)
        yield from _check_merge_field(workspace, campaign, association, line, "newsletter.template", name)


def _expressions(blocks: Blocks, rules: tuple[str, ...] = ()) -> Iterator[tuple[Expression, tuple[str, ...]]]:
    """Each expression of the text, with the rules that hold for everyone who sees it."""
    for block in blocks:
        yield from ((span, rules) for span in own_spans(block) if isinstance(span, Expression))
        match block:
            case When(rule=rule, blocks=inner, otherwise=otherwise):
                yield from _expressions(inner, (*rules, rule))
                yield from _expressions(otherwise, (*rules, f"not ({rule})"))
            case _:
                for part in parts(block):
                    yield from _expressions(part, rules)


def _missing_in(html: str) -> tuple[str, ...]:
    """What a template itself asks of members. One that computes more than definitions may is left to rendering,
    which never lets a gap through."""
    try:
        return fields_without_fallback(html)
    except CampaignError:
        return ()


def _check_merge_field(
    workspace: Workspace,
    campaign: Campaign,
    association: Association,
    line: int,
    field: str,
    name: str,
    rules: tuple[str, ...] = (),
) -> Iterator[Finding]:
    fallback = f'write a fallback: {{{{ member.{name} or "..." }}}}'
    known = known_names(workspace, association.slug)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        guess = f"did you mean member.{near[0]}? Or {fallback}" if near else fallback
        yield _must(line, field, f"no member of {association.slug} has {name!r}", guess)
        return
    try:
        condition = _condition(workspace, campaign, association, rules)
    except RuleError:
        return  # said at the rule itself
    people, topic = workspace.people(association.slug), campaign.audience.topic
    lacking = people.lacking(condition, topic, name, workspace.now())
    if lacking:
        total = people.exclusions(condition, topic, workspace.now()).get(None, 0)
        yield _must(
            line,
            field,
            f"{lacking:,} of {total:,} recipients at {association.slug} have no {name!r} and would see a gap",
            fallback,
        )


def _check_social(workspace: Workspace, campaign: Campaign, association: Association) -> Iterator[Finding]:
    for network in campaign.social:
        line, field = campaign.key_lines.get(f"social.{network}", 0), f"social.{network}"
        try:
            text = editions.posts(workspace, campaign, association)[network]
        except CommsError as error:
            yield _must(line, field, error.message, error.hint)
            continue
        channel = editions.social_channel(network, {}, workspace.outbox_folder)
        length = channel.count(text)
        if length > channel.limit:
            yield _must(
                line,
                field,
                f"is {length} long as {network} counts, for {association.slug}; {channel.limit} is the most",
                f"shorten it by {length - channel.limit}",
            )


def _check_images(workspace: Workspace, campaign: Campaign) -> Iterator[Finding]:
    for block in walk(campaign.blocks):
        match block:
            case Image(src=src, line=line):
                yield from _check_image(workspace, src, line, portrait=False)
            case Person(photo=src, line=line) if src:
                yield from _check_image(workspace, src, line, portrait=True)
            case _:
                pass


def _check_image(workspace: Workspace, src: str, line: int, *, portrait: bool) -> Iterator[Finding]:
    if not pictures.is_ours(src):
        return
    path = pictures.media_file(workspace, src)
    if path is None:
        message = f"there is no image {src!r} in {workspace.media_folder}"
        yield _must(line, "body", message, "put the file there, or give its web address")
        return
    try:
        pictures.copy_of(workspace, path, portrait=portrait)
    except OtherKindError as error:
        yield _should(line, "body", f"the image {src!r}: {error.message}", error.hint)
    except PictureError as error:
        yield _must(line, "body", f"the image {src!r}: {error.message}", error.hint)


def _condition(
    workspace: Workspace, campaign: Campaign, association: Association, rules: tuple[str, ...] = ()
) -> Condition:
    """Of the audience for whom these rules hold, too."""
    every = [f"({rule})" for rule in (campaign.audience.segment, *rules) if rule]
    # The audience's own rule alone stays as it is, for the places that messages name.
    text = " and ".join(every) if rules else campaign.audience.segment
    return compile_rule(workspace, text, association.slug, workspace.now().date())
