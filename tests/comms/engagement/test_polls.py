"""Answers to polls: one for each copy of the newsletter, the last one, and nobody's name with any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from sent_newsletter import (
    CAMPAIGN,
    DEFINITION,
    NOW,
    Sent,
    add_member,
    association,
    consent,
    make_workspace,
    save_campaign,
    send,
)

from audiences.models import TRACKING, ConsentState
from comms.engagement.html import to_html
from comms.engagement.polls import Ballots
from comms.engagement.terminal import render
from comms.engine import polls, reporting, retention
from comms.engine.workspace import Workspace

ADA, BEN = "ada@example.org", "ben@example.org"
EVIL = "<b>Fri[red]day</b>"
LITERAL_TAG, LITERAL_BRACKET = "\\<", "\\["
ASKING = f"""{DEFINITION}
::: poll Which day?
- Monday
- {EVIL.replace("<", LITERAL_TAG).replace("[", LITERAL_BRACKET)}
:::

::: when state = WA
::: poll Which hour?
- nine
- ten
- eleven
:::
:::
"""


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Sent]:
    """A newsletter with two polls, to ada, who agreed to be tracked, and ben, who did not."""
    with make_workspace(tmp_path / "asked") as workspace:
        add_member(workspace, "coalition", ADA, tracked=True)
        add_member(workspace, "coalition", BEN)
        save_campaign(workspace, ["coalition"], definition=ASKING)
        yield send(workspace, "coalition")


def counts(workspace: Workspace) -> list[list[int]]:
    report = reporting.report(workspace, CAMPAIGN)
    return [[answer.count for answer in poll.answers] for poll in report.polls]


def everything(sent: Sent) -> str:
    """All that the two tables hold."""
    db = sent.workspace.association_db(sent.association)
    return repr([db.execute(f"SELECT * FROM {table}").fetchall() for table in ("ballot", "answer")])


def test_looking_counts_nothing(asked: Sent) -> None:
    view = polls.view(asked.workspace, asked.token(ADA), 0)

    assert view is not None
    assert (view.question, view.answers, view.chosen, view.open) == ("Which day?", ("Monday", EVIL), None, True)
    assert counts(asked.workspace) == [[0, 0], [0, 0, 0]]


def test_the_last_answer_of_each_copy_counts(asked: Sent) -> None:
    for choice in (0, 1, 1, 0, 1):
        assert polls.answer(asked.workspace, asked.token(ADA), 0, choice)
    assert polls.answer(asked.workspace, asked.token(BEN), 0, 1)
    assert polls.answer(asked.workspace, asked.token(BEN), 1, 2)

    view = polls.view(asked.workspace, asked.token(ADA), 0)
    assert view is not None
    assert view.chosen == 1
    assert counts(asked.workspace) == [[0, 2], [0, 0, 1]]


def test_no_answer_is_kept_with_a_name_whoever_agreed_to_what(asked: Sent) -> None:
    for address in (ADA, BEN):
        polls.answer(asked.workspace, asked.token(address), 0, 0)

    assert asked.events() == []
    db = asked.workspace.association_db("coalition")
    assert {row[1] for row in db.execute("PRAGMA table_info(answer)")} == {"run_id", "poll", "voter", "choice"}
    assert db.execute("SELECT count(DISTINCT voter), min(length(voter)) FROM answer").fetchone() == (2, 16)


def test_withdrawing_consent_to_tracking_changes_nothing(asked: Sent) -> None:
    consent(asked.workspace, "coalition", ADA, TRACKING, ConsentState.WITHDRAWN)
    assert polls.answer(asked.workspace, asked.token(ADA), 0, 0)
    assert counts(asked.workspace)[0] == [1, 0]


@pytest.mark.parametrize(("poll", "choice"), [(0, 2), (0, -1), (2, 0), (-1, 0)])
def test_answers_and_polls_that_do_not_exist_are_refused(asked: Sent, poll: int, choice: int) -> None:
    assert polls.answer(asked.workspace, asked.token(ADA), poll, choice) is None
    assert counts(asked.workspace) == [[0, 0], [0, 0, 0]]


def test_forged_tokens_answer_nothing(asked: Sent) -> None:
    for token in ("", "nonsense", asked.token(ADA)[:-2]):
        assert polls.view(asked.workspace, token, 0) is None
        assert polls.answer(asked.workspace, token, 0, 0) is None


def test_by_a_link_that_everybody_has_nobody_answers(asked: Sent) -> None:
    view = polls.answer(asked.workspace, asked.edition_token, 0, 0)

    assert view is not None
    assert not view.open
    assert counts(asked.workspace)[0] == [0, 0]


def test_retention_closes_polls_and_nobody_can_be_told_from_anyone_then(asked: Sent) -> None:
    polls.answer(asked.workspace, asked.token(ADA), 0, 1)
    ballots = Ballots(asked.workspace.association_db("coalition"))
    with asked.workspace.association_db("coalition").atomic():
        asked.workspace.ledger("coalition").finish(asked.run, NOW)
    asked.workspace.now = lambda: NOW + timedelta(days=5_000)

    assert retention.survey(asked.workspace).rows["coalition"]["polls"] == 1
    assert retention.forget(asked.workspace).rows["coalition"]["polls"] == 1
    assert "polls" not in retention.survey(asked.workspace).rows["coalition"]

    assert ballots.is_closed(asked.run)
    before = everything(asked)
    view = polls.answer(asked.workspace, asked.token(ADA), 0, 0)
    assert view is not None
    assert (view.open, view.chosen) == (False, None)
    assert everything(asked) == before
    assert counts(asked.workspace)[0] == [0, 1]


def test_a_poll_under_way_stays_open_however_long_it_takes(asked: Sent) -> None:
    polls.answer(asked.workspace, asked.token(ADA), 0, 1)
    asked.workspace.now = lambda: NOW + timedelta(days=5_000)

    assert "polls" not in retention.survey(asked.workspace).rows["coalition"]


def test_associations_are_counted_apart_and_together(tmp_path: Path) -> None:
    names = [association("coalition", "The Coalition"), association("north", "Northern Archives")]
    with make_workspace(tmp_path / "two", names) as workspace:
        for slug in ("coalition", "north"):
            for number in range(3):
                add_member(workspace, slug, f"m{number}@{slug}.org")
        save_campaign(workspace, ["coalition", "north"], definition=ASKING)
        for slug, choices in (("coalition", (0, 0, 1)), ("north", (1, 1, 1))):
            sent = send(workspace, slug)
            for number, choice in enumerate(choices):
                polls.answer(workspace, sent.token(f"m{number}@{slug}.org"), 0, choice)

        monday, friday = reporting.report(workspace, CAMPAIGN).polls[0].answers
        assert (monday.count, dict(monday.associations)) == (2, {"coalition": 2, "north": 0})
        assert (friday.count, dict(friday.associations)) == (4, {"coalition": 1, "north": 3})


def test_reports_tell_of_polls_and_run_nothing_of_what_is_asked(asked: Sent) -> None:
    for address in (ADA, BEN):
        polls.answer(asked.workspace, asked.token(address), 0, 1)
    data = reporting.report(asked.workspace, CAMPAIGN)

    console = Console(file=StringIO(), width=100, force_terminal=False)
    console.print(render(data))
    assert isinstance(console.file, StringIO)
    lines = [line.strip() for line in console.file.getvalue().splitlines()]
    assert "Poll: Which day?" in lines
    assert any(line.startswith(EVIL) and " 2 " in line for line in lines)
    html = to_html(data)
    assert "Which hour?" in html
    assert EVIL not in html
    assert "&lt;b&gt;Fri[red]day&lt;/b&gt;" in html
    assert data.to_json()["polls"][0] == {
        "question": "Which day?",
        "count": 2,
        "answers": [
            {"text": "Monday", "count": 0, "associations": {"coalition": 0}},
            {"text": EVIL, "count": 2, "associations": {"coalition": 2}},
        ],
    }


@settings(max_examples=30, deadline=None)
@given(votes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1), st.integers(0, 1)), max_size=30))
def test_however_often_people_change_their_minds_each_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, votes: list[tuple[int, int, int]]
) -> None:
    with make_workspace(tmp_path_factory.mktemp("votes") / "w") as workspace:
        for number in range(5):
            add_member(workspace, "coalition", f"m{number}@example.org")
        save_campaign(workspace, ["coalition"], definition=ASKING)
        sent = send(workspace, "coalition")
        last: dict[tuple[int, int], int] = {}
        for voter, poll, choice in votes:
            polls.answer(workspace, sent.token(f"m{voter}@example.org"), poll, choice)
            last[voter, poll] = choice

        found = counts(workspace)
        for poll in (0, 1):
            for choice in (0, 1):
                wanted = sum(at == poll and given == choice for (_, at), given in last.items())
                assert found[poll][choice] == wanted
