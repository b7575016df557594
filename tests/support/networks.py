"""Servers of networks in processes of their own, and a line to them that breaks when it hurts most."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

HANDLE, APP_PASSWORD = "library.test", "abcd-efgh-ijkl-mnop"
MASTODON_TOKEN = "mock_token"
_PDS = Path(__file__).with_name("fake_pds.py")


@contextmanager
def bluesky() -> Iterator[str]:
    """The address of a strict imitation of a PDS with one account."""
    words = [sys.executable, str(_PDS), HANDLE, APP_PASSWORD]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        _end(process)


@contextmanager
def mastodon(port: int) -> Iterator[str]:
    """The address of an instance that keeps everything in memory."""
    words = ["serve", "--in-memory", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mastodon_mock", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with suppress(requests.RequestException):
                requests.get(f"{url}/api/v2/instance", timeout=2)
                break
            time.sleep(0.1)
        yield url
    finally:
        _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def records(url: str) -> list[dict[str, Any]]:
    """The posts on a PDS, by its own account."""
    listed: list[dict[str, Any]] = _get(f"{url}/xrpc/com.atproto.repo.listRecords?repo=x&collection=y")["records"]
    return [record["value"] for record in listed]


def statuses(url: str) -> list[dict[str, Any]]:
    """The posts on an instance, by its own account."""
    headers = {"Authorization": f"Bearer {MASTODON_TOKEN}"}
    me = _get(f"{url}/api/v1/accounts/verify_credentials", headers)["id"]
    listed: list[dict[str, Any]] = _get(f"{url}/api/v1/accounts/{me}/statuses?limit=40", headers)
    while listed and (
        older := _get(f"{url}/api/v1/accounts/{me}/statuses?limit=40&max_id={listed[-1]['id']}", headers)
    ):
        listed += older
    return listed


def counts(url: str) -> dict[str, int]:
    """How often a PDS was asked for what."""
    counted: dict[str, int] = _get(f"{url}/xrpc/counts")
    return counted


def _get(url: str, headers: dict[str, str] | None = None) -> Any:
    with requests.get(url, headers=headers, timeout=10) as answer:
        assert answer.ok, answer.text
        return answer.json()


@dataclass
class Line:
    """A line to a server on this machine. The next request that would make a post meets `fault`:

    cut: carried out, its answer lost; kill-after: carried out, then the client is killed; kill-before: the client is
    killed and nothing is carried out; empty: nothing.
    """

    target: tuple[str, int]
    url: str = ""
    fault: str = ""
    client: int = 0
    """Process id of the client."""
    makes_posts: tuple[bytes, ...] = (
        b"POST /api/v1/statuses",
        b"POST /xrpc/com.atproto.repo.putRecord",
        b"POST /2/tweets",
        b"POST /rest/posts",
    )
    requests: list[bytes] = field(default_factory=list)
    """First lines of all that went through."""

    def carry(self, client: socket.socket) -> None:
        with client:
            request = _whole(client)
            if not request:
                return
            self.requests.append(request.split(b"\r\n", 1)[0])
            fault = ""
            if request.startswith(self.makes_posts):
                fault, self.fault = self.fault, ""
            if fault == "kill-before":
                os.kill(self.client, signal.SIGKILL)
                return
            with socket.create_connection(self.target, timeout=10) as server:
                server.sendall(request)
                answer = b"".join(iter(lambda: server.recv(65536), b""))
            if fault == "kill-after":
                os.kill(self.client, signal.SIGKILL)
            elif fault != "cut":
                client.sendall(answer)


def _whole(connection: socket.socket) -> bytes:
    """A whole request, made to be the only one on its connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body


@contextmanager
def line_to(url: str) -> Iterator[Line]:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line((host, int(port)), f"http://127.0.0.1:{listener.getsockname()[1]}")

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with suppress(OSError):
                    line.carry(client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield line
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(15)
