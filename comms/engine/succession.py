"""Hands a membership over to a successor, in one transaction. What passes on, `audiences/succession.py` decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from audiences.addresses import fold_case, normalise_address
from audiences.exporting.store import Export
from audiences.models import AttributeValue, ConsentState, Member
from audiences.store import People
from audiences.succession import Known, Succession, given_values, new_mailbox, same_mailbox
from audiences.succession_store import Handover
from comms.db import fold_log, storage_errors
from comms.delivery.retention import OldDeliveries
from comms.engine.workspace import Workspace
from comms.errors import UsageError


def succeed(
    workspace: Workspace,
    address: str,
    association: str,
    *,
    new_address: str | None = None,
    values: Mapping[str, str],
    apply: bool,
    who: str,
) -> Succession | None:
    """What a succession of the member with this address changes; with `apply` it is done. None when there is none.

    `values` are the successor's own attributes. Raises audiences.errors.AudienceError for what is no address or can
    not be set, UsageError for a new address that is the old one.
    """
    people = workspace.people(association)
    given = given_values(values)
    old_address, new = normalise_address(address), normalise_address(new_address) if new_address is not None else None
    if new is not None and fold_case(new) == fold_case(old_address):
        raise UsageError(f"{new} is the address of both.", hint="Leave --new-address out when the mailbox stays.")
    if not apply:
        return _planned(workspace, people, old_address, new, given)
    with storage_errors(workspace.association_path(association)), people.db.atomic():
        succession = _planned(workspace, people, old_address, new, given)
        if succession is not None:
            _write(workspace, people, association, succession)
    if succession is not None:
        with workspace.host.db.atomic():
            workspace.host.note(who, "member succeeded", None, f"one of {association}", workspace.now())
        fold_log(people.db)
    return succession


def to_json(succession: Succession, *, applied: bool) -> dict[str, Any]:
    """What changes, as plain data."""
    return {
        "applied": applied,
        "same_mailbox": succession.same_mailbox,
        "changes": [
            {"who": change.who.value, "field": change.field, "before": change.before, "after": change.after}
            for change in succession.changes
        ],
        "not_taken_over": [{"topic": topic, "reason": reason} for topic, reason in succession.refused],
    }


def _planned(
    workspace: Workspace,
    people: People,
    address: str,
    new_address: str | None,
    given: Mapping[str, AttributeValue | None],
) -> Succession | None:
    member, now = people.find(address), workspace.now()
    if member is None:
        return None
    old = _known(people, member)
    if new_address is None:
        return same_mailbox(old, given, now)
    found = people.find(new_address)
    new = _known(people, found) if found else _stranger(people, new_address)
    return new_mailbox(old, new, given, [topic.slug for topic in people.topics()], now)


def _known(people: People, member: Member) -> Known:
    assert member.id is not None
    (listed,) = Export(people).listed({member.id: member})
    states = listed.standing.states
    grants = {
        topic: record
        for topic, record in listed.records.items()
        if states.get(topic) is record.state is ConsentState.GRANTED
    }
    return Known(member, listed.standing, grants, frozenset(listed.tags))


def _stranger(people: People, address: str) -> Known:
    """Somebody new, whose address may be suppressed all the same."""
    known = Known(Member(address))
    return replace(known, standing=replace(known.standing, suppressed=bool(people.suppressed([address]))))


def _write(workspace: Workspace, people: People, association: str, succession: Succession) -> None:
    now, handover = workspace.now(), Handover(people.db)
    predecessor, successor = succession.predecessor, succession.successor
    assert predecessor.id is not None
    people.update([predecessor], now)
    people.record([(predecessor.id, change) for change in succession.ends], now)
    handover.forget_snapshots(predecessor.id)
    people.note_attributes(successor.attributes)
    if succession.same_mailbox:
        handover.forget_doings(predecessor.id)
        OldDeliveries(workspace.ledger(association).db).let_go(predecessor.id)
        return
    if successor.id is None:
        successor = replace(successor, id=people.next_id())
        people.insert([successor], now)
    else:
        people.update([successor], now)
    assert successor.id is not None
    people.record([(successor.id, change) for change in succession.begins], now)
    handover.pass_on(predecessor.id, successor.id)
