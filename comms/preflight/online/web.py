"""Asks web addresses whether they are there: HEAD, then GET, and nothing of what they hold."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, quote, urljoin

from comms.preflight import hosts
from comms.preflight.online import guard
from comms.preflight.online.guard import Address

SECONDS = 10.0
"""For one answer, whole: a server that sends a byte now and then does not hold us up."""
AT_A_TIME = 4
MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAFE = "!#$%&'()*+,/:;=?@[]~-._"


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
class Answer:
    """What became of asking one address; `status` is that of HTTP, 0 when none came."""

    outcome: Outcome
    status: int = 0
    detail: str = ""


class Asker:
    """Asks addresses, one at a time of each host. Connects only to what `allowed` allows, after redirects too.

    A host's addresses are looked up once for each connection, and that very address is connected to: a name can not
    be public when it is looked at and private when it is used.
    """

    def __init__(
        self,
        *,
        look_up: Callable[[str, int], list[Address]] = guard.addresses,
        allowed: Callable[[Address], bool] = guard.is_public,
        seconds: float = SECONDS,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._look_up = look_up
        self._allowed = allowed
        self._seconds = seconds
        self._context = trusted or ssl.create_default_context()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._unreachable: dict[tuple[str, str, int], Answer] = {}

    def ask_all(self, urls: Iterable[str]) -> dict[str, Answer]:
        """Each address -> its answer. The addresses of one host are asked one after the other."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for url in dict.fromkeys(urls):
            groups[hosts.host_of(url)].append(url)
        with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="links") as pool:
            answers = pool.map(lambda group: [(url, self.ask(url)) for url in group], groups.values())
            return {url: answer for group in answers for url, answer in group}

    def ask(self, url: str) -> Answer:
        """The answer of one address, followed to where it leads."""
        for _ in range(MOST_REDIRECTS + 1):
            parts = hosts.parsed(url)
            if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
                return Answer(Outcome.NONSENSE, detail="it leads to what is no web address")
            answer, further = self._of_one(parts)
            if not further:
                return answer
            try:
                url = urljoin(url, further)
            except ValueError:
                return Answer(Outcome.NONSENSE, detail="it leads to what is no web address")
        return Answer(Outcome.CIRCLES)

    def _of_one(self, parts: SplitResult) -> tuple[Answer, str]:
        """The answer, and where it sends us on; empty for nowhere."""
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        server = (parts.scheme, host, port)
        with self._locks[host]:
            if server in self._unreachable:
                return self._unreachable[server], ""
            answer, further = self._asked("HEAD", parts, server)
            if answer.status >= 400 and answer.status != 429:
                # Some servers know no HEAD, and say so in many ways.
                answer, further = self._asked("GET", parts, server)
            if answer.outcome in (Outcome.UNKNOWN_HOST, Outcome.NO_CONNECTION, Outcome.NO_ANSWER):
                self._unreachable[server] = answer
            return answer, further

    def _asked(self, method: str, parts: SplitResult, server: tuple[str, str, int]) -> tuple[Answer, str]:
        scheme, host, port = server
        try:
            with self._connection(server) as connection:
                path = quote(parts.path or "/", safe=_SAFE) + (
                    f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
                )
                named = f"[{host}]" if ":" in host else host.encode("idna").decode()
                usual = port == (443 if scheme == "https" else 80)
                connection.request(method, path, headers={
                    "Host": named if usual else f"{named}:{port}",
                    "User-Agent": "comms-link-check/1.0 (looks whether the links of a newsletter work)",
                    "Accept": "*/*",
                    "Connection": "close",
                })  # fmt: skip
                response = connection.getresponse()
                further = response.headers.get("Location", "") if response.status in _REDIRECTS else ""
                return Answer(Outcome.ANSWERED, response.status), further
        except _NotAllowed:
            return Answer(Outcome.NOT_PUBLIC), ""
        except socket.gaierror as error:
            passing = error.errno == socket.EAI_AGAIN
            return Answer(Outcome.NO_ANSWER if passing else Outcome.UNKNOWN_HOST, detail="the DNS"), ""
        except ssl.SSLError as error:
            words = getattr(error, "verify_message", "") or error.reason or "no encrypted connection"
            return Answer(Outcome.BAD_CERTIFICATE, detail=words.replace("_", " ").lower()), ""
        except TimeoutError:
            return Answer(Outcome.NO_ANSWER), ""
        except OSError as error:
            return Answer(Outcome.NO_CONNECTION, detail=(error.strerror or "").lower()), ""
        except (http.client.HTTPException, ValueError):
            return Answer(Outcome.NONSENSE, detail="no answer in HTTP"), ""

    @contextmanager
    def _connection(self, server: tuple[str, str, int]) -> Iterator[http.client.HTTPConnection]:
        scheme, host, port = server
        found = self._look_up(host, port)
        if not found or not all(map(self._allowed, found)):
            raise _NotAllowed
        plain = socket.create_connection((str(found[0]), port), timeout=self._seconds)
        late = threading.Event()

        def cut() -> None:
            late.set()
            plain.shutdown(socket.SHUT_RDWR)

        watch = threading.Timer(self._seconds, _quietly, (cut,))
        connection = http.client.HTTPConnection(host, port)
        try:
            watch.start()
            wrapped = self._context.wrap_socket(plain, server_hostname=host) if scheme == "https" else plain
            connection.sock = wrapped
            yield connection
        except (OSError, http.client.HTTPException) as error:
            if late.is_set():
                raise TimeoutError from error
            raise
        finally:
            watch.cancel()
            connection.close()
            plain.close()


class _NotAllowed(Exception):  # noqa: N818 - no error: the answer is that it is not asked
    pass


def _quietly(action: Callable[[], None]) -> None:
    with suppress(OSError):  # closed meanwhile
        action()
