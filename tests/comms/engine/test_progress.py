"""What there is to see of a run: how fast, how much longer, which domains wait and why, and how the servers are."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from control_scene import HOST, ListQueue, add_members, begin
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from comms.cli.following import picture
from comms.delivery import presence
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.pacing import Waiting
from comms.delivery.presence import Presence
from comms.delivery.relays import Standing
from comms.engine import progress, pulse
from comms.engine.control import Control
from comms.engine.pulse import Pulse
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace

TSS04 = "4.7.0 [TSS04] Messages temporarily deferred due to unexpected volume"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Control, ListQueue]]:
    create_workspace(tmp_path / "workspace", HOST).close()
    with Workspace(tmp_path / "workspace", environment={}) as workspace:
        add_members(workspace, 800, "yahoo.com")
        add_members(workspace, 40, "free.example")
        add_members(workspace, 3, "tiny.example")
        yield begin(workspace)


def seen(workspace: Workspace) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(picture(progress.gather(workspace, "sized"), workspace.now()))
    return console.export_text()


def test_a_run_is_seen_by_domain_with_what_waits_until_when_and_why(
    scene: tuple[Workspace, Control, ListQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, control, queue = scene
    monkeypatch.setattr(pulse, "EVERY_S", 0.0)
    control.step()
    queue.answer(Outcome.DEFERRED, 421, TSS04)
    for _ in range(6):
        control.step()
        queue.answer(Outcome.ACCEPTED, 250, "ok")
    control.step()
    data = progress.gather(workspace, "sized")
    by_name = {each.domain: each for each in data.domains}
    assert set(by_name) == {"yahoo.com", "free.example"}, "three people can be told"
    yahoo, free = by_name["yahoo.com"], by_name["free.example"]
    assert yahoo.audience == 800 == yahoo.sent + yahoo.waiting + yahoo.deferred
    assert yahoo.deferred > 0
    assert yahoo.next_at is not None
    assert yahoo.next_at > workspace.now()
    assert "TSS04" in yahoo.reason
    assert (free.audience, free.sent, free.deferred, free.reason) == (40, 40, 0, "")
    assert [each.name for each in data.waiting] == ["Yahoo"]
    assert data.per_second
    assert data.remaining_s == pytest.approx(data.open / data.per_second, abs=1)
    document = json.loads(json.dumps(data.to_json()))
    assert document["deliveries"]["sent"] == 43
    assert document["waiting"][0]["until"].endswith("+00:00")
    text = seen(workspace)
    print(text)
    assert "Yahoo wants less mail, and has to wait until" in text
    assert "no sender is alive" in text
    assert "about" in text


def test_servers_that_senders_set_aside_are_seen_and_their_passwords_are_not(
    scene: tuple[Workspace, Control, ListQueue],
) -> None:
    workspace, *_ = scene
    until = workspace.now().timestamp() + 30
    with Presence(workspace.folder) as own:
        own.tell([Standing("smtp", "closed"), Standing("ses", "open", until, "454 Throttling\x1b[31m failure")])
        data = progress.gather(workspace, "sized")
        assert data.senders == 1
        assert [(each.name, each.senders, each.aside) for each in data.servers] == [("smtp", 1, 0), ("ses", 1, 1)]
        text = seen(workspace)
        assert "mail server ses: set aside until" in text
        assert "\x1b" not in text
    assert progress.gather(workspace, "sized").senders == 0


# --- who lives --------------------------------------------------------------------------------


def _be_a_sender(folder: Path) -> None:
    with Presence(folder):
        time.sleep(60)


def test_a_sender_that_was_killed_is_not_taken_for_alive(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_be_a_sender, args=(tmp_path,))
    process.start()
    deadline = time.monotonic() + 30
    while not presence.living(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [each.pid for each in presence.living(tmp_path)] == [process.pid]
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert presence.living(tmp_path) == []
    assert list((tmp_path / presence.FOLDER).glob("*.json")) == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"relays": 7}', b'{"relays": [{"x": 1}]}', b"[" * 9000, b"\xff"]
)
def test_an_entry_that_can_not_be_read_is_a_sender_of_which_nothing_is_known(tmp_path: Path, content: bytes) -> None:
    with Presence(tmp_path):
        (path,) = (tmp_path / presence.FOLDER).glob("*.json")
        with path.open("r+b") as file:
            file.truncate()
            file.write(content)
        assert [each.relays for each in presence.living(tmp_path)] == [()]


# --- the pulse --------------------------------------------------------------------------------


def test_what_control_tells_is_read_back(tmp_path: Path) -> None:
    now = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
    own = Pulse(tmp_path)
    own.note("coalition", [Receipt(1, Outcome.ACCEPTED, 250), Receipt(2, Outcome.DEFERRED, 450)])
    waits = [Waiting("Google", now + timedelta(minutes=1), "421 4.7.28 \ud800 later")]
    own.beat(waits, now)
    beat = pulse.read(tmp_path)
    assert beat is not None
    assert beat.at == now
    assert beat.answers == {("coalition", "accepted"): 1, ("coalition", "deferred"): 1}
    assert beat.per_second["coalition"] == 1.0, "what is put off is still to be done"
    assert [(each.name, each.until) for each in beat.waiting] == [("Google", now + timedelta(minutes=1))]


@given(
    st.binary(max_size=200) | st.sampled_from([b'{"at": NaN}', b'{"at": 1e400}', b"[" * 9000, b'{"at": 1}', b"null"])
)
def test_a_pulse_that_can_not_be_read_is_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("pulse")
    (folder / pulse.FILE_NAME).write_bytes(content)
    assert pulse.read(folder) is None


def test_a_heartbeat_that_is_old_says_nothing_of_now(scene: tuple[Workspace, Control, ListQueue]) -> None:
    workspace, *_ = scene
    own = Pulse(workspace.folder)
    own.note(HOST.slug, [Receipt(1, Outcome.ACCEPTED, 250)])
    own.beat([Waiting("Yahoo", workspace.now(), "x")], workspace.now() - timedelta(seconds=30))
    data = progress.gather(workspace, "sized")
    assert data.per_second == 0.0
    assert data.remaining_s is None
    assert data.waiting == ()


def test_a_pulse_that_can_not_be_written_stops_nothing(tmp_path: Path) -> None:
    Pulse(tmp_path / "none").beat([], datetime.now(UTC))
