"""Mailchimp's audience export: a ZIP of three CSVs, or one of them. The file decides the status, not the row.

A cleaned address bounced for good: it is suppressed, never subscribed. Columns as in the exports of 2018 to 2025.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path

from audiences.errors import ImportFileError
from audiences.importing import values, zips
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import SourceFile, source_file
from audiences.importing.layout import Layout, Record, Said, read_layout
from audiences.importing.rows import archived
from audiences.importing.sample import Kind, Sample, likeness
from audiences.models import Basis

NAME = "mailchimp"
LABEL = "Mailchimp"
_ADDRESSES = ("email_address", "email")
_MARKS = (
    "member_rating", "optin_time", "optin_ip", "confirm_time", "confirm_ip", "leid", "euid", "gmtoff", "dstoff",
    "last_changed", "unsub_time", "unsub_campaign_id", "clean_time", "clean_campaign_id",
)  # fmt: skip


class _Status(StrEnum):
    # The worst first: the first that a file name or a row speaks of counts, and the ZIP is read in this order.
    CLEANED = "cleaned"
    UNSUBSCRIBED = "unsubscribed"
    NONSUBSCRIBED = "nonsubscribed"
    SUBSCRIBED = "subscribed"


_MARK_OF = {_Status.CLEANED: "clean_time", _Status.UNSUBSCRIBED: "unsub_time", _Status.SUBSCRIBED: "last_changed"}


def recognise(sample: Sample) -> float:
    if sample.kind is Kind.ZIP:
        found = {status for member in sample.members if (status := _status_of_name(member))}
        return 0.95 if len(found) > 1 else 0.7 if found else 0.0
    sure = likeness(sample, _MARKS, enough=4)
    # Somebody who took the other columns out did not make subscribers of these people.
    named = _status_of_name(sample.file_name) in (_Status.UNSUBSCRIBED, _Status.NONSUBSCRIBED)
    return max(sure, 0.6) if named and sample.columns & set(_ADDRESSES) else sure


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    source = source_file(path)
    members = archived(source)
    if not members:
        yield from _read_table(source, now)
        return
    order = list(_Status)
    named = [(order.index(status), name) for name in members if (status := _status_of_name(name))]
    names = [name for _, name in sorted(named)]
    if not names:
        reason = "holds no CSV called subscribed, unsubscribed or cleaned; export the audience from Mailchimp again"
        raise ImportFileError(source.path, 0, reason)
    for name in names:
        inside = zips.entry(source, name)
        for row in _read_table(inside, now):
            yield Refusal(row.line, f"{inside.name}: {row.reason}") if isinstance(row, Refusal) else row


def _read_table(source: SourceFile, now: datetime) -> Iterator[ImportRow | Refusal]:
    return read_layout(_layout(_status_of_name(source.name)), source, now)


def _status_of_name(name: str) -> _Status | None:
    name = name.rpartition("/")[2].casefold()
    return next((status for status in _Status if status in name), None) if name.endswith(".csv") else None


def _status(record: Record, of_file: _Status | None) -> _Status | None:
    """What the row is, by file name and columns; where they differ, the worse. None when neither says it."""
    marked = [status for status, column in _MARK_OF.items() if record.has(column)]
    if len(marked) > 1:  # lists put together by hand
        marked = [status for status in marked if status is _Status.SUBSCRIBED or record.get(_MARK_OF[status])]
    return next((status for status in _Status if status in marked or status is of_file), None)


def _standing(record: Record, of_file: _Status | None) -> Said:
    match _status(record, of_file):
        case _Status.CLEANED:
            return Said(suppression="hard bounce")
        case _Status.UNSUBSCRIBED:
            reason = record.said("unsub_reason")
            complained = any(word in reason for word in ("abuse", "spam", "complain"))
            facts = record.facts(("reason", "unsub_reason"), ("because", "unsub_reason_other"))
            no = record.withdrawal(record.get("unsub_time"), *facts)
            return Said((no,), "complaint" if complained else None)
        case _Status.SUBSCRIBED:
            asked, confirmed = record.get("optin_time"), record.get("confirm_time")
            # Without either time somebody else put the person on the list.
            basis = Basis.EXPRESS if asked or confirmed else Basis.IMPLIED
            facts = record.facts(
                ("opted in", "optin_time"), ("from", "optin_ip"), ("confirmed", "confirm_time"), ("from", "confirm_ip")
            )
            return Said((record.grant(basis, confirmed or asked, *facts),))
        case _:
            return Said()


def _layout(of_file: _Status | None) -> Layout:
    return Layout(
        name=NAME,
        label=LABEL,
        standing=partial(_standing, of_file=of_file),
        address=_ADDRESSES,
        identity="euid",
        renamed={"cc": "country"},
        tags={"tags": values.quoted_list},
        dropped=frozenset(
            "optin_time optin_ip confirm_time confirm_ip gmtoff dstoff last_changed leid unsub_time "
            "unsub_campaign_id unsub_campaign_title unsub_reason unsub_reason_other clean_time "
            "clean_campaign_id clean_campaign_title".split()
        ),
    )
