"""Attacks by a coalition on who follows it, and by a follower on it: refused with a reason, nothing half done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from following_scene import HERE, MAINE, NOW, TEXT, Two, offer, two_engines

from campaigns.follows import FollowRow
from comms.engine import offer_feeds
from comms.engine.following import feeds
from comms.engine.following.asking import answering_key, headers
from comms.engine.relaying import correcting, peers
from comms.errors import StateError
from comms.kits import answers, offer_feed
from comms.kits.answers import Answer, Statement
from comms.kits.offer_files import FOLDER, MOST_BYTES, OfferedFile
from comms.kits.offers import Offer, OfferFeed
from comms.kits.signing import SigningKey, key_document
from tests.support.feed_server import FeedServer, Page, feed_server

PDF = b"%PDF-1.7 what the grant pays for"
ATTACHED = TEXT.replace("  preview:", "  attachments: [a.pdf, b.pdf]\n  preview:")
SITE = "127.0.0.1"


def file_of(name: str, data: bytes = PDF) -> OfferedFile:
    return OfferedFile(name, hashlib.sha256(data).hexdigest(), len(data))


GOOD = (file_of("a.pdf"), file_of("b.pdf", b"b"))


@dataclass
class Coalition:
    """One that signs whatever it likes."""

    two: Two
    site: FeedServer
    key: SigningKey = field(default_factory=lambda: SigningKey(b"\7" * 32))

    @property
    def by(self) -> feeds.Engines:
        return feeds.Engines("https://m.example", [f"{SITE}:{self.site.port}"])

    def publish(self, *offers: Offer, changed: datetime = NOW, keys: bytes = b"") -> bytes:
        base = self.site.url(f"{SITE}/relay/")
        feed = OfferFeed(
            "north", "Offered", "The Coalition", "en", base, "c.example,2026", f"{base}north/feed.json",
            f"{base}north/feed.atom", f"{base}keys.json", offers, changed,
        )  # fmt: skip
        data = offer_feed.to_json(feed, self.key)
        self.serve(data, keys or key_document((self.key,)))
        return data

    def serve(self, data: bytes, keys: bytes) -> None:
        self.site.pages[f"{SITE}/relay/keys.json"] = Page(keys)
        self.site.pages[f"{SITE}/relay/north/feed.json"] = Page(data)

    def files(self, *data: bytes) -> None:
        for each in data:
            self.site.pages[self.place(each)] = Page(each, conditional=False)

    def place(self, data: bytes) -> str:
        return f"{SITE}/relay/north/files/{hashlib.sha256(data).hexdigest()}"

    def follow(self) -> None:
        found = feeds.look(self.two.library, self.site.url(f"{SITE}/relay/north/feed.json"), by=self.by)
        feeds.follow(self.two.library, found, MAINE.slug, who="luis")

    def read(self) -> tuple[FollowRow, dict[str, str]]:
        (reading,) = feeds.read(self.two.library, at_once=True, by=self.by)
        return reading.follow, {row.campaign: row.fault for row in reading.offers}

    def stored(self) -> list[str]:
        folder = self.two.library.media_folder
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def asked(self) -> set[str]:
        return {asked.name for asked in self.site.asked}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_engines(tmp_path) as made:
        yield made


@pytest.fixture
def hostile(two: Two) -> Iterator[Coalition]:
    with feed_server() as site:
        coalition = Coalition(two, site)
        coalition.publish()
        coalition.follow()
        yield coalition


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (Page(b"B", conditional=False), "'b.pdf' is another one than was offered"),
        (Page(b"bb", conditional=False), "'b.pdf' can not be fetched: it is larger than it should be"),
        (Page(b"", conditional=False), "'b.pdf' can not be fetched: it ended too early"),
        (Page(b"b", headers={"Content-Encoding": "gzip"}), "packed in a way that can not be read"),
        (Page(status=404), "'b.pdf' is not there any more as it was offered"),
        (Page(status=500), "the site answers with status 500"),
        (Page(status=302, headers={"Location": "http://127.0.0.1:1/secret"}), "it leads elsewhere"),
        (Page(status=301, headers={"Location": "http://169.254.169.254/latest"}), "it leads elsewhere"),
    ],
)
def test_a_file_that_is_not_what_was_offered_refuses_the_offer_and_leaves_nothing(
    hostile: Coalition, page: Page, fault: str
) -> None:
    hostile.files(PDF)
    hostile.site.pages[hostile.place(b"b")] = page
    hostile.publish(offer(definition=ATTACHED, files=GOOD))
    _, found = hostile.read()
    assert fault in found[HERE]
    assert hostile.stored() == []
    assert hostile.two.library.relays.offer(HERE) is None
    hostile.files(b"b")
    assert hostile.read()[1] == {HERE: ""}, "it is tried again"
    assert len(hostile.stored()) == 2


def test_a_line_that_is_cut_in_the_middle_of_a_file_leaves_nothing_and_the_next_reading_has_it_all(
    hostile: Coalition,
) -> None:
    large = bytes(range(256)) * 4_000
    files = (file_of("a.pdf"), file_of("b.pdf", large))
    hostile.files(PDF)
    hostile.site.pages[hostile.place(large)] = Page(
        large[:500_000], headers={"Content-Length": str(len(large))}, conditional=False
    )
    hostile.publish(offer(definition=ATTACHED, files=files))
    assert "ended too early" in hostile.read()[1][HERE]
    assert hostile.stored() == []
    hostile.files(large)
    assert hostile.read()[1] == {HERE: ""}
    hostile.read()
    assert len(hostile.two.library.relays.offers()) == 1
    assert len(hostile.stored()) == 2


@pytest.mark.parametrize(
    "name",
    [
        "../../comms.toml.pdf", "/etc/a.pdf", "%2e%2e/%2e%2e/a.pdf", "a/..", ".hidden.pdf", "a\\..\\b.pdf", "a.exe",
        "x" * 200 + ".pdf",
    ],
)  # fmt: skip
def test_a_file_can_not_choose_where_it_is_kept(hostile: Coalition, name: str) -> None:
    hostile.files(PDF)
    text = TEXT.replace("  preview:", f"  attachments: [{json.dumps(name)}]\n  preview:")
    hostile.publish(offer(definition=text, files=(file_of(name),)))
    assert "named in a way that can not be attached" in hostile.read()[1][HERE]
    assert hostile.stored() == []
    assert hostile.asked() <= {f"{SITE}/relay/north/feed.json", f"{SITE}/relay/keys.json"}


def test_what_the_text_does_not_name_is_not_fetched(hostile: Coalition) -> None:
    hostile.files(PDF)
    hostile.publish(offer(files=(file_of("a.pdf"), file_of("../x.png"))))
    assert hostile.read()[1] == {HERE: ""}
    assert hostile.stored() == []
    assert hostile.place(PDF) not in hostile.asked()


@pytest.mark.parametrize(
    "change",
    [
        {"files": [{"name": "a.pdf", "sha256": "../../keys.json", "size": 1}]},
        {"files": [{"name": "a.pdf", "sha256": "0" * 64, "size": -1}]},
        {"files": [{"name": "a.pdf", "sha256": "0" * 64, "size": MOST_BYTES + 1}]},
        {"files": [{"name": "a.pdf", "sha256": "0" * 64, "size": True}]},
        {"files": [{"name": "a.pdf", "sha256": "0" * 64, "size": 1}] * 2},
        {"files": [{"name": f"{n}.pdf", "sha256": "0" * 64, "size": 1} for n in range(51)]},
        {"files": [{"name": f"{n}.pdf", "sha256": "0" * 64, "size": MOST_BYTES} for n in range(3)]},
        {"files": [{"name": ["a"], "sha256": "0" * 64, "size": 1}]},
        {"files": {"a.pdf": 1}},
        {"files": "a.pdf"},
        {"minor_since": "1"},
        {"version": True},
        {"updated": "2027-01-01T00:00:00"},
        {"via": 7},
        {"gathered": ["x"]},
    ],
)
def test_a_signed_feed_that_makes_no_sense_is_refused_whole(hostile: Coalition, change: dict[str, object]) -> None:
    document = json.loads(hostile.publish(offer(definition=ATTACHED, files=GOOD)))
    item = document["items"][0]
    item["_comms"] |= change
    del item["_comms"]["signature"], document["_comms"]["signature"]
    offer_feed._sign(item, offer_feed.ITEM, hostile.key)
    offer_feed._sign(document, offer_feed.WHOLE, hostile.key)
    hostile.serve(offer_feed.canonical(document), key_document((hostile.key,)))
    follow, found = hostile.read()
    assert follow.fault == "this is no signed feed of offers."
    assert found == {}
    assert hostile.stored() == []


@pytest.mark.parametrize(
    "gathered",
    [
        "[" * 5_000, "7", "[[], []]", '[[{"title": 1}]]', '{"items": []}', '[[{"__class__": 1}]]',
        '[[{"title": "x", "url": "javascript:alert(1)", "summary": "", "image": "", "identity": ""}]]',
        '[[{"title": "x", "url": "https://x.example/\\"><b>", "summary": "", "image": "", "identity": ""}]]',
        '[[{"title": "x\\u0000", "url": "", "summary": "", "image": "", "identity": ""}]]',
        json.dumps([[{"title": "x", "url": "", "summary": "", "image": "", "identity": ""}] * 4]),
    ],
)  # fmt: skip
def test_items_that_a_feed_could_not_have_are_not_shown(hostile: Coalition, gathered: str) -> None:
    text = TEXT.replace("Dear colleague", "::: feed own\ncount: 3\n:::\n\nDear colleague")
    hostile.publish(offer(definition=text, gathered=gathered))
    _, found = hostile.read()
    assert "from feeds can not be used" in found[HERE]


# --- feeds ------------------------------------------------------------------------------------


def test_a_copy_of_the_feed_from_before_a_recall_is_not_believed(hostile: Coalition) -> None:
    """A follower may be kept from hearing something; it may not be told that it was never so."""
    old = hostile.publish(offer(), changed=NOW - timedelta(hours=2))
    hostile.read()
    gone = replace(offer(definition=""), withdrawn=NOW - timedelta(hours=1), reason="A wrong date")
    hostile.publish(gone, changed=NOW - timedelta(hours=1))
    hostile.read()
    hostile.serve(old, key_document((hostile.key,)))
    follow, _ = hostile.read()
    assert "it is older than the copy that was read before" in follow.fault
    assert hostile.two.library.relays.offer(HERE).state == "recalled"  # type: ignore[union-attr]
    hostile.publish(gone, changed=NOW)
    assert hostile.read()[0].fault == ""


def test_a_clock_that_was_years_ahead_there_does_not_lock_the_follower_out(hostile: Coalition) -> None:
    ahead = NOW + timedelta(days=20_000)
    hostile.publish(offer(updated=ahead, published=ahead), changed=ahead)
    assert hostile.read()[1] == {HERE: ""}
    later = datetime.now(UTC)
    hostile.publish(offer(version=3, definition=TEXT.replace("1 March", "2 March")), changed=later)
    follow, _ = hostile.read()
    assert follow.fault == ""
    assert hostile.two.library.relays.offer(HERE).version == 3  # type: ignore[union-attr]


def test_a_version_that_goes_back_and_one_that_says_something_else_change_nothing(hostile: Coalition) -> None:
    hostile.files(PDF, b"b")
    hostile.publish(offer(definition=ATTACHED, files=GOOD))
    hostile.read()
    hostile.publish(offer(version=1, definition=TEXT.replace("1 March", "1 May")))
    assert hostile.read()[1] == {HERE: ""}
    hostile.files(b"c")
    hostile.publish(offer(definition=ATTACHED, files=(GOOD[0], file_of("b.pdf", b"c"))))
    assert "version 2 says something else than it did" in hostile.read()[1][HERE]
    assert hostile.place(b"c") not in hostile.asked()
    kept = hostile.two.library.relays.version(HERE, 2).definition
    assert "1 March" in kept
    assert f"{FOLDER}/{GOOD[1].sha256[:32]}/b.pdf" in kept


@pytest.mark.parametrize("forged", [False, True])
def test_another_key_that_the_known_one_does_not_vouch_for_offers_nothing(hostile: Coalition, *, forged: bool) -> None:
    known, thief = hostile.key, SigningKey(b"\1" * 32)
    keys = key_document((thief,))
    if forged:
        document = json.loads(key_document((known, thief)))
        document["keys"][1]["vouched"]["signature"] = thief.sign("comms relay key 1", thief.public.raw)
        keys = json.dumps(document).encode()
    hostile.key = thief
    hostile.publish(offer(), keys=keys)
    follow, found = hostile.read()
    assert follow.fault
    assert found == {}
    assert follow.key == known.public.raw.hex()


def test_a_text_and_a_list_without_end_are_refused_in_words(hostile: Coalition) -> None:
    hostile.publish(offer(definition=TEXT + "Much. " * 2_000_000))
    assert hostile.read()[0].fault == "the feed has more than 5,000,000 bytes"
    hostile.publish(offer(definition=TEXT + "Much. " * 200_000))
    assert hostile.read()[1] == {HERE: "its text has more than 1,000,000 characters"}
    hostile.publish(*(offer(campaign=f"c{n}", origin="", definition="x") for n in range(1_001)))
    assert hostile.read()[0].fault == "the feed has more than 1,000 offers."
    assert hostile.two.library.relays.offers() == []


def test_a_definition_that_reaches_for_what_is_here_is_text(hostile: Coalition) -> None:
    """It can name no file of the follower, and no association of it as the one that sends."""
    (hostile.two.library.media_folder / "secret.pdf").write_bytes(b"secret")
    named = TEXT.replace("  preview:", "  attachments: [secret.pdf]\n  preview:")
    hostile.publish(offer(definition=named.replace("title:", "association: maine-libraries\ntitle:")))
    assert "'secret.pdf' does not come with it" in hostile.read()[1][HERE]
    sent = TEXT.replace("title:", "association: maine-libraries\ntitle:")
    hostile.publish(offer(version=3, definition=sent.replace("Dear colleague", "![x](secret.png)\n\nDear colleague")))
    assert hostile.read()[1] == {HERE: ""}
    kept = hostile.two.library.relays.version(HERE, 3).definition
    assert "association: maine-libraries" not in kept
    assert "](http://127.0.0.1" in kept, "a picture that did not come stays an address of theirs"


# --- a hostile follower -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "figures",
    [{"copies": 10**9, "clicks": 5}, {"copies": 20, "clicks": 10**9}, {"copies": None, "clicks": 10**9}],
)
def test_figures_that_can_not_be_are_not_shown_and_not_counted(two: Two, figures: dict[str, int]) -> None:
    two.offer()
    key = SigningKey(b"\5" * 32)
    peers.register(two.coalition, "north", key.public.raw.hex(), who="dana")
    said = Statement("partner", 1, "sent", figures=figures)
    data = answers.write(Answer("north", 1, NOW, said), key)
    assert peers.take(two.coalition, "north", data) == peers.Taken(True, 1)
    assert peers.take(two.coalition, "north", data) == peers.Taken(True, 1)
    standing = two.there()
    assert standing.state == "sent"
    assert standing.told is not None
    assert dict(standing.told.statement.figures) == {}
    assert two.coalition.host.db.execute("SELECT count(*) FROM told").fetchone()[0] == 0


@pytest.mark.parametrize("figures", [{"copies": -1}, {"copies": 1.5}, {"copies": "9"}, {"copies": True}, {"A!": 9}])
def test_figures_that_are_no_counts_are_no_answer(figures: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Statement.from_json(json.dumps({"campaign": "partner", "version": 1, "state": "sent", "reason": "",
                                        "figures": figures}))  # fmt: skip


def test_an_association_can_not_answer_for_another_or_read_what_is_offered_to_it(two: Two) -> None:
    two.offer()
    two.follow()
    url = f"http://127.0.0.1:{two.web.port}/relay/south/answers"
    said = Statement("partner", 1, "declined", "No")
    data = answers.write(Answer("north", 1, NOW, said), answering_key(two.library, two.url))
    by = feeds.Engines("https://m.example", [f"127.0.0.1:{two.web.port}"])
    assert by.post(url, data).status == 403
    assert by.post(url.replace("south", "north"), data).status == 200
    header = headers(two.library, feeds.find(two.library, "the-coalition"))["Authorization"]
    assert offer_feeds.is_early(two.coalition, "north", header)
    assert not offer_feeds.is_early(two.coalition, "south", header)
    for broken in ("Comms-Relay", "Comms-Relay x y", f"{header}0", header.replace("Relay", "Delay"), "\x00" * 500):
        assert not offer_feeds.is_early(two.coalition, "north", broken)


def test_what_was_recalled_stays_so_whatever_an_engine_says(two: Two) -> None:
    two.offer()
    two.follow()
    correcting.recall(two.coalition, "partner", "A wrong date", who="dana")
    data = answers.write(
        Answer("north", 1, NOW, Statement("partner", 10**9, "accepted")), answering_key(two.library, two.url)
    )
    assert peers.take(two.coalition, "north", data).ok
    assert two.there().state == "withdrawn"
    assert two.there().version == 1
    unknown = Statement("other", 1, "accepted")
    data = answers.write(Answer("north", 2, NOW, unknown), answering_key(two.library, two.url))
    with pytest.raises(StateError, match="not offered"):
        peers.take(two.coalition, "north", data)
