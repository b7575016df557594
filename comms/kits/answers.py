"""What an association's own engine answers to an offer, as a signed document, and the way back. Sends nothing.

Canonical JSON (RFC 8785), signed as kind `comms relay answer 1` without its member `signature`. An answer says where
one offer stands now, never what changed: the latest one is all there is to know, so that one that comes twice, or in
place of others that were lost, says nothing wrong. `number` grows with each that says something else; `sent` is when
this copy was signed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from comms.kits.signing import PublicKey, SignatureError, SigningKey, canonical

KIND = "comms relay answer 1"
LARGEST = 16_384
"""Bytes."""
FIGURES = ("copies", "failed", "clicks")
"""What every engine knows: mails that a server took; members that it refused for good; clicks by people."""
REPLIES = "replies"
"""Answers that people wrote, without automatic ones."""
FEWEST = 10
"""No smaller number is told, but nought."""
_LONGEST = 1_000
"""Characters of a reason."""
_MOST = 10**9
_NO_ANSWER = "this is no answer to an offer."
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,129}")
_FIGURE = re.compile(r"[a-z][a-z0-9 .]{0,31}")
_MOST_FIGURES = 500
_MEMBERS = {"campaign", "version", "state", "reason", "figures"}


@dataclass(frozen=True, slots=True)
class Statement:
    """Where an offer stands with an association."""

    campaign: str
    """Its id in the engine that offered it."""
    version: int
    """The version that was looked at last; of one that was accepted, the accepted one."""
    state: str
    """As of `campaigns.relay.RelayState`."""
    reason: str = ""
    figures: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))
    """Of `FIGURES`, `REPLIES` and `poll_figure`, once it was sent; None for fewer than 10. Other names, of engines that
    count more than this one, are kept and mean nothing here."""

    def figure(self, name: str) -> int:
        """0 also where nothing is told of it."""
        return self.figures.get(name) or 0

    @property
    def without_more(self) -> Statement:
        """The same with the figures that every engine knows: the first engines refuse all others."""
        known = {name: count for name, count in self.figures.items() if name in FIGURES}
        return replace(self, figures=MappingProxyType(known))

    def to_json(self) -> str:
        """In its one form."""
        return canonical(self._plain()).decode()

    @classmethod
    def from_json(cls, text: str) -> Statement:
        """Undo `to_json`. Raises ValueError for anything else."""
        plain = json.loads(text)
        if not isinstance(plain, dict) or set(plain) != _MEMBERS or not _is_sound(**plain):
            raise ValueError(_NO_ANSWER)
        return cls(**{**plain, "figures": MappingProxyType(plain["figures"])})

    def _plain(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            "version": self.version,
            "state": self.state,
            "reason": self.reason,
            "figures": dict(self.figures),
        }


def poll_figure(poll: int, choice: int) -> str:
    """Name of the figure that counts one answer of a poll; both are numbered from 0, in the order of the text."""
    return f"poll {poll}.{choice}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One copy of a statement, under its number."""

    association: str
    """Slug, as the engine that offered knows it."""
    number: int
    sent: datetime
    statement: Statement


def write(answer: Answer, key: SigningKey) -> bytes:
    """The signed document."""
    document = {
        "association": answer.association,
        "number": answer.number,
        "sent": answer.sent.astimezone(UTC).replace(microsecond=0).isoformat(),
        "statement": json.loads(answer.statement.to_json()),
    }
    document["signature"] = {"key": key.public.name, "value": key.sign(KIND, canonical(document))}
    return canonical(document)


def read(data: bytes, key: PublicKey) -> Answer:
    """The answer in a document that `write` made with this key. Raises SignatureError for any other."""
    if len(data) > LARGEST:
        raise SignatureError("the answer is too large.")
    try:
        document = json.loads(data)
        if canonical(document) != data:
            raise SignatureError("the answer is not as it was written.")
        signature = document.pop("signature")
        key.check(KIND, canonical(document), signature["value"])
        sent = datetime.fromisoformat(document["sent"])
        statement = Statement.from_json(canonical(document["statement"]).decode())
        answer = Answer(str(document["association"]), document["number"], sent, statement)
        if sent.utcoffset() is None or not _is_count(document["number"]):
            raise SignatureError(_NO_ANSWER)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, SignatureError):
            raise
        raise SignatureError(_NO_ANSWER) from error
    return answer


def _is_sound(campaign: object, version: object, state: object, reason: object, figures: object) -> bool:
    return (
        all(isinstance(text, str) and len(text) <= _LONGEST for text in (campaign, state, reason))
        and _ID.fullmatch(str(campaign)) is not None
        and _is_count(version)
        and isinstance(figures, dict)
        and len(figures) <= _MOST_FIGURES
        and all(isinstance(name, str) and _FIGURE.fullmatch(name) for name in figures)
        and all(each is None or _is_count(each) for each in figures.values())
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
