"""Corrects and withdraws entries that are published. What was mailed or posted stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from campaigns.gathering import restored
from campaigns.models import Campaign
from campaigns.store import EntryRow
from comms.channels.markup import clean_line
from comms.db import storage_errors
from comms.engine import editions, sending
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError

LONGEST_NOTE = 500
_SAID = ("title", "summary", "content", "enclosure")


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one association's entry."""

    before: EntryRow
    after: EntryRow

    @property
    def fields(self) -> tuple[str, ...]:
        """What is said in other words: `title`, `summary`, `content`, `enclosure`."""
        return tuple(name for name in _SAID if getattr(self.before, name) != getattr(self.after, name))

    def to_json(self) -> dict[str, Any]:
        return {
            "association": self.after.association,
            "title": self.after.title,
            "changed": list(self.fields),
            "updated": self.after.updated.isoformat(),
            "withdrawn": self.after.withdrawn.isoformat() if self.after.withdrawn else None,
        }


def correction(
    workspace: Workspace, campaign_id: str, file: Path, *, note: str, association: str | None = None
) -> list[Change]:
    """What the corrected file changes in the entries of a campaign, of all associations or of one; changes nothing.

    Entries that already say the same are left out. Id, first date, language, topic and tags of an entry never
    change, so that archive documents keep their entries. Raises DefinitionError for a file that can not be read as
    a campaign, UsageError for one of another campaign or with other language, topic or tags, StateError for a
    campaign that has no entry, or one that was withdrawn.
    """
    note = _one_line(note, "--note", "what was corrected")
    campaign = restored(editions.read_definition(file), sending.find(workspace, campaign_id).gathered)
    if campaign.id != campaign_id:
        raise UsageError(f"{file} is the campaign {campaign.id}, not {campaign_id}.", hint="Name the file of that one.")
    if campaign.feed is None:
        raise UsageError(f"{file} has no `feed:` any more.", hint="To take the entry away: comms feed withdraw.")
    for row in _published(workspace, campaign_id, association):
        _refuse_moves(row, campaign, str(file))
    return changed(workspace, campaign, note=note, association=association)


def changed(workspace: Workspace, campaign: Campaign, *, note: str, association: str | None = None) -> list[Change]:
    """What a corrected campaign changes in its entries; changes nothing. Raises StateError as `correction`."""
    changes = []
    for row in _published(workspace, campaign.id, association):
        fresh = editions.entry(workspace, campaign, workspace.association(row.association), workspace.now())
        after = replace(
            row,
            title=fresh.title,
            summary=fresh.summary,
            content=fresh.content,
            enclosure=fresh.enclosure,
            note=note,
            correction=campaign.source,
            # Readers tell versions apart by whole seconds (RFC 9110 section 8.8.2).
            updated=max(fresh.updated, row.updated + timedelta(seconds=1)),
        )
        change = Change(row, after)
        if change.fields:
            changes.append(change)
    return changes


def withdrawal(workspace: Workspace, campaign_id: str, *, reason: str, association: str | None = None) -> list[Change]:
    """What withdrawing a campaign's entries changes; changes nothing. Raises StateError, and UsageError for no reason.

    The page then says that it was withdrawn and why, feeds and searches have it no more.
    """
    reason, now = _one_line(reason, "--reason", "why it is withdrawn"), workspace.now()
    rows = _published(workspace, campaign_id, association)
    return [Change(row, replace(row, note=reason, withdrawn=max(now, row.updated))) for row in rows]


def apply(workspace: Workspace, changes: Sequence[Change], *, who: str) -> None:
    """Write the changes down, all or none. Raises StateError when an entry was changed by somebody meanwhile."""
    host, now = workspace.host, workspace.now()
    with storage_errors(workspace.host_path), host.db.atomic():
        for change in changes:
            row = change.after
            if host.entry(row.association, row.campaign) != change.before:
                raise StateError(
                    f"the entry of {row.association} was changed by somebody else in this moment.",
                    hint="Look at its page, and run the command again.",
                )
            host.save_entry(row)
            what = "entry withdrawn" if row.withdrawn else "entry corrected"
            host.note(who, what, row.campaign, f"{row.association}: {row.note}", now)


def _published(workspace: Workspace, campaign_id: str, association: str | None) -> list[EntryRow]:
    campaign = sending.find(workspace, campaign_id)
    slugs = campaign.senders if association is None else (workspace.association(association).slug,)
    rows = [row for slug in slugs if (row := workspace.host.entry(slug, campaign_id)) is not None]
    if not rows:
        whose = f" of {association}" if association else ""
        raise StateError(
            f"campaign {campaign_id} has no entry in the feeds{whose} yet.",
            hint="What is not published can be changed in its file.",
        )
    there = [row for row in rows if row.withdrawn is None]
    if not there:
        raise StateError(
            f"campaign {campaign_id} was withdrawn already, on {rows[0].withdrawn:%Y-%m-%d}.",
            hint="To say it again in other words, publish a new campaign under a new id.",
        )
    return there


def _refuse_moves(row: EntryRow, campaign: Campaign, file: str) -> None:
    wanted = {"language": campaign.language, "topic": campaign.audience.topic or "", "tags": campaign.tags}
    for name, value in wanted.items():
        if getattr(row, name) != value:
            raise UsageError(
                f"{file} has another {name}: a correction changes what is said, not in which feeds it stands.",
                hint=f"Put back what was published under `{name}`, or withdraw it and publish a new campaign.",
            )


def _one_line(text: str, option: str, meaning: str) -> str:
    line = clean_line(text)
    if not line or len(line) > LONGEST_NOTE:
        raise UsageError(
            f"{option} must say {meaning}, in at most {LONGEST_NOTE} characters.",
            hint=f'Readers see it on the page, as in: {option} "The meeting begins at ten, not at nine."',
        )
    return line
