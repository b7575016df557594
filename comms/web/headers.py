"""Security headers on every answer, and the rule that pages behind a token are nobody's to keep or find."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = "Content-Security-Policy"
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' http: https:; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
NEWSLETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src http: https:; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""For a newsletter read online: its styles stand in the page, as mail programs want them."""
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

_EVERYWHERE = {
    CSP: PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_BEHIND_TOKENS = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow"}
_TOKEN_PATHS = ("/c/", "/hooks/", "/l/", "/metrics", "/o/", "/p/", "/r/", "/s/", "/u/", "/v/")


def required(path: str) -> dict[str, str]:
    """The headers that every answer to `path` carries."""
    return {**_EVERYWHERE, **_BEHIND_TOKENS} if path.startswith(_TOKEN_PATHS) else _EVERYWHERE


def secure(headers: MutableHeaders, path: str) -> None:
    """Add what is required; a policy of its own that an answer brings stays."""
    for name, value in required(path).items():
        if name == "Cache-Control":
            headers[name] = value
        else:
            headers.setdefault(name, value)


class SecurityHeaders:
    """Adds what is required to every answer of an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(raw=message["headers"]), scope["path"])
            await send(message)

        await self._app(scope, receive, send_with_headers)
