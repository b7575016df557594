"""The sections of a digest by topics: whose they are, and what a member sees of them. It counts nobody."""

from __future__ import annotations

from datetime import datetime

from audiences.models import Member
from audiences.segments import Condition
from campaigns import gathering
from campaigns.models import Campaign
from comms.delivery.sections import Sections
from comms.engine import timing
from comms.engine.workspace import Workspace


def of(part: Campaign) -> Sections:
    """Those of a campaign with the items of feeds in it, or of one of its variants."""
    return Sections(
        gathering.section_topics(part.blocks),
        gathering.new_topics(part.blocks),
        gathering.missed_topics(part.blocks),
        gathering.is_for_all(part.blocks),
    )


def withheld(workspace: Workspace, part: Campaign, now: datetime) -> Condition | None:
    """Why a member who agreed to it gets no copy all the same: nothing is new for them, or they heard enough. SQL with
    the name of a reason, or NULL; None where that is so for nobody."""
    return of(part).reason(now, timing.heard_enough(workspace, part, now))


def seen_by(workspace: Workspace, part: Campaign, slug: str, member: Member) -> str:
    """What of the sections a member sees, as a `Recipient` has it; a reader whom nobody knows sees all of them."""
    sections = of(part)
    if member.id is None or not sections.topics:
        return ""
    flags = sections.flags(workspace.now())
    sql = f"SELECT {flags.sql} FROM member WHERE id = :member"  # noqa: S608 - built of constants, values bound
    row = workspace.association_db(slug).execute(sql, {**flags.parameters, "member": member.id}).fetchone()
    return str(row[0]) if row else ""
