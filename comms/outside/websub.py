"""Speaks WebSub (W3C Recommendation of 23 January 2018) to callbacks and hubs of others: one request, one answer.

Follows no redirect, for the Recommendation counts one as a failure (sections 5.3.1 and 7), and remembers nothing.
"""

from __future__ import annotations

import hmac
import http.client
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from comms.outside.exchange import Exchange, Failure, Outcome, Patience, web_parts

PATIENCE = Patience(connect=5.0, read=10.0, total=15.0)
_GONE = 410


@dataclass(frozen=True, slots=True)
class Reply:
    """How a request ended. `fault` is empty when it did what it was for."""

    fault: str = ""
    gone: bool = False
    """The callback says that it is there no more."""


class Caller:
    """Asks in the name of the installation at `site`, over `exchange`; without one over the public internet alone."""

    def __init__(self, site: str, exchange: Exchange | None = None) -> None:
        self._exchange = exchange or Exchange(PATIENCE)
        self._agent = f"comms-hub/1.0 (+{site})"

    def verify(self, callback: str, mode: str, topic: str, lease_s: int) -> Reply:
        """Ask a callback whether it wants this: it must answer 2xx with our challenge, and no more (section 5.3)."""
        challenge = secrets.token_urlsafe(32)
        question = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge, "hub.lease_seconds": lease_s}

        def take(response: http.client.HTTPResponse) -> Reply:
            if not 200 <= response.status < 300:
                return Reply(_status(response.status))
            said = response.read(len(challenge) + 1)
            same = hmac.compare_digest(said, challenge.encode())
            return Reply() if same else Reply("it did not give back the challenge")

        return self._ask("GET", callback, take, added=urlencode(question))

    def deliver(self, callback: str, body: bytes, content_type: str, link: str, secret: bytes | None) -> Reply:
        """Give a callback the whole feed (section 7), signed where it gave a secret (section 7.1)."""
        headers = {"Content-Type": content_type, "Link": link}
        if secret is not None:
            headers["X-Hub-Signature"] = f"sha256={hmac.digest(secret, body, 'sha256').hex()}"
        return self._ask("POST", callback, _taken, headers=headers, body=body)

    def ping(self, hub: str, topic: str) -> Reply:
        """Tell a hub of others that a topic changed, in the way that most of them understand (section 6 names none)."""
        body = urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", hub, _taken, headers=headers, body=body)

    def _ask(
        self,
        method: str,
        url: str,
        take: Callable[[http.client.HTTPResponse], Reply],
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        added: str = "",
    ) -> Reply:
        parts = web_parts(url)
        if parts is None:
            return Reply("it is no web address")
        if added:
            parts = parts._replace(query=f"{parts.query}&{added}" if parts.query else added)
        sent = {"User-Agent": self._agent, "Accept": "*/*", **(headers or {})}
        result = self._exchange.ask(method, parts, sent, take, body)
        return Reply(_WORDS.get(result.outcome, "it does not answer")) if isinstance(result, Failure) else result


def _taken(response: http.client.HTTPResponse) -> Reply:
    """What stands in the answer is not for us to read."""
    if 200 <= response.status < 300:
        return Reply()
    return Reply(_status(response.status), gone=response.status == _GONE)


def _status(status: int) -> str:
    return "it leads elsewhere" if 300 <= status < 400 else f"it answers with {status}"


_WORDS: Mapping[Outcome, str] = {
    Outcome.UNKNOWN_HOST: "there is no such host",
    Outcome.NO_CONNECTION: "it takes no connection",
    Outcome.NO_ANSWER: "it does not answer in time",
    Outcome.BAD_CERTIFICATE: "its certificate is not valid",
    Outcome.NOT_PUBLIC: "it is not on the public internet",
    Outcome.NONSENSE: "it gives no sensible answer",
}
