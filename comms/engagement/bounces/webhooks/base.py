"""What the providers' webhooks have in common: a request to check, reports to read, and how their words are weighed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from comms.engagement.bounces.addresses import clean_address
from comms.engagement.bounces.classify import classify
from comms.engagement.bounces.codes import status_in
from comms.engagement.bounces.mime import one_line
from comms.engagement.bounces.models import BounceClass, Bounced, Kind
from comms.engagement.bounces.reasons import LONGEST_REASON
from comms.errors import CommsError

_LONGEST_ID = 998


class RefusedError(CommsError, ValueError):
    """The request does not come from the provider, as far as it can be shown."""


@dataclass(frozen=True, slots=True)
class Request:
    """What came in: the body as it came, byte by byte, and the headers with their names in small letters."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reported:
    """What a provider reports of one recipient."""

    bounced: Bounced
    about: bytes
    """The provider's whole account of it, in which tokens of ours may stand."""
    message_id: str = ""
    """That of the mail, as we wrote it."""
    sender: str = ""
    """The address that the mail came from."""


class Check(Protocol):
    """Is a request the provider's own."""

    def __call__(self, request: Request, now: datetime) -> bool:
        """True: its body is to be kept. False: it was no report, and is answered already. Raises RefusedError."""


def document(body: bytes | str) -> Any:
    """The JSON in a body; None where there is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: object, longest: int = LONGEST_REASON) -> str:
    """The value if it is text, on one line; else empty."""
    return one_line(value, longest) if isinstance(value, str) else ""


def message_id(value: object) -> str:
    """A Message-ID without its angle brackets."""
    return text(value, _LONGEST_ID).strip("<> ")


def reported(
    recipient: object,
    said: Kind,
    words: str,
    about: object,
    *,
    passing: bool = False,
    status: str = "",
    mail: str = "",
    sender: object = "",
) -> list[Reported]:
    """One report, or none where no recipient is named. `mail` is the Message-ID.

    `said` is what the provider calls it. Of a failure, the receiving server's own `words` and `status` tell more; but
    they do not turn into hard what the provider calls `passing`.
    """
    address = clean_address(text(recipient, 1_000))
    if not address:
        return []
    code = status_in(f"{status} {words}")
    kind = said
    if said.of_class in (BounceClass.HARD, BounceClass.SOFT) and said is not Kind.DELAYED:
        found = classify(words, code)
        if found is not Kind.OTHER and not (passing and found.of_class is BounceClass.HARD):
            kind = found
    bounced = Bounced(address, kind, str(code or ""), words)
    return [Reported(bounced, json.dumps(about).encode(), mail, clean_address(text(sender, 1_000)))]
