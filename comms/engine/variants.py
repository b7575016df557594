"""A campaign in several languages as it is sent: a run for each, and who reads which. Compiles and freezes nothing.

Every member gets one copy: who reads a variant is said by what members have as their language, and the campaign's own
run has all others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from audiences.segments import Condition
from campaigns.models import Campaign
from comms.delivery.runs import Run
from comms.engine.workspace import Workspace
from comms.planning import variant_for

NEWSLETTER = "newsletter"
"""Channel of the run and the edition in the campaign's own language."""
_READ = "member.language IN (SELECT value FROM json_each(:variant_languages))"


def parts(campaign: Campaign) -> tuple[Campaign, ...]:
    """The campaign, then its variants."""
    return (campaign, *campaign.variants.values())


def channel(part: Campaign) -> str:
    """Of the run and the edition of a campaign, or of one of its variants."""
    return f"{NEWSLETTER}:{part.variant}" if part.variant else NEWSLETTER


def of_channel(campaign: Campaign, name: str) -> Campaign:
    """What goes out on a channel: the campaign, or one of its variants."""
    return campaign.variants.get(name.partition(":")[2], campaign)


def runs(workspace: Workspace, campaign: str, slug: str) -> list[Run]:
    """All runs of a campaign by one association, that in its own language first; none before it is frozen."""
    return workspace.ledger(slug).runs(campaign)


def readers(workspace: Workspace, campaign: Campaign, slug: str) -> Mapping[str, Condition]:
    """Channel -> which of all members get the campaign in that language; empty for a campaign in one.

    Each member is in exactly one, as long as nobody's language is changed in between.
    """
    if not campaign.variants:
        return {}
    tags = (campaign.language, *campaign.variants)
    spoken: dict[str, list[str]] = {tag: [] for tag in campaign.variants}
    for language in workspace.people(slug).languages():
        tag = variant_for(language, tags)
        if tag in spoken:
            spoken[tag].append(language)
    found = {
        channel(variant): Condition(_READ, {"variant_languages": json.dumps(spoken[tag])})
        for tag, variant in campaign.variants.items()
    }
    taken = json.dumps([each for languages in spoken.values() for each in languages])
    own = Condition(f"(member.language IS NULL OR NOT {_READ})", {"variant_languages": taken})
    return {NEWSLETTER: own, **found}


def among(condition: Condition, others: Condition | None) -> Condition:
    """Those of `others` for whom `condition` holds; of all members, when None."""
    if others is None:
        return condition
    return Condition(f"({condition.sql}) AND {others.sql}", {**condition.parameters, **others.parameters})
