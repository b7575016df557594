"""Gathers what there is to tell of a campaign from the host's and the associations' databases. Draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product

from audiences.models import Association
from campaigns import definition
from campaigns.series import SeriesRow, SeriesStore
from campaigns.store import CampaignRow
from comms.delivery.runs import Run
from comms.engagement.polls import Ballots
from comms.engagement.report import (
    STATES,
    AnswerReport,
    AssociationReport,
    CampaignStatus,
    DoubtCase,
    Engagement,
    EntryReport,
    LanguageReport,
    LinkReport,
    PollReport,
    PostReport,
    RelayedReport,
    ReportData,
    SeriesStatus,
)
from comms.engagement.store import Tally
from comms.engine import collective, series, variants
from comms.engine.languages import name
from comms.engine.recipients import audience_counts
from comms.engine.relaying import sharing
from comms.engine.sending import find, read_back
from comms.engine.workspace import Workspace
from comms.events import CampaignState, EventKind
from comms.rendering.body import numbered_polls
from comms.rendering.edition import Edition

_NOTHING = Tally(0, 0)


def status(workspace: Workspace, campaign_id: str) -> CampaignStatus:
    """Where the campaign stands. Raises UsageError when there is none of this id."""
    row = find(workspace, campaign_id)
    counts, planned = Counter[str](), 0
    for slug in row.senders:
        runs = variants.runs(workspace, row.id, slug)
        counts.update(deliveries(workspace, row.id, slug, shared=sharing.is_shared(workspace, row)))
        planned += sum(run.planned for run in runs) if runs else _waiting_audience(workspace, slug, row)
    return CampaignStatus(row.id, row.state, planned, _all_states(counts), row.reason)


def series_status(workspace: Workspace, row: SeriesRow) -> SeriesStatus:
    """Where a campaign stands that repeats."""
    host = workspace.host
    schedule = definition.read(row.definition).schedule
    assert schedule is not None, "it repeats"
    return SeriesStatus(
        row.id,
        row.state,
        schedule.repeat,
        tuple(series.upcoming(workspace, row)),
        tuple(status(workspace, made) for made, _ in SeriesStore(host.db).occurrences(row.id)),
        tuple(detail for _, _, what, detail in host.audit(row.id) if what == series.SKIPPED),
        row.reason,
    )


def _waiting_audience(workspace: Workspace, slug: str, row: CampaignRow) -> int:
    """How many would get the newsletter of a campaign that waits for its time, as things are now."""
    campaign = read_back(row)
    if campaign.newsletter is None or row.state not in (CampaignState.SCHEDULED, CampaignState.PAUSED):
        return 0
    return audience_counts(workspace, campaign, slug).get(None, 0)


def report(workspace: Workspace, campaign_id: str) -> ReportData:
    """All there is to tell of the campaign now. Raises UsageError when there is none of this id."""
    row = find(workspace, campaign_id)
    senders = [workspace.association(slug) for slug in row.senders]
    parts = [_association(workspace, row, association) for association in senders]
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.deliveries)
    return ReportData(
        status=CampaignStatus(row.id, row.state, sum(part.audience for part in parts), _all_states(counts), row.reason),
        title=row.title,
        at=workspace.now(),
        associations=tuple(parts),
        in_doubt=tuple(case for slug in row.senders for case in _doubts(workspace, row, slug)),
        engagement=Engagement.total(part.engagement for part in parts),
        links=_links(workspace, row),
        clicks_by_hour=_clicks_by_hour(workspace, row),
        entries=_entries(workspace, row),
        posts=tuple(
            PostReport(
                post.association,
                post.network,
                post.state,
                post.url,
                post.reason,
                post.replies,
                post.shares,
                post.likes,
                post.counted_at.isoformat() if post.counted_at else None,
            )
            for post in workspace.host.posts(row.id)
        ),
        polls=_polls(workspace, row),
        languages=_languages(workspace, row),
        relayed=_relayed(workspace, row) if row.relay_of else None,
    )


def _relayed(workspace: Workspace, row: CampaignRow) -> RelayedReport:
    """Nothing before the close: what changes from day to day can be subtracted from what it was."""
    coalition = workspace.association(None).name
    frozen, offer = collective.find(workspace, row.relay_of), workspace.relays.offer(row.relay_of)
    if frozen is None or offer is None:
        return RelayedReport(row.relay_of, coalition, None)
    figures = tuple((frozen.words(figure.key)[0], figure.told) for figure in frozen.figures)
    (slug,) = row.senders
    return RelayedReport(row.relay_of, coalition, frozen.closed, sharing.already_reached(offer, slug), figures)


def deliveries(workspace: Workspace, campaign_id: str, slug: str, *, shared: bool) -> dict[str, int]:
    """State -> how many newsletters of an association's; of a campaign that several send, as it may be told."""
    ledger, runs = workspace.ledger(slug), variants.runs(workspace, campaign_id, slug)
    counts = _together(ledger.counts(run.id) for run in runs)
    if shared:
        left_out = sum(ledger.reasons(run.id, "skipped").get(sharing.LEFT_OUT, 0) for run in runs)
        counts = sharing.in_tens(counts, left_out)
    return _all_states(counts)


def _languages(workspace: Workspace, row: CampaignRow) -> tuple[LanguageReport, ...]:
    """None of a campaign in one language; nor of one that is relayed, for two numbers that are each told in tens could
    be held against each other."""
    campaign = read_back(row)
    if not campaign.variants or sharing.is_shared(workspace, row):
        return ()
    found = []
    for part in variants.parts(campaign):
        runs = [
            (slug, run)
            for slug in row.senders
            if (run := workspace.ledger(slug).run(row.id, variants.channel(part))) is not None
        ]
        counts, clicks = Counter[str](), 0
        for slug, run in runs:
            counts.update(workspace.ledger(slug).counts(run.id))
            clicks += workspace.events(slug).tallies(run.id).get(EventKind.CLICKED, _NOTHING).total
        audience = sum(run.planned for _, run in runs)
        found.append(LanguageReport(part.language, name(part.language), audience, _all_states(counts), clicks))
    return tuple(found)


def _association(workspace: Workspace, row: CampaignRow, association: Association) -> AssociationReport:
    slug, ledger = association.slug, workspace.ledger(association.slug)
    runs = variants.runs(workspace, row.id, slug)
    skips = _together(ledger.reasons(run.id, "skipped") for run in runs)
    return AssociationReport(
        association=slug,
        name=association.name,
        audience=sum(run.planned for run in runs),
        deliveries=deliveries(workspace, row.id, slug, shared=sharing.is_shared(workspace, row)),
        excluded=_together(run.excluded for run in runs),
        failures=_together(ledger.reasons(run.id, "failed") for run in runs),
        engagement=Engagement.total(_engagement(workspace, slug, run) for run in runs),
        skips=sharing.skips_in_tens(skips),
    )


def _together(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Sums by key, the keys in the order in which they come."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _all_states(counts: Mapping[str, int]) -> dict[str, int]:
    return {state.value: counts.get(state.value, 0) for state in STATES}


def _engagement(workspace: Workspace, slug: str, run: Run) -> Engagement:
    events = workspace.events(slug)
    tallies = events.tallies(run.id)
    clicks = tallies.get(EventKind.CLICKED, _NOTHING)
    return Engagement(
        clicked=clicks.total,
        clickers=clicks.people,
        opened=tallies.get(EventKind.OPENED, _NOTHING).people,
        unsubscribed=tallies.get(EventKind.UNSUBSCRIBED, _NOTHING).people,
        views=tallies.get(EventKind.VIEWED, _NOTHING).total,
        bounced=tallies.get(EventKind.BOUNCED, _NOTHING).total,
        complained=tallies.get(EventKind.COMPLAINED, _NOTHING).total,
        replied=tallies.get(EventKind.REPLIED, _NOTHING).total,
        trackable=events.tracked(run.id),
    )


def _doubts(workspace: Workspace, row: CampaignRow, slug: str) -> list[DoubtCase]:
    return [
        DoubtCase(slug, doubt.address, doubt.at, doubt.cause, doubt.resolution)
        for run in variants.runs(workspace, row.id, slug)
        for doubt in workspace.ledger(slug).doubts(run.id)
    ]


def _links(workspace: Workspace, row: CampaignRow) -> tuple[LinkReport, ...]:
    """By address, for the same link may have another index in the edition of another association or language."""
    clicks: Counter[str] = Counter()
    people: Counter[str] = Counter()
    urls: dict[str, None] = {}
    channels = [variants.channel(part) for part in variants.parts(read_back(row))]
    for slug, channel in product(row.senders, channels):
        body = workspace.host.edition(row.id, slug, channel)
        run = workspace.ledger(slug).run(row.id, channel)
        if body is None:
            continue
        tallies = workspace.events(slug).clicks(run.id) if run else {}
        for index, url in enumerate(Edition.from_json(body.decode()).links):
            tally = tallies.get(index, _NOTHING)
            urls[url] = None
            clicks[url] += tally.total
            people[url] += tally.people
    ordered = sorted(urls, key=lambda url: -clicks[url])
    return tuple(LinkReport(url, clicks[url], people[url]) for url in ordered)


def _polls(workspace: Workspace, row: CampaignRow) -> tuple[PollReport, ...]:
    """Answers in all languages count together, by their place; told in the campaign's own."""
    counts = {}
    for slug in row.senders:
        ballots, runs = Ballots(workspace.association_db(slug)), variants.runs(workspace, row.id, slug)
        if runs:
            counts[slug] = sum((Counter(ballots.counts(run.id)) for run in runs), Counter[tuple[int, int]]())
    reports = []
    for poll, number in numbered_polls(read_back(row).blocks).items():
        answers = []
        for choice, text in enumerate(poll.answers):
            parts = {slug: count.get((number, choice), 0) for slug, count in counts.items()}
            answers.append(AnswerReport(text, sum(parts.values()), parts))
        reports.append(PollReport(poll.question, tuple(answers)))
    return tuple(reports)


def _clicks_by_hour(workspace: Workspace, row: CampaignRow) -> tuple[tuple[str, int], ...]:
    hours: Counter[str] = Counter()
    for slug in row.senders:
        for run in variants.runs(workspace, row.id, slug):
            hours.update(dict(workspace.events(slug).by_hour(run.id, EventKind.CLICKED)))
    return tuple(sorted(hours.items()))


def _entries(workspace: Workspace, row: CampaignRow) -> tuple[EntryReport, ...]:
    site = workspace.settings.site.url
    entries = [workspace.host.entry(slug, row.id) for slug in row.senders]
    return tuple(
        EntryReport(entry.association, f"{site}/a/{entry.association}/{row.id}", entry.published.isoformat())
        for entry in entries
        if entry is not None
    )
