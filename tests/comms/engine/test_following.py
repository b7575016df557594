"""Offers of another engine: taken once, by version, from whom they should come; answers that are kept once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from following_scene import HERE, MAINE, NOW, TEXT, Two, offer, two_engines
from hypothesis import given
from hypothesis import strategies as st
from relay_scene import association

from campaigns.follows import FollowStore
from campaigns.relay import RelayState
from comms.engagement.collective import Carried
from comms.engagement.polls import Ballots
from comms.engine import offer_feeds, sending
from comms.engine.following import feeds, telling
from comms.engine.following.asking import answering_key
from comms.engine.relaying import answering, correcting, counting, looking, peers
from comms.errors import StateError, UsageError
from comms.events import EventKind
from comms.kits import answers
from comms.kits.answers import Answer, Statement
from comms.kits.signing import SignatureError, SigningKey, key_document
from comms.reading import fetch
from comms.web.server import serve
from tests.support.feed_server import FeedServer, Page, feed_server


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_engines(tmp_path) as made:
        yield made


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with feed_server() as server:
        yield server


def test_what_one_engine_offers_another_accepts_corrects_and_takes_back(two: Two, tmp_path: Path) -> None:
    two.offer()
    two.follow()
    two.exchange()
    assert (two.there().state, two.here()) == (RelayState.OFFERED, RelayState.OFFERED)
    assert two.there().told is not None, "the coalition knows that it arrived"
    desk = looking.desk(two.library, answering.find(two.library, HERE, MAINE.slug))
    assert desk.host == "The Coalition"

    row = answering.adapt(two.library, desk.relay, {"near-you": "We meet in Bangor."}, who="luis")
    answering.decline(two.library, row, "No time this month", who="luis")
    two.exchange()
    assert (two.there().state, two.there().reason) == (RelayState.DECLINED, "No time this month")

    file = tmp_path / "partner.md"
    file.write_text(TEXT.replace("1 March", "2 March"))
    correcting.correct(two.coalition, correcting.plan(two.coalition, file, note="The day was wrong"), who="dana")
    two.exchange()
    assert two.library.relays.version(HERE, 2).note == "The day was wrong"
    assert two.there().version == 1, "an answer names the version that was looked at"
    row = answering.find(two.library, HERE, MAINE.slug)
    assert row.adaptation.texts == {"near-you": "We meet in Bangor."}
    accepted = answering.accept(two.library, row, who="luis")
    two.exchange()
    assert two.there().state is accepted.state
    assert two.there().version == 2

    correcting.recall(two.coalition, "partner", "The grant was withdrawn", who="dana")
    two.exchange()
    assert (two.here(), two.there().state) == (RelayState.WITHDRAWN, RelayState.WITHDRAWN)
    assert two.library.relays.offer(HERE).reason == "The grant was withdrawn"  # type: ignore[union-attr]


def test_an_answer_waits_for_an_engine_that_is_away_and_is_kept_once(two: Two, tmp_path: Path) -> None:
    two.offer()
    two.follow()
    two.exchange()
    two.web.stop()
    answering.decline(two.library, answering.find(two.library, HERE, MAINE.slug), "No", who="luis")
    (reading,) = two.exchange()
    assert reading.follow.fault == "the site takes no connection (connection refused)"
    assert two.there().state is RelayState.OFFERED
    assert telling.tell(two.library) == [], "it is left alone for a while"

    two.web = serve(tmp_path / "c", "127.0.0.1", two.web.port)
    two.web.start()
    two.exchange()
    two.exchange()
    steps = two.coalition.relays.steps(answering.find(two.coalition, "partner", "north").id)
    assert [step.state for step in steps if "engine" in step.who] == ["declined"]


def test_a_new_key_is_believed_that_the_old_one_vouches_for_and_then_the_old_one_no_more(two: Two) -> None:
    two.offer()
    two.follow()
    before = feeds.find(two.library, "the-coalition").key
    made = offer_feeds.rotate_keys(two.coalition, who="dana")
    (reading,) = two.exchange()
    assert not reading.follow.fault
    assert feeds.find(two.library, "the-coalition").key == made.public.raw.hex() != before


def test_who_has_another_key_than_was_told_is_not_followed(two: Two) -> None:
    with pytest.raises(UsageError, match="does not have the key"):
        feeds.look(two.library, two.url, key="0" * 16)
    (key,) = offer_feeds.keys(two.coalition)
    assert feeds.look(two.library, two.url, key=key.public.name).confirmed


# --- what an offer may not do -----------------------------------------------------------------


def test_an_older_version_never_comes_back_and_a_version_says_one_thing_only(two: Two) -> None:
    two.follow()
    assert two.take(offer()) == {HERE: ""}
    two.take(offer(version=1, definition=TEXT.replace("1 March", "1 May")))
    assert two.library.relays.offer(HERE).version == 2  # type: ignore[union-attr]
    found = two.take(offer(definition=TEXT.replace("1 March", "1 May")))
    assert "says something else" in found[HERE]
    assert "1 March" in two.library.relays.version(HERE, 2).definition
    assert two.take(offer()) == {HERE: ""}, "as it was"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"via": tuple(f"{n:016x}" for n in range(4))}, "come through 4 engines"),
        ({"definition": "---\n"}, "its definition can not be used"),
        ({"definition": "[" * 5_000}, "its definition can not be used"),
        ({"definition": TEXT.replace("preview:", "attachments: [a.pdf]\n  preview:")}, "'a.pdf' does not come with it"),
        ({"definition": TEXT.replace("relay:\n  associations: all\n", "")}, "no newsletter that could be relayed"),
        ({"definition": TEXT.replace("all\n", "all\n  respond_by: 2020-01-01\n")}, "is over"),
    ],
)
def test_what_can_not_be_used_is_not_offered_and_said_why(two: Two, values: dict[str, object], fault: str) -> None:
    two.follow()
    assert fault in two.take(offer(**values))[HERE]
    assert two.library.relays.offer(HERE) is None
    assert two.take(offer(version=3)) == {HERE: ""}, "the next version may be good"


def test_an_offer_that_came_through_this_engine_or_by_another_way_is_refused(two: Two) -> None:
    two.follow()
    mine = offer_feeds.engine_name(two.library)
    assert "round in circles" in two.take(offer(via=("a" * 16, mine)))[HERE]
    two.take(offer())
    again = two.take(offer(campaign="elsewhere", via=("a" * 16, "b" * 16)))
    assert again["the-coalition-elsewhere"] == f"it came by another way already, as {HERE}"


def test_what_has_no_sense_is_left_alone(two: Two) -> None:
    two.follow()
    assert two.take(offer(campaign="../x"), offer(version=0), offer(via=("x" * 5_000,)), offer(origin="\x00")) == {}


def test_a_template_that_is_not_here_becomes_the_announcement_and_pictures_stay_where_they_are(two: Two) -> None:
    two.follow()
    text = TEXT.replace("  preview:", "  template: house\n  slots:\n    colour: red\n  preview:")
    two.take(offer(definition=text.replace("Dear colleague", "![A door](door.jpg)\n\nDear colleague")))
    kept = two.library.relays.version(HERE, 2).definition
    assert "template: announcement" in kept
    assert f"![A door](http://127.0.0.1:{two.web.port}/media/door.jpg)" in kept
    assert "colour" not in kept


def test_an_offer_is_passed_on_with_the_way_that_it_took(two: Two) -> None:
    two.library.add_association(association("bangor"))
    found = feeds.look(two.library, two.url)
    feeds.follow(two.library, found, MAINE.slug, passes_on=True, who="luis")
    two.take(offer())
    (passed,) = offer_feeds.offers_for(two.library, "bangor")
    assert passed.via == ("a" * 16, offer_feeds.engine_name(two.library))
    assert passed.origin == f"{'a' * 16}/partner"


# --- hostile sites ----------------------------------------------------------------------------


def test_nothing_is_read_from_inside_but_from_hosts_that_somebody_named(two: Two, site: FeedServer) -> None:
    with pytest.raises(StateError, match="not a public one"):
        feeds.look(two.library, site.url("127.0.0.1/relay/north/feed.json"))
    assert site.asked == []


def test_a_changed_byte_a_foreign_signature_and_too_much_are_refused_and_nothing_is_lost(
    two: Two, site: FeedServer
) -> None:
    two.offer()
    two.follow()
    two.exchange()
    good = offer_feeds.feed(two.coalition, "north", "json") or b""
    foreign = SigningKey(b"\1" * 32)
    by = feeds.Engines("https://m.example", [f"127.0.0.1:{site.port}"])
    row = replace(feeds.find(two.library, "the-coalition"), url=site.url("127.0.0.1/relay/north/feed.json"))
    site.pages["127.0.0.1/relay/keys.json"] = Page(key_document((foreign,)))
    for page in (
        Page(good.replace(b"1 March", b"9 March")),
        Page(good + b"\n"),
        Page(b"[" * 100_000),
        Page(b"x" * 6_000_000),
        Page(status=302, headers={"Location": "http://127.0.0.1:1/relay/north/feed.json"}),
    ):
        site.pages["127.0.0.1/relay/north/feed.json"] = page
        after = feeds._asked(two.library, row, by)
        assert after.fault
        assert after.key == row.key
    assert {asked.name for asked in site.asked} <= {"127.0.0.1/relay/north/feed.json", "127.0.0.1/relay/keys.json"}
    assert two.library.relays.offer(HERE).version == 1  # type: ignore[union-attr]


# --- figures ----------------------------------------------------------------------------------

POLL = TEXT.replace("The deadline is 1 March.", "::: poll Will you come?\n- Yes\n- No\n- Perhaps\n:::\n")
ALL = {"copies": 120, "failed": 0, "clicks": 40, "replies": 20, "poll 0.0": 50, "poll 0.2": 10, "poll 0.1": None}


def counted(two: Two) -> Carried:
    (row,) = counting.counted(two.coalition, "partner").rows
    return row


def told(two: Two, number: int, **changes: object) -> peers.Taken:
    """What the other engine says of its figures; names are written with underscores."""
    figures = {**ALL, **{name.replace("_", " "): value for name, value in changes.items()}}
    key = answering_key(two.library, two.url)
    said = Statement("partner", 1, "sent", "", figures)  # type: ignore[arg-type]
    return peers.take(two.coalition, "north", answers.write(Answer("north", number, NOW, said), key))


def test_replies_and_answers_to_polls_that_another_engine_counted_are_counted_here_as_told(two: Two) -> None:
    two.offer(POLL)
    two.follow()
    assert told(two, 1).ok
    row = counted(two)
    assert (row.copies, row.people_high, row.clicks, row.replies, row.measured) == (120, 120, 40, 20, False)
    assert row.answers == {("Will you come?", "Yes"): 50, ("Will you come?", "Perhaps"): 10}
    told(two, 2, replies=None)
    assert counted(two).replies == 0
    noted = [who for _, who, what, _ in two.coalition.host.audit("partner") if what == "figures told"]
    assert noted == ["the engine of North Libraries"] * 2


@pytest.mark.parametrize("changes", [{"replies": 121}, {"clicks": 10**9}, {"copies": 10**9}])
def test_figures_of_another_engine_that_can_not_be_are_kept_as_said_and_not_counted(
    two: Two, changes: dict[str, object]
) -> None:
    two.offer(POLL)
    two.follow()
    assert told(two, 1, **changes).ok
    assert two.there().told is not None
    assert counted(two).copies == 0


def test_answers_of_nobody_s_poll_and_of_too_many_people_do_not_count(two: Two) -> None:
    two.offer(POLL)
    two.follow()
    told(two, 1, **{"poll_0.0": 121, "poll_0.9": 50, "poll_7.0": 50, "poll_x": 50, "of later engines": 3})
    assert counted(two).answers == {("Will you come?", "Perhaps"): 10}


def test_figures_tell_nothing_under_ten_and_growing_ones_in_tens(two: Two) -> None:
    two.offer(POLL)
    two.follow()
    two.exchange()
    answering.accept(two.library, answering.find(two.library, HERE, MAINE.slug), who="luis")
    edition = two.library.host.campaign(f"{HERE}.{MAINE.slug}")
    assert edition is not None
    sending.start(two.library, edition)
    run = two.library.ledger(MAINE.slug).run(f"{HERE}.{MAINE.slug}", "newsletter")
    assert run is not None
    events, ballots = two.library.events(MAINE.slug), Ballots(two.library.association_db(MAINE.slug))
    with events.db.atomic():
        for number in range(17):
            events.add(run.id, EventKind.REPLIED, NOW)
            ballots.answer(run.id, 0, number + 1, 0)
        for number in range(3):
            ballots.answer(run.id, 0, number + 100, 1)
    telling.tell(two.library, at_once=True)
    said = two.there().told
    assert said is not None
    assert said.statement.figures == {
        "copies": 0, "failed": 0, "clicks": 0, "replies": 10, "poll 0.0": 10, "poll 0.1": None,
    }  # fmt: skip


def test_an_engine_that_knows_fewer_figures_gets_those(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    two.offer(POLL)
    two.follow()
    two.exchange()
    row = FollowStore(two.library.host.db).followed(two.url)[0]
    full = Statement("partner", 1, "sent", "", ALL)
    asked = []

    class Older:
        def post(self, url: str, data: bytes) -> fetch.Answer:
            said = json.loads(data)["statement"]["figures"]
            asked.append(said)
            return fetch.Answer(403 if "replies" in said else 200, b"{}")

    follow = feeds.find(two.library, "the-coalition")
    done = telling._told(two.library, follow, replace(row, answer=full.to_json(), taken=False), Older())  # type: ignore[arg-type]
    assert done.taken
    assert asked == [ALL, {"copies": 120, "failed": 0, "clicks": 40}]


@given(
    st.dictionaries(
        st.sampled_from(["copies", "replies", "poll 0.0", "poll 3.1", "x"]) | st.text(max_size=40),
        st.none() | st.integers() | st.booleans() | st.text() | st.floats(),
    )
)
def test_any_figures_that_are_read_are_written_the_same_and_count_no_less_than_nothing(figures: dict[str, Any]) -> None:
    text = json.dumps({"campaign": "x", "version": 1, "state": "sent", "reason": "", "figures": figures})
    try:
        read = Statement.from_json(text)
    except ValueError:
        return
    assert Statement.from_json(read.to_json()) == read
    assert all(read.figure(name) >= 0 for name in (*figures, "clicks"))
    assert set(read.without_more.figures) <= set(answers.FIGURES)


# --- answers ----------------------------------------------------------------------------------

SAID = Statement("partner", 1, "declined", "No")


def test_an_answer_is_kept_once_and_an_older_one_never_comes_back(two: Two) -> None:
    two.offer()
    two.follow()
    key = answering_key(two.library, two.url)
    first = answers.write(Answer("north", 1, NOW, SAID), key)
    later = answers.write(Answer("north", 2, NOW, replace(SAID, state="accepted", reason="")), key)
    assert peers.take(two.coalition, "north", first) == peers.Taken(True, 1)
    assert peers.take(two.coalition, "north", first) == peers.Taken(True, 1)
    assert peers.take(two.coalition, "north", later) == peers.Taken(True, 2)
    assert peers.take(two.coalition, "north", first) == peers.Taken(False, 2)
    assert two.there().state is RelayState.ACCEPTED
    assert two.coalition.host.campaign("partner.north") is None, "nothing of it goes out from the coalition"
    other = answers.write(Answer("north", 2, NOW, SAID), key)
    assert peers.take(two.coalition, "north", other) == peers.Taken(False, 2)


@pytest.mark.parametrize("age", [timedelta(hours=25), timedelta(hours=-2)])
def test_an_answer_that_was_not_signed_now_is_refused(two: Two, age: timedelta) -> None:
    two.offer()
    two.follow()
    data = answers.write(Answer("north", 1, NOW - age, SAID), answering_key(two.library, two.url))
    with pytest.raises(SignatureError, match="clocks"):
        peers.take(two.coalition, "north", data)


def test_what_is_no_answer_of_this_engine_is_refused(two: Two) -> None:
    two.offer()
    two.follow()
    key = answering_key(two.library, two.url)
    good = answers.write(Answer("north", 1, NOW, SAID), key)
    for data in (
        good.replace(b"declined", b"accepted"),
        good + b" ",
        b"",
        b"[" * 10_000,
        b"{}",
        b"\xff",
        b'{"signature":{"value":"x"}}',
        answers.write(Answer("north", 1, NOW, SAID), SigningKey(bytes(32))),
        answers.write(Answer("south", 1, NOW, SAID), key),
        answers.write(Answer("north", 1, NOW, replace(SAID, state="sleeping")), key),
        json.dumps(json.loads(good), indent=1).encode(),
    ):
        with pytest.raises(SignatureError):
            peers.take(two.coalition, "north", data)
    with pytest.raises(StateError, match="not offered"):
        peers.take(two.coalition, "north", answers.write(Answer("north", 1, NOW, replace(SAID, campaign="x")), key))
    assert two.there().state is RelayState.OFFERED


def test_after_a_restored_backup_answers_are_numbered_above_what_is_known(two: Two) -> None:
    two.offer()
    two.follow()
    key = answering_key(two.library, two.url)
    peers.take(two.coalition, "north", answers.write(Answer("north", 7, NOW, SAID), key))
    two.exchange()
    (row,) = FollowStore(two.library.host.db).followed(two.url)
    assert (row.number, row.taken) == (8, True)
    assert two.there().state is RelayState.OFFERED
