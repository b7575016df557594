"""What can be done with an association's people: import, count, explain, show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from audiences import segments
from audiences.addresses import normalise_address
from audiences.attributes import clean_text
from audiences.choices import Choices
from audiences.consent import Wishes, exclusion
from audiences.importing import ahead, base, detect
from audiences.importing import mapping as columns
from audiences.importing.base import ImportResult
from audiences.importing.log import ImportLog, PastImport, Undone
from audiences.models import Consent, Member
from comms.db import storage_errors
from comms.engine.workspace import Workspace
from comms.errors import StateError


class _DryRun(Exception):  # noqa: N818 - not an error: it takes the transaction back
    pass


def import_members(
    workspace: Workspace,
    path: Path,
    association: str,
    *,
    source: str = detect.AUTO,
    mapping: Path | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> ImportResult:
    """Import a file in one transaction; with `dry_run` nothing stays. `progress` gets the rows read so far.

    `source` names the product that wrote it; a `mapping` file says which column is what instead. Raises
    audiences.errors.AudienceError for an unknown source, or a file that can not be imported: nothing stays then.
    """
    people = workspace.people(association)
    now = workspace.now()
    result = ImportResult()
    if mapping is not None:
        result.source, read = "mapping", partial(columns.read, path, now, mapping)
    else:
        result.source, result.sureness = detect.surest(path) if source == detect.AUTO else (source, 1.0)
        read = partial(detect.reader_for(result.source).read, path, now)
    try:
        with storage_errors(workspace.association_path(association)), people.db.atomic(), people.many():
            for state in base.apply(people, ahead.rows_of(path, read), now, result, file=clean_text(path.name)):
                progress(state.rows)
            if dry_run:
                raise _DryRun
    except _DryRun:
        result.number = None
    return result


def undo_import(workspace: Workspace, number: int, association: str) -> Undone:
    """Take an import back. Raises StateError when there is none of this number, or it was undone before."""
    people = workspace.people(association)
    with storage_errors(workspace.association_path(association)), people.db.atomic():
        undone = ImportLog(people.db).undo(number, workspace.now())
    if undone is None:
        raise StateError(
            f"{association} has no import {number} that could be undone.", hint="See: comms members imports"
        )
    return undone


def past_imports(workspace: Workspace, association: str) -> list[PastImport]:
    """Every import of an association, oldest first."""
    return ImportLog(workspace.people(association).db).past()


def known_names(workspace: Workspace, association: str) -> set[str]:
    """Every name that a rule over this association's members may use."""
    return workspace.people(association).attribute_names() | set(segments.FIELDS)


@dataclass(frozen=True, slots=True)
class MemberView:
    """All that an association holds of one member."""

    member: Member
    mailable: bool
    reason: str
    """Why not mailable; empty when mailable."""
    states: dict[str, str]
    wishes: Wishes
    log: tuple[Consent, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.member.address,
            "mailable": self.mailable,
            "reason": self.reason,
            "language": self.member.language,
            "timezone": self.member.timezone,
            "attributes": {name: str(value) for name, value in self.member.attributes.items()},
            "topics": self.states,
            "paused_until": self.wishes.paused_until.isoformat() if self.wishes.paused_until else None,
            "frequencies": {topic: pace.frequency.value for topic, pace in sorted(self.wishes.paces.items())},
            "consent": [
                {
                    "topic": record.topic,
                    "state": record.state.value,
                    "basis": record.basis.value if record.basis else None,
                    "at": record.at.isoformat(),
                    "source": record.source,
                    "wording": record.wording,
                    "request_address": record.request_address,
                    "confirmed": record.confirmed,
                }
                for record in self.log
            ],
        }


def show_member(workspace: Workspace, address: str, association: str) -> MemberView | None:
    """Everything held of the member with this address; None when there is none.

    Raises audiences.errors.AddressError for what is no address.
    """
    people = workspace.people(association)
    member = people.find(normalise_address(address))
    if member is None or member.id is None:
        return None
    standing = people.standings({member.id: member.address})[member.id]
    wishes = Choices(people.db).wishes(member.id)
    reason = exclusion(member, standing, None, wishes, workspace.now())
    states = {topic: state.value for topic, state in sorted(standing.states.items())}
    return MemberView(member, reason is None, reason or "", states, wishes, tuple(people.consent_log(member.id)))
