"""Gathers what there is to tell of a campaign from the host's and the associations' databases. Draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from audiences.models import Association
from campaigns import definition
from campaigns.series import SeriesRow, SeriesStore
from campaigns.store import CampaignRow
from comms.delivery.store import Run
from comms.engagement.polls import Ballots
from comms.engagement.report import (
    STATES,
    AnswerReport,
    AssociationReport,
    CampaignStatus,
    DoubtCase,
    Engagement,
    EntryReport,
    LinkReport,
    PollReport,
    PostReport,
    ReportData,
    SeriesStatus,
)
from comms.engagement.store import Tally
from comms.engine import series
from comms.engine.editions import NEWSLETTER
from comms.engine.sending import audience_counts, find, read_back
from comms.engine.workspace import Workspace
from comms.events import CampaignState, EventKind
from comms.rendering.body import numbered_polls
from comms.rendering.edition import Edition

_NOTHING = Tally(0, 0)


def status(workspace: Workspace, campaign_id: str) -> CampaignStatus:
    """Where the campaign stands. Raises UsageError when there is none of this id."""
    row = find(workspace, campaign_id)
    runs = [_run(workspace, slug, row) for slug in row.senders]
    counts: Counter[str] = Counter()
    for slug, run in zip(row.senders, runs, strict=True):
        counts.update(_deliveries(workspace, slug, run))
    planned = sum(run.planned if run else _waiting_audience(workspace, slug, row)
                  for slug, run in zip(row.senders, runs, strict=True))  # fmt: skip
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
            PostReport(post.association, post.network, post.state, post.url, post.reason)
            for post in workspace.host.posts(row.id)
        ),
        polls=_polls(workspace, row),
    )


def _association(workspace: Workspace, row: CampaignRow, association: Association) -> AssociationReport:
    slug = association.slug
    run = _run(workspace, slug, row)
    return AssociationReport(
        association=slug,
        name=association.name,
        audience=run.planned if run else 0,
        deliveries=_deliveries(workspace, slug, run),
        excluded=dict(run.excluded) if run else {},
        failures=workspace.ledger(slug).reasons(run.id, "failed") if run else {},
        engagement=_engagement(workspace, slug, run),
        skips=workspace.ledger(slug).reasons(run.id, "skipped") if run else {},
    )


def _run(workspace: Workspace, slug: str, row: CampaignRow) -> Run | None:
    return workspace.ledger(slug).run(row.id, NEWSLETTER)


def _deliveries(workspace: Workspace, slug: str, run: Run | None) -> dict[str, int]:
    return _all_states(workspace.ledger(slug).counts(run.id) if run else {})


def _all_states(counts: Mapping[str, int]) -> dict[str, int]:
    return {state.value: counts.get(state.value, 0) for state in STATES}


def _engagement(workspace: Workspace, slug: str, run: Run | None) -> Engagement:
    if run is None:
        return Engagement()
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
        trackable=events.tracked(run.id),
    )


def _doubts(workspace: Workspace, row: CampaignRow, slug: str) -> list[DoubtCase]:
    run = _run(workspace, slug, row)
    if run is None:
        return []
    return [
        DoubtCase(slug, doubt.address, doubt.at, doubt.cause, doubt.resolution)
        for doubt in workspace.ledger(slug).doubts(run.id)
    ]


def _links(workspace: Workspace, row: CampaignRow) -> tuple[LinkReport, ...]:
    """By address, for the same link may have another index in another association's edition."""
    clicks: Counter[str] = Counter()
    people: Counter[str] = Counter()
    urls: dict[str, None] = {}
    for slug in row.senders:
        body = workspace.host.edition(row.id, slug, NEWSLETTER)
        run = _run(workspace, slug, row)
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
    runs = {slug: run for slug in row.senders if (run := _run(workspace, slug, row))}
    counts = {slug: Ballots(workspace.association_db(slug)).counts(run.id) for slug, run in runs.items()}
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
        run = _run(workspace, slug, row)
        if run is not None:
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
