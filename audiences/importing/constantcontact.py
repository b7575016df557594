"""Constant Contact's contact export, of which the user picks the columns. The permission is the legal basis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from audiences.importing import values
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.layout import Layout, Record, Said, read_layout
from audiences.importing.sample import Sample, likeness
from audiences.models import Basis

NAME = "constantcontact"
LABEL = "Constant Contact"
_MARKS = (
    "email_permission_status", "email_update_source", "confirmed_opt_out_date", "confirmed_opt_out_source",
    "confirmed_opt_out_reason", "email_lists", "street_address_line_1_home", "street_address_line_1_work",
    "state_province_home", "state_province_work", "zip_postal_code_home", "zip_postal_code_work",
)  # fmt: skip
_NO = ("unsubscribed", "opted out", "opt-out", "opt out", "removed", "do not mail")
_BOUNCED = ("bounced", "undeliverable", "non-existent")
_BASES = {"express": Basis.EXPRESS, "explicit": Basis.EXPRESS, "implied": Basis.IMPLIED}


def recognise(sample: Sample) -> float:
    return likeness(sample, _MARKS, enough=2)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(record: Record) -> Said:
    status, permission = record.said("email_status"), record.said("email_permission_status")
    opted_out = record.get("confirmed_opt_out_date")
    if opted_out or any(word in said for word in _NO for said in (status, permission)):
        facts = record.facts(
            ("opted out", "confirmed_opt_out_date"),
            ("by", "confirmed_opt_out_source"),
            ("reason", "confirmed_opt_out_reason"),
        )
        return Said((record.withdrawal(opted_out, *facts),))
    if any(word in status for word in ("spam", "complain")):
        return Said((record.withdrawal("", status),), "complaint")
    if any(word in status for word in _BOUNCED):
        return Said(suppression="hard bounce")
    # Express and implied are written out by the product; an active address alone is somebody's contact.
    basis = _BASES.get(permission.split(" ")[0]) if permission else Basis.IMPLIED
    if status != "active" or basis is None:
        return Said()
    facts = record.facts(("permission", "email_permission_status"), ("by", "email_update_source"))
    return Said((record.grant(basis, "", *facts),))


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("email_address", "email"),
    renamed={"company": "organization", "created_at": "created", "updated_at": "updated"},
    dates=frozenset({"created", "updated", "birthday", "anniversary"}),
    tags={"tags": values.quoted_list, "email_lists": values.quoted_list},
    dropped=frozenset(
        "email_status email_permission_status email_update_source confirmed_opt_out_date confirmed_opt_out_source "
        "confirmed_opt_out_reason".split()
    ),
)
