"""A digest by topics: one mail per member, with the sections that they follow and nothing else, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from control_scene import HOST
from digest_scene import DIGEST, DigestScene

from audiences.models import ConsentState, Frequency
from campaigns import definition
from campaigns.entries import Choice, Entries
from comms.delivery.batches import Outcome
from comms.engine import checking, gathering, proofs, readers, reporting, sending, series, sources
from comms.engine.corrections import apply, withdrawal
from comms.errors import UsageError
from comms.links import EditionToken

TOKEN = re.compile(r"/([a-z])/[\w.-]+")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[DigestScene]:
    scene = DigestScene(tmp_path / "workspace")
    yield scene
    scene.workspace.close()


def test_each_member_gets_one_mail_with_the_sections_they_follow_and_who_follows_none_gets_none(
    scene: DigestScene,
) -> None:
    scene.put("museum", "Maps", "Globes")
    scene.put("library", "Books")
    scene.publish("archivist", "Archivist", "jobs")
    scene.approve()
    assert scene.day(2) == {
        "ana": {"Maps", "Globes", "Books", "Archivist"},
        "ben": {"Maps", "Globes"},
        "cas": {"Books"},
    }
    report = reporting.report(scene.workspace, "reading-2027-02-02")
    assert report.associations[0].excluded == {"nothing_new": 1}


def test_second_day_has_only_what_is_new_and_nobody_gets_anything_when_nothing_is(scene: DigestScene) -> None:
    scene.put("museum", "Maps")
    scene.approve()
    assert scene.day(2) == {"ana": {"Maps"}, "ben": {"Maps"}}
    assert scene.day(3) == {}
    scene.put("library", "Books")
    assert scene.day(4) == {"ana": {"Books"}, "cas": {"Books"}}
    assert scene.left_out() == ["nothing is new in its feeds"]


def test_what_is_new_in_a_topic_that_nobody_follows_makes_no_mail_and_is_no_news_lost(scene: DigestScene) -> None:
    scene.put("museum", "Maps")
    for name in ("ana", "ben"):
        scene.consent(scene.members[name], "museums", ConsentState.WITHDRAWN)
    scene.approve()
    assert scene.day(2) == {}
    assert scene.left_out() == ["nobody would get anything"]
    scene.consent(scene.members["ben"], "museums", ConsentState.GRANTED)
    assert scene.day(3) == {"ben": {"Maps"}}


def test_the_plan_says_who_gets_none_and_why(scene: DigestScene) -> None:
    scene.put("library", "Books")
    (newsletter,) = scene.approve().first.plan.newsletters
    assert (newsletter.audience, newsletter.segment, newsletter.excluded) == (2, 4, {"nothing_new": 2})


def test_a_heading_goes_with_its_section(scene: DigestScene) -> None:
    scene.put("museum", "Maps")
    scene.put("library", "Books")
    scene.approve()
    headings = {}
    scene.day(1)
    scene.now = scene.now.replace(day=2)
    scene.control._recovered_at = float("-inf")
    scene.control.step()
    for recipient, rendered in scene.waiting():
        found = {each for each in ("From the museum", "From the library", "Jobs with us") if each in rendered.text}
        assert found == {each for each in found | {"Jobs with us"} if each in rendered.html}
        headings[recipient.address[:3]] = found
    assert headings == {
        "ana": {"From the museum", "From the library"}, "ben": {"From the museum"}, "cas": {"From the library"},
    }  # fmt: skip


def test_who_leaves_a_topic_after_the_freeze_no_longer_sees_its_section_or_gets_no_mail(scene: DigestScene) -> None:
    scene.put("museum", "Maps")
    scene.put("library", "Books")
    scene.approve()
    scene.now = scene.now.replace(day=2)
    series.Maker(scene.workspace).make_due()
    (row,) = scene.workspace.host.campaigns()
    sending.start(scene.workspace, row)
    for name in ("ana", "ben"):
        scene.consent(scene.members[name], "museums", ConsentState.WITHDRAWN)
    scene.consent(scene.members["ben"], "other", ConsentState.GRANTED)
    assert scene.day(2) == {"ana": {"Books"}, "cas": {"Books"}}
    (part,) = reporting.report(scene.workspace, row.id).associations
    assert (part.deliveries["sent"], part.deliveries["skipped"], part.skips) == (2, 1, {"nothing_new": 1})


# --- how often --------------------------------------------------------------------------------


def test_who_wants_a_topic_weekly_gets_it_once_a_week_with_all_that_was_new_in_it(scene: DigestScene) -> None:
    scene.wants("ben", "museums", Frequency.WEEKLY)
    scene.wants("ana", "museums", Frequency.WEEKLY)
    scene.approve()
    got = {}
    for day in range(2, 18):
        scene.put("museum", f"M{day}")
        scene.put("library", f"L{day}")
        got[day] = scene.day(day)
    assert [day for day in got if "ben" in got[day]] == [2, 9, 16]
    assert got[9]["ben"] == {f"M{day}" for day in (5, 6, 7, 8, 9)}, "the latest five, as `count:` has it"
    assert got[5]["ana"] == {"L5"}, "her other topic comes every day"
    assert got[9]["ana"] == {"L9"} | got[9]["ben"]
    assert got[9]["cas"] == {"L9"}


def test_all_of_a_week_and_nothing_twice_reaches_who_wants_it_weekly(scene: DigestScene) -> None:
    scene.text = DIGEST.replace("since: last", "since: last\ncount: 50")
    scene.wants("ben", "museums", Frequency.WEEKLY)
    scene.approve()
    got: list[str] = []
    for day in range(2, 17):
        scene.put("museum", f"M{day}")
        got += sorted(scene.day(day).get("ben", ()))
    assert sorted(got) == sorted(f"M{day}" for day in range(2, 17))


def test_what_they_missed_reaches_them_on_a_day_without_news_and_nobody_else(scene: DigestScene) -> None:
    scene.wants("ben", "museums", Frequency.WEEKLY)
    scene.put("museum", "Maps")
    scene.approve()
    assert scene.day(2) == {"ana": {"Maps"}, "ben": {"Maps"}}
    scene.put("museum", "Globes")
    assert scene.day(4) == {"ana": {"Globes"}}
    assert scene.day(8) == {}
    assert scene.day(9) == {"ben": {"Globes"}}
    assert scene.day(10) == {}


def test_a_digest_with_an_entry_is_not_published_again_for_what_some_missed(scene: DigestScene) -> None:
    scene.text = DIGEST.replace("schedule:", "feed:\nschedule:")
    scene.wants("ben", "museums", Frequency.WEEKLY)
    scene.put("museum", "Maps")
    scene.approve()
    scene.day(2)
    scene.put("museum", "Globes")
    assert scene.day(4) == {"ana": {"Globes"}}
    assert scene.day(9) == {}
    published = Entries(scene.workspace.host.db).newest(HOST.slug, Choice(), limit=9, edited=0)
    assert [row.campaign for row in published] == ["reading-2027-02-04", "reading-2027-02-02"]


def test_a_mail_counts_towards_the_pace_of_the_topics_that_were_in_it_alone(scene: DigestScene) -> None:
    for topic in ("museums", "libraries"):
        scene.wants("ana", topic, Frequency.WEEKLY)
    scene.approve()
    scene.put("museum", "Maps")
    assert scene.day(2)["ana"] == {"Maps"}
    scene.put("museum", "Globes")
    scene.put("library", "Books")
    assert scene.day(3)["ana"] == {"Books"}, "nothing of the libraries had come before"


# --- one path ---------------------------------------------------------------------------------


def test_a_preview_shows_each_member_what_they_get(scene: DigestScene) -> None:
    scene.put("museum", "Maps")
    scene.put("library", "Books")
    scene.approve()
    campaign = gathering.gather(scene.workspace, definition.read(scene.text))
    maker, previews = proofs.Maker(scene.workspace), {}
    for name in ("ana", "ben", "cas"):
        mail = maker.mail(proofs.named(scene.workspace, campaign, HOST, f"{name}@example.org"))
        previews[name] = TOKEN.sub(r"/\1/", mail.text).replace("reading-2027-02-02", "reading")
    scene.now = scene.now.replace(day=2)
    scene.control._recovered_at = float("-inf")
    scene.control.step()
    sent = {
        recipient.address[:3]: TOKEN.sub(r"/\1/", rendered.text).replace("reading-2027-02-02", "reading")
        for recipient, rendered in scene.waiting()
    }
    assert sent == previews


def test_without_a_name_the_preview_is_of_the_first_who_would_get_it(scene: DigestScene) -> None:
    scene.put("library", "Books")
    scene.consent(scene.members["ana"], "libraries", ConsentState.WITHDRAWN)
    campaign = gathering.gather(scene.workspace, definition.read(scene.text))
    assert proofs.named(scene.workspace, campaign, HOST, None).member.address == "cas@example.org"


def test_the_page_online_shows_every_section_and_no_choice_of_anybody(scene: DigestScene) -> None:
    scene.put("museum", "Maps")
    scene.put("library", "Books")
    scene.approve()
    scene.day(2)
    run = scene.workspace.ledger(HOST.slug).run("reading-2027-02-02", "newsletter")
    assert run is not None
    token = scene.workspace.links.signer.sign(EditionToken(HOST.slug, run.id))
    page = readers.view_online(scene.workspace, token)
    assert page is not None
    assert set(re.findall(r"About (\w+)\.", page)) == {"Maps", "Books"}


def test_a_feed_without_a_topic_is_for_everyone_and_so_is_the_mail(scene: DigestScene) -> None:
    scene.text = DIGEST.replace("topic: museums\n", "")
    scene.put("museum", "Maps")
    scene.put("library", "Books")
    scene.approve()
    everyone = {"ben": {"Maps"}, "dan": {"Maps"}, "ana": {"Maps", "Books"}, "cas": {"Maps", "Books"}}
    assert scene.day(2) == everyone
    scene.put("library", "Atlases")
    assert scene.day(3) == {"ana": {"Atlases"}, "cas": {"Atlases"}}


# --- what the association itself published ----------------------------------------------------


def test_own_entries_come_once_and_neither_the_digest_itself_nor_what_was_withdrawn_is_among_them(
    scene: DigestScene,
) -> None:
    scene.text = DIGEST.replace("schedule:", "feed:\nschedule:").replace("topic: jobs\n", "")
    scene.publish("archivist", "Archivist", "jobs")
    scene.publish("registrar", "Registrar", "other")
    scene.publish("mistake", "Mistake", "jobs")
    apply(scene.workspace, withdrawal(scene.workspace, "mistake", reason="It was none."), who="test")
    scene.approve()
    assert scene.day(2)["dan"] == {"Archivist", "Registrar"}
    assert scene.day(3) == {}
    scene.publish("curator", "Curator", "jobs")
    assert scene.day(4)["dan"] == {"Curator"}


def test_no_feed_of_others_can_be_called_own(scene: DigestScene) -> None:
    with pytest.raises(UsageError, match="can not be the name of a source"):
        sources.add(scene.workspace, "https://own.org/feed", name="own", who="test")
    assert sources.add(scene.workspace, "https://own.org/feed", title="Own", who="test").name == "own-2"


# --- checked ----------------------------------------------------------------------------------


def test_check_names_a_topic_that_nobody_subscribed_to_at_its_line(scene: DigestScene, tmp_path: Path) -> None:
    file = tmp_path / "reading.md"
    file.write_text(DIGEST.replace("topic: libraries", "topic: librarys"))
    found = {each.rule: (each.line, each.hint) for each in checking.check(scene.workspace, file).findings}
    assert found["topic-unknown"] == (23, "did you mean libraries?")


def test_mails_that_were_put_off_keep_their_sections(scene: DigestScene) -> None:
    scene.put("museum", "Maps")
    scene.approve()
    scene.now = scene.now.replace(day=2)
    scene.control._recovered_at = float("-inf")
    while scene.control.step():
        scene.queue.answer(Outcome.DEFERRED)
    assert scene.day(3) == {"ana": {"Maps"}, "ben": {"Maps"}}
