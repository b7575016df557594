"""Random histories of a relayed campaign: nobody gets a copy that no doubt names, nobody who is entitled gets none."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from one_copy_scene import OFFER, MoodySenders, move, rounds, try_to_accept
from relay_scene import Scene, add_members, scene_of

from audiences.models import SuppressionScope
from campaigns import definition
from comms.delivery.batches import Outcome
from comms.delivery.copies import discard
from comms.engine import deciding, sending
from comms.engine.rights import erase_member
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError

SLUGS = ("maine", "ohio", "utah")
PEOPLE = tuple(f"p{n}@example.org" for n in range(8))
LISTS = {
    "coalition": PEOPLE[:2],
    "maine": PEOPLE[:6],
    "ohio": (*PEOPLE[:3], *PEOPLE[5:7]),
    "utah": (*PEOPLE[2:5], PEOPLE[7]),
}
OUTCOMES = (Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.REJECTED, Outcome.UNKNOWN)
slugs, people = st.sampled_from(SLUGS), st.sampled_from(PEOPLE)


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp()) / "template"
    scene = scene_of(folder, LISTS)
    scene.offer(OFFER)
    scene.workspace.close()
    return folder


class OneCopyMachine(RuleBasedStateMachine):
    """Associations answer, pause, cancel; people come, go, move; servers, senders, queue and control have bad days."""

    @initialize(hold=st.booleans())
    def begin(self, hold: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(_template(), self.folder / "workspace")
        self.senders = MoodySenders()
        workspace = Workspace(self.folder / "workspace", environment={"COMMS_DELIVERY__DOUBT": "hold"} if hold else {})
        self.scene = Scene(workspace, self.senders)
        self.moved: dict[str, str] = {}
        self.stopped: set[str] = set()
        self.has_forgotten = False

    # --- associations -------------------------------------------------------------------------

    @rule(slug=slugs)
    def accept(self, slug: str) -> None:
        try_to_accept(self.scene, slug)

    @rule()
    def send_it_to_the_coalition_s_own(self) -> None:
        workspace = self.scene.workspace
        if workspace.host.campaign("partner") is None:
            ready = sending.prepare(workspace, definition.read(OFFER))
            sending.start(workspace, sending.approve(workspace, ready, who="dana"))

    @rule(slug=slugs, step=st.sampled_from((sending.pause, sending.resume, sending.resume, sending.cancel)))
    def steer(self, slug: str, step: object) -> None:
        try:
            step(self.scene.workspace, f"partner.{slug}", who="dana")  # type: ignore[operator]
        except (StateError, UsageError):
            return

    @rule(slug=slugs, arrived=st.booleans())
    def settle(self, slug: str, arrived: bool) -> None:
        try:
            deciding.decide_mails(self.scene.workspace, f"partner.{slug}", [], arrived=arrived, who="dana")
        except (StateError, UsageError):
            return

    # --- people -------------------------------------------------------------------------------

    @rule(slug=slugs, address=people)
    def erase(self, slug: str, address: str) -> None:
        self.has_forgotten = True
        erase_member(self.scene.workspace, address, slug)

    @rule(slug=slugs, address=people)
    def join(self, slug: str, address: str) -> None:
        workspace = self.scene.workspace
        if workspace.people(slug).find(address) is None and address not in self.moved:
            add_members(workspace, slug, [address])

    @rule(slug=slugs, address=people)
    def change_address(self, slug: str, address: str) -> None:
        new = f"new-{address}"
        if move(self.scene.workspace, slug, address, new):
            self.has_forgotten, self.moved[address] = True, new

    @rule(address=people)
    def stop(self, address: str) -> None:
        host = self.scene.workspace.people("coalition")
        with host.db.atomic():
            host.suppress(address, SuppressionScope.RELAYS, "asked", self.scene.now)
        self.stopped.add(address)

    @rule(address=people, slug=slugs)
    def choose(self, address: str, slug: str) -> None:
        workspace = self.scene.workspace
        with workspace.host.db.atomic():
            workspace.relays.choose(workspace.people("coalition").hash_of(address), slug)

    # --- machinery ----------------------------------------------------------------------------

    @rule(slug=st.sampled_from(("coalition", *SLUGS)), mood=st.sampled_from(OUTCOMES))
    def feel(self, slug: str, mood: Outcome) -> None:
        self.senders.moods[slug] = mood

    @rule(steps=st.integers(1, 3))
    def step(self, steps: int) -> None:
        for _ in range(steps):
            self.scene.control._recovered_at = float("-inf")
            self.scene.control.step()

    @rule(most=st.integers(1, 3))
    def answer(self, most: int) -> None:
        self.senders.answer(most)

    @rule()
    def work(self) -> None:
        self.scene.work()

    @rule(seconds=st.sampled_from((20, 600, 3 * 3600)))
    def wait(self, seconds: int) -> None:
        self.scene.now += timedelta(seconds=seconds)

    @rule(reports=st.booleans())
    def wipe_the_queue(self, reports: bool) -> None:
        self.senders.work.clear()
        if reports:  # those who answered are found by their journals, of which there are none here
            self.scene.control._take_reports()

    @rule()
    def kill_control(self) -> None:
        """Before it begins again it has what senders reported; what they had not begun is taken back."""
        self.scene.restart()
        self.senders.work.clear()

    @precondition(lambda self: not self.has_forgotten)
    @rule()
    def lose_the_list_of_who_has_whom(self) -> None:
        for family in self.scene.control._copies._families.values():
            family.close()
        discard(self.scene.workspace.relays_folder / "partner.db")
        self.kill_control()

    # --- promises -----------------------------------------------------------------------------

    @invariant()
    def nobody_has_a_copy_that_no_doubt_names(self) -> None:
        doubted = Counter(self.senders.doubted)
        for address, copies in self.senders.copies().items():
            assert copies <= 1 + doubted[address], (address, self.senders.got)

    def teardown(self) -> None:
        try:
            self._end()
        finally:
            self.scene.workspace.close()
            shutil.rmtree(self.folder)

    def _end(self) -> None:
        workspace = self.scene.workspace
        self.senders.moods.clear()
        for row in workspace.host.campaigns(["paused"]):
            sending.resume(workspace, row.id, who="dana")
        rounds(self.scene, 60, timedelta(minutes=30))
        self.nobody_has_a_copy_that_no_doubt_names()
        assert not workspace.host.campaigns(["sending"]), "nobody waits for ever"
        has_it = {self._person(address) for _, address in self.senders.got}
        for row in workspace.host.campaigns(["sent"]):
            for slug in row.senders:
                found = workspace.association_db(slug).execute(
                    "SELECT member.address, delivery.reason FROM run JOIN delivery ON delivery.run_id = run.id"
                    " JOIN member ON member.id = delivery.member_id WHERE run.campaign = ?"
                    " AND delivery.state = 'skipped'",
                    [row.id],
                )
                for address, reason in found:
                    assert reason == "not_relayed", (slug, address, reason)
                    person = self._person(address)
                    assert person in has_it | self.stopped, (slug, address)

    def _person(self, address: str) -> str:
        return address.removeprefix("new-")


TestOneCopy = OneCopyMachine.TestCase
TestOneCopy.settings = settings(
    max_examples=12, stateful_step_count=30, suppress_health_check=list(HealthCheck), print_blob=True
)
