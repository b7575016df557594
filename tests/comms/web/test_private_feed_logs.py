"""No line that the running program writes holds the token of a private feed."""

from __future__ import annotations

import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member
from comms.engine import private_feeds
from comms.engine.workspace import Workspace
from tests.conftest import Comms
from tests.support.processes import wait_until

ADDRESS = "ada@example.org"


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


@pytest.mark.slow
def test_the_token_stands_in_no_line_of_any_log_whatever_becomes_of_the_request(comms: Comms, tmp_path: Path) -> None:
    site = f"http://127.0.0.1:{comms.environment['COMMS_SITE__PORT']}"
    comms.environment |= {"COMMS_SITE__URL": site, "COMMS_LOG": "1", "COMMS_DELIVERY__SENDERS": "1"}
    with Workspace(comms.folder, environment=comms.environment) as workspace:
        people, now = workspace.people("coalition"), workspace.now()
        with people.db.atomic():
            people.insert([Member(ADDRESS, id=1)], now)
            people.record([(1, Consent(ANY_TOPIC, ConsentState.GRANTED, now, "form", Basis.EXPRESS))], now)
        old = private_feeds.make_for(workspace, "coalition", ADDRESS, who="dana").atom
        new = private_feeds.make_for(workspace, "coalition", ADDRESS, who="dana").atom
    log = tmp_path / "log"
    with log.open("wb") as file:
        running = comms.start("run", stdout=file, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: status(f"{site}/healthz") == 200)
            assert status(new) == 200
            assert status(old) == 410
            assert status(new.replace("/r/", "/r/x/")) == 404
            database = comms.folder / "associations" / "coalition.db"
            with Workspace(comms.folder) as workspace, workspace.association_db("coalition").atomic():
                workspace.association_db("coalition").execute("DROP TABLE private_feed")
            assert status(new) in (500, 503), "the fault is one that is logged"
            assert database.exists()
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(timeout=30)
    written = log.read_text()
    assert "comms runs" in written
    assert "error" in written.lower(), written
    for url in (old, new):
        assert url.split(".")[-2] not in written
    for path in comms.folder.rglob("*.json"):
        assert new.split(".")[-2] not in path.read_text()
