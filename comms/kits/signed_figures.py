"""Figures that an association's tool posts by itself: how they are signed, and what stands in them. Keeps nothing.

The signature is HMAC-SHA256 (RFC 2104) over the time, a full stop and the body, byte for byte, under the text of the
association's secret; in 64 hexadecimal digits. So a shell with OpenSSL can make it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.figures import FIELDS, ToldFigures, faults

TIMESTAMP, SIGNATURE = "Comms-Timestamp", "Comms-Signature"
"""Headers."""
LARGEST = 4_096
"""Bytes of a body."""
SECRET_BYTES = 32
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,129}", re.ASCII)
_REQUIRED = {"campaign", "copies"}
_NOT_JSON = "the body is no JSON object with the figures."


class FiguresError(ValueError):
    """A body that holds no figures. The message says why."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What stands in a body."""

    campaign: str
    figures: ToldFigures


def signature(secret: str, seconds: int, body: bytes) -> str:
    """Of a body, posted at this many seconds since 1970."""
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def stamped(headers: Mapping[str, str]) -> tuple[int, str] | None:
    """(seconds since 1970, signature) as the headers say; None where they do not."""
    seconds, given = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "").lower()
    if not _SECONDS.fullmatch(seconds) or not _HEX.fullmatch(given):
        return None
    return int(seconds), given


def is_signed(secret: str, seconds: int, given: str, body: bytes) -> bool:
    """Takes as long for a wrong signature as for a right one."""
    return hmac.compare_digest(signature(secret, seconds, body), given)


def read(body: bytes) -> Posted:
    """Raises FiguresError, naming the field."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FiguresError(_NOT_JSON) from error
    if not isinstance(found, dict):
        raise FiguresError(_NOT_JSON)
    known = {"campaign", *FIELDS}
    if unknown := sorted(set(found) - known):
        raise FiguresError(f"{unknown[0][:40]!r} is none of {', '.join(sorted(known))}.")
    if missing := sorted(_REQUIRED - set(found)):
        raise FiguresError(f"{missing[0]} is missing.")
    campaign = found.pop("campaign")
    if not isinstance(campaign, str) or not _ID.fullmatch(campaign):
        raise FiguresError("campaign must be the id of a campaign, as text.")
    for name, value in found.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise FiguresError(f"{name} must be a whole number.")
    figures = ToldFigures(**{"people": found["copies"], **found})
    if wrong := faults(figures):
        raise FiguresError(f"{'; '.join(fault.words for fault in wrong)}.")
    return Posted(campaign, figures)
