"""Starting and stopping the web face."""

from __future__ import annotations

import http.client
import socket
import time
from pathlib import Path

import pytest
from sent_newsletter import Sent

from comms.errors import ConfigError, WorkspaceError
from comms.web.server import serve


def test_a_port_that_is_taken_is_a_plain_message(sent: Sent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} on 127\.0\.0\.1 is taken"):
            serve(sent.workspace.folder, "127.0.0.1", port)


def test_an_address_that_is_not_ours_is_a_plain_message(sent: Sent) -> None:
    with pytest.raises(ConfigError, match=r"can not listen on 203\.0\.113\.1"):
        serve(sent.workspace.folder, "203.0.113.1", 0)


def test_a_folder_that_is_no_workspace_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError):
        serve(tmp_path, "127.0.0.1", 0)


def test_a_stopped_server_gives_its_port_back(sent: Sent) -> None:
    server = serve(sent.workspace.folder, "127.0.0.1", 0)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    server.stop()
    again = serve(sent.workspace.folder, "127.0.0.1", server.port)
    again.stop()


def test_a_kept_connection_is_answered_without_waiting_for_the_readers_acknowledgement(sent: Sent) -> None:
    server = serve(sent.workspace.folder, "127.0.0.1", 0)
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    waits = []
    for _ in range(9):
        started = time.perf_counter()
        connection.request("GET", "/site.css")
        assert connection.getresponse().read()
        waits.append(time.perf_counter() - started)
    connection.close()
    server.stop()
    assert sorted(waits)[4] < 0.03  # 0.04 when the two sides wait for each other
