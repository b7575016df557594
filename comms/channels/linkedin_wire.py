"""Talks to LinkedIn's REST API for the page of an organisation: its headers, one token for all senders, its renewal.

Sources: Microsoft Learn, LinkedIn Marketing ("Versioning", "Protocol version 2.0.0"), and LinkedIn shared
authentication ("Refresh Tokens with OAuth 2.0", "Token Introspection"). Knows nothing of posts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote, urlsplit

from comms.channels.base import Refused
from comms.channels.remote import Answer, Wire, checked_address, one_line
from comms.channels.sessions import Sessions
from comms.errors import ConfigError

_EARLY = timedelta(days=1)
"""A token is renewed so long before its end."""
_DAY = re.compile(r"\bDAY\b")
_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LinkedInAccount:
    """The page of an organisation, and a member's token for it; no secret is ever shown."""

    organization: str
    access_token: str = field(repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    api_version: str = "202605"
    api_url: str = "https://api.linkedin.com"
    oauth_url: str = "https://www.linkedin.com"

    def __post_init__(self) -> None:
        checked_address(self.api_url, "LinkedIn's API")
        checked_address(self.oauth_url, "LinkedIn's logins")
        if not re.fullmatch(r"[0-9]{1,20}", self.organization):
            raise ConfigError(
                f"{self.organization!r} is no number of a LinkedIn page.",
                hint="It is the number in the page's address when you manage it: linkedin.com/company/NUMBER/admin.",
            )
        if not re.fullmatch(r"20[2-9][0-9](0[1-9]|1[0-2])", self.api_version):
            raise ConfigError(f"{self.api_version!r} is no version of LinkedIn's API.", hint="Write it like 202605.")
        for name in ("access_token", "client_id", "client_secret", "refresh_token"):
            if not re.fullmatch(r"[!-~]*" if name != "access_token" else r"[!-~]+", getattr(self, name)):
                raise ConfigError(
                    f"LinkedIn's {name} is empty or holds spaces or unusual characters.",
                    hint="Copy it again from linkedin.com/developers, without line ends.",
                )

    @property
    def author(self) -> str:
        return f"urn:li:organization:{self.organization}"

    @property
    def can_ask_for_end(self) -> bool:
        return bool(self.client_id and self.client_secret)

    @property
    def can_renew(self) -> bool:
        return bool(self.refresh_token) and self.can_ask_for_end

    @property
    def drawer(self) -> str:
        """Names what is kept of these very tokens: new ones in the settings make a new beginning."""
        tokens = f"{self.access_token}\n{self.refresh_token}".encode()
        return f"linkedin {self.organization} {hashlib.sha256(tokens).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class TokenState:
    """What LinkedIn says of the token in use."""

    active: bool
    ends: datetime | None
    """Aware; None where LinkedIn does not say."""
    refresh_ends: datetime | None = None
    """When renewing ends; None where nothing was renewed yet."""


class LinkedInWire:
    """One conversation with LinkedIn. After `ask`, `answer` is what came, or `failure` why nothing did."""

    def __init__(
        self, account: LinkedInAccount, sessions: Sessions, timeout: tuple[float, float], now: Callable[[], datetime]
    ) -> None:
        self._account, self._sessions, self.now = account, sessions, now
        self._wire = Wire(timeout, reset_header="retry-after")
        self._token = account.access_token

    @property
    def answer(self) -> Answer | None:
        return self._wire.answer

    @property
    def failure(self) -> Exception | None:
        return self._wire.failure

    @property
    def token(self) -> str:
        """The access token in use."""
        return self._token

    @property
    def said(self) -> str:
        """What LinkedIn says in its latest answer, as a sentence to add; empty when it says nothing."""
        document = self.answer.document if self.answer else {}
        words = one_line(document.get("message")) or one_line(document.get("error_description"))
        kept = (self._token, self._account.access_token, self._account.refresh_token, self._account.client_secret)
        for secret in filter(None, kept):
            words = words.replace(secret, "[hidden]").replace(quote(secret, safe=""), "[hidden]")
        return f" LinkedIn says: {words}" if words else ""

    @property
    def pause_ends(self) -> datetime:
        """When a limit ends that the latest answer speaks of. Limits of a day end at midnight, UTC."""
        now = self.now().astimezone(UTC)
        if self.answer and self.answer.rate_limit_reset and re.fullmatch("[0-9]{1,5}", self.answer.rate_limit_reset):
            return now + timedelta(seconds=max(1, int(self.answer.rate_limit_reset)))
        if self.answer and _DAY.search(str(self.answer.document.get("message", ""))):
            return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return now + _PAUSE

    def ask(self, method: str, route: str, *, restli: str = "", json: Any = None) -> Refused | None:
        """Make one request, `restli` naming its method of Rest.li where there are several for one of HTTP.

        Asked again once with a new token when LinkedIn takes the one in use for over: it did nothing then. Returns
        why there is no new one, else None.
        """
        self._take_token()
        self._send(method, route, restli, json)
        if self.answer is not None and self.answer.status == HTTPStatus.UNAUTHORIZED and self._account.can_renew:
            if refused := self.renew(self._token):
                return refused
            self._send(method, route, restli, json)
        return None

    def upload(self, url: str, data: bytes, media_type: str) -> bool:
        """Put an image where LinkedIn wants it; whether it took it. Nowhere but at LinkedIn."""
        try:
            target, ours = urlsplit(url), urlsplit(self._account.api_url)
        except ValueError:
            return False
        at_linkedin = target.scheme == "https" and (target.hostname or "").endswith(".linkedin.com")
        if not at_linkedin and (target.scheme, target.netloc) != (ours.scheme, ours.netloc):
            return False
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": media_type}
        self._try("PUT", url, data=data, headers=headers)
        return self.answer is not None and self.answer.ok

    def token_state(self) -> TokenState | None:
        """What LinkedIn says of the token; None when it can not be asked, or does not tell."""
        account = self._account
        kept = self._take_token()
        form = {"client_id": account.client_id, "client_secret": account.client_secret, "token": self._token}
        self._try("POST", f"{account.oauth_url.rstrip('/')}/oauth/v2/introspectToken", data=form)
        match self.answer.document if self.answer and self.answer.ok else {}:
            case {"active": bool(active), **rest}:
                return TokenState(active, _moment(rest.get("expires_at")), _moment(_number(kept.get("refresh_ends"))))
        return None

    def renew(self, stale: str) -> Refused | None:
        """Take a token that is not `stale`: one that another sender was given meanwhile, or a new one."""
        account = self._account
        with self._sessions.held(account.drawer) as drawer:
            kept = drawer.read()
            if kept.get("access", stale) != stale:
                self._token = kept["access"]
                return None
            form = {
                "grant_type": "refresh_token",
                "refresh_token": kept.get("refresh") or account.refresh_token,
                "client_id": account.client_id,
                "client_secret": account.client_secret,
            }
            self._try("POST", f"{account.oauth_url.rstrip('/')}/oauth/v2/accessToken", data=form)
            document = self.answer.document if self.answer and self.answer.ok else {}
            access = document.get("access_token")
            if not isinstance(access, str) or not re.fullmatch(r"[!-~]{1,4000}", access):
                return self._not_renewed()
            fresh = document.get("refresh_token")
            drawer.write(
                {
                    "access": access,
                    "refresh": fresh if isinstance(fresh, str) and fresh else form["refresh_token"],
                    "ends": self._end(document.get("expires_in")),
                    "refresh_ends": self._end(document.get("refresh_token_expires_in")),
                }
            )
            self._token = access
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def _take_token(self) -> dict[str, str]:
        """Use the token that was given last; one that is nearly over is renewed first, where it can be."""
        with self._sessions.held(self._account.drawer) as drawer:
            kept = drawer.read()
        self._token = kept.get("access") or self._account.access_token
        ends = _moment(_number(kept.get("ends")))
        if ends is not None and ends <= self.now() + _EARLY and self._account.can_renew:
            self.renew(self._token)  # where that fails the old one is tried, for it is not over yet
        return kept

    def _send(self, method: str, route: str, restli: str, json: Any) -> None:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "LinkedIn-Version": self._account.api_version,
            "X-Restli-Protocol-Version": "2.0.0",
            **({"X-RestLi-Method": restli} if restli else {}),
        }
        self._try(method, f"{self._account.api_url.rstrip('/')}{route}", headers=headers, json=json)

    def _try(self, method: str, url: str, **values: Any) -> None:
        try:
            self._wire.request(method, url, **values)
        except OSError:  # every failure of requests is one; the wire has kept it
            return
        except Exception as error:  # noqa: BLE001 - of urllib3, or of an address that LinkedIn made up
            if self._wire.answer is None and self._wire.failure is None:
                self._wire.failure = error

    def _not_renewed(self) -> Refused:
        status = self.answer.status if self.answer else 0
        if not 400 <= status < 429:
            return Refused("LinkedIn gave no new access token; nothing was posted.", permanent=False)
        return Refused(
            f"LinkedIn does not renew the access token ({status}): make a new one, and set `access_token` and "
            f"`refresh_token` below `[linkedin]`.{self.said}",
            permanent=True,
        )

    def _end(self, seconds: object) -> str:
        """The Unix time so many seconds from now; empty for what is no number of seconds."""
        if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= 100 * 365 * 86_400:
            return ""
        return str(int(self.now().timestamp()) + seconds)


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,12}", text) else None


def _moment(seconds: object) -> datetime | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
