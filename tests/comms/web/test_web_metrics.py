"""What Prometheus reads: for whoever has the token, in its grammar, cheaply, and nothing about people."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_browser import Answer, Browser
from hypothesis import given
from hypothesis import strategies as st

from audiences.models import Association
from comms.config import FILE_NAME
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.pacing import Waiting
from comms.delivery.presence import Presence
from comms.delivery.relays import Standing
from comms.engine.metrics import Family
from comms.engine.pulse import Pulse
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.web.exposition import CONTENT_TYPE, exposition
from comms.web.server import WebServer, serve

TOKEN = "a-token-that-nobody-can-guess"
HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
_VALUE = r"(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_SAMPLE = re.compile(rf"({_NAME})(\{{(?:{_LABEL}(?:,{_LABEL})*)?\}})? ({_VALUE})")
_HELP = re.compile(rf"# HELP ({_NAME}) (?:[^\\\n]|\\\\|\\n)*")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge)")


def parsed(text: str) -> dict[str, float]:
    """Sample -> value, by the strict grammar: help and type once, before the samples, which stand together."""
    assert text == "" or text.endswith("\n")
    values: dict[str, float] = {}
    helped, typed, name, kind = set[str](), set[str](), "", ""
    for line in text.split("\n")[:-1]:
        if found := _HELP.fullmatch(line):
            name = found[1]
            assert name not in helped, f"{name} stands in two places"
            helped.add(name)
        elif found := _TYPE.fullmatch(line):
            assert found[1] == name
            assert name not in typed
            typed.add(name)
            kind = found[2]
        else:
            sample = _SAMPLE.fullmatch(line)
            assert sample, f"no line of the format: {line!r}"
            assert sample[1] == name, "a sample stands with its family"
            assert name in typed
            assert name.endswith("_total") == (kind == "counter")
            key = sample[1] + (sample[2] or "")
            assert key not in values, f"{key} stands twice"
            values[key] = float(sample[3])
    return values


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "workspace", HOST) as workspace:
        (workspace.folder / FILE_NAME).write_text(f'[metrics]\ntoken = "{TOKEN}"\n')
        yield workspace


def served(folder: Path) -> WebServer:
    server = serve(folder, "127.0.0.1", 0)
    server.start()
    return server


@pytest.fixture
def server(workspace: Workspace) -> Iterator[WebServer]:
    running = served(workspace.folder)
    yield running
    running.stop()


def read(server: WebServer, authorization: str = f"Bearer {TOKEN}") -> Answer:
    headers = {"Authorization": authorization} if authorization else {}
    return Browser(server.port).get("/metrics", **headers)


def add_run(workspace: Workspace, states: dict[str, int], *, done: bool = False, campaign: str = "spring") -> None:
    db = workspace.association_db("coalition")
    with db.atomic():
        run = db.execute(
            "INSERT INTO run (campaign, channel, digest, state, doubt, planned, frozen_at, done_at)"
            " VALUES (?, 'newsletter', '', 'sending', 'hold', ?, '', ?)",
            [campaign, sum(states.values()), "2027-02-01" if done else None],
        ).lastrowid
        for state, count in states.items():
            db.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                " INSERT INTO delivery (run_id, state) SELECT ?, ? FROM n",
                [count, run, state],
            )


# --- who may read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xff"]
)
def test_without_the_token_nothing_is_told(server: WebServer, authorization: str) -> None:
    answer = read(server, authorization)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "comms_" not in answer.text
    assert TOKEN not in answer.text


def test_where_no_token_is_set_there_is_no_such_page(workspace: Workspace) -> None:
    (workspace.folder / FILE_NAME).write_text("")
    server = served(workspace.folder)
    try:
        assert read(server).status == 404
        assert read(server, "Bearer ").status == 404
    finally:
        server.stop()


# --- what is told -----------------------------------------------------------------------------


def test_the_figures_are_those_of_the_ledgers_and_of_what_control_and_senders_tell(
    workspace: Workspace, server: WebServer
) -> None:
    add_run(workspace, {"ready": 30, "sent": 12, "deferred": 3})
    add_run(workspace, {"sent": 500}, done=True, campaign="old")
    db = workspace.association_db("coalition")
    with db.atomic():
        claimed = workspace.now().timestamp() - 90
        db.execute("INSERT INTO batch (id, run_id, claimed_at, size) VALUES ('b', 1, ?, 1)", [claimed])
    own = Pulse(workspace.folder)
    own.note("coalition", [Receipt(1, Outcome.ACCEPTED, 250), Receipt(2, Outcome.DEFERRED, 450)])
    waits = [Waiting("Google", workspace.now(), "for ana@tiny.example"), Waiting("tiny.example", workspace.now(), "x")]
    own.beat(waits, workspace.now())
    with Presence(workspace.folder) as sender:
        sender.tell([Standing("smtp", "open", 0.0, "ana@tiny.example")])
        answer = read(server)
    assert answer.status == 200
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert "no-store" in answer.headers["cache-control"]
    assert "tiny" not in answer.text, "a domain may have one reader"
    values = parsed(answer.text)
    for key, value in {
        'comms_deliveries{association="coalition",state="ready"}': 30,
        'comms_deliveries{association="coalition",state="sent"}': 12,
        'comms_deliveries{association="coalition",state="deferred"}': 3,
        'comms_answers_total{association="coalition",outcome="accepted"}': 1,
        'comms_answers_total{association="coalition",outcome="deferred"}': 1,
        'comms_messages_per_second{association="coalition"}': 1,
        'comms_returns_total{association="coalition",what="bounced"}': 0,
        'comms_batches{association="coalition",state="waiting"}': 1,
        'comms_batches{association="coalition",state="begun"}': 0,
        'comms_provider_waiting{provider="Google"}': 1,
        'comms_provider_waiting{provider="Yahoo"}': 0,
        "comms_domains_waiting": 1,
        'comms_senders{where="here"}': 1,
        'comms_mail_server_set_aside{server="smtp"}': 1,
        "comms_control_up": 0,
        'comms_posts{state="queued"}': 0,
    }.items():
        assert values[key] == value, key
    assert 85 < values["comms_oldest_waiting_batch_seconds"] < 120
    assert values["comms_control_heartbeat_age_seconds"] < 30
    assert values["comms_disk_free_bytes"] > 0


def test_reading_is_cheap_with_a_million_deliveries_under_way(workspace: Workspace, server: WebServer) -> None:
    add_run(workspace, {"ready": 300_000, "sent": 700_000})
    read(server)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        values = parsed(read(server).text)
        times.append(time.perf_counter() - began)
    assert values['comms_deliveries{association="coalition",state="sent"}'] == 700_000
    assert min(times) < 0.05


# --- the format -------------------------------------------------------------------------------


@given(
    st.dictionaries(
        st.tuples(st.tuples(st.just("label"), st.text()), st.tuples(st.just("other"), st.text())),
        st.floats() | st.integers(-(10**12), 10**12),
        max_size=5,
    ),
    st.text(),
)
def test_whatever_a_label_or_a_help_holds_the_format_is_kept(
    samples: dict[tuple[tuple[str, str], ...], float], text: str
) -> None:
    # A lone surrogate becomes U+FFFD: two labels that differ in that alone can not come from our names.
    plain = {key: value for key, value in samples.items() if all(_is_unicode(part) for _, part in key)}
    written = exposition([Family("comms_x", "gauge", text.replace("\r", ""), plain)])
    assert len(parsed(written.replace("\u2028", ""))) == len(plain)


def _is_unicode(text: str) -> bool:
    return not re.search("[\ud800-\udfff]", text)
