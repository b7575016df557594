"""An audience as Mailchimp's own export has it: one table for each status, `importing/mailchimp.py` reads them back.

Mailchimp knows no topics: only who agrees to every newsletter there is counts as subscribed there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum

from audiences.exporting.agreement import Agreement, agreement
from audiences.exporting.cells import list_cell, time_cell, value_cell
from audiences.exporting.formulas import guarded
from audiences.exporting.store import Listed
from audiences.models import TRACKING, Basis, ConsentState, attribute_name


class Status(StrEnum):
    """Which of the tables a member stands in."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    CLEANED = "cleaned"
    """The address bounced, or was shut out."""
    NONSUBSCRIBED = "nonsubscribed"
    """Known, and not to be written to: agreed to nothing, or not to everything."""


USUAL = (Status.SUBSCRIBED, Status.UNSUBSCRIBED, Status.CLEANED)
"""The tables that every export has; the fourth only where there is somebody to stand in it."""
_NAMES = {"first_name": "First Name", "last_name": "Last Name"}
_IDENTITY = "mailchimp:"
_COMMON = ("OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME", "CONFIRM_IP", "LANGUAGE", "TIMEZONE")
_OWN = {
    Status.SUBSCRIBED: ("LAST_CHANGED",),
    Status.UNSUBSCRIBED: ("UNSUB_TIME", "UNSUB_REASON"),
    Status.CLEANED: ("CLEAN_TIME",),
    Status.NONSUBSCRIBED: (),
}
_LAST = ("EUID", "TAGS")
_TAKEN = frozenset(
    attribute_name(name)
    for name in ("email_address", "email", *_COMMON, *_LAST, *(n for names in _OWN.values() for n in names))
) | {"member_rating", "leid", "gmtoff", "dstoff", "lang", "preferred_language", "locale", "time_zone", "tz", "cc"}
"""Names that mean something of their own in such a table, so that no attribute can stand under them."""
COMPLAINT = "abuse complaint"


def attributes_told(names: Sequence[str]) -> list[str]:
    """Of these attributes those that such a table can hold, first and last name before the others."""
    return [*_NAMES, *(name for name in names if name not in _NAMES and name not in _TAKEN)]


def file_name(status: Status) -> str:
    """What its table is called inside the ZIP."""
    return f"{status.value}_email_audience_export.csv"


def header(status: Status, attributes: Sequence[str]) -> list[str]:
    """The first row of the status's table; `attributes` are those of `attributes_told`."""
    return ["Email Address", *map(_title, attributes), *_COMMON, *_OWN[status], *_LAST]


def can_be_told(listed: Listed) -> bool:
    """Has the member an address that can stand in such a table as it is.

    One that a spreadsheet would run can not: with an apostrophe in front it would be somebody else's address.
    """
    address = listed.member.address
    return address is not None and guarded(address) == address


def status_of(listed: Listed, known_topics: Collection[str]) -> Status:
    """In which table the member stands."""
    agreed = agreement(listed, known_topics)
    if listed.suppression is not None:
        return Status.UNSUBSCRIBED if _complained(listed) else Status.CLEANED
    if agreed.opted_out:
        return Status.UNSUBSCRIBED
    return Status.SUBSCRIBED if _agrees_to_all(agreed, known_topics) else Status.NONSUBSCRIBED


def row(listed: Listed, status: Status, attributes: Sequence[str], known_topics: Collection[str]) -> list[str]:
    """A member's row, a cell for each column of `header`."""
    member = listed.member
    return [
        member.address or "",
        *(value_cell(member.attributes.get(name)) for name in attributes),
        *_common(listed, status, known_topics),
        *_own(listed, status),
        next((guarded(i.removeprefix(_IDENTITY)) for i in listed.external_ids if i.startswith(_IDENTITY)), ""),
        list_cell(listed.tags, quote_all=True),
    ]


def _agrees_to_all(agreed: Agreement, known_topics: Collection[str]) -> bool:
    return agreed.everything or (bool(known_topics) and set(known_topics) <= set(agreed.topics))


def _complained(listed: Listed) -> bool:
    return "complain" in (listed.suppression or "").casefold()


def _common(listed: Listed, status: Status, known_topics: Collection[str]) -> Iterator[str]:
    """Times only where the member asked for it: Mailchimp takes them as proof of that."""
    proof = agreement(listed, known_topics).proof if status is Status.SUBSCRIBED else None
    asked = proof is not None and proof.basis is Basis.EXPRESS
    in_person = proof is not None and proof.topic in listed.in_person
    yield time_cell(proof.at) if proof and asked else ""
    yield ""
    yield time_cell(proof.at) if proof and asked and in_person else ""
    yield ""
    yield listed.member.language or ""
    yield listed.member.timezone or ""


def _own(listed: Listed, status: Status) -> Iterator[str]:
    newsletters = [record for topic, record in listed.records.items() if topic != TRACKING]
    match status:
        case Status.SUBSCRIBED:
            yield time_cell(max((record.at for record in newsletters), default=None))
        case Status.UNSUBSCRIBED:
            noes = (record.at for record in newsletters if record.state is ConsentState.WITHDRAWN)
            yield time_cell(max(noes, default=None))
            yield COMPLAINT if _complained(listed) else ""
        case Status.CLEANED:
            yield ""
        case Status.NONSUBSCRIBED:
            return


def _title(name: str) -> str:
    """As Mailchimp's users would write the name, where it can be read back from that."""
    title = _NAMES.get(name) or name.replace("_", " ").title()
    return title if attribute_name(title) == name else name
