"""A browser that does nothing by itself, for tests over real HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Browser:
    """One request per connection, sent exactly as given; follows nothing and keeps nothing."""

    port: int

    def __call__(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Header names are written with underscores."""
        return self("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def form(self, path: str, text: str) -> Answer:
        return self("POST", path, text.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
