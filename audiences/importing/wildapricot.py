"""Wild Apricot's contact and member export. Three switches say which mail a person wants; archived people get none."""

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

NAME = "wildapricot"
LABEL = "Wild Apricot"
EVENTS = "event-announcements"
"""The topic that the switch for event announcements speaks of."""
_MARKS = (
    "user_id", "subscribed_to_emails", "subscription_source", "event_announcements", "member_emails_and_newsletters",
    "membership_enabled", "membership_level", "renewal_due", "renewal_date_last_changed", "level_last_changed",
    "group_participation", "member_bundle_id_or_email", "member_role", "administration_access", "profile_last_updated",
    "access_to_profile_by_others", "details_to_show", "photo_albums_enabled",
)  # fmt: skip


def recognise(sample: Sample) -> float:
    return likeness(sample, _MARKS, enough=5)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(record: Record) -> Said:
    updated = record.get("profile_last_updated")
    for column, words in (
        ("subscribed_to_emails", "switched off all e-mail"),
        ("member_emails_and_newsletters", "switched off newsletters"),
    ):
        if values.is_plain_no(record.get(column)):
            return Said((record.withdrawal(updated, words),))
    no_events = values.is_plain_no(record.get("event_announcements"))
    off = (record.withdrawal(updated, "switched off event announcements", topic=EVENTS),) if no_events else ()
    basis = _basis(record)
    if basis is None:
        return Said(off)
    return Said((record.grant(basis, "", *record.facts(("subscribed by", "subscription_source"))), *off))


def _basis(record: Record) -> Basis | None:
    """Why we may write; None when the file does not say that we may."""
    if not values.is_yes(record.get("subscribed_to_emails")) or values.is_flagged(record.get("archived")):
        return None
    if record.get("opted_in"):
        return Basis.EXPRESS if values.is_yes(record.get("opted_in")) else None
    member = not values.is_plain_no(record.get("membership_enabled"))
    return Basis.MEMBERSHIP if member and values.is_current_member(record.get("membership_status")) else Basis.IMPLIED


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("e_mail", "email", "email_address"),
    identity="user_id",
    renamed={"renewal_due": "renewal", "member_bundle_id_or_email": "bundle", "created_on": "created"},
    dates=frozenset({"member_since", "renewal", "created", "renewal_date_last_changed", "level_last_changed"}),
    tags={"group_participation": values.split_at("[,;]")},
    dropped=frozenset(
        "subscribed_to_emails subscription_source opted_in event_announcements member_emails_and_newsletters "
        "administration_access profile_last_updated last_login updated_by access_to_profile_by_others details_to_show "
        "photo_albums_enabled".split()
    ),
)
