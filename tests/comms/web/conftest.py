from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engagement"))  # where the workspace of these tests is made

from sent_newsletter import Sent, add_member, add_topics, make_workspace, publish, save_campaign, send

from comms.web.server import serve


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


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[Sent]:
    """A newsletter to ada, who agreed to be tracked, and ben, who did not; and an entry in the feed."""
    with make_workspace(tmp_path / "coalition") as workspace:
        add_topics(workspace, "coalition", news="Coalition news", jobs="Jobs")
        add_member(workspace, "coalition", "ada@example.org", tracked=True)
        add_member(workspace, "coalition", "ben@example.org")
        save_campaign(workspace, ["coalition"])
        publish(workspace, "coalition", content=f"<p>{'Hello. ' * 200}</p>")
        yield send(workspace, "coalition")


@pytest.fixture
def browser(sent: Sent) -> Iterator[Browser]:
    server = serve(sent.workspace.folder, "127.0.0.1", 0)
    server.start()
    yield Browser(server.port)
    server.stop()
