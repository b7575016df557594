"""Posts through cut lines and killed senders: one on Bluesky and Mastodon, one at most on X."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from comms.engine import deciding, posts, sending
from comms.events import PostState
from tests.comms.engine.post_scene import LINKEDIN_APP, Scene, scene
from tests.support import fake_linkedin, networks

POSTS = 10
"""On each network; `make bench-social` takes more."""
FAULTS = ("cut", "kill-after", "kill-before", "")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(scene(tmp_path / "workspace", **environment))


def test_a_post_is_there_once_whatever_breaks_on_bluesky_and_mastodon(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for network in ("bluesky", "mastodon"):
        for number in range(POSTS):
            campaign = f"{network}-{number}"
            here.start(network, campaign, f"Post {number} {{{{ url }}}}")
            here.round(network, FAULTS[number % 3])
            assert here.post(campaign).state == PostState.DOUBTFUL
            for fault in (FAULTS[(number // 3) % 4], "", ""):
                here.later(400)
                here.round(network, fault)
            assert here.post(campaign).state == PostState.SENT, here.post(campaign).reason
            assert here.post(campaign).url
        assert len(here.texts(network)) == POSTS
        assert len(set(here.texts(network))) == POSTS


def test_x_has_one_post_at_most_and_a_person_is_asked(place: Callable[..., Scene]) -> None:
    here = place()
    for number, fault in enumerate(("cut", "kill-after", "kill-before")):
        here.start("x", f"x-{number}", f"Post {number} {{{{ url }}}}")
        here.round("x", fault)
        here.later(4000)
        here.round("x")
        assert here.post(f"x-{number}").state == PostState.UNCONFIRMED
    assert len(here.texts("x")) == 2


def test_x_is_read_back_only_where_that_is_paid_for_and_never_posts_again(place: Callable[..., Scene]) -> None:
    here = place(COMMS_X__READ_BACK="true")
    here.start("x", "cut", "Once {{ url }}")
    here.round("x", "cut")
    here.later(100)
    here.round("x")
    assert here.post("cut").state == PostState.SENT
    here.start("x", "lost", "Never {{ url }}")
    here.round("x", "kill-before")
    for wait in posts.ASK_AFTER_S:
        assert here.post("lost").state == PostState.DOUBTFUL
        here.later(wait + 1)
        here.round("x")
    assert here.post("lost").state == PostState.UNCONFIRMED
    assert len(here.texts("x")) == 1


def test_linkedin_is_looked_through_for_a_lost_post_and_never_posts_again(place: Callable[..., Scene]) -> None:
    here = place()
    for number in range(POSTS):
        campaign, fault = f"linkedin-{number}", FAULTS[number % 3]
        here.start("linkedin", campaign, f"Post {number} {{{{ url }}}} #Archives")
        here.round("linkedin", fault)
        assert here.post(campaign).state == PostState.DOUBTFUL
        for wait in posts.ASK_AFTER_S:
            here.later(wait + 1)
            here.round("linkedin")
        there = PostState.UNCONFIRMED if fault == "kill-before" else PostState.SENT
        assert here.post(campaign).state == there, here.post(campaign).reason
    lost = sum(FAULTS[number % 3] == "kill-before" for number in range(POSTS))
    assert len(set(here.texts("linkedin"))) == len(here.texts("linkedin")) == POSTS - lost


def test_what_is_in_doubt_of_a_cancelled_campaign_is_looked_for_but_not_posted(place: Callable[..., Scene]) -> None:
    here = place()
    here.start("bluesky", "stopped")
    here.round("bluesky", "kill-before")
    sending.cancel(here.workspace, "stopped", who="somebody")
    here.later(100)
    here.round("bluesky")
    assert here.texts("bluesky") == []
    assert here.post("stopped").state == PostState.DOUBTFUL


def test_a_thread_goes_on_at_the_first_part_that_is_not_there(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for network in ("bluesky", "mastodon", "x"):
        campaign = f"thread-{network}"
        here.start(network, campaign, "One {{ url }}\\n---\\nTwo\\n---\\nThree")
        here.round(network)
        here.later(700)
        here.round(network, "cut")
        if network == "x":
            assert [post.state for post in here.workspace.host.posts(campaign)] == ["sent", "unconfirmed", "queued"]
            assert not posts.are_open(here.workspace, campaign)
            second = here.workspace.host.posts(campaign)[1]
            where = "https://x.com/i/web/status/1900000000000000002"
            deciding.decide_post(here.workspace, campaign, second.id, arrived=True, url=where, who="somebody")
        for _ in range(3):
            here.later(700)
            here.round(network)
        assert [post.state for post in here.workspace.host.posts(campaign)] == ["sent"] * 3
        assert len(here.texts(network)) == 3
    assert [text for text, _ in here.x.replies] == ["Two", "Three"]
    replies = {record["text"]: record["reply"] for record in networks.records(here.servers["bluesky"])[1:]}
    assert replies["Three"]["root"] == replies["Two"]["parent"] != replies["Three"]["parent"]


def test_a_post_over_the_months_budget_is_skipped_and_does_not_keep_its_campaign_open(
    place: Callable[..., Scene],
) -> None:
    here = place(COMMS_X__MONTHLY_BUDGET="0.21")
    here.start("x", "first", "With a link {{ url }}")
    here.start("x", "second", "With a link, too {{ url }}")
    here.round("x")
    assert here.post("first").state == PostState.SENT
    assert here.post("second").state == PostState.SKIPPED
    assert f"comms campaign posts second --again {here.post('second').id}" in here.post("second").reason
    assert not posts.are_open(here.workspace, "second")
    assert len(here.texts("x")) == 1


def test_a_thread_over_the_months_budget_is_not_begun(place: Callable[..., Scene]) -> None:
    here = place(COMMS_X__MONTHLY_BUDGET="0.21")
    here.start("x", "thread", "One {{ url }}\\n---\\nTwo")
    here.round("x")
    here.round("x")
    assert [post.state for post in here.workspace.host.posts("thread")] == [PostState.SKIPPED, PostState.FAILED]
    assert here.texts("x") == []
    assert not posts.are_open(here.workspace, "thread")


def test_two_senders_share_a_login_and_an_expired_session_is_renewed_once(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for number in range(3):
        here.start("bluesky", f"login-{number}")
        here.round("bluesky")
    assert networks.counts(here.servers["bluesky"])["logins"] == 1
    networks.requests.post(f"{here.servers['bluesky']}/xrpc/expire", timeout=5).close()
    for number in range(3, 5):
        here.start("bluesky", f"login-{number}")
        here.round("bluesky")
    counted = networks.counts(here.servers["bluesky"])
    assert (counted["logins"], counted["refreshes"], counted["puts"]) == (1, 1, 5)


def test_credentials_stand_in_no_file_and_no_reason(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True, COMMS_BLUESKY__APP_PASSWORD="wrong-secret-word", **LINKEDIN_APP)
    here.linkedin.access = "AQV-another"  # so that the token in the settings has to be renewed
    for network in ("bluesky", "mastodon", "linkedin"):
        here.start(network, f"secret-{network}")
        here.round(network, "cut")
        here.later(300)
        here.round(network)
    assert here.post("secret-bluesky").state == PostState.FAILED
    assert "login" in here.post("secret-bluesky").reason
    files = b"".join(path.read_bytes() for path in here.workspace.folder.rglob("*") if path.is_file())
    assert here.linkedin.refreshes == 1
    linkedin = (here.linkedin.access, here.linkedin.refresh, *LINKEDIN_APP.values(), fake_linkedin.ACCESS_TOKEN)
    for secret in ("wrong-secret-word", networks.MASTODON_TOKEN, networks.APP_PASSWORD, "refresh-1", *linkedin):
        assert secret.encode() not in files
