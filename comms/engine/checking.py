"""Everything that can be known to be wrong with a campaign before anyone gets it, at its line of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from audiences.models import Association
from campaigns import variants
from campaigns.errors import DefinitionError, shown
from campaigns.models import Campaign, Image, Person, walk
from campaigns.schedule import times_to_json
from comms.engine import (
    editions,
    enclosures,
    gathering,
    pictures,
    post_orders,
    preflight,
    social,
    times,
)
from comms.engine.preflight import Network
from comms.engine.readership import Readers, own_readers
from comms.engine.setup import POSTAL_PLACEHOLDER
from comms.engine.workspace import Workspace
from comms.errors import CommsError, UsageError
from comms.pictures import OtherKindError, PictureError
from comms.preflight import audience as rules
from comms.preflight import spamassassin
from comms.preflight import variants as compared
from comms.preflight.pictures import BROKEN, KIND, MISSING
from comms.preflight.report import Finding as Finding
from comms.preflight.rules import find as find_by_rules
from comms.rendering import slots
from comms.rendering.edition import Edition
from comms.rendering.errors import TemplateError

OfWhom = Callable[[Workspace, Campaign, Association], Readers]
"""For a campaign and who sends it, those whom it is for."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """All findings, what must be fixed first. `campaign` is None when the file could not be read as one."""

    path: str
    campaign: Campaign | None
    findings: tuple[Finding, ...]
    coming: tuple[tuple[datetime, datetime], ...] = ()
    """Of a campaign that repeats, the next occurrences: time by the clock on the wall, and its first moment."""

    @property
    def ok(self) -> bool:
        """Nothing stands in the way of sending."""
        return not any(finding.level == "must fix" for finding in self.findings)

    @property
    def perfect(self) -> bool:
        """Nothing was found at all."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.path,
            "id": self.campaign.id if self.campaign else None,
            "ok": self.ok,
            "problems": [finding.to_json() for finding in self.findings],
            **({"occurrences": times_to_json(self.coming)} if self.coming else {}),
        }


def check(
    workspace: Workspace,
    path: Path,
    senders: tuple[str, ...] = (),
    *,
    of_whom: OfWhom = own_readers,
    judge: bool = False,
    network: Network | None = None,
) -> CheckResult:
    """Check a definition against the workspace. `senders` are slugs; empty for the one the definition names.

    `of_whom` says whom it is for: the sender's own members, unless it is to be offered to others. With `judge`
    SpamAssassin is asked, too, where it is installed; with a `network` the sites that links lead to, and the DNS.
    """
    try:
        campaign = gathering.with_what_is_known(workspace, editions.read_definition(path))
    except DefinitionError as error:
        problems = (Finding("must fix", p.line, p.field, p.message, p.hint, file=p.file) for p in error.problems)
        return CheckResult(str(path), None, tuple(problems))
    findings = list(_findings(workspace, campaign, senders, of_whom, judge=judge, network=network))
    for variant in campaign.variants.values():
        found = _variant_findings(workspace, campaign, variant, senders, of_whom, judge=judge, network=network)
        name, known = str(variants.file_of(path, variant.variant)), {_said(finding) for finding in findings}
        findings += [replace(each, file=name) for each in found if each.line or _said(each) not in known]
    findings += _strays(path)
    findings.sort(key=lambda finding: (finding.level != "must fix", finding.file, finding.line))
    coming = times.coming(workspace, campaign, senders) if judge else ()
    return CheckResult(str(path), campaign, tuple(dict.fromkeys(findings)), coming)


def _findings(
    workspace: Workspace,
    campaign: Campaign,
    senders: tuple[str, ...],
    of_whom: OfWhom,
    *,
    judge: bool,
    network: Network | None,
) -> Iterator[Finding]:
    for slug in senders or (campaign.association,):
        try:
            association = workspace.association(slug)
        except UsageError as error:
            line = campaign.key_lines.get("association", 1)
            yield rules.NO_SENDER.at(line, "association", error.message, error.hint)
            continue
        yield from times.find(workspace, campaign, association)
        readers = of_whom(workspace, campaign, association)
        yield from readers.audience(campaign)
        yield from _check_text(workspace, campaign, association, readers, judge=judge, network=network)
        yield from _check_social(workspace, campaign, association)
    if network is not None:
        yield from _check_token(workspace, campaign)
    yield from _check_images(workspace, campaign)
    yield from gathering.findings(workspace, campaign)
    if campaign.relay is not None:
        hint = "offer it with: comms relay offer FILE"
        message = "sending it sends the sender's own edition alone; the others are asked by an offer"
        yield rules.RELAY.at(campaign.key_lines.get("relay", 0), "relay", message, hint)


def _check_text(
    workspace: Workspace,
    campaign: Campaign,
    association: Association,
    readers: Readers,
    *,
    judge: bool,
    network: Network | None,
) -> Iterator[Finding]:
    """What readers of one language get."""
    edition, found = _compiled(workspace, campaign, association, readers)
    yield from found
    if edition is not None:
        yield from readers.merge_fields(campaign, edition.html)
    facts = preflight.facts(workspace, campaign, association, edition)
    yield from find_by_rules(facts, postal_placeholder=POSTAL_PLACEHOLDER)
    if judge and edition is not None:
        yield from spamassassin.find(preflight.judged(workspace, campaign, association, edition))
    if network is not None:
        yield from preflight.asked(workspace, facts, network)


def _check_token(workspace: Workspace, campaign: Campaign) -> Iterator[Finding]:
    """Whether the token lasts under which the campaign's post goes to LinkedIn."""
    if "linkedin" not in campaign.social:
        return
    from comms.engine import services  # which loads what only those need who ask outside

    for found in services.linkedin(workspace):
        if not found.ok:
            line = campaign.key_lines.get("social.linkedin", campaign.key_lines.get("social", 0))
            yield rules.POST_TOKEN.at(line, "social.linkedin", found.what, found.mend)


def _variant_findings(
    workspace: Workspace,
    campaign: Campaign,
    variant: Campaign,
    senders: tuple[str, ...],
    of_whom: OfWhom,
    *,
    judge: bool,
    network: Network | None,
) -> Iterator[Finding]:
    """What is wrong with one variant; lines are those of its file."""
    yield from compared.find(campaign, variant)
    for slug in senders or (campaign.association,):
        try:
            association = workspace.association(slug)
        except UsageError:
            continue  # said of the campaign
        readers = of_whom(workspace, campaign, association)
        yield from _check_text(workspace, variant, association, readers, judge=judge, network=network)
    yield from _check_images(workspace, variant)


def _said(finding: Finding) -> tuple[str, str, str]:
    """The same of a variant as of the campaign, where it concerns no line: sender, footer, template."""
    return finding.rule, finding.field, finding.message


def _strays(path: Path) -> Iterator[Finding]:
    """Files that somebody may take for variants."""
    for stray in variants.beside(path).strays:
        tag = shown(stray.stem.removeprefix(f"{path.stem}."))
        message = f"{shown(stray.name)} is no variant: `{tag}` is no language tag"
        hint = "rename it, or move it elsewhere; a variant is named like welcome.es.md or welcome.pt-BR.md"
        yield compared.STRAY.at(0, "file", message, hint)


def _compiled(
    workspace: Workspace, campaign: Campaign, association: Association, readers: Readers
) -> tuple[Edition | None, tuple[Finding, ...]]:
    """The newsletter, or what keeps it from being compiled."""
    refused = (*readers.conditions(campaign), *enclosures.problems(workspace, campaign))
    if refused or campaign.newsletter is None:
        return None, refused
    try:
        asked = slots.declared(workspace.templates.find(campaign.newsletter.template))
        wrong = tuple(
            rules.BAD_TEMPLATE.at(problem.line, field, problem.message, problem.hint)
            for field, problem in slots.problems(asked, campaign)
        )
        if wrong:
            return None, wrong
        return editions.newsletter(workspace, campaign, association, readers.spokesman(campaign)), ()
    except (TemplateError, UsageError) as error:
        line = campaign.key_lines.get("newsletter.template", campaign.key_lines.get("newsletter", 0))
        return None, (rules.BAD_TEMPLATE.at(line, "newsletter.template", error.message, error.hint),)


def _check_social(workspace: Workspace, campaign: Campaign, association: Association) -> Iterator[Finding]:
    for network in campaign.social:
        line, field = campaign.key_lines.get(f"social.{network}", 0), f"social.{network}"
        try:
            parts = list(social.text_parts(workspace, campaign, association, network))
        except CommsError as error:
            yield rules.POST_BROKEN.at(line, field, error.message, error.hint)
            continue
        measure = social.rules(workspace, network)
        for part in parts:
            length = measure.count(part.text)
            if length > measure.limit:
                which = f"part {part.part} " if len(parts) > 1 else ""
                yield rules.POST_LONG.at(
                    line,
                    field,
                    f"{which}is {length} long as {network} counts, for {association.slug}; {measure.limit} is the most",
                    f"shorten it by {length - measure.limit}, or end a part of a thread with a line ---",
                )
    yield from _check_budget(workspace, campaign, association)


def _check_budget(workspace: Workspace, campaign: Campaign, association: Association) -> Iterator[Finding]:
    budget = workspace.settings.x.monthly_budget
    if "x" not in campaign.social or not budget or not social.account(workspace, "x"):
        return
    try:
        parts = list(social.text_parts(workspace, campaign, association, "x"))
    except CommsError:
        return  # said at the text itself
    price = sum(social.cost("x", part.text) or 0.0 for part in parts)
    spent = post_orders.spent_this_month(workspace, workspace.now())
    if spent + price > budget:
        yield rules.POST_DEAR.at(
            campaign.key_lines.get("social.x", campaign.key_lines.get("social", 0)),
            "social.x",
            f"costs ${price:.3f}, and ${spent:.3f} of this month's ${budget:.2f} for X are spent; it would be skipped",
            "a post without a link costs less: add `x_without_link: true` below `social:`",
        )


def _check_images(workspace: Workspace, campaign: Campaign) -> Iterator[Finding]:
    if campaign.post_options.image:
        yield from _check_image(
            workspace, campaign.post_options.image, campaign.key_lines.get("social.image", 0), portrait=False
        )
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
        yield MISSING.at(line, "body", message, "put the file there, or give its web address")
        return
    try:
        pictures.copy_of(workspace, path, portrait=portrait)
    except OtherKindError as error:
        yield KIND.at(line, "body", f"the image {src!r}: {error.message}", error.hint)
    except PictureError as error:
        yield BROKEN.at(line, "body", f"the image {src!r}: {error.message}", error.hint)
