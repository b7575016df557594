"""What crosses between two engines: the association with an engine of its own sends the letter that all others send."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from following_scene import HERE, MAINE, TEXT, Two, two_engines
from PIL import Image
from relay_scene import association

from campaigns import definition, gathering
from campaigns.models import FeedItem
from campaigns.relay import RelayState
from comms.engine import editions, offer_feeds
from comms.engine.following import feeds
from comms.engine.relaying import answering, closing, correcting, making, offering, peers
from comms.errors import UsageError
from comms.kits.offer_files import FOLDER
from comms.message import MailFile
from comms.rendering.edition import Edition
from comms.web.server import serve

PDF = b"%PDF-1.7 what the grant pays for"
FILES = TEXT.replace(
    "  preview:", '  attachments: ["papers/été 100%.pdf", costs.csv]\n  inline_images: true\n  preview:'
)
FILES = FILES.replace("Dear colleague", "![A door](doors/front.png)\n\nDear colleague")
LATER = TEXT.replace("relay:\n", "schedule:\n  at: 2099-02-01 09:00\n  timezone: UTC\nrelay:\n")
FEED = TEXT.replace("Dear colleague", "::: feed own\ncount: 3\n:::\n\nDear colleague")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_engines(tmp_path) as made:
        yield made


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return out.getvalue()


def put(two: Two, name: str, data: bytes) -> None:
    path = two.coalition.media_folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def with_files(two: Two) -> None:
    put(two, "papers/été 100%.pdf", PDF)
    put(two, "costs.csv", b"what,how much\r\n")
    put(two, "doors/front.png", picture())


def kept(two: Two) -> dict[str, bytes]:
    """What came of files: name below the folder for them -> bytes."""
    folder = two.library.media_folder / FOLDER
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def letter(two: Two, *, at_home: bool) -> Edition:
    """As Maine sends it with its own engine, or would send it with the coalition's."""
    workspace, campaign, slug = (two.library, HERE, MAINE.slug) if at_home else (two.coalition, "partner", "north")
    row = answering.find(workspace, campaign, slug)
    return editions.newsletter(workspace, making.edition(workspace, row), replace(MAINE, slug=slug))


def gone_with(files: tuple[MailFile, ...]) -> list[tuple[str, str, str]]:
    return [("" if each.shown_at else each.name, each.media_type, each.data) for each in files]


# --- files ------------------------------------------------------------------------------------


def test_attached_files_and_pictures_in_the_mail_are_those_of_the_others(two: Two) -> None:
    with_files(two)
    two.offer(FILES)
    two.follow()
    (reading,) = two.exchange()
    assert [each.fault for each in reading.offers] == [""]
    here, there = letter(two, at_home=True), letter(two, at_home=False)
    assert [each.name for each in here.files][:2] == ["été 100%.pdf", "costs.csv"]
    assert gone_with(here.files) == gone_with(there.files)
    assert len(here.files) == 3
    assert sorted(kept(two).values()) == sorted([PDF, b"what,how much\r\n", picture()])
    assert str(two.web.port) not in here.html, "nobody there sees who opens a mail"
    assert not list(two.library.media_folder.rglob("*.tmp"))


def test_a_file_is_kept_once_and_asked_for_once(two: Two, tmp_path: Path) -> None:
    with_files(two)
    put(two, "again.png", picture())
    twice = FILES.replace("Dear colleague", "![The same](again.png)\n\nDear colleague")
    two.offer(twice)
    two.follow()
    two.exchange()
    before = kept(two)
    assert len(before) == 3
    two.correct(tmp_path / "partner.md", twice.replace("1 March", "2 March"))
    for name in ("costs.csv", "papers/été 100%.pdf"):
        (two.coalition.media_folder / name).write_bytes(b"another one")
    two.correct(tmp_path / "partner.md", twice.replace("1 March", "3 March").replace('"papers/été 100%.pdf", ', ""))
    (reading,) = two.exchange()
    assert (two.known().version, [each.fault for each in reading.offers]) == (3, [""])
    assert set(before) < set(kept(two)), "what an older version names stays, for it may be on its way"
    assert len(kept(two)) == 4


def test_a_file_that_was_replaced_since_it_was_offered_is_not_taken_for_the_one_that_was(two: Two) -> None:
    with_files(two)
    two.offer(FILES)
    put(two, "costs.csv", b"other costs")
    two.follow()
    (reading,) = two.exchange()
    assert [each.fault for each in reading.offers] == [
        "its file 'costs.csv' is not there any more as it was offered; The Coalition has to correct the offer"
    ]
    assert kept(two) == {}
    assert two.library.relays.offer(HERE) is None
    with_files(two)
    (reading,) = two.exchange()
    assert [each.fault for each in reading.offers] == [""]


def test_what_is_passed_on_takes_its_files_along(two: Two, tmp_path: Path) -> None:
    with_files(two)
    two.offer(FILES)
    two.library.add_association(association("bangor"))
    feeds.follow(two.library, feeds.look(two.library, two.url), MAINE.slug, passes_on=True, who="luis")
    two.exchange()
    (passed,) = offer_feeds.offers_for(two.library, "bangor")
    assert len(passed.files) == 3
    for file in passed.files:
        assert file.is_of(offer_feeds.file(two.library, "bangor", file.sha256) or b"")
    assert offer_feeds.file(two.library, "nobody", passed.files[0].sha256) is None
    assert offer_feeds.file(two.library, "bangor", "0" * 64) is None


# --- corrections ------------------------------------------------------------------------------


def accepted(two: Two) -> None:
    two.offer(LATER)
    two.follow()
    two.exchange()
    answering.accept(two.library, answering.find(two.library, HERE, MAINE.slug), who="luis")


def test_a_minor_correction_asks_nobody_again_and_is_in_what_goes_out(two: Two, tmp_path: Path) -> None:
    accepted(two)
    two.correct(tmp_path / "partner.md", LATER.replace("1 March", "1 March 2027"), minor=True)
    two.exchange()
    assert two.here() is RelayState.SCHEDULED
    assert two.there().version == 2
    assert "1 March 2027" in letter(two, at_home=True).text
    edition = two.library.host.campaign(f"{HERE}.{MAINE.slug}")
    assert edition is not None
    assert "1 March 2027" in edition.definition


@pytest.mark.parametrize(
    ("minor", "state"),
    [
        ((True, True), RelayState.SCHEDULED),
        ((False, True), RelayState.ADAPTING),
        ((True, False), RelayState.ADAPTING),
    ],
)
def test_of_corrections_that_come_together_one_that_asks_is_enough(
    two: Two, tmp_path: Path, minor: tuple[bool, bool], state: RelayState
) -> None:
    accepted(two)
    for day, each in zip(("2 March", "3 March"), minor, strict=True):
        two.correct(tmp_path / "partner.md", LATER.replace("1 March", day), minor=each)
    two.exchange()
    assert (two.here(), two.known().version) == (state, 3)


def test_who_put_words_in_is_asked_after_a_minor_correction_too(two: Two, tmp_path: Path) -> None:
    two.offer(LATER)
    two.follow()
    two.exchange()
    row = answering.find(two.library, HERE, MAINE.slug)
    answering.accept(two.library, answering.adapt(two.library, row, {"near-you": "Bangor"}, who="luis"), who="luis")
    two.correct(tmp_path / "partner.md", LATER.replace("1 March", "2 March"), minor=True)
    two.exchange()
    assert two.here() is RelayState.ADAPTING
    assert answering.find(two.library, HERE, MAINE.slug).adaptation.texts == {"near-you": "Bangor"}


def test_a_minor_correction_is_minor_for_those_to_whom_it_is_passed_on(two: Two, tmp_path: Path) -> None:
    two.offer(LATER)
    two.library.add_association(association("bangor"))
    feeds.follow(two.library, feeds.look(two.library, two.url), MAINE.slug, passes_on=True, who="luis")
    two.exchange()
    two.correct(tmp_path / "partner.md", LATER.replace("1 March", "2 March"))
    two.correct(tmp_path / "partner.md", LATER.replace("1 March", "3 March"), minor=True)
    two.exchange()
    (passed,) = offer_feeds.offers_for(two.library, "bangor")
    assert (passed.version, passed.minor_since) == (3, 3), "both came at once, and the first of them asks"
    two.correct(tmp_path / "partner.md", LATER.replace("1 March", "4 March"), minor=True)
    two.exchange()
    (passed,) = offer_feeds.offers_for(two.library, "bangor")
    assert (passed.version, passed.minor_since) == (4, 3)


# --- feeds, languages, days -------------------------------------------------------------------


def test_items_of_feeds_are_those_that_the_others_show(two: Two) -> None:
    campaign = gathering.gathered(
        definition.read(FEED),
        lambda block: replace(block, items=(FeedItem("Doors open", "https://c.example/doors", "At last <b>."),)),
    )
    with two.coalition.host.db.atomic():
        offering.write_down(two.coalition, campaign, ["north"], 1, who="dana")
    two.follow()
    (reading,) = two.exchange()
    assert [each.fault for each in reading.offers] == [""]
    here, there = letter(two, at_home=True), letter(two, at_home=False)
    assert "Doors open" in here.text
    assert here.links == there.links == ("https://c.example/doors",)
    assert here.text == there.text


def test_all_languages_cross_with_what_their_files_say(two: Two, tmp_path: Path) -> None:
    put(two, "es.pdf", PDF)
    file = tmp_path / "partner.md"
    file.write_text(TEXT.replace("  preview:", "  template: house\n  slots:\n    colour: red\n  preview:"))
    file.with_name("partner.es.md").write_text(
        "---\ncampaign: partner\nnewsletter:\n  subject: ¿Nos acogen?\n  attachments: [es.pdf]\n  slots:\n"
        "    colour: rojo\n---\n\nEstimada colega.\n"
    )
    file.with_name("partner.fr.md").write_text("---\nnewsletter:\n  slots:\n    colour: rouge\n---\n\nBonjour.\n")
    with two.coalition.host.db.atomic():
        offering.write_down(two.coalition, definition.read_file(file), ["north"], 1, who="dana")
    two.follow()
    (reading,) = two.exchange()
    assert [each.fault for each in reading.offers] == [""]
    campaign = making.edition(two.library, answering.find(two.library, HERE, MAINE.slug))
    assert set(campaign.variants) == {"es", "fr"}
    spanish, french = (editions.newsletter(two.library, campaign.variants[tag], MAINE) for tag in ("es", "fr"))
    assert "Estimada colega" in spanish.text
    assert [each.name for each in spanish.files] == ["es.pdf"]
    assert "Bonjour" in french.text
    assert french.files == ()


def embargoed(two: Two) -> tuple[str, int]:
    """(the text, days until it may go out) of an offer that has to be answered before."""
    today = two.coalition.now().date()
    days = {"respond_by": 3, "not_before": 5, "not_after": 9}
    lines = "".join(f"  {name}: {today + timedelta(days=number)}\n" for name, number in days.items())
    return TEXT.replace("associations: all\n", f"associations: all\n{lines}  topics: [partners]\n"), 5


def test_what_has_an_embargo_is_answered_before_it_ends_and_read_by_nobody_else(two: Two) -> None:
    put(two, "a.pdf", PDF)
    text, days = embargoed(two)
    two.follow()
    two.offer(text.replace("  preview:", "  attachments: [a.pdf]\n  preview:"))
    (reading,) = two.exchange()
    assert [each.fault for each in reading.offers] == [""]
    assert offer_feeds.offers_for(two.coalition, "north") == (), "whoever knows the address"
    (secret,) = offer_feeds.offers_for(two.coalition, "north", early=True)
    assert offer_feeds.file(two.coalition, "north", secret.files[0].sha256) is None
    row = answering.accept(two.library, answering.find(two.library, HERE, MAINE.slug), who="luis")
    assert row.state is RelayState.SCHEDULED
    edition = making.campaign_row(two.library, row)
    assert edition is not None
    assert edition.due_at is not None
    assert edition.due_at.date() >= two.library.now().date() + timedelta(days=days - 1), "by Maine's own calendar"
    part = making.current(two.library, HERE).relay
    assert part is not None
    assert part.respond_by is not None
    assert part.not_after is not None
    assert part.topics == ("partners",)
    late = two.library.now().replace(tzinfo=None) + timedelta(days=12)
    with pytest.raises(UsageError, match="its last day is"):
        answering.choose_time(two.library, row, late, who="luis")


def test_only_the_engine_whose_answers_are_taken_reads_what_has_an_embargo(two: Two) -> None:
    text, _ = embargoed(two)
    two.follow()
    peers.unregister(two.coalition, "north", who="dana")
    two.offer(text)
    assert two.exchange()[0].offers == ()
    peers.register(two.coalition, "north", "0" * 64, who="dana")
    assert two.exchange()[0].offers == (), "somebody else's key"
    two.register()
    clock, two.library.now = two.library.now, lambda: two.coalition.now() + timedelta(hours=3)
    assert two.exchange()[0].offers == (), "a header that was kept is worth nothing, and no clock is three hours off"
    two.library.now = clock
    assert len(two.exchange()[0].offers) == 1


def test_a_recall_reaches_an_engine_whose_clock_is_wrong_and_its_answer_waits_for_the_right_one(two: Two) -> None:
    accepted(two)
    clock, two.library.now = two.library.now, lambda: two.coalition.now() - timedelta(days=400)
    correcting.recall(two.coalition, "partner", "The grant was withdrawn", who="dana")
    two.exchange()
    assert two.here() is RelayState.WITHDRAWN
    assert "clocks" in two.known().refusal
    two.library.now = clock
    two.exchange()
    assert two.known().refusal == ""


def test_an_entry_in_the_feed_and_its_page_cross_and_are_corrected_and_withdrawn(two: Two, tmp_path: Path) -> None:
    accepted(two)
    library, name = two.library, f"{HERE}.{MAINE.slug}"
    row = answering.find(library, HERE, MAINE.slug)
    campaign = making.edition(library, row)
    with library.host.db.atomic():
        library.host.save_entry(editions.entry(library, campaign, MAINE, library.now()))
    entry = library.host.entry(MAINE.slug, name)
    assert entry is not None
    assert (entry.title, entry.summary) == ("We seek a partner", "The Coalition seeks a partner.")
    correcting.recall(two.coalition, "partner", "The grant was withdrawn", who="dana")
    two.exchange()
    entry = library.host.entry(MAINE.slug, name)
    assert entry is not None
    assert entry.withdrawn is not None


# --- ways -------------------------------------------------------------------------------------


def test_an_offer_that_comes_back_to_who_made_it_is_refused(two: Two, tmp_path: Path) -> None:
    two.library.add_association(association("back"))
    feeds.follow(two.library, feeds.look(two.library, two.url), MAINE.slug, passes_on=True, who="luis")
    two.offer()
    two.exchange()
    web = serve(tmp_path / "m", "127.0.0.1", 0)
    web.start()
    try:
        by = feeds.Engines("https://c.example", [f"127.0.0.1:{web.port}"])
        url = f"http://127.0.0.1:{web.port}/relay/back/feed.json"
        feeds.follow(two.coalition, feeds.look(two.coalition, url, by=by), "coalition", who="dana")
        (reading,) = feeds.read(two.coalition, at_once=True, by=by)
    finally:
        web.stop()
    assert [each.fault for each in reading.offers] == [
        "it has come through this engine before: it would go round in circles"
    ]
    assert len(two.coalition.relays.offers()) == 1


def test_a_feed_never_says_that_it_is_older_when_something_goes_out_of_it(two: Two) -> None:
    two.offer()
    two.follow()
    two.exchange()
    closing.close(two.coalition, "partner", who="dana")
    (reading,) = two.exchange()
    assert reading.follow.fault == ""
    assert offer_feeds.offers_for(two.coalition, "north") == ()
