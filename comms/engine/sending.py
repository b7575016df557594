"""From a definition to a campaign under way: plan, approve, start, pause, resume, cancel.

    prepare -> Plan -> (a person says yes) -> approve -> start -> control does the rest

`approve` writes everything that will be sent into the host's database in one transaction. `start` can be
called again at any time: it adds what is missing, so a crash between two databases loses nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from audiences.models import Association
from campaigns import definition, relay
from campaigns.gathering import kept, restored
from campaigns.models import Campaign
from campaigns.recurrence import occurrence
from campaigns.series import SeriesStore
from campaigns.store import CampaignRow, HostStore
from comms.channels import newsletter
from comms.db import storage_errors
from comms.engine import editions, gathering, offered, recipients, social, timing, variants
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.events import CampaignState, PostState
from comms.planning import LanguagePlan, NewsletterPlan, Plan
from comms.rendering.edition import Edition

UNDER_WAY = (CampaignState.SENDING, CampaignState.PAUSED)
OVER = (CampaignState.SENT, CampaignState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A campaign ready for approval: its plan, and all that will be sent, compiled."""

    campaign: Campaign
    senders: tuple[Association, ...]
    plan: Plan
    newsletters: dict[tuple[str, str], Edition]
    """(slug, channel) -> edition: one for each language."""
    due_at: datetime | None
    """The first moment anything goes out; None for now."""


def prepare(
    workspace: Workspace,
    campaign: Campaign,
    senders: Sequence[str] = (),
    *,
    scheduled: bool = False,
    series: str | None = None,
    gathered: bool = False,
) -> Prepared:
    """Compile everything and count who gets it. `senders` are slugs; empty for the one the definition names.

    `scheduled` keeps the definition's time instead of now. Raises TemplateError, segments.RuleError, UsageError, and
    StateError for what a sender may send by an offer alone.
    What repeats is prepared by `series.prepare`; `series` says of which it is an occurrence. `gathered`: the feeds
    that it shows have their items already.
    """
    if campaign.schedule is not None and campaign.schedule.repeat:
        raise UsageError(
            f"campaign {campaign.id} repeats, so it can not be sent just once.",
            hint="Schedule it: comms campaign schedule FILE. To send it once, take `repeat:` out and choose a new id.",
        )
    slugs: Sequence[str | None] = list(dict.fromkeys(senders)) or [campaign.association]
    associations = tuple(workspace.association(slug) for slug in slugs)
    offered.require_own(workspace, campaign, associations)
    if scheduled and campaign.schedule is None:
        raise UsageError(f"campaign {campaign.id} has no schedule.", hint="Add `schedule:` with `at:` and `timezone:`.")
    if not gathered:
        campaign = gathering.gather(workspace, campaign, series=series)
    newsletters: dict[tuple[str, str], Edition] = {}
    plans = []
    posts = []
    for association in associations:
        if campaign.newsletter is not None:
            made = {
                variants.channel(part): editions.newsletter(workspace, part, association)
                for part in variants.parts(campaign)
            }
            newsletters |= {(association.slug, channel): edition for channel, edition in made.items()}
            plans.append(_plan_newsletter(workspace, campaign, association, made, scheduled=scheduled))
        posts += social.planned(workspace, campaign, association)
    plan = Plan(
        campaign=campaign.id,
        title=campaign.title,
        newsletters=tuple(plans),
        feeds=tuple(a.slug for a in associations) if campaign.feed is not None else (),
        posts=tuple(posts),
        definition=hashlib.sha256(campaign.definition.encode()).hexdigest(),
    )
    due_at = min(min(timing.due(workspace, campaign, a).values()) for a in associations) if scheduled else None
    return Prepared(campaign, associations, plan, newsletters, due_at)


def approve(workspace: Workspace, prepared: Prepared, *, who: str) -> CampaignRow:
    """Write the campaign down: from here on it goes out as it was prepared.

    Raises StateError when a campaign of this id went out before, or is doing so, when it is that of a series, or was
    offered or recalled meanwhile.
    """
    host, now, campaign = workspace.host, workspace.now(), prepared.campaign
    with storage_errors(workspace.host_path), host.db.atomic():
        offered.require_own(workspace, campaign, prepared.senders)
        if SeriesStore(host.db).get(campaign.id) is not None:
            raise StateError(f"{campaign.id} is a campaign that repeats.", hint="For another one choose a new id.")
        row = host.campaign(campaign.id)
        if row is not None and (row.series or was_started(workspace, row)):
            raise StateError(
                f"campaign {campaign.id} was sent before (state: {row.state}, since {row.created_at:%Y-%m-%d %H:%M}"
                " UTC); nobody gets it twice.",
                hint="For a new message choose a new id in the `campaign:` line.",
            )
        state, what = CampaignState.SENDING, "approved"
        if prepared.due_at:
            state, what = CampaignState.SCHEDULED, "scheduled"
        row = write_down(host, prepared, state, now)
        host.note(who, what, campaign.id, f"plan {prepared.plan.digest}", now)
    return row


def write_down(
    host: HostStore,
    prepared: Prepared,
    state: CampaignState,
    now: datetime,
    *,
    series: str | None = None,
    relay_of: str = "",
    adaptation: str = "",
) -> CampaignRow:
    """Write everything that will be sent. Expects to run inside `db.atomic()`; asks nothing, for its callers did.

    `series`: it is that series' occurrence at the time of its schedule. `relay_of`: it is what an association made of
    that campaign, which `adaptation` says as `relay.kept` does.
    """
    campaign = prepared.campaign
    host.drop_editions(campaign.id)
    host.save_campaign(
        campaign.id,
        title=campaign.title,
        definition=campaign.definition,
        state=state,
        senders=[association.slug for association in prepared.senders],
        due_at=prepared.due_at,
        now=now,
        series=series,
        wall=campaign.schedule.at if series and campaign.schedule else None,
        gathered=kept(campaign),
        relay_of=relay_of,
        adaptation=adaptation,
    )
    for (slug, channel), edition in prepared.newsletters.items():
        host.save_edition(campaign.id, slug, channel, edition.digest, edition.to_json().encode(), now)
    row = host.campaign(campaign.id)
    assert row is not None
    return row


def start(workspace: Workspace, row: CampaignRow) -> None:
    """Freeze the runs of a campaign, put its entries into the feeds and queue its posts: whatever is missing."""
    campaign = read_back(row)
    host, now = workspace.host, workspace.now()
    for slug in row.senders:
        association = workspace.association(slug)
        if campaign.newsletter is not None:
            recipients.freeze(workspace, row, campaign, association)
        if not timing.may_publish(workspace, row, campaign, association):
            continue
        with storage_errors(workspace.host_path), host.db.atomic():
            if find(workspace, row.id).state != CampaignState.SENDING:
                return  # paused or cancelled in this very moment
            if campaign.feed is not None and host.entry(slug, campaign.id) is None:
                host.save_entry(editions.entry(workspace, campaign, association, now))
            for post in social.texts(workspace, campaign, association):
                host.add_post(campaign.id, slug, post.network, post.text, PostState.QUEUED, now, part=post.part)


def check_mail_server(workspace: Workspace) -> None:
    """Open a session with a mail server and end it: one that answers is enough.

    Raises ServerUnreachableError when none does, for the first: nothing was sent then.
    """
    settings = workspace.settings
    faults = []
    for smtp in (settings.smtp, *settings.smtp_relays.values()):
        try:
            asyncio.run(newsletter.check(smtp))
        except newsletter.ServerUnreachableError as error:
            faults.append(error)
        else:
            return
    raise faults[0]


def under_way(workspace: Workspace, campaign: Campaign, senders: Sequence[str] = ()) -> CampaignRow | None:
    """The very same definition, being sent at the moment; None when it is not. Raises StateError as `prepare`."""
    offered.require_own(workspace, campaign, (workspace.association(slug) for slug in senders))
    row = workspace.host.campaign(campaign.id)
    same = row is not None and row.definition == campaign.definition
    return row if row is not None and same and row.state in UNDER_WAY else None


def read_back(row: CampaignRow) -> Campaign:
    """The campaign as it was approved."""
    return _parsed(row.id, row.definition, row.wall, row.gathered, row.adaptation)


@lru_cache(maxsize=64)
def _parsed(campaign_id: str, text: str, wall: datetime | None, gathered: str, adaptation: str) -> Campaign:
    campaign = restored(definition.read(text, path=f"{campaign_id} (as approved)"), gathered)
    campaign = relay.restored(campaign, adaptation)
    return occurrence(campaign, wall) if wall else campaign


def is_started(workspace: Workspace, row: CampaignRow, campaign: Campaign) -> bool:
    """Does every part of the campaign stand in its database."""
    for slug in row.senders:
        if campaign.newsletter is not None and workspace.ledger(slug).run(row.id, variants.NEWSLETTER) is None:
            return False
        if is_published(workspace, row, campaign, slug):
            continue
        if timing.may_publish(workspace, row, campaign, workspace.association(slug)):
            return False
    return True


def is_published(workspace: Workspace, row: CampaignRow, campaign: Campaign, slug: str) -> bool:
    """Is the entry in the association's feed, and does each of its posts stand in the database."""
    if campaign.feed is not None and workspace.host.entry(slug, row.id) is None:
        return False
    if not campaign.social:
        return True
    posts = {post.network for post in workspace.host.posts(row.id) if post.association == slug}
    return posts.issuperset(campaign.social)


def pause(workspace: Workspace, campaign_id: str, *, who: str) -> None:
    """Stop handing out batches; what senders hold goes out. Raises StateError when it is not under way."""
    _change(workspace, campaign_id, CampaignState.PAUSED, (CampaignState.SENDING, CampaignState.SCHEDULED), who)


def resume(workspace: Workspace, campaign_id: str, *, who: str) -> None:
    """Go on where it was paused; a scheduled campaign waits for its time again."""
    row = find(workspace, campaign_id)
    waiting = row.due_at is not None and row.due_at > workspace.now() and not was_started(workspace, row)
    state = CampaignState.SCHEDULED if waiting else CampaignState.SENDING
    _change(workspace, campaign_id, state, (CampaignState.PAUSED,), who)


def cancel(workspace: Workspace, campaign_id: str, *, who: str) -> int:
    """End it: what no sender holds is never sent. Returns how many deliveries that were. Can not be undone."""
    row = find(workspace, campaign_id)
    allowed = (CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED)
    _change(workspace, campaign_id, CampaignState.CANCELLED, allowed, who)
    return finish_cancel(workspace, row)


def finish_cancel(workspace: Workspace, row: CampaignRow) -> int:
    """Carry a cancelled campaign into the ledgers. Control calls it again, for what was cut off in between."""
    now, cancelled = workspace.now(), 0
    for slug in row.senders:
        ledger = workspace.ledger(slug)
        for run in variants.runs(workspace, row.id, slug):
            with ledger.db.atomic():
                if run.state == "sending":
                    cancelled += ledger.cancel(run.id, now)
                ledger.finish(run.id, now)
    if workspace.host.posts(row.id, [PostState.QUEUED]):
        with workspace.host.db.atomic():
            workspace.host.cancel_posts(row.id, was=PostState.QUEUED, state=PostState.CANCELLED, now=now)
    return cancelled


def is_busy(workspace: Workspace, row: CampaignRow) -> bool:
    """Does some sender hold newsletters of the campaign."""
    for slug in row.senders:
        ledger = workspace.ledger(slug)
        if any(ledger.is_busy(run.id) for run in variants.runs(workspace, row.id, slug)):
            return True
    return False


def deferrals(workspace: Workspace, campaign_id: str) -> dict[str, int]:
    """Why deliveries of a campaign are put off -> how many."""
    found: dict[str, int] = {}
    for slug in find(workspace, campaign_id).senders:
        ledger = workspace.ledger(slug)
        for run in variants.runs(workspace, campaign_id, slug):
            for reason, number in ledger.reasons(run.id, "deferred").items():
                found[reason] = found.get(reason, 0) + number
    return found


def find(workspace: Workspace, campaign_id: str) -> CampaignRow:
    """Raises UsageError when the workspace has no campaign of this id."""
    row = workspace.host.campaign(campaign_id)
    if row is None and SeriesStore(workspace.host.db).get(campaign_id) is not None:
        made = SeriesStore(workspace.host.db).occurrences(campaign_id)
        hint = f"Name one of its occurrences; the latest is {made[-1][0]}." if made else "It has no occurrence yet."
        raise UsageError(f"{campaign_id} is a campaign that repeats.", hint=hint)
    if row is None:
        known = [campaign.id for campaign in workspace.host.campaigns()][-10:]
        hint = f"The latest are: {', '.join(known)}." if known else "None was sent or scheduled yet."
        raise UsageError(f"there is no campaign {campaign_id!r}.", hint=hint)
    return row


def _change(
    workspace: Workspace, campaign_id: str, state: CampaignState, was: Sequence[CampaignState], who: str
) -> None:
    host, now = workspace.host, workspace.now()
    with storage_errors(workspace.host_path), host.db.atomic():
        row = find(workspace, campaign_id)
        if row.state not in was:
            raise StateError(f"campaign {campaign_id} is {row.state}; it can not become {state} from there.")
        host.set_state(campaign_id, state, now, was=was)
        host.note(who, state, campaign_id, "", now)


def _plan_newsletter(
    workspace: Workspace, campaign: Campaign, association: Association, made: Mapping[str, Edition], *, scheduled: bool
) -> NewsletterPlan:
    people = workspace.people(association.slug)
    by_channel = recipients.counts_by_channel(workspace, campaign, association.slug)
    counts = recipients.together(by_channel)
    when = timing.timing(workspace, campaign, association, scheduled=scheduled)
    return NewsletterPlan(
        association=association.slug,
        name=association.name,
        members=people.count(),
        segment=sum(counts.values()),
        audience=counts.pop(None, 0),
        excluded={str(reason): count for reason, count in counts.items()},
        edition=made[variants.NEWSLETTER].digest,
        first_at=when.first_at,
        last_at=when.last_at,
        moved_from=when.moved_from,
        opens_at=when.opens_at,
        timezone=association.timezone,
        languages=tuple(
            LanguagePlan(part.language, by_channel[name].get(None, 0), made[name].digest)
            for part in variants.parts(campaign)
            if campaign.variants and (name := variants.channel(part))
        ),
    )


def was_started(workspace: Workspace, row: CampaignRow) -> bool:
    """Has anything of the campaign left, or been made ready to leave."""
    if row.state in (CampaignState.SENDING, CampaignState.SENT):
        return True
    runs = any(workspace.ledger(slug).run(row.id, variants.NEWSLETTER) is not None for slug in row.senders)
    return runs or bool(workspace.host.posts(row.id))
