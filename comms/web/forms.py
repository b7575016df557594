"""What comes in with a request: the fields of a form, and from where it was sent."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request

from comms.errors import CommsError
from comms.language.words import Words

HONEYPOT = "website"
"""A field that people do not see, and programs that fill in every form do."""
# Under `no-referrer`, as our other pages have it, browsers send the form with an origin that says nothing.
OWN_FORMS = {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
"""The headers of a page with a form that anyone may send."""
_MOST_FIELDS = 200


async def fields(request: Request) -> FormData:
    """The fields of a form, urlencoded or multipart, without files. Raises HTTPException 400 for a malformed one."""
    return await request.form(max_files=0, max_fields=_MOST_FIELDS)


def text(form: FormData, name: str) -> str:
    """One field; empty when it is absent, or no text."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def texts(form: FormData, name: str) -> set[str]:
    """Every value of a field."""
    return {value for value in form.getlist(name) if isinstance(value, str)}


def sentences(error: CommsError, words: Words) -> str:
    """What is wrong and what to do, as a page says it."""
    message = words.translated(error.message)
    return f"{message[:1].upper()}{message[1:]} {words.translated(error.hint)}"


def no_address(words: Words) -> str:
    """What a form says of an address that is none."""
    return words.gettext("This does not look like an e-mail address. It should be like name@example.org.")


def visitor(request: Request) -> str | None:
    """The visitor's IP address; None when it can not be told.

    A server in front of ours, on the same machine, names it last in X-Forwarded-For, which may stand there several
    times (RFC 9110 section 5.3); from anyone else that header is an assertion that nobody has to believe.
    """
    peer = request.client.host if request.client else ""
    try:
        if not ip_address(peer).is_loopback:
            return peer
        named = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        return str(ip_address(named)) if named else peer
    except ValueError:
        return None


def is_foreign(request: Request, site_url: str) -> bool:
    """Was the form sent by a page of another site (RFC 6454 section 7.3). Without an Origin header nobody knows."""
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        sender = urlsplit(origin).netloc
    except ValueError:
        return True
    # Host is the name by which the visitor's own browser reached us: a page of another site can not choose it.
    return not sender or sender not in (urlsplit(site_url).netloc, request.headers.get("host"))
