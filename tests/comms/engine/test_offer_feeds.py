"""What is offered stands in the feed of each association: corrections and recalls too, and nothing under embargo."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from relay_scene import OFFER, Scene, scene_of

from campaigns import definition
from comms.engine import kits, offer_feeds
from comms.engine.kits import make_kit
from comms.engine.relaying import answering, correcting
from comms.errors import UsageError
from comms.kits.offer_feed import read_json
from comms.kits.offers import Offer
from comms.kits.signing import read_keys
from comms.kits.tools import TOOLS

OPEN = OFFER.replace("  not_before: 2027-01-28\n", "")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return scene_of(tmp_path / "w", {"coalition": [], "north": ["a@example.org"], "south": ["b@example.org"]})


def read(scene: Scene, slug: str = "north") -> tuple[Offer, ...]:
    data = offer_feeds.feed(scene.workspace, slug, "json")
    assert data is not None
    return read_json(data, read_keys(offer_feeds.public_keys(scene.workspace))).offers


def test_an_offer_is_in_the_feed_of_those_it_was_made_to(scene: Scene) -> None:
    assert read(scene) == ()
    scene.offer(OPEN.replace("associations: all", "associations: [north]"))
    (offer,) = read(scene)

    assert (offer.campaign, offer.version, offer.summary) == ("partner", 1, "The Coalition seeks a partner.")
    assert definition.read(offer.definition).title == "We seek a partner"
    assert read(scene, "south") == ()
    assert offer_feeds.feed(scene.workspace, "nobody", "atom") is None


def test_nothing_is_in_the_feed_before_its_embargo_ends(scene: Scene) -> None:
    scene.offer(OFFER)
    assert read(scene) == ()
    assert b"partner" not in (offer_feeds.feed(scene.workspace, "north", "atom") or b"")
    scene.now = datetime(2027, 1, 28, 0, 1, tzinfo=UTC)
    assert [offer.campaign for offer in read(scene)] == ["partner"]


def test_a_correction_is_the_next_version_and_a_recall_takes_the_text_away(scene: Scene, tmp_path: Path) -> None:
    scene.offer(OPEN)
    before = read(scene)[0]
    file = tmp_path / "partner.md"
    file.write_text(OPEN.replace("1 March", "2 March"))
    scene.now = datetime(2027, 1, 11, 12, tzinfo=UTC)
    correcting.correct(scene.workspace, correcting.plan(scene.workspace, file, note="The day was wrong"), who="dana")
    after = read(scene)[0]

    assert (after.version, after.published) == (2, before.published)
    assert after.updated > before.updated
    assert "2 March" in after.definition
    scene.now = datetime(2027, 1, 12, 12, tzinfo=UTC)
    correcting.recall(scene.workspace, "partner", "The grant was withdrawn", who="dana")
    gone = read(scene)[0]
    assert (gone.withdrawn, gone.reason, gone.definition) == (scene.now, "The grant was withdrawn", "")
    atom = offer_feeds.feed(scene.workspace, "north", "atom") or b""
    assert b"deleted-entry" in atom
    assert b"The grant was withdrawn" in atom


def test_an_offer_is_packed_by_its_id_with_the_words_of_the_association(scene: Scene) -> None:
    scene.offer(OPEN.replace("schedule:", "social:\n  x: Could you? {{ url }}\nschedule:"))
    row = answering.find(scene.workspace, "partner", "north")
    answering.adapt(scene.workspace, row, {"near-you": "Come to **Northtown**."}, who="luis")
    north, south = (scene.workspace.association(slug) for slug in ("north", "south"))
    kit = make_kit(scene.workspace, kits.find(scene.workspace, "partner", north), north, TOOLS["mailchimp"])

    assert "Come to Northtown." in kit.mail.text
    assert "Relayed from The Coalition." in kit.mail.text
    assert kit.mail.campaign.id == "partner"
    assert {"social.csv", "guide.html"} <= set(kit.files)
    other = make_kit(scene.workspace, kits.find(scene.workspace, "partner", south), south, TOOLS["mailchimp"])
    assert "Ask us about it." in other.mail.text
    with pytest.raises(UsageError, match="no file, and no campaign"):
        kits.find(scene.workspace, "nothing\x00", north)
