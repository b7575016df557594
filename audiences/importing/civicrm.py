"""CiviCRM's contact export (primary fields) and membership export.

Do Not Email, User Opt Out and On Hold each mean no mail; Do Not Trade means none that others relay through us.
"""

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

NAME = "civicrm"
LABEL = "CiviCRM"
_MARKS = (
    "contact_id", "contact_type", "contact_subtype", "do_not_email", "do_not_phone", "do_not_mail", "do_not_sms",
    "do_not_trade", "no_bulk_emails_user_opt_out", "on_hold", "use_for_bulk_mail", "external_identifier", "group_s",
    "tag_s", "note_s", "membership_type", "membership_start_date", "membership_expiration_date",
)  # fmt: skip
_DO_NOT_EMAIL, _OPT_OUT, _ON_HOLD = "do_not_email", "no_bulk_emails_user_opt_out", "on_hold"


def recognise(sample: Sample) -> float:
    return likeness(sample, _MARKS, enough=4)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People and organisations of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(record: Record) -> Said:
    refuses_relays = record.flagged("do_not_trade")
    reasons = [words for column, words in ((_DO_NOT_EMAIL, "Do Not Email"), (_OPT_OUT, "User Opt Out"))
               if record.flagged(column)]  # fmt: skip
    on_hold = record.flagged(_ON_HOLD)
    if on_hold and "opt" in record.said(_ON_HOLD):
        reasons.append("On Hold Opt Out")
        on_hold = False
    no = (record.withdrawal("", ", ".join(reasons)),) if reasons else ()
    suppression = "hard bounce" if on_hold else None
    # A file that leaves out one of the three columns can not show that nobody opted out.
    complete = all(record.has(column) for column in (_DO_NOT_EMAIL, _OPT_OUT, _ON_HOLD))
    gone = values.is_yes(record.get("deceased")) or values.is_yes(record.get("is_deceased"))
    if no or suppression or not complete or gone:
        return Said(no, suppression, refuses_relays)
    member = values.is_current_member(record.get("membership_status"))
    return Said((record.grant(Basis.MEMBERSHIP if member else Basis.IMPLIED, ""),), None, refuses_relays)


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("email", "email_address"),
    identity="contact_id",
    renamed={
        "current_employer": "organization",
        "membership_type": "membership_level",
        "membership_expiration_date": "renewal",
        "note_s": "notes",
    },
    dates=frozenset({"member_since", "membership_start_date", "renewal", "birth_date", "deceased_date"}),
    tags={"group_s": values.split_at("[,;]"), "tag_s": values.split_at("[,;]")},
    dropped=frozenset((_DO_NOT_EMAIL, _OPT_OUT, _ON_HOLD, "do_not_trade", "use_for_bulk_mail")),
)
