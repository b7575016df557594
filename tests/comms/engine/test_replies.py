"""What members write to a relayed newsletter is counted once and passed on; what programs write is not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relay_scene import AT_ONCE, Scene, scene_of

from audiences.models import SuppressionScope
from comms.engine import editions, intake, letters, replies, sending
from comms.engine.doors import spool
from comms.engine.relaying import answering
from comms.events import EventKind
from comms.rendering.letter import LetterContent

ANA = "maine0@example.org"
ANSWER = (
    "From: Ana <{ana}>\r\nTo: {to}\r\nSubject: Re: Could you host us?\r\n{more}\r\n"
    "Yes, we could.\r\n> Dear colleague\r\n"
)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A campaign that Maine relayed, with a door open for what comes back."""
    monkeypatch.setenv("COMMS_BOUNCES__ADDRESS", "bounces@lists.example.org")
    monkeypatch.setenv("COMMS_BOUNCES__LISTEN", "127.0.0.1:2424")
    found = scene_of(tmp_path / "workspace", {"maine": [f"maine{n}@example.org" for n in range(5)]})
    found.offer(AT_ONCE)
    answering.accept(found.workspace, answering.find(found.workspace, "partner", "maine"), who="Luis")
    found.work()
    yield found
    found.workspace.close()


def _delivery(scene: Scene, address: str = ANA) -> int:
    rows = scene.workspace.association_db("maine").execute(
        "SELECT delivery.id FROM delivery JOIN member ON member.id = member_id WHERE address = ?", [address]
    )
    return int(rows.fetchone()[0])


def _alias(scene: Scene) -> str:
    returns = scene.workspace.links.signer.returns
    return returns.address("bounces@lists.example.org", returns.sign("maine", _delivery(scene)))


def _mail(scene: Scene, more: str = "", ana: str = ANA) -> bytes:
    return ANSWER.format(to=_alias(scene), more=more, ana=ana).encode()


def _take(scene: Scene, data: bytes) -> None:
    spool.keep_mail(scene.workspace.folder, data, _alias(scene))
    intake.follow(scene.workspace)
    assert spool.waiting(scene.workspace.folder, 10) == []


def _passed_on(scene: Scene) -> list[tuple[str, LetterContent]]:
    workspace = scene.workspace
    rows = workspace.association_db("maine").execute(
        "SELECT address, content FROM letter WHERE template = ? ORDER BY id", [replies.TEMPLATE]
    )
    return [(to, LetterContent.from_json(json.loads(workspace.key.unseal(content)))) for to, content in rows]


def _replied(scene: Scene) -> int:
    run = scene.workspace.ledger("maine").run("partner.maine", "newsletter")
    assert run is not None
    tally = scene.workspace.events("maine").tallies(run.id).get(EventKind.REPLIED)
    return tally.total if tally else 0


def test_an_answer_is_passed_on_to_the_association_with_the_mail_as_it_came(scene: Scene) -> None:
    data = _mail(scene)
    _take(scene, data)
    ((to, content),) = _passed_on(scene)
    assert to == "news@maine.example"
    assert content.paragraphs == ("Yes, we could.",)
    assert content.answer_to == ANA
    assert base64.b64decode(content.original) == data, "without the line that the door wrote"


def test_two_answers_to_one_mail_are_passed_on_and_counted_once(scene: Scene) -> None:
    _take(scene, _mail(scene))
    _take(scene, _mail(scene, "X-Mailer: another\r\n"))
    assert len(_passed_on(scene)) == 2
    assert _replied(scene) == 1


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-replied\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Precedence: bulk\r\n",
        "List-Id: <list.example.org>\r\n",
        "Return-Path: <>\r\n",
        "X-Autoreply: yes\r\n",
        "Content-Type: multipart/report; boundary=x; report-type=disposition-notification\r\n",
    ],
)
def test_what_a_program_answers_is_neither_counted_nor_passed_on(scene: Scene, more: str) -> None:
    _take(scene, _mail(scene, more))
    assert (_passed_on(scene), _replied(scene)) == ([], 0)


def test_a_letter_of_the_association_itself_that_comes_back_goes_round_no_further(scene: Scene) -> None:
    _take(scene, _mail(scene, ana="news@maine.example"))
    assert (_passed_on(scene), _replied(scene)) == ([], 0)


def test_whose_answer_says_unsubscribe_is_unsubscribed_and_bothers_nobody(scene: Scene) -> None:
    data = (
        _mail(scene)
        .replace(b"Re: Could you host us?", b"unsubscribe")
        .replace(b"Yes, we could.\r\n> Dear colleague\r\n", b"")
    )
    _take(scene, data)
    scene.work()
    host = scene.workspace.people("coalition")
    assert host.is_suppressed(host.hash_of(ANA), SuppressionScope.RELAYS), "as one click in a relayed mail does"
    assert _passed_on(scene) == []


def test_who_only_quotes_an_address_of_ours_wrote_to_somebody_else(scene: Scene) -> None:
    alias = _alias(scene)
    data = f"From: x@example.org\r\nTo: someone@example.org\r\nSubject: Hello\r\n\r\nI wrote to {alias}.\r\n".encode()
    assert not replies.accept(scene.workspace, data)


def test_more_than_an_hour_s_worth_is_set_aside_and_not_lost(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "MOST_AN_HOUR", 2)
    for _ in range(3):
        _take(scene, _mail(scene))
    assert len(_passed_on(scene)) == 2
    assert len(list((scene.workspace.folder / "bounces" / "failed").iterdir())) == 1


def test_a_mail_that_is_too_large_goes_without_its_attachments_and_says_so(scene: Scene) -> None:
    _take(scene, _mail(scene) + b"x" * replies.LARGEST)
    ((_, content),) = _passed_on(scene)
    assert content.original == ""
    assert content.paragraphs[0] == "Yes, we could."
    assert "too large" in content.notes[-1]


def test_relayed_mail_asks_for_answers_here_and_the_coalition_s_own_does_not(scene: Scene) -> None:
    row = scene.workspace.host.campaign("partner.maine")
    assert row is not None
    campaign = sending.read_back(row)
    maine, host = scene.workspace.association("maine"), scene.workspace.association(None)
    assert editions.outfit(scene.workspace, campaign, maine, "{}").answers
    assert not editions.outfit(scene.workspace, campaign, host, "{}").answers


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(head=st.binary(max_size=300), body=st.binary(max_size=300))
def test_whatever_is_written_nothing_breaks_and_what_is_passed_on_can_be_sent(
    scene: Scene, head: bytes, body: bytes
) -> None:
    head = head.replace(b"\n\n", b"\n").replace(b"\r", b"")
    data = b"From: ana@example.org\r\nTo: " + _alias(scene).encode() + b"\r\nSubject: " + head + b"\r\n\r\n" + body
    if replies.accept(scene.workspace, data):
        _, content = _passed_on(scene)[-1]
        letters.render(scene.workspace, scene.workspace.association("maine"), replies.TEMPLATE, content)
        with scene.workspace.association_db("maine").atomic():
            scene.workspace.association_db("maine").execute("DELETE FROM letter")
