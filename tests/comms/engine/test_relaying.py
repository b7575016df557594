"""Associations take a campaign to their own members: what they are asked, what they may do, and what goes out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from relay_scene import OFFER, MakeScene, Scene, scene_of

from audiences.models import SuppressionScope
from campaigns.relay import RelayState
from comms.engine import preferences, subscription
from comms.engine.relaying import answering, correcting, looking, offering, seating
from comms.errors import StateError, UsageError
from comms.links import MemberToken

BOTH = [f"both{n}@example.org" for n in range(40)]
MAINE = [*(f"maine{n}@example.org" for n in range(30)), *BOTH]
OHIO = [*(f"ohio{n}@example.org" for n in range(30)), *BOTH]
SENT = datetime(2027, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeScene]:
    made: list[Scene] = []

    def scene(members: Mapping[str, Iterable[str]]) -> Scene:
        made.append(scene_of(tmp_path / "workspace", members))
        return made[-1]

    yield scene
    for each in made:
        each.workspace.close()


@pytest.fixture
def scene(make: MakeScene) -> Scene:
    """Two associations that share forty people, and an offer to both."""
    found = make({"maine": MAINE, "ohio": OHIO})
    found.offer()
    return found


def _accept(scene: Scene, slug: str) -> None:
    row = answering.find(scene.workspace, "partner", slug)
    seat = seating.seats(scene.workspace, slug)[0]
    desk = looking.desk(scene.workspace, row)
    answering.accept(scene.workspace, row, who=seat.name, seat=seat, fingerprint=desk.fingerprint)


def _state(scene: Scene, slug: str) -> RelayState:
    return answering.find(scene.workspace, "partner", slug).state


def test_everyone_gets_one_copy_however_many_associations_have_them(scene: Scene) -> None:
    _accept(scene, "maine")
    _accept(scene, "ohio")
    assert _state(scene, "maine") is RelayState.SCHEDULED
    scene.work(until=SENT)
    assert scene.senders.copies() == dict.fromkeys({*MAINE, *OHIO}, 1)
    shares = {
        slug: sum(1 for who, address in scene.senders.got if who == slug and address in BOTH)
        for slug in ("maine", "ohio")
    }
    assert min(shares.values()) >= 5, f"both take their share: {shares}"
    assert {_state(scene, "maine"), _state(scene, "ohio")} == {RelayState.SENT}


def test_silence_sends_nothing_and_ends_with_the_last_day(scene: Scene) -> None:
    _accept(scene, "maine")
    scene.work(until=SENT)
    assert _state(scene, "ohio") is RelayState.EXPIRED
    assert {slug for slug, _ in scene.senders.got} == {"maine"}


def test_who_accepts_late_reaches_those_whom_nobody_else_has(scene: Scene) -> None:
    _accept(scene, "maine")
    scene.work(until=SENT)
    _accept(scene, "ohio")
    scene.work(until=SENT + timedelta(hours=1))
    assert scene.senders.copies() == dict.fromkeys({*MAINE, *OHIO}, 1)
    assert {address for slug, address in scene.senders.got if slug == "ohio"} == set(OHIO) - set(BOTH)


def test_whom_one_can_not_reach_the_other_does(scene: Scene) -> None:
    _accept(scene, "maine")
    _accept(scene, "ohio")
    scene.senders.refused = {("maine", address) for address in BOTH}
    scene.work(until=SENT)
    assert scene.senders.copies() == dict.fromkeys({*MAINE, *OHIO}, 1)
    assert {slug for slug, address in scene.senders.got if address in BOTH} == {"ohio"}


def test_a_control_process_that_begins_in_the_middle_sends_nobody_a_second_copy(scene: Scene) -> None:
    _accept(scene, "maine")
    _accept(scene, "ohio")
    scene.now = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
    scene.control.step()
    scene.senders.answer()
    scene.restart()
    for file in scene.workspace.relays_folder.iterdir():
        file.unlink()
    scene.work(until=SENT)
    assert scene.senders.copies() == dict.fromkeys({*MAINE, *OHIO}, 1)


def test_who_wants_nothing_relayed_gets_it_from_nobody(scene: Scene) -> None:
    host = scene.workspace.people("coalition")
    with host.db.atomic():
        host.suppress(BOTH[0], SuppressionScope.RELAYS, "asked", scene.now)
    maine = scene.workspace.people("maine")
    with maine.db.atomic():
        maine.suppress("maine3@example.org", SuppressionScope.RELAYS, "asked", scene.now)
    _accept(scene, "maine")
    _accept(scene, "ohio")
    assert looking.desk(scene.workspace, answering.find(scene.workspace, "partner", "maine")).audience == 69
    scene.work(until=SENT)
    assert set(scene.senders.copies()) == {*MAINE, *OHIO} - {BOTH[0], "maine3@example.org"}
    ledger = scene.workspace.ledger("maine")
    (run,) = ledger.runs("partner.maine")
    assert set(ledger.reasons(run.id, "skipped")) == {"not_relayed"}, "nothing tells who is a member elsewhere"


def test_an_association_s_own_words_go_out_in_its_own_name_alone(scene: Scene) -> None:
    row = answering.find(scene.workspace, "partner", "maine")
    answering.adapt(scene.workspace, row, {"near-you": "Our **meeting** is in Bangor."}, who="Luis")
    assert _state(scene, "maine") is RelayState.ADAPTING
    _accept(scene, "maine")
    _accept(scene, "ohio")
    scene.work(until=SENT)
    texts = {
        slug: scene.workspace.host.edition(f"partner.{slug}", slug, "newsletter") or b"" for slug in ("maine", "ohio")
    }
    assert b"Bangor" in texts["maine"]
    assert b"Ask us about it" not in texts["maine"]
    assert b"Bangor" not in texts["ohio"]
    assert b"Ask us about it" in texts["ohio"]
    assert b"Maine Libraries" in texts["maine"]
    assert b"Relayed from The Coalition" in texts["maine"]


def test_what_was_changed_after_somebody_looked_is_not_accepted_unseen(scene: Scene) -> None:
    row = answering.find(scene.workspace, "partner", "maine")
    looked = looking.desk(scene.workspace, row).fingerprint
    _correct(scene, "The deadline is 1 March.", "The deadline is 1 April.")
    row = answering.find(scene.workspace, "partner", "maine")
    with pytest.raises(StateError, match="changed after you looked"):
        answering.accept(scene.workspace, row, who="Luis", fingerprint=looked)


def test_two_people_who_write_in_the_same_moment_lose_no_words(scene: Scene) -> None:
    stale = answering.find(scene.workspace, "partner", "maine")
    row = answering.adapt(scene.workspace, stale, {"near-you": "by Luis"}, who="Luis")
    answering.adapt(scene.workspace, row, {"near-you": "by Mae"}, who="Mae")
    for step in (
        lambda: answering.adapt(scene.workspace, row, {"near-you": "by Luis again"}, who="Luis"),
        lambda: answering.accept(scene.workspace, row, who="Luis"),
    ):
        with pytest.raises(StateError, match="in this very moment"):
            step()
    kept = answering.find(scene.workspace, "partner", "maine")
    assert (kept.state, kept.adaptation.texts) == (RelayState.ADAPTING, {"near-you": "by Mae"})


def test_who_goes_on_writing_takes_one_step_in_a_sitting(scene: Scene) -> None:
    def write(text: str, who: str) -> None:
        row = answering.find(scene.workspace, "partner", "maine")
        answering.adapt(scene.workspace, row, {"near-you": text}, who=who)
        scene.now += timedelta(seconds=40)

    for text in ("O", "Our", "Our meeting"):
        write(text, "Luis")
    row = answering.find(scene.workspace, "partner", "maine")
    assert row.adaptation.texts == {"near-you": "Our meeting"}, "all of it is kept"
    for text, who in (("Their meeting", "Mae"), ("Our meeting", "Luis"), ("Our own meeting", "Luis")):
        write(text, who)
    scene.now += answering.SITTING
    write("Our meeting in Bangor", "Luis")
    steps = [step.who for step in scene.workspace.relays.steps(row.id) if step.state == RelayState.ADAPTING]
    assert steps == ["Luis", "Mae", "Luis", "Luis"], "one for each of those who wrote, and for the second sitting"
    notes = [who for who, *_ in _notes(scene) if who in ("Luis", "Mae")]
    assert notes == steps


def _notes(scene: Scene) -> list[tuple[str, ...]]:
    return scene.workspace.host.db.execute(
        "SELECT who, what FROM audit WHERE what = 'relay adapting' ORDER BY id"
    ).fetchall()


def test_two_different_people_have_to_agree_where_an_association_wants_two(scene: Scene) -> None:
    workspace = scene.workspace
    first = seating.seats(workspace, "maine")[0]
    with pytest.raises(UsageError, match="two seats"):
        seating.decide(workspace, seating.RelayRule("maine", two_seats=True))
    second = seating.add(workspace, "maine", "Mae", "mae@maine.example")
    seating.decide(workspace, seating.RelayRule("maine", two_seats=True))
    row = answering.accept(workspace, answering.find(workspace, "partner", "maine"), who=first.name, seat=first)
    assert row.state is RelayState.AWAITING
    with pytest.raises(StateError, match="you have accepted already"):
        answering.accept(workspace, row, who=first.name, seat=first)
    assert answering.accept(workspace, row, who=second.name, seat=second).state is RelayState.SCHEDULED


def test_a_decision_made_once_and_for_all_accepts_what_it_names_and_nothing_else(make: MakeScene) -> None:
    scene = make({"maine": MAINE, "ohio": OHIO})
    seating.decide(scene.workspace, seating.RelayRule("maine", accepts=("conferences",)))
    seating.decide(scene.workspace, seating.RelayRule("ohio", accepts=("grants",)))
    scene.offer(OFFER.replace("relay:\n", "relay:\n  topics: [conferences]\n"))
    assert (_state(scene, "maine"), _state(scene, "ohio")) == (RelayState.SCHEDULED, RelayState.OFFERED)


def test_a_time_outside_the_days_of_the_offer_is_refused(scene: Scene) -> None:
    row = answering.find(scene.workspace, "partner", "maine")
    for at in (datetime.fromisoformat("2027-01-27T09:00"), datetime.fromisoformat("2027-02-11T09:00")):
        with pytest.raises(UsageError, match="can not go out"):
            answering.choose_time(scene.workspace, row, at, who="Luis")
    row = answering.choose_time(scene.workspace, row, datetime.fromisoformat("2027-02-03T08:00"), who="Luis")
    _accept(scene, "maine")
    edition = scene.workspace.host.campaign("partner.maine")
    assert edition is not None
    assert edition.due_at == datetime(2027, 2, 3, 8, tzinfo=UTC)


def test_a_no_can_become_a_yes_and_a_yes_a_no_until_it_is_sent(scene: Scene) -> None:
    row = answering.decline(scene.workspace, answering.find(scene.workspace, "partner", "maine"), "no time", who="Luis")
    assert (row.state, row.reason) == (RelayState.DECLINED, "no time")
    _accept(scene, "maine")
    row = answering.decline(scene.workspace, answering.find(scene.workspace, "partner", "maine"), "", who="Luis")
    edition = scene.workspace.host.campaign("partner.maine")
    assert row.state is RelayState.DECLINED
    assert edition is not None
    assert edition.state == "cancelled"
    _accept(scene, "maine")
    scene.work(until=SENT)
    assert len(scene.senders.got) == len(MAINE)
    with pytest.raises(StateError, match="can not be changed any more"):
        answering.decline(scene.workspace, answering.find(scene.workspace, "partner", "maine"), "", who="Luis")


def _correct(scene: Scene, before: str, after: str, *, minor: bool = False, text: str = OFFER) -> None:
    file = scene.workspace.folder / "corrected.md"
    file.write_text(text.replace(before, after))
    plan = correcting.plan(scene.workspace, file, note="another day", minor=minor)
    correcting.correct(scene.workspace, plan, who="dana")


def test_a_correction_reaches_who_has_changed_nothing_by_itself(scene: Scene) -> None:
    row = answering.find(scene.workspace, "partner", "maine")
    _correct(scene, "1 March", "1 April")
    fresh = answering.find(scene.workspace, "partner", "maine")
    assert (row.version, fresh.version, fresh.state) == (1, 2, RelayState.OFFERED)
    _accept(scene, "maine")
    assert b"1 April" in (scene.workspace.host.edition("partner.maine", "maine", "newsletter") or b"")


def test_a_minor_correction_goes_out_unasked_and_any_other_asks_again(scene: Scene) -> None:
    _accept(scene, "maine")
    _correct(scene, "1 March", "1 April", minor=True)
    assert _state(scene, "maine") is RelayState.SCHEDULED
    assert b"1 April" in (scene.workspace.host.edition("partner.maine", "maine", "newsletter") or b"")
    _correct(scene, "1 March", "1 May")
    assert _state(scene, "maine") is RelayState.ADAPTING
    edition = scene.workspace.host.campaign("partner.maine")
    assert edition is not None
    assert edition.state == "cancelled", "nothing goes out before somebody says yes again"
    change = looking.desk(scene.workspace, answering.find(scene.workspace, "partner", "maine")).change
    assert change is not None
    assert "+The deadline is 1 May." in change.lines
    _accept(scene, "maine")
    scene.work(until=SENT)
    assert len(scene.senders.got) == len(MAINE)


def test_who_has_looked_is_shown_all_that_was_changed_since(scene: Scene) -> None:
    _accept(scene, "maine")
    for before, after in (("1 March", "1 April"), ("1 March", "1 May")):
        _correct(scene, before, after)
    change = looking.desk(scene.workspace, answering.find(scene.workspace, "partner", "maine")).change
    assert change is not None
    assert {"-The deadline is 1 March.", "+The deadline is 1 May."} <= set(change.lines)


def test_a_minor_correction_leaves_the_first_of_two_acceptances_as_it_is(scene: Scene) -> None:
    workspace = scene.workspace
    second = seating.add(workspace, "maine", "Mae", "mae@maine.example")
    seating.decide(workspace, seating.RelayRule("maine", two_seats=True))
    _accept(scene, "maine")
    _correct(scene, "1 March", "1 April", minor=True)
    row = answering.find(workspace, "partner", "maine")
    assert row.state is RelayState.AWAITING
    assert answering.accept(workspace, row, who=second.name, seat=second).state is RelayState.SCHEDULED


def test_a_recall_stops_what_is_not_sent_within_a_batch_and_marks_what_is_published(make: MakeScene) -> None:
    scene = make({"maine": [f"m{n}@example.org" for n in range(2_000)]})
    scene.offer()
    _accept(scene, "maine")
    scene.now = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
    scene.control.step()
    handed = sum(len(batch["recipients"]) for batch in scene.senders.work if batch["kind"] == "mail")
    assert 0 < handed < 2_000
    correcting.recall(scene.workspace, "partner", "the grant was withdrawn", who="dana")
    scene.work(until=SENT)
    assert len(scene.senders.got) == handed, "what senders held went out, and nothing else"
    assert _state(scene, "maine") is RelayState.WITHDRAWN
    entry = scene.workspace.host.entry("maine", "partner.maine")
    assert entry is not None
    assert entry.withdrawn is not None


def test_who_has_sent_it_can_correct_what_is_published(scene: Scene) -> None:
    _accept(scene, "maine")
    scene.work(until=SENT)
    _correct(scene, "1 March", "1 April")
    row = answering.find(scene.workspace, "partner", "maine")
    assert (row.state, row.version) == (RelayState.SENT, 1)
    assert correcting.publish(scene.workspace, row, who="Luis").version == 2
    entry = scene.workspace.host.entry("maine", "partner.maine")
    assert entry is not None
    assert "1 April" in entry.content
    assert entry.note == "another day"


def test_who_has_not_answered_is_reminded_five_and_two_days_before(scene: Scene) -> None:
    _accept(scene, "ohio")
    box = scene.workspace.association_db("coalition")
    mails = lambda: box.execute("SELECT count(*) FROM letter WHERE address LIKE '%maine%'").fetchone()[0]  # noqa: E731
    counts = []
    for day in range(10, 27):
        scene.now = datetime(2027, 1, day, 12, tzinfo=UTC)
        scene.work()
        counts.append(mails())
    assert [day for day, (a, b) in zip(range(11, 27), itertools.pairwise(counts), strict=False) if b > a] == [20, 23]
    assert _state(scene, "maine") is RelayState.EXPIRED


def test_a_plan_tells_who_is_missing_what_and_no_small_number(make: MakeScene) -> None:
    from campaigns import definition

    scene = make({"maine": MAINE, "tiny": ["a@example.org"]})
    seating.remove(scene.workspace, "maine", "luis@maine.example")
    plan = offering.plan(scene.workspace, definition.read(OFFER))
    found = {each.association: each for each in plan.invited}
    assert (found["maine"].audience, found["tiny"].audience) == (70, None)
    assert "nobody speaks for it" in found["maine"].faults[0]


def _token(scene: Scene, slug: str, address: str) -> str:
    """Of the unsubscribe link in the copy that an association sent to an address."""
    db = scene.workspace.association_db(slug)
    row = db.execute(
        "SELECT delivery.id FROM delivery JOIN member ON member.id = delivery.member_id WHERE member.address = ?",
        [address],
    ).fetchone()
    return scene.workspace.links.signer.sign(MemberToken(slug, row[0]))


def test_one_click_in_a_relayed_mail_ends_what_anyone_relays_and_leaves_the_rest(scene: Scene) -> None:
    _accept(scene, "maine")
    _accept(scene, "ohio")
    scene.work(until=SENT)
    slug, address = next(each for each in scene.senders.got if each[1] in BOTH)
    token = _token(scene, slug, address)
    before = subscription.page(scene.workspace, token)
    view = preferences.unsubscribe(scene.workspace, token)
    assert before is not None
    assert view is not None
    assert (before.relayed, before.relays_stopped, view.relays_stopped, view.stopped) == (True, False, True, False)
    scene.senders.got.clear()
    scene.offer(OFFER.replace("campaign: partner", "campaign: second").replace("2027-01-25", "2027-02-05"))
    for each in ("maine", "ohio"):
        answering.accept(scene.workspace, answering.find(scene.workspace, "second", each), who="staff")
    scene.work(until=SENT + timedelta(hours=2))
    assert set(scene.senders.copies()) == {*MAINE, *OHIO} - {address}
    assert preferences.stop_all(scene.workspace, token) is not None
    final = subscription.page(scene.workspace, token)
    assert final is not None
    assert final.stopped


def test_a_person_gets_it_from_the_association_that_they_chose(scene: Scene) -> None:
    _accept(scene, "maine")
    _accept(scene, "ohio")
    scene.work(until=SENT)
    by_maine = [address for slug, address in scene.senders.got if slug == "maine" and address in BOTH]
    chosen = next(address for slug, address in scene.senders.got if slug == "ohio" and address in BOTH)
    for address in by_maine:
        view = preferences.prefer(scene.workspace, _token(scene, "ohio", address), this=True)
        assert view is not None
        assert view.preferred
    taken_back = _token(scene, "ohio", by_maine[0])
    assert preferences.prefer(scene.workspace, taken_back, this=False).preferred is False  # type: ignore[union-attr]
    scene.senders.got.clear()
    scene.offer(OFFER.replace("campaign: partner", "campaign: second").replace("2027-01-25", "2027-02-05"))
    for each in ("maine", "ohio"):
        answering.accept(scene.workspace, answering.find(scene.workspace, "second", each), who="staff")
    scene.work(until=SENT + timedelta(hours=2))
    through = {address: slug for slug, address in scene.senders.got}
    assert {through[address] for address in by_maine[1:]} == {"ohio"}
    assert through[chosen] in {"maine", "ohio"}
    assert scene.senders.copies() == dict.fromkeys({*MAINE, *OHIO}, 1)
