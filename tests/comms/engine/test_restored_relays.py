"""A restore knows what was offered, answered and relayed since the backup: nobody gets a second copy, and no answer is
forgotten; where the host's own records can not be read, the ledgers alone keep the first of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from relay_scene import OFFER, Scene, add_members, association, scene_of

from campaigns import definition
from campaigns.collective import FrozenReports
from campaigns.follows import FollowedRow, FollowRow, FollowStore, PeerAnswer
from campaigns.relay import RelayState
from comms.engine import sending
from comms.engine.maintenance import back_up
from comms.engine.relaying import answering, closing, correcting, looking, peers, posted, seating
from comms.engine.restore import NOT_ALL_SENT, restore
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.events import CampaignState
from comms.files import write_whole
from comms.kits.signed_figures import signature
from tests.conftest import Comms, MailServer

BOTH = [f"both{n}@example.org" for n in range(10)]
MAINE = [*(f"maine{n}@example.org" for n in range(10)), *BOTH]
OHIO = [*(f"ohio{n}@example.org" for n in range(10)), *BOTH]
HEAD = OFFER.partition("feed:\n")[0]
AT_ONCE = HEAD + "relay:\n  associations: all\n---\n\nDear colleague.\n"
"""An edition goes out as soon as it is accepted."""


class Life:
    """A workspace that is backed up, lives on, and is restored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scene = scene_of(folder / "workspace", {"coalition": [], "maine": MAINE, "ohio": OHIO})
        self.archive = folder / "backup.tar.gz"

    def offer(self) -> None:
        self.scene.offer(AT_ONCE)

    def back_up(self) -> None:
        back_up(self.scene.workspace, self.archive)

    def restore(self, *, lost: str = "") -> None:
        """Over the workspace, of which the file `lost` can not be read any more."""
        scene = self.scene
        scene.workspace.close()
        path = self.folder / "workspace"
        if lost:
            for each in path.glob(f"{lost}*"):
                each.write_bytes(b"\0" * 8192)
        restore(self.archive, path)
        self.scene = Scene(Workspace(path, clock=lambda: scene.now), scene.senders, scene.now)
        for row in self.scene.workspace.host.campaigns([CampaignState.PAUSED]):
            if not row.reason:
                sending.resume(self.scene.workspace, row.id, who="dana")

    def accept(self, slug: str) -> None:
        row = answering.find(self.scene.workspace, "partner", slug)
        seat = seating.seats(self.scene.workspace, slug)[0]
        answering.accept(self.scene.workspace, row, who=seat.name, seat=seat)

    def state(self, slug: str) -> RelayState:
        return answering.find(self.scene.workspace, "partner", slug).state

    def work(self) -> None:
        self.scene.work()

    @property
    def copies(self) -> Counter[str]:
        return self.scene.senders.copies()


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    made = Life(tmp_path)
    yield made
    made.scene.workspace.close()


def test_what_was_accepted_and_sent_after_the_backup_is_not_relayed_again(life: Life) -> None:
    life.offer()
    life.back_up()
    life.accept("maine")
    life.work()
    assert life.copies == dict.fromkeys(MAINE, 1)
    life.restore()
    assert life.state("maine") is RelayState.SENT
    with pytest.raises(StateError):
        life.accept("maine")
    assert {step.who for step in looking.desk(life.scene.workspace, _row(life, "maine")).steps} >= {"Luis of maine"}
    life.accept("ohio")
    life.work()
    assert life.copies == dict.fromkeys({*MAINE, *OHIO}, 1)


def test_where_only_the_ledgers_can_be_read_an_acceptance_given_again_sends_nobody_a_second_copy(life: Life) -> None:
    life.offer()
    life.back_up()
    life.accept("maine")
    life.work()
    life.restore(lost="host.db")
    assert life.state("maine") is RelayState.OFFERED, "nobody knows of the answer"
    life.accept("ohio")
    life.work()
    assert life.copies == dict.fromkeys({*MAINE, *OHIO}, 1), "the ledger says whom Maine has reached"
    life.accept("maine")
    life.work()
    assert life.copies == dict.fromkeys({*MAINE, *OHIO}, 1)
    assert life.state("maine") is RelayState.SENT


def test_what_counted_as_sent_by_mistake_waits_for_a_person_and_then_reaches_the_others(life: Life) -> None:
    """As where a damaged index hid who was still to be written to."""
    life.offer()
    life.accept("maine")
    life.scene.control.step()
    life.scene.senders.work.clear()  # no sender has begun
    life.back_up()
    host, now = life.scene.workspace.host, life.scene.workspace.now()
    assert host.set_state("partner.maine", CampaignState.SENT, now, was=[CampaignState.SENDING])
    life.restore()
    row = life.scene.workspace.host.campaign("partner.maine")
    assert row is not None
    assert (row.state, row.reason) == (CampaignState.PAUSED, NOT_ALL_SENT)
    sending.resume(life.scene.workspace, row.id, who="dana")
    life.work()
    assert life.copies == dict.fromkeys(MAINE, 1)


def test_what_was_on_its_way_goes_on_with_those_who_have_it_not(life: Life) -> None:
    life.offer()
    life.back_up()
    life.accept("maine")
    life.scene.control.step()
    life.scene.senders.answer()  # some are through
    life.scene.control._take_reports()
    assert len(life.scene.senders.got) > 0
    life.restore()
    life.work()
    assert life.copies == dict.fromkeys(MAINE, 1)


def test_an_offer_made_after_the_backup_is_there_again_with_its_answers(life: Life) -> None:
    life.back_up()
    life.offer()
    row = _row(life, "ohio")
    answering.decline(life.scene.workspace, row, "not for us", who="Luis of ohio")
    life.accept("maine")
    life.work()
    life.restore()
    with pytest.raises(StateError, match="offered before"):
        life.offer()
    assert (life.state("ohio"), _row(life, "ohio").reason) == (RelayState.DECLINED, "not for us")
    life.work()
    assert life.copies == dict.fromkeys(MAINE, 1)


def test_a_recall_and_a_no_given_after_the_backup_hold(life: Life) -> None:
    life.scene.offer(OFFER)
    life.accept("maine")
    life.accept("ohio")
    life.back_up()
    answering.decline(life.scene.workspace, _row(life, "ohio"), "after all not", who="Luis of ohio")
    life.restore()
    assert life.state("ohio") is RelayState.DECLINED
    correcting.recall(life.scene.workspace, "partner", "the grant was withdrawn", who="dana")
    life.restore()
    assert life.state("maine") is RelayState.WITHDRAWN
    life.work()
    assert life.copies == Counter()


def test_a_newer_backup_is_not_overruled_by_an_older_workspace(life: Life) -> None:
    """An old backup was restored first, by mistake, and then the right one."""
    life.offer()
    life.back_up()
    old, life.archive = life.archive, life.folder / "newer.tar.gz"
    life.scene.now += timedelta(hours=1)
    life.accept("maine")
    life.work()
    life.back_up()
    newer, life.archive = life.archive, old
    life.scene.workspace.close()
    (life.folder / "workspace").rename(life.folder / "away")
    restore(old, life.folder / "workspace")
    life.scene = Scene(Workspace(life.folder / "workspace"), life.scene.senders, life.scene.now)
    life.archive = newer
    life.restore()
    assert life.state("maine") is RelayState.SENT
    life.work()
    assert life.copies == dict.fromkeys(MAINE, 1)


def test_a_report_that_was_frozen_is_not_made_anew(life: Life) -> None:
    life.offer()
    life.accept("maine")
    life.work()
    life.back_up()
    closing.close(life.scene.workspace, "partner", who="dana")
    report = FrozenReports(life.scene.workspace.host.db).get("partner")
    life.restore()
    assert report is not None
    assert FrozenReports(life.scene.workspace.host.db).get("partner") == report
    with pytest.raises(StateError, match="closed"):
        closing.close(life.scene.workspace, "partner", who="dana")


def test_a_link_that_was_ended_stays_ended(life: Life) -> None:
    life.back_up()
    workspace = life.scene.workspace
    seating.remove(workspace, "maine", "luis@maine.example")
    seating.add(workspace, "maine", "Ana", "ana@maine.example")
    life.restore()
    assert [seat.name for seat in seating.seats(life.scene.workspace, "maine")] == ["Ana"]


def test_a_secret_and_a_key_that_were_taken_back_are_not_believed_again(life: Life) -> None:
    workspace = life.scene.workspace
    leaked, renewed = (posted.give(workspace, slug, who="dana") for slug in ("maine", "ohio"))
    for slug in ("maine", "ohio"):
        peers.register(workspace, slug, "1" * 64, who="dana")
    life.back_up()
    posted.revoke(workspace, "maine", who="dana")
    given = posted.give(workspace, "ohio", who="dana")
    peers.unregister(workspace, "maine", who="dana")
    peers.register(workspace, "ohio", "2" * 64, who="dana")
    life.restore()
    workspace = life.scene.workspace
    assert _post(workspace, leaked) == 403
    assert _post(workspace, renewed) == 403
    assert _post(workspace, given) == 404, "it is signed with what holds, and nothing is offered"
    assert [(peer.association, peer.key) for peer in peers.peers(workspace)] == [("ohio", "2" * 64)]


def test_an_older_workspace_does_not_bring_back_a_secret_that_a_newer_backup_knows_to_be_revoked(life: Life) -> None:
    workspace = life.scene.workspace
    leaked = posted.give(workspace, "maine", who="dana")
    life.back_up()
    old, life.archive = life.archive, life.folder / "newer.tar.gz"
    posted.revoke(workspace, "maine", who="dana")
    life.back_up()
    workspace.close()
    (life.folder / "workspace").rename(life.folder / "away")
    restore(old, life.folder / "workspace")
    life.scene = Scene(Workspace(life.folder / "workspace"), life.scene.senders, life.scene.now)
    life.restore()
    assert _post(life.scene.workspace, leaked) == 403


def _post(workspace: Workspace, given: posted.Given) -> int:
    body, seconds = b'{"campaign": "partner", "copies": 10}', int(workspace.now().timestamp())
    return posted.take(workspace, given.association, (seconds, signature(given.secret, seconds, body)), body).status


def test_an_offer_of_another_engine_that_came_after_the_backup_is_known_to_be_from_there(life: Life) -> None:
    """Else its recall would find nothing to stop, and its answer would not be told."""
    life.back_up()
    life.offer()
    host, now = life.scene.workspace.host, life.scene.workspace.now()
    feed = "https://north.example/relay/coalition/feed.json"
    follow = FollowRow(0, "north", feed, "North", "maine", "maine", False, "1" * 64, "", "", None, None, 0, "", now)
    row = FollowedRow(0, feed, "partner", "partner", 1, "", "", "", "", 0, "", True, None, 0, "")
    with host.db.atomic():
        FollowStore(host.db).add(follow)
        FollowStore(host.db).save_followed(row, author="North")
    attached = Path("offers", "0" * 32, "call.pdf")
    write_whole(life.scene.workspace.media_folder / attached, b"%PDF-1.7")
    life.restore()
    assert (life.scene.workspace.media_folder / attached).read_bytes() == b"%PDF-1.7", "it is not fetched again"
    store = FollowStore(life.scene.workspace.host.db)
    assert [each.name for each in store.follows()] == ["north"]
    taken = store.taken("partner")
    assert taken is not None
    assert taken.version == 1


def test_an_answer_of_another_engine_that_is_older_than_the_last_is_refused_after_a_restore_too(life: Life) -> None:
    life.offer()
    life.back_up()
    host, now = life.scene.workspace.host, life.scene.workspace.now()
    with host.db.atomic():
        FollowStore(host.db).save_answer(PeerAnswer(_row(life, "maine").id, 7, "{}", now))
    life.restore()
    answer = FollowStore(life.scene.workspace.host.db).answer(_row(life, "maine").id)
    assert answer is not None
    assert answer.number == 7


@pytest.mark.parametrize("lost", ["", "host.db", "associations/maine.db"])
def test_a_campaign_whose_hour_came_after_the_backup_is_not_sent_twice(life: Life, lost: str) -> None:
    text = f"{HEAD}schedule:\n  at: 2027-01-10 13:00\n  timezone: UTC\n---\n\nDear colleague.\n"
    ready = sending.prepare(life.scene.workspace, definition.read(text), ["maine"], scheduled=True)
    sending.approve(life.scene.workspace, ready, who="dana")
    life.back_up()
    life.scene.now += timedelta(hours=2)
    life.work()
    assert life.copies == dict.fromkeys(MAINE, 1)
    life.restore(lost=lost)
    life.work()
    assert life.copies == dict.fromkeys(MAINE, 1)


def test_what_nobody_can_tell_of_waits_for_a_person_with_its_reason(life: Life) -> None:
    text = f"{HEAD}schedule:\n  at: 2027-01-10 13:00\n  timezone: UTC\n---\n\nDear colleague.\n"
    ready = sending.prepare(life.scene.workspace, definition.read(text), ["maine"], scheduled=True)
    sending.approve(life.scene.workspace, ready, who="dana")
    life.back_up()
    life.scene.now += timedelta(hours=2)
    life.scene.control._recovered_at = float("-inf")
    life.scene.control.step()
    life.restore(lost="associations/maine.db")
    row = sending.find(life.scene.workspace, "partner")
    assert row.state == CampaignState.PAUSED
    assert "who got it can not be read" in row.reason


def _row(life: Life, slug: str) -> answering.RelayRow:
    return answering.find(life.scene.workspace, "partner", slug)


def test_a_real_relay_after_the_backup_goes_out_once(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server()
    comms.environment["COMMS_SMTP__PORT"] = str(server.port)
    with Workspace(comms.folder) as workspace:
        for slug, people in (("maine", MAINE), ("ohio", OHIO)):
            workspace.add_association(association(slug))
            add_members(workspace, slug, people)
    file, archive = tmp_path / "partner.md", str(tmp_path / "backup.tar.gz")
    file.write_text(AT_ONCE)
    assert comms("relay", "offer", str(file), "--yes").code == 0
    assert comms("backup", archive).code == 0
    assert comms("relay", "accept", "partner", "-a", "maine").code == 0
    _send(comms, "partner.maine")
    assert Counter(server.recipients()) == dict.fromkeys(MAINE, 1)
    done = comms("restore", archive)
    assert done.code == 0, done.err
    assert comms("relay", "show", "partner", "-a", "maine", "--json").json()["state"] in (
        "scheduled",
        "sending",
        "sent",
    )
    assert comms("relay", "accept", "partner", "-a", "ohio").code == 0
    _send(comms, "partner.ohio")
    assert Counter(server.recipients()) == dict.fromkeys({*MAINE, *OHIO}, 1)


def _send(comms: Comms, campaign: str) -> None:
    run = comms.start("run")
    try:
        comms.wait_until_sent(campaign)
    finally:
        run.terminate()
        assert run.wait(30) == 0
