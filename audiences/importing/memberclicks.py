"""MemberClicks' profile export, whose columns stand in brackets. It knows memberships, not what people agreed to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from audiences.importing import values
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.layout import Layout, Record, Said, read_layout
from audiences.importing.sample import Kind, Sample, likeness
from audiences.models import Basis

NAME = "memberclicks"
LABEL = "MemberClicks"
_MARKS = (
    "profile_id", "contact_name", "name_first", "name_last", "email_primary", "phone_primary", "address_primary_city",
    "address_primary_state", "address_primary_zip", "member_type", "member_status", "expiration_date",
    "last_modified_date",
)  # fmt: skip
_OPT_OUTS = ("email_opt_out", "opt_out", "opted_out", "do_not_email", "unsubscribed")


def recognise(sample: Sample) -> float:
    bracketed = any(cell.strip().startswith("[") and cell.strip().endswith("]") for cell in sample.header)
    return likeness(sample, _MARKS, enough=4) if sample.kind is Kind.TABLE and bracketed else 0.0


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(record: Record) -> Said:
    """Membership is the basis for those who are members; a prospect is not one, whatever the status."""
    if any(record.flagged(column) for column in _OPT_OUTS):
        return Said((record.withdrawal("", "opted out"),))
    member = values.is_current_member(record.get("member_status")) and "prospect" not in record.said("member_type")
    if not member:
        return Said()
    return Said((record.grant(Basis.MEMBERSHIP, "", *record.facts(("member status", "member_status"))),))


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("email_primary", "email"),
    identity="profile_id",
    renamed={
        "contact_name": "name",
        "name_first": "first_name",
        "name_last": "last_name",
        "phone_primary": "phone",
        "address_primary_city": "city",
        "address_primary_state": "state",
        "address_primary_zip": "postal_code",
        "member_type": "membership_level",
        "member_status": "membership_status",
        "expiration_date": "renewal",
        "last_modified_date": "updated",
    },
    dates=frozenset({"renewal", "member_since", "updated", "join_date"}),
    tags={"groups": values.split_at("[,;]")},
    dropped=frozenset(_OPT_OUTS),
)
