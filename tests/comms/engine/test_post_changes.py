"""What a person does with posts on real and checking servers: edits, deletions, and posting what is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from campaigns import definition
from campaigns.posts import PostRow
from comms.channels.linkedin_text import little_text
from comms.engine import post_changes, posts, sending
from comms.errors import StateError, UsageError
from comms.events import CampaignState, PostState
from tests.comms.engine.post_scene import CAMPAIGN, Scene, scene
from tests.support import fake_x, networks

ME = "somebody"
THREAD = "One {{ url }}\\n---\\nTwo\\n---\\nThree"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(scene(tmp_path / "workspace", **environment))


def sent(here: Scene, network: str, text: str = "Hello {{ url }} #Archives") -> PostRow:
    here.start(network, network, text)
    here.round(network)
    post = here.workspace.host.posts(network)[0]
    assert post.state == PostState.SENT, post.reason
    return post


def states(here: Scene, campaign: str) -> list[str]:
    return [post.state for post in here.workspace.host.posts(campaign)]


def shown(here: Scene, network: str) -> list[str]:
    if network != "x":
        return here.texts(network)
    return [here.x.posts[int(identity[-2:]) - 1] for identity in here.x.there]


def test_a_deleted_post_is_gone_from_every_network_and_never_posted_again(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for network in ("x", "mastodon", "bluesky", "linkedin"):
        post = sent(here, network)
        (gone,) = post_changes.delete(here.workspace, network, post.id, who=ME)
        assert (gone.state, gone.url) == (PostState.DELETED, post.url)
        assert shown(here, network) == []
        for refused in (post_changes.again, post_changes.delete):
            with pytest.raises(StateError, match="deleted"):
                refused(here.workspace, network, post.id, who=ME)
        row = sending.find(here.workspace, network)
        sending.start(here.workspace, row)  # as control does after a crash
        here.later(4000)
        here.round(network)
        assert shown(here, network) == []
        said = [(who, what, detail) for _, who, what, detail in here.workspace.host.audit(network)]
        assert (ME, "post deleted", f"post {post.id} on {network}") in said


def test_a_deletion_that_was_cut_off_is_done_again(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for network in ("x", "mastodon", "bluesky", "linkedin"):
        post = sent(here, network)
        here.lines[network].makes_posts = (b"DELETE /", b"POST /xrpc/com.atproto.repo.deleteRecord")
        here.lines[network].fault = "cut"
        with pytest.raises(StateError, match="nobody knows") as caught:
            post_changes.delete(here.workspace, network, post.id, who=ME)
        assert "again" in caught.value.hint
        assert states(here, network) == [PostState.SENT]
        post_changes.delete(here.workspace, network, post.id, who=ME)
        assert states(here, network) == [PostState.DELETED]
        assert shown(here, network) == []


def test_what_the_network_refuses_changes_nothing_here(place: Callable[..., Scene]) -> None:
    here = place()
    post = sent(here, "x")
    here.x.reply = fake_x.problem(403, {"detail": "You are not permitted to delete this."})
    with pytest.raises(StateError, match="not permitted to delete"):
        post_changes.delete(here.workspace, "x", post.id, who=ME)
    assert states(here, "x") == [PostState.SENT]


def test_a_thread_is_deleted_from_its_end_and_what_is_not_posted_yet_stays_so(place: Callable[..., Scene]) -> None:
    here = place()
    first = sent(here, "bluesky", THREAD)
    here.later(700)
    here.round("bluesky")
    assert states(here, "bluesky") == ["sent", "sent", "queued"]
    doomed = post_changes.doomed(here.workspace, "bluesky", first.id)
    assert [post.part for post in doomed] == [3, 2, 1]
    assert states(here, "bluesky") == ["sent", "sent", "queued"]
    post_changes.delete(here.workspace, "bluesky", first.id, who=ME)
    assert states(here, "bluesky") == ["deleted", "deleted", "cancelled"]
    assert here.texts("bluesky") == []
    assert not posts.are_open(here.workspace, "bluesky")


def test_a_part_that_may_be_there_keeps_the_thread_until_a_person_has_looked(place: Callable[..., Scene]) -> None:
    here = place()
    first = sent(here, "x", THREAD)
    here.later(700)
    here.round("x", "cut")
    assert states(here, "x") == ["sent", "unconfirmed", "queued"]
    with pytest.raises(StateError, match="nobody knows yet") as caught:
        post_changes.delete(here.workspace, "x", first.id, who=ME)
    assert "settle" in caught.value.hint
    assert len(shown(here, "x")) == 2
    assert states(here, "x") == ["sent", "unconfirmed", "queued"]


def test_a_post_says_something_else_after_an_edit_and_keeps_what_belongs_to_it(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for network in ("mastodon", "linkedin"):
        post = sent(here, network)
        new = "Other (words), here_now #Archives"
        edited = post_changes.edit(here.workspace, network, post.id, f"{new}\n", who=ME)
        assert (edited.text, edited.state, edited.url) == (new, PostState.SENT, post.url)
    (status,) = networks.statuses(here.servers["mastodon"])
    assert "here_now" in status["content"]
    assert here.linkedin.posts[0].commentary == little_text(new)
    assert here.linkedin.texts == [new]


def test_an_edit_is_refused_where_it_can_not_be(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for network in ("x", "bluesky"):
        post = sent(here, network)
        with pytest.raises(UsageError, match="lets no post be changed"):
            post_changes.edit(here.workspace, network, post.id, "new", who=ME)
    post = sent(here, "mastodon")
    for text in ("", "a" * 501, "a\0b", "a\ud800b"):
        with pytest.raises(UsageError):
            post_changes.edit(here.workspace, "mastodon", post.id, text, who=ME)
    with pytest.raises(UsageError, match="has no post 999"):
        post_changes.edit(here.workspace, "mastodon", 999, "new", who=ME)
    assert post_changes.find(here.workspace, "mastodon", post.id).text == post.text


def test_a_post_that_failed_or_was_skipped_goes_out_when_a_person_says_so(place: Callable[..., Scene]) -> None:
    here = place()
    here.x.reply = fake_x.problem(401, {"detail": "Unauthorized"})
    here.start("x", "failed", THREAD)
    for _ in range(3):
        here.round("x")
        here.later(700)
    assert states(here, "failed") == ["failed"] * 3
    with here.workspace.host.db.atomic():
        here.workspace.host.set_state("failed", CampaignState.SENT, here.workspace.now(), was=[CampaignState.SENDING])
    here.x.reply = None
    number = here.workspace.host.posts("failed")[0].id
    waiting = post_changes.again(here.workspace, "failed", number, who=ME)
    assert [post.state for post in waiting] == ["queued"] * 3
    assert sending.find(here.workspace, "failed").state == CampaignState.SENDING
    for _ in range(3):
        here.later(700)
        here.round("x")
    assert states(here, "failed") == ["sent"] * 3
    assert [text for text, _ in here.x.replies] == ["Two", "Three"]
    with pytest.raises(StateError, match="is sent"):
        post_changes.again(here.workspace, "failed", number, who=ME)


def test_a_post_over_the_budget_goes_out_later_only_if_there_is_room_then(place: Callable[..., Scene]) -> None:
    here = place(COMMS_X__MONTHLY_BUDGET="0.21")
    here.start("x", "first", "With a link {{ url }}")
    here.start("x", "second", "With a link, too {{ url }}")
    here.round("x")
    number = here.post("second").id
    post_changes.again(here.workspace, "second", number, who=ME)
    here.round("x")
    assert here.post("second").state == PostState.SKIPPED
    here.later(31 * 86_400)
    post_changes.again(here.workspace, "second", number, who=ME)
    here.round("x")
    assert here.post("second").state == PostState.SENT


def test_what_is_in_doubt_or_of_a_cancelled_campaign_is_not_posted_again(place: Callable[..., Scene]) -> None:
    here = place()
    here.start("x", "doubt")
    here.round("x", "cut")
    with pytest.raises(StateError, match="may be there already") as caught:
        post_changes.again(here.workspace, "doubt", here.post("doubt").id, who=ME)
    assert "settle" in caught.value.hint
    here.x.reply = fake_x.problem(401, {"detail": "Unauthorized"})
    here.start("x", "stopped", "Another {{ url }}")
    here.round("x")
    sending.cancel(here.workspace, "stopped", who=ME)
    with pytest.raises(StateError, match="cancelled"):
        post_changes.again(here.workspace, "stopped", here.post("stopped").id, who=ME)
    assert here.post("stopped").state == PostState.FAILED


def test_posts_that_were_only_written_down_are_not_looked_for_on_a_network(place: Callable[..., Scene]) -> None:
    here = place(COMMS_X__API_KEY="")
    campaign = definition.read(CAMPAIGN.format(id="outbox", network="x", text="Hello"))
    sending.start(here.workspace, sending.approve(here.workspace, sending.prepare(here.workspace, campaign), who=ME))
    here.round("x")
    post = here.post("outbox")
    assert post.state == PostState.SIMULATED
    with pytest.raises(StateError, match="is simulated: there is nothing of it on X"):
        post_changes.delete(here.workspace, "outbox", post.id, who=ME)
