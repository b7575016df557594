"""What control hands to senders and what comes back: plain data, as JSON on the queue.

A batch holds all that a sender needs, so that a sender needs no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from audiences.models import Association, Brand


class Outcome(StrEnum):
    """What became of one item of a batch."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    """The server asked to try later (4yz), or could not be reached."""
    REJECTED = "rejected"
    """The server will not take it (5yz), or it can not be rendered or addressed."""
    UNKNOWN = "unknown"
    """The connection was lost after the message was handed over and before it was answered."""


class Recipient(NamedTuple):
    """One delivery: whom, and the values that a template may use."""

    delivery: int
    address: str
    language: str | None
    attributes: str
    """JSON object, as the association's database holds it."""
    tracked: bool
    """The member agreed to be tracked by name."""
    sections: str = ""
    """What the member sees of the sections for subscribers of a topic, a digit for each of the edition's `topics` as
    `Sections.flags` writes it; empty: all there is."""

    def to_json(self) -> list[Any]:
        return list(self)

    @classmethod
    def from_json(cls, data: list[Any]) -> Recipient:
        """Undo `to_json`. Raises TypeError for anything else."""
        if not isinstance(data, list):
            raise TypeError(f"a recipient is a list, not a {type(data).__name__}")
        return cls(*data)


@dataclass(frozen=True, slots=True)
class MailBatch:
    """Some deliveries of one run, for one sender."""

    id: str
    run: int
    association: Association
    """Under whose name it goes out."""
    campaign: Mapping[str, Any]
    """What templates see of the campaign."""
    edition: str
    """The compiled edition, as JSON."""
    list_id: str
    """RFC 2919 identifier, without angle brackets."""
    url: str
    """The campaign's public address; empty when only the view-online page shows it."""
    site_url: str
    smtp: Mapping[str, Any]
    """The settings of `[smtp]`."""
    recipients: tuple[Recipient, ...]
    not_after: float
    """Unix time after which no sender may begin it: control has given it to another by then."""
    dkim: tuple[Mapping[str, str], ...] = ()
    """The keys to sign with, each as the fields of a `DkimKey`; none: it goes out unsigned."""
    relays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The settings of each of `[smtp_relays]`, by name."""
    bounces: str = ""
    """The address that what can not be delivered comes back to, with a token in it; empty: the association's own."""
    answers: bool = False
    """Answers of readers come back to the same address, and are passed on to the association from there."""

    def to_json(self) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        recipients = [each.to_json() for each in self.recipients]
        return {"kind": "mail", **values, "association": asdict(self.association), "recipients": recipients}


@dataclass(frozen=True, slots=True)
class PostOrder:
    """One social post, for one sender."""

    id: str
    post: int
    network: str
    text: str
    language: str
    key: str
    """Names the post for ever: the same post tried again has the same key."""
    account: Mapping[str, Any]
    """The network's settings, credentials among them."""
    outbox: str
    """Folder for posts of networks without credentials."""
    not_after: float
    since: float
    """Unix time at which the latest try began; of a post in doubt the first that may have come through."""
    in_doubt: bool = False
    """The network may have it already: it is asked first."""
    may_repeat: bool = True
    """A post in doubt that the network has not may be put there again."""
    reply_to: str = ""
    root: str = ""
    """Remote ids of the part of a thread before this one, and of its first."""
    images: tuple[Mapping[str, str], ...] = ()
    """Each with `data` (base64), `media_type` and `alt`."""
    card: Mapping[str, str] = field(default_factory=dict)
    """`url`, `title` and `description` of the page that it links to; empty for none."""
    warning: str = ""

    @property
    def outbox_folder(self) -> Path:
        return Path(self.outbox)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "post", **asdict(self)}


@dataclass(frozen=True, slots=True)
class LetterOrder:
    """One try of one letter, for one sender. The mail is written already: a letter is for one person alone."""

    id: str
    letter: int
    association: str
    """Slug of the association whose letter it is."""
    sender: str
    """Envelope addresses, in ASCII."""
    recipient: str
    message: str
    """The mail as it goes out, in ASCII."""
    smtp: Mapping[str, Any]
    not_after: float
    relays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"kind": "letter", **asdict(self)}


def from_json(data: Mapping[str, Any]) -> MailBatch | PostOrder | LetterOrder:
    """Undo `to_json`. Raises TypeError or KeyError for anything else."""
    values = {name: value for name, value in data.items() if name != "kind"}
    if data["kind"] == "post":
        return PostOrder(**{**values, "images": tuple(values.get("images", ()))})
    if data["kind"] == "letter":
        return LetterOrder(**values)
    association = values["association"]
    values["association"] = Association(**{**association, "brand": Brand(**association["brand"])})
    values["recipients"] = tuple(map(Recipient.from_json, values["recipients"]))
    values["dkim"] = tuple(values["dkim"])
    return MailBatch(**values)


class Receipt(NamedTuple):
    """What became of one item. `item` is the id of the delivery, post or letter, `code` the reply code or 0."""

    item: int
    outcome: Outcome
    code: int = 0
    text: str = ""
    details: Mapping[str, Any] = MappingProxyType({})
    """For posts: `remote_id`, `url`, `retry_at`, `simulated`."""

    def to_json(self) -> list[Any]:
        return [self.item, self.outcome.value, self.code, self.text, dict(self.details)]

    @classmethod
    def from_json(cls, data: list[Any]) -> Receipt:
        """Undo `to_json`. Raises ValueError or TypeError for anything else.

        Servers and networks put what they like into their answers; a database takes only Unicode text.
        """
        item, outcome, code, text, details = data
        if not (type(item) is int and type(code) is int and isinstance(text, str) and isinstance(details, dict)):
            raise TypeError(f"this is no receipt: {data!r}")
        return cls(
            item,
            Outcome(outcome),
            code,
            _unicode(text),
            {name: _unicode(value) if isinstance(value, str) else value for name, value in details.items()},
        )


def _unicode(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which UTF-8 can not express."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True, slots=True)
class Report:
    """What a sender says of a batch once it is through with it."""

    batch: str
    association: str
    """Slug of the association whose ledger it settles; empty for a post."""
    receipts: tuple[Receipt, ...]
    seconds: float = 0.0
    """How long the sender was busy with it; 0 when that is not known."""

    def to_json(self) -> dict[str, Any]:
        receipts = [receipt.to_json() for receipt in self.receipts]
        return {"batch": self.batch, "association": self.association, "receipts": receipts, "seconds": self.seconds}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        return cls(
            data["batch"],
            data["association"],
            tuple(Receipt.from_json(receipt) for receipt in data["receipts"]),
            float(data.get("seconds", 0.0)),
        )
