"""Letters reach their reader through whatever goes wrong on the way, and stop when their time is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from signup_samples import Office, office

from comms.delivery import journal
from comms.delivery.batches import Outcome, Receipt, from_json
from comms.delivery.letterbox import MOST_ATTEMPTS, Letterbox
from comms.engine import letters
from comms.rendering.letter import LetterContent
from tests.conftest import MailServer

ADA = "ada@example.org"
CONTENT = LetterContent(
    subject="Please confirm: {{ 7 * 7 }} <b>",
    heading="A heading",
    paragraphs=("First, {% raw %} & so on.",),
    points=("One point",),
    button="Yes, sign me up",
    url="https://news.example.org/s/secret-token?a=1&b=2",
    notes=("A note.",),
    why="Because you asked.",
)


@pytest.fixture
def here(tmp_path: Path, mail_server: Callable[..., MailServer]) -> Iterator[Office]:
    with office(tmp_path / "workspace", mail_server(content=True)) as found:
        yield found


@pytest.fixture
def elsewhere(tmp_path: Path, mail_server: Callable[..., MailServer]) -> Iterator[Callable[..., Office]]:
    """An office whose mail server misbehaves as told."""
    opened = []

    def start(**options: object) -> Office:
        context = office(tmp_path / "workspace", mail_server(content=True, **options))
        opened.append(context)
        return context.__enter__()

    yield start
    for context in opened:
        context.__exit__(None, None, None)


def post(where: Office, *, valid: timedelta = timedelta(days=3)) -> int:
    workspace = where.workspace
    with workspace.association_db(where.slug).atomic():
        return letters.post(workspace, where.slug, "confirm", ADA, CONTENT, expires_at=workspace.now() + valid)


def test_a_letter_arrives_with_both_parts_and_the_headers_of_an_automatic_mail(here: Office) -> None:
    number = post(here)
    here.deliver()
    (mail,) = here.mails()
    assert mail["To"] == ADA
    assert mail["From"] == "The Coalition <news@coalition.example>"
    assert mail["Subject"] == "Please confirm: {{ 7 * 7 }} <b>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert f".{number}." not in mail["Message-ID"].split("@")[1]
    for absent in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-ID"):
        assert absent not in mail
    html, text = (mail.get_body((kind,)).get_content() for kind in ("html", "plain"))  # type: ignore[union-attr]
    assert "https://news.example.org/s/secret-token?a=1&amp;b=2" in html
    assert "Yes, sign me up: https://news.example.org/s/secret-token?a=1&b=2" in text
    for part in (html, text):
        for words in ("A heading", "{% raw %}", "One point", "A note.", "Because you asked.", "1 Main Street"):
            assert words in part
    assert "<img" not in html
    assert here.letters(ADA) == [("sent", 1)]


def test_what_a_letter_says_is_sealed_while_it_waits_and_gone_once_it_is_sent(here: Office) -> None:
    post(here)
    box = Letterbox(here.workspace.association_db(here.slug))
    (row,) = box.of_address(ADA)
    assert row.content is not None
    assert b"secret-token" not in row.content
    here.deliver()
    assert [row.content for row in box.of_address(ADA)] == [None]


def test_a_letter_whose_task_was_lost_from_the_queue_is_handed_out_again(here: Office) -> None:
    post(here)
    assert here.hand_out() == 1
    here.queue.work.flush()
    assert here.recover() == 0, "it is looked for once it should have been begun"
    here.clock.ahead += timedelta(seconds=10)
    assert here.recover() == 1
    here.deliver()
    assert here.server.recipients() == [ADA]
    assert here.letters(ADA) == [("sent", 1)]


def test_a_letter_that_a_sender_died_over_is_sent_again_under_the_same_name(here: Office) -> None:
    post(here)
    here.hand_out()
    here.queue.work.flush()
    box = Letterbox(here.workspace.association_db(here.slug))
    (row,) = box.under_way()
    assert row.task is not None
    with journal.Journal.begin(here.workspace.journal_folder, row.task) as begun:  # type: ignore[union-attr]
        begun.about_to(row.id)
    assert here.recover(starting=True) == 1
    here.clock.ahead += timedelta(minutes=1)
    here.deliver()
    assert here.letters(ADA) == [("sent", 2)]
    post(here)
    here.deliver()
    first, second = here.mails()
    assert first["Message-ID"] != second["Message-ID"]


def test_both_copies_of_a_letter_in_doubt_have_one_message_id(elsewhere: Callable[..., Office]) -> None:
    here = elsewhere(drop_after_dot=1.0)
    post(here)
    for _ in range(MOST_ATTEMPTS):
        here.deliver()
        here.clock.ahead += timedelta(hours=1)
    mails = here.mails()
    assert len(mails) == MOST_ATTEMPTS
    assert len({mail["Message-ID"] for mail in mails}) == 1
    assert len({mail["Date"] for mail in mails}) == 1


def test_a_sender_that_lives_keeps_its_letter(here: Office) -> None:
    post(here)
    here.hand_out()
    (row,) = Letterbox(here.workspace.association_db(here.slug)).under_way()
    assert row.task is not None
    with journal.Journal.begin(here.workspace.journal_folder, row.task):  # type: ignore[union-attr]
        here.clock.ahead += timedelta(hours=1)
        assert here.recover(starting=True) == 0
    assert here.letters(ADA) == [("sending", 0)]


def test_a_report_that_comes_twice_or_too_late_changes_nothing(here: Office) -> None:
    post(here)
    here.hand_out()
    box = Letterbox(here.workspace.association_db(here.slug))
    (row,) = box.under_way()
    assert row.task is not None
    now = here.workspace.now()
    with box.db.atomic():
        assert box.settle(row.task, Receipt(row.id, Outcome.ACCEPTED, 250, "ok"), now) == "sent"
        assert box.settle(row.task, Receipt(row.id, Outcome.REJECTED, 550, "no"), now) is None
    assert here.letters(ADA) == [("sent", 1)]


def test_a_letter_that_is_put_off_is_tried_again_later_and_given_up_after_five_times(
    elsewhere: Callable[..., Office],
) -> None:
    here = elsewhere(defer=1.0)
    post(here)
    here.deliver()
    assert here.letters(ADA) == [("queued", 1)]
    assert here.hand_out() == 0, "not before its time"
    for _ in range(10):
        here.clock.ahead += timedelta(hours=3)
        here.deliver()
    assert here.letters(ADA) == [("failed", MOST_ATTEMPTS)]


def test_a_letter_that_the_server_refuses_is_not_tried_again(elsewhere: Callable[..., Office]) -> None:
    here = elsewhere(reject="ada")
    post(here)
    here.deliver()
    assert here.letters(ADA) == [("failed", 1)]


def test_a_letter_whose_time_is_over_is_not_sent_and_forgotten(here: Office) -> None:
    post(here, valid=timedelta(hours=1))
    here.clock.ahead += timedelta(hours=1)
    assert here.hand_out() == 0
    here.recover()
    assert here.letters(ADA) == []


def test_a_template_of_the_workspaces_own_is_used_and_a_broken_one_fails_its_letters_alone(here: Office) -> None:
    folder = here.workspace.templates_folder / letters.FOLDER
    folder.mkdir(parents=True)
    body = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"
    document = "<mjml><mj-body>" + body + "</mj-body></mjml>"
    (folder / "confirm.mjml").write_text(document.format("Ours: {{ letter.url }}"))
    post(here)
    here.deliver()
    (folder / "confirm.mjml").write_text(document.format("{{ links.unsubscribe }}"))
    post(here)
    assert here.hand_out() == 0
    html = here.mails()[0].get_body(("html",))
    assert html is not None
    assert "Ours: https://news.example.org/s/secret-token" in html.get_content()
    states = here.workspace.association_db(here.slug).execute("SELECT state, reply FROM letter ORDER BY id").fetchall()
    assert [state for state, _ in states] == ["sent", "failed"]
    assert "neither member nor links" in states[1][1]


def test_an_address_that_mail_can_not_carry_fails_without_harm_to_others(here: Office) -> None:
    workspace = here.workspace
    with workspace.association_db(here.slug).atomic():
        letters.post(
            workspace, here.slug, "confirm", "é@example.org", CONTENT, expires_at=workspace.now() + timedelta(1)
        )
    post(here)
    here.deliver()
    assert here.letters("é@example.org") == [("failed", 0)]
    assert here.server.recipients() == [ADA]


def test_the_order_that_travels_is_the_order_that_arrives(here: Office) -> None:
    post(here)
    box = Letterbox(here.workspace.association_db(here.slug))
    (row,) = box.due(here.workspace.now(), 1)
    order = letters._order(here.workspace, here.workspace.association(here.slug), row, "letter.1")
    assert from_json(order.to_json()) == order
