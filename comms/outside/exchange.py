"""One request to one server of the public internet, and its answer. Follows nothing, keeps nothing."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TypeVar
from urllib.parse import SplitResult, quote, urlsplit

from comms.outside import guard
from comms.outside.guard import Address

MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PORTS = {"http": 80, "https": 443}
_SAFE = "!#$%&'()*+,/:;=?@[]~-._"
_Taken = TypeVar("_Taken")


@cache
def _public_roots() -> ssl.SSLContext:
    """Whom this machine trusts, read once: it takes longer than many a request."""
    return ssl.create_default_context()


class Outcome(StrEnum):
    ANSWERED = "answered"
    UNKNOWN_HOST = "unknown host"
    NO_CONNECTION = "no connection"
    NO_ANSWER = "no answer"
    BAD_CERTIFICATE = "bad certificate"
    CIRCLES = "too many redirects"
    NOT_PUBLIC = "not public"
    NONSENSE = "no sensible answer"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no answer came."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait: for a connection, for the next bytes, for all of it."""

    connect: float
    read: float
    total: float
    """A server that sends a byte now and then does not hold us up."""


class Exchange:
    """Asks servers. Connects only to what `allowed` allows.

    A host's addresses are looked up once for each connection, and one of those very addresses is connected to: a name
    can not be public when it is looked at and private when it is used. No cookies, no referrer.
    """

    def __init__(
        self,
        patience: Patience,
        *,
        look_up: Callable[[str, int], list[Address]] = guard.addresses,
        allowed: Callable[[Address], bool] = guard.is_public,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._patience = patience
        self._look_up = look_up
        self._allowed = allowed
        self._context = trusted or _public_roots()

    def ask(
        self,
        method: str,
        parts: SplitResult,
        headers: Mapping[str, str],
        take: Callable[[http.client.HTTPResponse], _Taken],
        body: bytes | None = None,
    ) -> _Taken | Failure:
        """What `take` makes of the answer, within the time there is. `parts` are of a web address with a host."""
        host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
        try:
            with self._connection(parts.scheme, host, port) as connection:
                path = quote(parts.path or "/", safe=_SAFE) + (
                    f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
                )
                named = f"[{host}]" if ":" in host else host.encode("idna").decode()
                usual = port == PORTS[parts.scheme]
                connection.request(
                    method,
                    path,
                    body=body,
                    headers={"Host": named if usual else f"{named}:{port}", **headers, "Connection": "close"},
                )
                return take(connection.getresponse())
        except _NotAllowed:
            return Failure(Outcome.NOT_PUBLIC)
        except socket.gaierror as error:
            passing = error.errno == socket.EAI_AGAIN
            return Failure(Outcome.NO_ANSWER if passing else Outcome.UNKNOWN_HOST, "the DNS")
        except ssl.SSLError as error:
            words = getattr(error, "verify_message", "") or error.reason or "no encrypted connection"
            return Failure(Outcome.BAD_CERTIFICATE, words.replace("_", " ").lower())
        except TimeoutError:
            return Failure(Outcome.NO_ANSWER)
        except OSError as error:
            return Failure(Outcome.NO_CONNECTION, (error.strerror or "").lower())
        except (http.client.HTTPException, ValueError):
            return Failure(Outcome.NONSENSE, "no answer in HTTP")

    @contextmanager
    def _connection(self, scheme: str, host: str, port: int) -> Iterator[http.client.HTTPConnection]:
        found = self._look_up(host, port)
        if not found or not all(map(self._allowed, found)):
            raise _NotAllowed
        plain = self._reached(found, port)
        late = threading.Event()

        def cut() -> None:
            late.set()
            plain.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(self._patience.total, _quietly, (cut,))
        connection = http.client.HTTPConnection(host, port)
        try:
            watch.start()
            plain.settimeout(self._patience.read)
            wrapped = self._context.wrap_socket(plain, server_hostname=host) if scheme == "https" else plain
            connection.sock = wrapped
            yield connection
            if late.is_set():  # what has no length ends silently when it is cut
                raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            if late.is_set():
                raise TimeoutError from error
            raise
        finally:
            watch.cancel()
            connection.close()
            plain.close()

    def _reached(self, found: list[Address], port: int) -> socket.socket:
        """A connection to the first of the addresses that takes one. Raises OSError when none does."""
        *others, last = found
        for address in others:
            with suppress(OSError):
                return socket.create_connection((str(address), port), timeout=self._patience.connect)
        return socket.create_connection((str(last), port), timeout=self._patience.connect)


def web_parts(url: str) -> SplitResult | None:
    """A web address with a host, in parts; None for anything else."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # found wrong only when asked for
    except ValueError:
        return None
    return parts if parts.scheme in PORTS and parts.hostname else None


class _NotAllowed(Exception):  # noqa: N818 - no error: the answer is that it is not asked
    pass


def _quietly(action: Callable[[], None]) -> None:
    with suppress(OSError):  # closed meanwhile
        action()
