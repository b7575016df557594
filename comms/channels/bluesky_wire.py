"""Talks XRPC to the server of a Bluesky account, through atproto: one login for all, and what each answer was.

atproto builds the requests; sending them and reading the answers is ours, as in `remote.py`, for atproto waits without
end and follows redirects with the password. Knows nothing of posts.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx
from atproto import Client, Request, models

from comms.channels.base import Refused
from comms.channels.remote import LONGEST_BODY, Answer, checked_address, one_line, retry_at
from comms.channels.sessions import Sessions
from comms.errors import ConfigError

for _talkative in ("httpx", "httpcore"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)

_EARLY = timedelta(minutes=1)
"""A session is renewed so long before its end."""
_STALE = ("ExpiredToken", "InvalidToken")


@dataclass(frozen=True, slots=True)
class BlueskyAccount:
    """An account, and a password for apps; the password is never shown."""

    service: str
    handle: str
    app_password: str = field(repr=False)

    def __post_init__(self) -> None:
        checked_address(self.service, "the Bluesky service")
        if not re.fullmatch(r"[A-Za-z0-9.:-]+", self.handle):
            raise ConfigError(
                f"{self.handle!r} is no Bluesky handle.", hint="Write it without @, such as library.bsky.social."
            )
        if not re.fullmatch(r"[!-~]+", self.app_password):
            raise ConfigError(
                "The Bluesky app password is empty or holds spaces or unusual characters.",
                hint="Make one in Settings, Privacy and security, App passwords, and copy it without line ends.",
            )

    def hidden_in(self, text: str) -> str:
        """`text` without the password, should a server have sent it back."""
        return text.replace(self.app_password, "[hidden]")


class BlueskyWire:
    """One conversation with the account's server: log in or go on, then ask.

    After `ask`, `answer` is what came, or `failure` why nothing did.
    """

    def __init__(
        self, account: BlueskyAccount, sessions: Sessions, timeout: tuple[float, float], now: Callable[[], datetime]
    ) -> None:
        connect, read = timeout
        self._request = _Request(httpx.Timeout(read, connect=connect))
        self._client = Client(account.service.rstrip("/"), self._request)
        self._account, self._sessions, self.now = account, sessions, now
        self._session: dict[str, str] = {}

    @property
    def answer(self) -> Answer | None:
        return self._request.answer

    @property
    def failure(self) -> Exception | None:
        return self._request.failure

    @property
    def did(self) -> str:
        """Who the account is, once logged in."""
        return self._session["did"]

    @property
    def handle(self) -> str:
        return self._session["handle"]

    @property
    def error(self) -> str:
        """The error's name that the latest answer holds."""
        name = self.answer.document.get("error") if self.answer else None
        return name if isinstance(name, str) else ""

    @property
    def said(self) -> str:
        """What the server says in its latest answer, as a sentence to add; empty when it says nothing."""
        document = self.answer.document if self.answer else {}
        words = one_line(document.get("message")) or one_line(document.get("error"))
        for secret in (self._session.get("access", ""), self._session.get("refresh", "")):
            words = words.replace(secret, "[hidden]") if secret else words
        return f" The server says: {self._account.hidden_in(words)}" if words else ""

    def log_in(self) -> Refused | None:
        """Use the session that is kept, or make one; why that can not be, otherwise. Nothing is posted."""
        return self._renew(None)

    def ask(self, call: Callable[[Client, dict[str, str]], object]) -> Refused | None:
        """Let `call` make one request with the client and the headers it is given.

        Asked again once when the server says that the session is over: it did nothing then. Returns why no new one
        could be had, else None.
        """
        self._do(lambda: call(self._client, _bearer(self._session["access"])))
        if self.error in _STALE:
            if refused := self._renew(self._session["access"]):
                return refused
            self._do(lambda: call(self._client, _bearer(self._session["access"])))
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._request.close()

    def _renew(self, stale: str | None) -> Refused | None:
        """Take a session that is not the one with the access token `stale`."""
        account = self._account
        with self._sessions.held(f"bluesky {account.service} {account.handle}") as drawer:
            kept = drawer.read()
            if not kept.keys() >= {"access", "refresh", "did", "handle"}:
                kept = {}
            if kept and kept["access"] != stale and not self._is_over(kept["access"]):
                self._session = kept
                return None
            if not (kept and self._take(lambda: self._refresh(kept["refresh"]))) and not self._take(self._create):
                return self._refusal()
            drawer.write(self._session)
        return None

    def _take(self, call: Callable[[], object]) -> bool:
        self._do(call)
        match self.answer.document if self.answer and self.answer.ok else {}:
            case {"accessJwt": str(access), "refreshJwt": str(refresh), "did": str(did), "handle": str(handle)}:
                self._session = {"access": access, "refresh": refresh, "did": did, "handle": handle}
                return True
        return False

    def _create(self) -> object:
        account = self._account
        data = models.ComAtprotoServerCreateSession.Data(identifier=account.handle, password=account.app_password)
        return self._client.com.atproto.server.create_session(data, ignore_session_check=True)

    def _refresh(self, token: str) -> object:
        return self._client.com.atproto.server.refresh_session(headers=_bearer(token), ignore_session_check=True)

    def _do(self, call: Callable[[], object]) -> None:
        self._request.answer, self._request.failure = None, None
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the answer says it, and what atproto makes of one is its own
            if self.answer is None and self.failure is None:
                self._request.failure = error

    def _is_over(self, token: str) -> bool:
        ends = _end_of(token)
        return ends is not None and ends <= (self.now() + _EARLY).timestamp()

    def _refusal(self) -> Refused:
        """Why there is no session."""
        status = self.answer.status if self.answer else 0
        if self.answer is None:
            return Refused("Bluesky could not be reached; nothing was posted.", permanent=False)
        if status == 429:
            until = retry_at(self.answer.rate_limit_reset, self.now())
            return Refused("Bluesky takes no more logins for now.", permanent=False, retry_at=until)
        if 300 <= status < 500:
            return Refused(
                f"Bluesky does not accept the login ({status}): check `[bluesky] service`, handle and app password. "
                f"The account's own password does not do.{self.said}",
                permanent=True,
            )
        return Refused(f"Bluesky could not log in ({status}); nothing was posted.{self.said}", permanent=False)


class _Request(Request):  # type: ignore[misc]
    """atproto's requests within time, without redirects, each answer kept."""

    def __init__(self, timeout: httpx.Timeout) -> None:
        super().__init__(timeout=timeout, limits=httpx.Limits(max_keepalive_connections=0))
        self.answer: Answer | None = None
        self.failure: Exception | None = None

    def _send_request(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        headers = self.get_headers(kwargs.pop("headers", None))
        if isinstance(kwargs.get("data"), bytes):  # httpx no longer wants bytes under that name
            kwargs["content"] = kwargs.pop("data")
        try:
            request = self._client.build_request(method, url, headers=headers, **kwargs)
            response = self._client.send(request, follow_redirects=False, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            self.failure = error
            raise
        body = bytearray()
        try:
            for piece in response.iter_bytes():
                body += piece[: LONGEST_BODY - len(body)]
                if len(body) >= LONGEST_BODY:
                    break
        except (httpx.HTTPError, OSError):
            body.clear()
        finally:
            response.close()
        self.answer = Answer(response.status_code, response.headers.get("ratelimit-reset"), bytes(body))
        if not self.answer.ok:
            raise httpx.HTTPError(f"answered {response.status_code}")
        kept = {"content-type": response.headers.get("content-type", "")}
        return httpx.Response(response.status_code, headers=kept, content=bytes(body), request=request)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _end_of(token: str) -> float | None:
    """When a JWT ends (RFC 7519 section 4.1.4), as Unix time; None when it does not say."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return None
    ends = claims.get("exp") if isinstance(claims, dict) else None
    return float(ends) if isinstance(ends, int | float) else None
