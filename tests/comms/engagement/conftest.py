from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sent_newsletter import Sent, add_member, add_topics, make_workspace, save_campaign, send

from comms.engine.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with make_workspace(tmp_path / "coalition") as workspace:
        yield workspace


@pytest.fixture
def sent(workspace: Workspace) -> Sent:
    """A newsletter to ada, who agreed to be tracked, and ben, who did not."""
    add_topics(workspace, "coalition", news="Coalition news", jobs="Jobs")
    add_member(workspace, "coalition", "ada@example.org", tracked=True)
    add_member(workspace, "coalition", "ben@example.org")
    save_campaign(workspace, ["coalition"])
    return send(workspace, "coalition")


@pytest.fixture(scope="module")
def sent_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """A newsletter for tests that record nothing."""
    with make_workspace(tmp_path_factory.mktemp("once") / "coalition") as workspace:
        add_member(workspace, "coalition", "ada@example.org")
        save_campaign(workspace, ["coalition"])
        yield send(workspace, "coalition")
