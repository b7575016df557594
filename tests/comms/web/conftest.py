from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engagement"))  # where the workspace of these tests is made
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))  # and that of the relays

from http_browser import Browser
from sent_newsletter import Sent, add_member, add_topics, make_workspace, publish, save_campaign, send

from comms.web.server import serve


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
