"""Answers that need not be sent again: validators, 304 and gzip (RFC 9110 sections 8.8, 12.5.3 and 13)."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.datastructures import Headers
from starlette.responses import Response

_SMALLEST_GZIP = 500
_GZIP_SUFFIX = "-gzip"


def public_response(
    headers: Headers,
    body: bytes,
    media_type: str,
    *,
    modified: datetime | None = None,
    max_age: int = 300,
    vary: str = "",
) -> Response:
    """`body` with a strong ETag and, when known, Last-Modified; 304 when the reader has it by either of the two.

    `vary` names another header that the body depends on. Each encoding has an ETag of its own, as a strong one must;
    a reader that sends back either gets its 304.
    """
    tag = hashlib.sha256(body).hexdigest()[:32]
    answer = {"Cache-Control": f"public, max-age={max_age}", "Vary": ", ".join(filter(None, ("Accept-Encoding", vary)))}
    if modified is not None:
        answer["Last-Modified"] = http_date(modified)
    zipped = len(body) >= _SMALLEST_GZIP and accepts_gzip(headers.get("accept-encoding", ""))
    answer["ETag"] = f'"{tag}{_GZIP_SUFFIX}"' if zipped else f'"{tag}"'
    if is_known(headers, {tag, f"{tag}{_GZIP_SUFFIX}"}, modified):
        return Response(status_code=304, headers=answer)
    if zipped:
        answer["Content-Encoding"] = "gzip"
        body = gzip.compress(body, mtime=0)
    return Response(body, headers=answer, media_type=media_type)


def is_known(headers: Headers, tags: set[str], modified: datetime | None) -> bool:
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
