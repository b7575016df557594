"""Our own list: a CSV with everything a list can say of its members, which `importing/own.py` reads back.

Read by anything else, as a plain table or by eye, it never says more consent than there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from audiences.exporting.agreement import agreement
from audiences.exporting.cells import list_cell, time_cell, value_cell
from audiences.exporting.formulas import guarded
from audiences.exporting.store import Listed
from audiences.models import TRACKING, Basis, Consent, ConsentState

COLUMNS = (
    "email", "language", "timezone", "consent", "consent_basis", "consent_date", "consent_source", "consent_wording",
    "topics", "topics_withdrawn", "opted_out", "suppressed_reason", "no_relays", "tracking", "tracking_date",
    "tracking_source", "tracking_wording", "tags", "external_id",
)  # fmt: skip
"""The columns that every such list starts with; those of the attributes follow."""
YES, NO = "yes", "no"
SUPPRESSED = "suppressed"
"""In `opted_out`: not a word of the member's own, but whoever reads it must not write there."""
TOPIC_SEPARATOR = "; "


def header(attributes: Sequence[str]) -> list[str]:
    """The first row."""
    return [*COLUMNS, *attributes]


def row(listed: Listed, attributes: Sequence[str], known_topics: Collection[str]) -> list[str]:
    """A member's row, a cell for each column of `header`."""
    member = listed.member
    return [
        guarded(member.address or ""),
        member.language or "",
        member.timezone or "",
        *_consent(listed, known_topics),
        *_tracking(listed),
        list_cell(listed.tags),
        guarded(listed.external_ids[0]) if listed.external_ids else "",
        *(value_cell(member.attributes.get(name)) for name in attributes),
    ]


def _consent(listed: Listed, known_topics: Collection[str]) -> Iterator[str]:
    """The cells from `consent` to `no_relays`."""
    agreed = agreement(listed, known_topics)
    proof = agreed.proof
    yield YES if agreed.agrees else ""
    yield ((proof and proof.basis) or Basis.MEMBERSHIP).value if agreed.agrees else ""
    yield from _evidence(proof or _withdrawal(listed, agreed_out=agreed.opted_out))
    yield guarded(TOPIC_SEPARATOR.join(agreed.topics))
    yield guarded(TOPIC_SEPARATOR.join(agreed.withdrawn))
    yield YES if agreed.opted_out else SUPPRESSED if listed.suppression else ""
    yield guarded(listed.suppression or "")
    yield YES if listed.refuses_relays else ""


def _withdrawal(listed: Listed, *, agreed_out: bool) -> Consent | None:
    """The latest no to newsletters of somebody who opted out."""
    noes = [
        record
        for topic, record in listed.records.items()
        if topic != TRACKING and record.state is ConsentState.WITHDRAWN
    ]
    return max(noes, key=lambda record: record.at, default=None) if agreed_out else None


def _tracking(listed: Listed) -> Iterator[str]:
    """The cells from `tracking` to `tracking_wording`. Only an express yes is one here."""
    state, record = listed.standing.states.get(TRACKING), listed.records.get(TRACKING)
    express = record is not None and record.basis is Basis.EXPRESS
    said = NO if state is ConsentState.WITHDRAWN else YES if state is ConsentState.GRANTED and express else ""
    yield said
    yield from _evidence(record if said else None)


def _evidence(record: Consent | None) -> tuple[str, str, str]:
    return (time_cell(record.at), guarded(record.source), guarded(record.wording)) if record else ("", "", "")
