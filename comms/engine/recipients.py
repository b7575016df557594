"""Who gets a campaign from an association: counted for its plan, and frozen as runs. Sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from audiences.models import Association
from campaigns.models import Campaign
from campaigns.store import CampaignRow
from comms.db import storage_errors
from comms.engine import sections, timing, variants
from comms.engine.segments import compile_rule
from comms.engine.workspace import Workspace
from comms.rendering.edition import Edition


def audience_counts(workspace: Workspace, campaign: Campaign, slug: str) -> dict[str | None, int]:
    """Of the association's members that the campaign means: how many get nothing for which reason; None: who do."""
    return together(counts_by_channel(workspace, campaign, slug))


def counts_by_channel(workspace: Workspace, campaign: Campaign, slug: str) -> dict[str, dict[str | None, int]]:
    """As `audience_counts`, for each language."""
    now, readers = workspace.now(), variants.readers(workspace, campaign, slug)
    condition = compile_rule(workspace, campaign.audience.segment, slug, now.date())
    people, topic = workspace.people(slug), campaign.audience.topic
    return {
        channel: people.exclusions(
            variants.among(condition, readers.get(channel)), topic, now, sections.withheld(workspace, part, now)
        )
        for part in variants.parts(campaign)
        if (channel := variants.channel(part))
    }


def together(counts: Mapping[str, Mapping[str | None, int]]) -> dict[str | None, int]:
    """The counts of all languages in one."""
    total: Counter[str | None] = Counter()
    for each in counts.values():
        total.update(each)
    return dict(total)


def freeze(workspace: Workspace, row: CampaignRow, campaign: Campaign, association: Association) -> None:
    """Write down whom a campaign goes to, once: all languages in one transaction, so that nobody is in two, or in none.

    Raises RuleError, StorageError.
    """
    ledger, now = workspace.ledger(association.slug), workspace.now()
    topic = campaign.audience.topic
    due: dict[str | None, datetime] = timing.due(workspace, campaign, association) if row.due_at else {None: now}
    with storage_errors(workspace.association_path(association.slug)), ledger.db.atomic():
        if ledger.run(row.id, variants.NEWSLETTER) is not None:
            return
        segment = compile_rule(workspace, campaign.audience.segment, association.slug, now.date())
        cap = timing.cap(workspace, campaign)
        readers = variants.readers(workspace, campaign, association.slug)
        for part in variants.parts(campaign):
            channel, further = variants.channel(part), sections.withheld(workspace, part, now)
            body = workspace.host.edition(row.id, association.slug, channel)
            assert body is not None, "approve() wrote it"
            meant = variants.among(segment, readers.get(channel))
            counts = workspace.people(association.slug).exclusions(meant, topic, now, further)
            ledger.freeze(
                row.id,
                channel,
                topic=topic,
                digest=Edition.from_json(body.decode()).digest,
                doubt=(campaign.newsletter and campaign.newsletter.doubt) or workspace.settings.delivery.doubt,
                segment=meant,
                excluded={str(reason): count for reason, count in counts.items() if reason is not None},
                due=due,
                now=now,
                cap=cap,
                sections=sections.of(part),
            )
