"""One campaign in several languages: everyone gets one copy, in theirs where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from control_scene import HOST, ListQueue
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member
from campaigns import definition
from comms.delivery.batches import Outcome
from comms.engagement import terminal
from comms.engagement.html import to_html
from comms.engine import checking, deciding, occasions, polls, preview, readers, reporting, sending, variants
from comms.engine.control import Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.links import EditionToken, MemberToken
from comms.planning import variant_for

OWN = """\
---
campaign: welcome
title: Welcome
language: en
newsletter:
  subject: Welcome
  preview: Come in
---

Dear reader, [read on](https://example.org/en).

::: poll Which day?
- Monday
- Friday
:::

::: event Open doors
start: 2027-05-01 10:00
timezone: UTC
:::
"""
SPANISH = """\
---
title: Bienvenidos
newsletter:
  subject: Hola
  preview: Pase
---

Estimados lectores, [una página](https://example.org/primero) y [otra](https://example.org/es).

::: poll ¿Qué día?
- Lunes
- Viernes
:::

::: event Puertas abiertas
start: 2027-05-01 10:00
timezone: UTC
:::
"""


class Scene:
    """A workspace whose members have these languages, in this order."""

    def __init__(self, folder: Path, languages: list[str | None]) -> None:
        create_workspace(folder, HOST).close()
        self.workspace = Workspace(folder, environment={})
        self.workspace.journal_folder.mkdir(exist_ok=True)
        people, now = self.workspace.people(HOST.slug), self.workspace.now()
        with people.db.atomic():
            first = people.next_id()
            ids = range(first, first + len(languages))
            people.insert([Member(f"p{n - first}@example.org", {}, languages[n - first], id=n) for n in ids], now)
            yes = Consent(ANY_TOPIC, ConsentState.GRANTED, now, "test", Basis.EXPRESS)
            people.record([(n, yes) for n in ids], now)
        self.queue = ListQueue()
        self.control = Control(self.workspace, self.queue, senders=2)
        self.file = self.workspace.folder / "welcome.md"
        self.file.write_text(OWN, encoding="utf-8")

    def add(self, tag: str, text: str = SPANISH) -> None:
        self.file.with_name(f"welcome.{tag}.md").write_text(text, encoding="utf-8")

    def prepare(self) -> sending.Prepared:
        return sending.prepare(self.workspace, definition.read_file(self.file))

    def send(self) -> dict[str, list[str]]:
        """Address -> the languages of its copies."""
        sending.start(self.workspace, sending.approve(self.workspace, self.prepare(), who="somebody"))
        got: dict[str, list[str]] = {}
        while self.control.step():
            for batch in self.queue.work:
                for recipient in batch["recipients"]:
                    got.setdefault(recipient[1], []).append(batch["campaign"]["language"])
            self.queue.answer(Outcome.ACCEPTED, 250, "ok")
        return got

    def copies(self) -> list[tuple[str, int, int]]:
        """(language, run, delivery) of each delivery."""
        row = sending.find(self.workspace, "welcome")
        found = []
        for run in variants.runs(self.workspace, "welcome", HOST.slug):
            part = variants.of_channel(sending.read_back(row), run.channel)
            sql = "SELECT id FROM delivery WHERE run_id = ? ORDER BY id"
            rows = self.workspace.ledger(HOST.slug).db.execute(sql, [run.id])
            found += [(part.language, run.id, each[0]) for each in rows]
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path / "workspace", ["es", None, "en", "ES-mx", "fr"])
    yield scene
    scene.workspace.close()


TAGS = ["es", "es-MX", "fr", "pt-BR", "zh-Hant", "en-GB"]
LANGUAGES = [None, "", "es", "ES-mx", "es_MX", "es-419", "fr-CA", "pt", "pt-br", "zh-Hant-TW", "zh", "en", "EN-gb",
             "tlh", "x", "-", "e s", "español", "es-\x00"]  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(TAGS), unique=True, min_size=1), st.lists(st.sampled_from(LANGUAGES), max_size=12))
def test_everyone_gets_one_copy_in_the_nearest_language(
    tmp_path_factory: pytest.TempPathFactory, tags: list[str], languages: list[str | None]
) -> None:
    scene = Scene(tmp_path_factory.mktemp("variants") / "workspace", languages)
    for tag in tags:
        scene.add(tag)
    got = scene.send()
    scene.workspace.close()
    expected = {f"p{n}@example.org": [nearest(language, tags)] for n, language in enumerate(languages)}
    assert got == expected


def nearest(language: str | None, tags: list[str]) -> str:
    """Said in another way than the code: the longest of the tags that the language begins with."""
    spoken = (language or "").lower().replace("_", "-") + "-"
    fitting = [tag for tag in [*tags, "en"] if spoken.startswith(f"{tag.lower()}-")]
    return max(fitting, key=len, default="en")


def test_the_campaigns_own_language_is_one_of_those_that_can_be_nearest() -> None:
    assert variant_for("pt-BR", ["pt-BR", "pt"]) == "pt-BR"
    assert variant_for("pt-PT", ["pt-BR", "pt"]) == "pt"
    assert variant_for("de", ["pt-BR", "pt"]) == "pt-BR"


def test_plan_and_report_count_by_language(scene: Scene) -> None:
    scene.add("es")
    plan = scene.prepare().plan.newsletters[0]
    assert (plan.audience, [(each.language, each.audience) for each in plan.languages]) == (5, [("en", 3), ("es", 2)])
    scene.send()
    data = reporting.report(scene.workspace, "welcome")
    assert [(each.name, each.audience, each.deliveries["sent"]) for each in data.languages] == [
        ("English", 3, 3),
        ("Español", 2, 2),
    ]
    assert (data.status.state, data.status.audience, data.status.deliveries["sent"]) == ("sent", 5, 5)
    assert "Español" in to_html(data)
    assert terminal.render(data)


def test_a_campaign_in_one_language_has_one_run_and_no_figures_by_language(scene: Scene) -> None:
    assert scene.prepare().plan.newsletters[0].languages == ()
    scene.send()
    assert len(variants.runs(scene.workspace, "welcome", HOST.slug)) == 1
    assert "languages" not in reporting.report(scene.workspace, "welcome").to_json()


def test_an_edit_of_one_variant_changes_what_is_approved(scene: Scene) -> None:
    scene.add("es")
    before = scene.prepare().plan.digest
    assert scene.prepare().plan.digest == before
    scene.add("es", SPANISH.replace("Estimados", "Queridos"))
    assert scene.prepare().plan.digest != before


def test_links_lead_where_the_readers_own_copy_says(scene: Scene) -> None:
    scene.add("es")
    scene.send()
    signer = scene.workspace.links.signer
    targets: dict[str, set[str | None]] = {}
    for language, run, delivery in scene.copies():
        for token in (MemberToken(HOST.slug, delivery), EditionToken(HOST.slug, run)):
            targets.setdefault(language, set()).add(readers.click(scene.workspace, signer.sign(token), 0))
    assert targets == {"en": {"https://example.org/en"}, "es": {"https://example.org/primero"}}
    links = reporting.report(scene.workspace, "welcome").links
    clicks = {each.url: each.clicks for each in links if not each.url.endswith(".ics")}
    assert clicks == {"https://example.org/en": 6, "https://example.org/primero": 4, "https://example.org/es": 0}


def test_the_page_online_is_that_of_the_readers_copy(scene: Scene) -> None:
    scene.add("es")
    scene.send()
    for language, run, _ in scene.copies():
        token = scene.workspace.links.signer.sign(EditionToken(HOST.slug, run))
        page = readers.view_online(scene.workspace, token) or ""
        assert ("Estimados" in page) == (language == "es")
        assert ("Dear reader" in page) == (language == "en")


def test_answers_in_all_languages_count_together(scene: Scene) -> None:
    scene.add("es")
    scene.send()
    shown = set()
    for _, _, delivery in scene.copies():
        token = scene.workspace.links.signer.sign(MemberToken(HOST.slug, delivery))
        view = polls.answer(scene.workspace, token, 0, 1)
        assert view is not None
        shown.add((view.language, view.question, view.answers[1], view.chosen))
    assert shown == {("en", "Which day?", "Friday", 1), ("es", "¿Qué día?", "Viernes", 1)}
    (poll,) = reporting.report(scene.workspace, "welcome").polls
    assert [(answer.text, answer.count) for answer in poll.answers] == [("Monday", 0), ("Friday", 5)]


def test_calendar_files_are_of_the_same_event_in_each_language(scene: Scene) -> None:
    scene.add("es")
    scene.send()
    own, spanish = (
        (occasions.calendar_file(scene.workspace, HOST.slug, "welcome", 0, tag) or b"").decode() for tag in ("", "es")
    )
    assert "SUMMARY:Open doors" in own
    assert "SUMMARY:Puertas abiertas" in spanish
    assert [line for line in own.splitlines() if line.startswith("UID")] == [
        line for line in spanish.splitlines() if line.startswith("UID")
    ]
    assert occasions.calendar_file(scene.workspace, HOST.slug, "welcome", 0, "fr") is None


def test_a_person_decides_about_mails_in_all_languages(scene: Scene) -> None:
    scene.add("es")
    sending.start(scene.workspace, sending.approve(scene.workspace, scene.prepare(), who="somebody"))
    db = scene.workspace.ledger(HOST.slug).db
    with db.atomic():
        db.execute("UPDATE delivery SET state = 'claimed', batch = 'lost'")
        scene.workspace.ledger(HOST.slug).hold_claimed("the machine stopped", scene.workspace.now())
    assert len(deciding.undecided(scene.workspace, "welcome").mails) == 5
    assert deciding.decide_mails(scene.workspace, "welcome", [], arrived=True, who="somebody") == 5
    assert reporting.status(scene.workspace, "welcome").deliveries["sent"] == 5


def test_a_cancelled_campaign_ends_in_all_languages(scene: Scene) -> None:
    scene.add("es")
    sending.start(scene.workspace, sending.approve(scene.workspace, scene.prepare(), who="somebody"))
    assert sending.cancel(scene.workspace, "welcome", who="somebody") == 5
    assert reporting.status(scene.workspace, "welcome").deliveries["cancelled"] == 5


def found(scene: Scene, rule: str) -> list[tuple[str, int, str]]:
    """(file, line, message) of the findings by a rule."""
    findings = checking.check(scene.workspace, scene.file).findings
    return [
        (Path(each.file).name if each.file else "", each.line, each.message) for each in findings if each.rule == rule
    ]


def test_check_finds_nothing_wrong_with_variants_that_fit(scene: Scene) -> None:
    own = {(each.rule, each.message) for each in checking.check(scene.workspace, scene.file).findings}
    scene.add("es")
    assert {(each.rule, each.message) for each in checking.check(scene.workspace, scene.file).findings} == own


def test_check_compares_polls_and_events_and_names_the_variants_line(scene: Scene) -> None:
    scene.add("es", SPANISH.replace("- Viernes\n", "- Martes\n- Viernes\n").replace("05-01 10:00", "05-02 10:00"))
    assert found(scene, "variant-polls") == [
        ("welcome.es.md", 10, "`¿Qué día?` has 3 answers, and `Which day?` of the campaign has 2 answers")
    ]
    assert [each[:2] for each in found(scene, "variant-events")] == [("welcome.es.md", 16)]
    assert not checking.check(scene.workspace, scene.file).ok
    scene.add("es", "---\n---\n\nHola.\n")
    assert found(scene, "variant-polls") == [("welcome.es.md", 0, "has 0 polls, and the campaign has 1 poll")]


def test_check_says_which_texts_are_missing_or_not_used(scene: Scene) -> None:
    scene.add("es", SPANISH.replace("title: Bienvenidos", "feed:\n  summary: Nada"))
    assert [each[2] for each in found(scene, "variant-untranslated")] == ["the variant has no `title`"]
    assert [each[:2] for each in found(scene, "variant-unused")] == [("welcome.es.md", 3)]


def test_check_looks_at_the_text_of_variants_by_their_own_lines(scene: Scene) -> None:
    scene.add("es", SPANISH.replace("Estimados lectores", "Hola, {{ member.nickname }}"))
    assert [each[:2] for each in found(scene, "field-unknown")] == [("welcome.es.md", 8)]


def test_a_stray_file_is_named_and_not_sent(scene: Scene) -> None:
    scene.add("draft", "whatever")
    ((_, _, message),) = found(scene, "variant-stray")
    assert message == "welcome.draft.md is no variant: `draft` is no language tag"
    assert set(map(tuple, scene.send().values())) == {("en",)}


def shown(scene: Scene, wishes: preview.Wishes) -> dict[str, str]:
    """Name of a case -> its subject."""
    made = preview.show(scene.workspace, scene.file, scene.workspace.folder / "out", wishes, browser=None)
    return {each.name: each.subject for each in made.proofs}


def test_a_preview_is_in_the_language_of_its_reader_or_in_the_one_asked_for(scene: Scene) -> None:
    scene.add("es")
    assert shown(scene, preview.Wishes(address="p3@example.org")) == {"message": "Hola"}
    assert shown(scene, preview.Wishes(address="p4@example.org")) == {"message": "Welcome"}
    assert shown(scene, preview.Wishes(language="ES")) == {"message": "Hola"}
    assert shown(scene, preview.Wishes(language="en")) == {"message": "Welcome"}
    assert shown(scene, preview.Wishes(matrix=True)) == {"coalition.en": "Welcome", "coalition.es": "Hola"}
    with pytest.raises(UsageError, match="is not in fr"):
        shown(scene, preview.Wishes(language="fr"))
