"""How fast a feed is served from memory, beside nginx serving the same bytes as a file. Prints a table, and one line of
JSON last.

    make bench-feeds

A feed of 1,000 entries, 3 MB, is asked for by `wrk` over kept connections: by readers who have it already
(If-None-Match, answered 304) and by readers who have not. One worker each, the same client, turn by turn, so that both
see the same neighbours on the machine; figures are medians. It needs Debian's packages `nginx-light` and `wrk`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from audiences.models import Association
from bench.feed_server import ENTRIES
from bench.report import print_json, print_table
from bench.sink import SLEEP_S, free_port, tool
from campaigns.store import EntryRow
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace

HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")
PATH = "/feeds/coalition.atom"
KINDS = ("conditional", "plain")
CONNECTIONS = 32
_NGINX = """\
{user}daemon off; pid {scratch}/nginx.pid; worker_processes 1; error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
    types {{ application/atom+xml atom; }}
    client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
    server {{ listen 127.0.0.1:{port}; root {scratch}/files; }}
}}
"""


@dataclass(frozen=True)
class Served:
    """A feed at an address, and by which ETag its server knows it again."""

    url: str
    etag: str
    body: bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    options = parser.parse_args()
    if missing := [package for name, package in (("nginx", "nginx-light"), ("wrk", "wrk")) if tool(name) is None]:
        print(f"skipped: of Debian's packages it lacks {' and '.join(missing)}")
        return
    with tempfile.TemporaryDirectory(prefix="comms-bench-") as folder:
        run(Path(folder), options.rounds, options.seconds)


def run(scratch: Path, rounds: int, seconds: int) -> None:
    publish(scratch / "workspace")
    rates: dict[tuple[str, str], list[float]] = {(name, kind): [] for name in ("comms", "nginx") for kind in KINDS}
    with ours(scratch / "workspace") as (address, stop):
        comms = served(f"{address}{PATH}")
        with nginx(scratch, comms.body) as theirs:
            peers = {"comms": comms, "nginx": served(f"{theirs}{PATH}")}
            assert peers["nginx"].body == comms.body
            for number in range(rounds + 1):
                for (name, kind), found in rates.items():
                    rate = asked(peers[name], conditional=kind == "conditional", seconds=seconds)
                    found += [rate] if number else []  # the first warms up
        rendered = stop()
    report(rates, rendered, len(comms.body))


def publish(folder: Path) -> None:
    """A workspace with a thousand entries of 3 KB."""
    create_workspace(folder, HOST).close()
    first, words = datetime(2027, 1, 1, 9, tzinfo=UTC), "<p>The reading room opens on Monday. Come and see.</p>\n"
    with Workspace(folder, environment={}) as workspace, workspace.host.db.atomic():
        for number in range(ENTRIES):
            at, name = first + timedelta(hours=number), f"entry-{number}"
            workspace.host.save_campaign(
                name, title=name, definition="", state="sent", senders=[HOST.slug], due_at=None, now=at
            )
            workspace.host.save_entry(
                EntryRow(
                    name, HOST.slug, "", f"tag:news.coalition.example,2026:{name}", f"Entry {number}", "A summary.",
                    words * 50, "en", (), at, at,
                )
            )  # fmt: skip


@contextlib.contextmanager
def ours(folder: Path) -> Iterator[tuple[str, Stop]]:
    """The web face in a process of its own: its address, and how to end it and learn how often it rendered."""
    words = [sys.executable, "-m", "bench.feed_server", str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}", Stop(process)
        finally:
            process.kill()


@dataclass(frozen=True)
class Stop:
    """Ends the web face."""

    process: subprocess.Popen[str]

    def __call__(self) -> int:
        """How often it rendered the feed."""
        self.process.send_signal(signal.SIGINT)
        return int(self.process.communicate(timeout=30)[0])


@contextlib.contextmanager
def nginx(scratch: Path, body: bytes) -> Iterator[str]:
    """nginx with one worker, and the feed as a file under the same path: its address."""
    file, port = scratch / "files" / PATH.lstrip("/"), free_port()
    file.parent.mkdir(parents=True)
    file.write_bytes(body)
    config = scratch / "nginx.conf"
    user = "user root; " if os.getuid() == 0 else ""  # else its worker may not read what is ours
    config.write_text(_NGINX.format(scratch=scratch, port=port, user=user))
    with subprocess.Popen([tool("nginx") or "", "-c", str(config), "-e", "stderr"]) as process:
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{PATH}"):
                    break
                time.sleep(SLEEP_S)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def served(url: str) -> Served:
    """What is there, once it is certain that a reader who has it gets a 304."""
    with urllib.request.urlopen(url) as answer:
        found = Served(url, answer.headers["ETag"], answer.read())
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers={"If-None-Match": found.etag}))
    except urllib.error.HTTPError as error:
        if error.code == 304:
            return found
    raise SystemExit(f"{url} does not answer 304 to who has the feed")


def asked(peer: Served, *, conditional: bool, seconds: int) -> float:
    """Answers a second."""
    words = [shutil.which("wrk") or "", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
    words += ["-H", f"If-None-Match: {peer.etag}"] if conditional else []
    said = subprocess.run([*words, peer.url], check=True, capture_output=True, text=True).stdout
    # wrk counts a 304 as an answer like any other, and names what is 400 or more, and broken connections.
    if trouble := re.search(r"(Non-2xx|Socket errors).*", said):
        raise SystemExit(f"{peer.url}: {trouble[0]}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", said)
    assert found is not None, said
    return float(found[1])


def report(rates: dict[tuple[str, str], list[float]], rendered: int, size: int) -> None:
    figures: dict[str, float] = {}
    rows = []
    for kind in KINDS:
        mine, theirs = rates["comms", kind], rates["nginx", kind]
        ratio = median(our / their for our, their in zip(mine, theirs, strict=True))
        figures |= {f"{kind}_per_second": round(median(mine)), f"ratio_nginx_{kind}": round(ratio, 3)}
        rows.append([kind, f"{median(mine):,.0f}", f"{median(theirs):,.0f}", f"{ratio:.2f}"])
    print(f"{ENTRIES:,} entries, {size:,} bytes, {CONNECTIONS} connections, one worker each; renderings: {rendered}\n")
    print_table(["requests", "comms a second", "nginx a second", "of nginx"], rows)
    print_json({"bench": "feeds", **figures, "rendered": rendered})


if __name__ == "__main__":
    main()
