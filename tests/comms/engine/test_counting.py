"""What readers did with posts: looked at an hour, a day and a week after, once each, and told in the report."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from comms.engagement import terminal
from comms.engagement.html import to_html
from comms.engine import counting, post_changes, reporting
from comms.engine.workspace import Workspace
from comms.events import PostState
from tests.comms.engine.post_scene import Scene, scene

HOUR, DAY = 3_600, 86_400


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(scene(tmp_path / "workspace", **environment))


def sent(here: Scene, network: str) -> None:
    here.start(network, network)
    here.round(network)
    assert here.post(network).state == PostState.SENT, here.post(network).reason


def asked(here: Scene, network: str, what: bytes) -> int:
    return sum(what in line for line in here.lines[network].requests)


def test_posts_are_looked_at_after_an_hour_a_day_and_a_week_and_no_more(place: Callable[..., Scene]) -> None:
    here = place()
    sent(here, "linkedin")
    assert counting.count(here.workspace) == 0
    looks = []
    for wait in (HOUR - 60, 120, DAY - HOUR, HOUR, 6 * DAY, DAY, 30 * DAY):
        here.later(wait)
        here.linkedin.figures[here.linkedin.posts[0].urn] = (len(looks), 7)
        looks.append(counting.count(here.workspace))
        assert counting.count(here.workspace) == 0
    assert looks == [0, 1, 1, 0, 1, 0, 0]
    assert asked(here, "linkedin", b"socialMetadata") == 3
    post = here.post("linkedin")
    assert (post.replies, post.shares, post.likes) == (7, None, 4)


def test_looks_that_were_missed_count_as_one(place: Callable[..., Scene]) -> None:
    here = place()
    sent(here, "linkedin")
    here.later(30 * DAY)
    assert counting.count(here.workspace) == 1
    here.later(30 * DAY)
    assert counting.count(here.workspace) == 0


def test_every_network_tells_and_x_only_where_that_is_paid_for(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True, COMMS_X__FIGURES="true")
    for network in ("mastodon", "bluesky", "linkedin", "x"):
        sent(here, network)
    here.later(2 * HOUR)
    limits_asked = asked(here, "mastodon", b"GET /api/v2/instance")
    assert counting.count(here.workspace) == 4
    figures = {network: here.post(network) for network in ("mastodon", "bluesky", "linkedin", "x")}
    told = {network: (post.replies, post.shares, post.likes) for network, post in figures.items()}
    assert asked(here, "mastodon", b"GET /api/v1/statuses/") == 1
    assert asked(here, "mastodon", b"GET /api/v2/instance") == limits_asked
    assert told == {"mastodon": (0, 0, 0), "bluesky": (1, 5, 4), "linkedin": (0, None, 0), "x": (1, 5, 4)}


def test_x_is_not_asked_by_itself(place: Callable[..., Scene]) -> None:
    here = place()
    sent(here, "x")
    here.later(2 * HOUR)
    assert counting.count(here.workspace) == 0
    assert here.x.looks == 0


def test_a_look_that_fails_is_left_out_and_the_figures_before_it_stay(place: Callable[..., Scene]) -> None:
    here = place()
    sent(here, "linkedin")
    here.linkedin.figures[here.linkedin.posts[0].urn] = (5, 1)
    here.later(2 * HOUR)
    counting.count(here.workspace)
    here.lines["linkedin"].makes_posts = (b"GET /rest/socialMetadata",)
    here.lines["linkedin"].fault = "cut"
    here.later(DAY)
    assert counting.count(here.workspace) == 1
    assert counting.count(here.workspace) == 0
    assert (here.post("linkedin").likes, here.post("linkedin").state) == (5, PostState.SENT)


def test_a_post_that_somebody_took_away_is_said_and_its_figures_stay(place: Callable[..., Scene]) -> None:
    here = place()
    sent(here, "linkedin")
    here.later(2 * HOUR)
    here.linkedin.posts.clear()
    counting.count(here.workspace)
    assert here.post("linkedin").reason == counting.GONE
    here.start("bluesky", "gone")
    here.round("bluesky")
    post_changes.delete(here.workspace, "gone", here.post("gone").id, who="somebody")
    here.later(2 * HOUR)
    assert counting.count(here.workspace) == 0


def test_the_report_tells_what_readers_did(place: Callable[..., Scene]) -> None:
    here = place()
    sent(here, "linkedin")
    assert "by 20" not in _report(here.workspace)[0]
    here.linkedin.figures[here.linkedin.posts[0].urn] = (1200, 1)
    here.later(2 * HOUR)
    counting.count(here.workspace)
    shown, page, data = _report(here.workspace)
    words = f"1 reply, 1,200 likes by {here.workspace.now():%Y-%m-%d}"
    assert words in shown
    assert f"<td>{words}</td>" in page
    (post,) = data["posts"]
    assert (post["replies"], post["shares"], post["likes"]) == (1, None, 1200)
    assert post["counted"].startswith(f"{here.workspace.now():%Y-%m-%d}")


def test_it_is_done_beside_control_in_a_thread_that_ends(place: Callable[..., Scene]) -> None:
    here = place()
    sent(here, "linkedin")
    here.later(2 * HOUR)
    environment = {
        "COMMS_LINKEDIN__API_URL": here.lines["linkedin"].url,
        "COMMS_LINKEDIN__ORGANIZATION": "5515715",
        "COMMS_LINKEDIN__ACCESS_TOKEN": here.linkedin.access,
    }

    def another() -> Workspace:
        return Workspace(here.workspace.folder, environment=environment, clock=here.workspace.now)

    with counting.counter(another):
        deadline = time.monotonic() + 30
        while here.post("linkedin").counted_at is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert here.post("linkedin").counted_at is not None
    assert not [thread for thread in threading.enumerate() if thread.name == "post-counter"]


def _report(workspace: Workspace) -> tuple[str, str, dict[str, list[dict[str, object]]]]:
    """On the terminal, as a page and as data."""
    data, console = reporting.report(workspace, "linkedin"), Console(width=300, record=True, file=io.StringIO())
    console.print(terminal.render(data))
    return console.export_text(), to_html(data), json.loads(json.dumps(data.to_json()))
