"""Answers that need not be sent again: validators, 304 and gzip (RFC 9110 sections 8.8, 12.5.3 and 13)."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import NamedTuple

from starlette.responses import Response

_SMALLEST_GZIP = 500
_GZIP_SUFFIX = "-gzip"
BY_LANGUAGE = "Accept-Language"
"""What pages in the visitor's language vary by."""


class Asked(NamedTuple):
    """Which of the answers to one address somebody is to get: a 304, and the encoding."""

    known: bool
    zipped: bool


class Prepared:
    """A body with its validators, in both encodings, made once for all who ask."""

    def __init__(self, body: bytes, media_type: str, *, modified: datetime | None = None) -> None:
        self._body = body
        self._media_type = media_type
        self._modified = modified
        self._tag = hashlib.sha256(body).hexdigest()[:32]
        self._zipped = gzip.compress(body, mtime=0) if len(body) >= _SMALLEST_GZIP else None

    @property
    def size(self) -> int:
        """Bytes that it takes in memory."""
        return len(self._body) + len(self._zipped or b"")

    def response(
        self, headers: Mapping[str, str], *, status: int = 200, max_age: int = 300, vary: str = ""
    ) -> Response:
        """The body with a strong ETag and, when known, Last-Modified; 304 when the reader has it by either of the two.

        `vary` names another header that the body depends on. Each encoding has an ETag of its own, as a strong one
        must; a reader that sends back either gets its 304.
        """
        varies = ", ".join(filter(None, ("Accept-Encoding", vary)))
        answer = {"Cache-Control": f"public, max-age={max_age}", "Vary": varies}
        if self._modified is not None:
            answer["Last-Modified"] = http_date(self._modified)
        asked = self.asked_for(headers)
        answer["ETag"] = f'"{self._tag}{_GZIP_SUFFIX}"' if asked.zipped else f'"{self._tag}"'
        if status == 200 and asked.known:
            return Response(status_code=304, headers=answer)
        if asked.zipped:
            answer["Content-Encoding"] = "gzip"
        body = self._zipped if asked.zipped else self._body
        return Response(body, status_code=status, headers=answer, media_type=self._media_type)

    def asked_for(self, headers: Mapping[str, str]) -> Asked:
        """What a request with these headers, named in small letters, is to get."""
        zipped = self._zipped is not None and accepts_gzip(headers.get("accept-encoding", ""))
        return Asked(is_known(headers, {self._tag, f"{self._tag}{_GZIP_SUFFIX}"}, self._modified), zipped)


def public_response(
    headers: Mapping[str, str],
    body: bytes,
    media_type: str,
    *,
    modified: datetime | None = None,
    max_age: int = 300,
    vary: str = "",
) -> Response:
    """A body that was made for this one request, answered as `Prepared` does."""
    return Prepared(body, media_type, modified=modified).response(headers, max_age=max_age, vary=vary)


def is_known(headers: Mapping[str, str], tags: set[str], modified: datetime | None) -> bool:
    """Does the reader have it: If-None-Match decides where it is sent, else If-Modified-Since (section 13.2.2)."""
    sent = headers.get("if-none-match")
    if sent is not None:
        candidates = {part.strip().removeprefix("W/").strip('"') for part in sent.split(",")}
        return "*" in candidates or not tags.isdisjoint(candidates)
    since = _date(headers.get("if-modified-since", ""))
    return since is not None and modified is not None and modified.replace(microsecond=0) <= since


def accepts_gzip(accepted: str) -> bool:
    """Does an Accept-Encoding header allow gzip."""
    for part in accepted.lower().split(","):
        coding, _, parameters = part.partition(";")
        if coding.strip() == "gzip":
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def http_date(moment: datetime) -> str:
    """RFC 9110 section 5.6.7."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
