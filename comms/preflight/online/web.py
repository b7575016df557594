"""Asks web addresses whether they are there: HEAD, then GET, and nothing of what they hold."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin

from comms.outside import guard
from comms.outside.exchange import MOST_REDIRECTS, PORTS, REDIRECTS, Exchange, Failure, Outcome, Patience, web_parts
from comms.outside.guard import Address
from comms.preflight import hosts

SECONDS = 10.0
"""For one answer, whole."""
AT_A_TIME = 4
_HEADERS = {
    "User-Agent": "comms-link-check/1.0 (looks whether the links of a newsletter work)",
    "Accept": "*/*",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking one address; `status` is that of HTTP, 0 when none came."""

    outcome: Outcome
    status: int = 0
    detail: str = ""


class Asker:
    """Asks addresses, one at a time of each host. Connects only to what `allowed` allows, after redirects too."""

    def __init__(
        self,
        *,
        look_up: Callable[[str, int], list[Address]] = guard.addresses,
        allowed: Callable[[Address], bool] = guard.is_public,
        seconds: float = SECONDS,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        patience = Patience(seconds, seconds, seconds)
        self._exchange = Exchange(patience, look_up=look_up, allowed=allowed, trusted=trusted)
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
            parts = web_parts(url)
            if parts is None:
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
        host = str(parts.hostname)
        server = (parts.scheme, host, parts.port or PORTS[parts.scheme])
        with self._locks[host]:
            if server in self._unreachable:
                return self._unreachable[server], ""
            answer, further = self._asked("HEAD", parts)
            if answer.status >= 400 and answer.status != 429:
                # Some servers know no HEAD, and say so in many ways.
                answer, further = self._asked("GET", parts)
            if answer.outcome in (Outcome.UNKNOWN_HOST, Outcome.NO_CONNECTION, Outcome.NO_ANSWER):
                self._unreachable[server] = answer
            return answer, further

    def _asked(self, method: str, parts: SplitResult) -> tuple[Answer, str]:
        result = self._exchange.ask(method, parts, _HEADERS, _status_and_further)
        if isinstance(result, Failure):
            return Answer(result.outcome, detail=result.detail), ""
        status, further = result
        return Answer(Outcome.ANSWERED, status), further


def _status_and_further(response: http.client.HTTPResponse) -> tuple[int, str]:
    return response.status, response.headers.get("Location", "") if response.status in REDIRECTS else ""
