"""A real rspamd in folders and on a port of its own, which asks one name server; Debian's configuration and rules."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("rspamd", path="/usr/bin:/usr/sbin:/usr/local/bin")
_SETTINGS = """\
.include "$CONFDIR/common.conf"
options {{
  pidfile = "{home}/rspamd.pid";
  .include "$CONFDIR/options.inc"
  .include(duplicate=merge,priority=1) "{home}/options"
}}
logging {{ type = "file"; filename = "{home}/log"; level = "info"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; mime = true; }}
"""
_OPTIONS = """\
control_socket = "{home}/control.sock mode=0600";
filters = "chartable,dkim,regexp";
local_addrs = [];
disable_hyperscan = true;  # it would compile for a minute first
dns {{ nameserver = ["127.0.0.1:{names}"]; timeout = 2s; retransmits = 2; }}
"""


@dataclass(frozen=True)
class Judge:
    """One that is running."""

    port: int

    def symbols(self, message: bytes, **envelope: str) -> Mapping[str, Any]:
        """What it makes of a message: `score`, `required_score`, `symbols`, ... `envelope` has ip, helo, from, rcpt."""
        headers = {"IP" if name == "ip" else name.capitalize(): value for name, value in envelope.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/checkv2", data=message, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: Mapping[str, Any] = json.load(answer)
        return found


@contextmanager
def running(home: Path, port: int, name_server: int) -> Iterator[Judge]:
    """Needs `PROGRAM`. Ends it, and what it started."""
    assert PROGRAM is not None
    home.mkdir()
    settings = home / "rspamd.conf"
    settings.write_text(_SETTINGS.format(home=home, port=port))
    (home / "options").write_text(_OPTIONS.format(home=home, names=name_server))
    places = [f"--var={name}={home}" for name in ("DBDIR", "RUNDIR", "LOGDIR", "LOCAL_CONFDIR")]
    command = [PROGRAM, "-f", "-c", str(settings), *places]
    if os.geteuid() == 0:
        user = pwd.getpwnam("_rspamd")
        os.chown(home, user.pw_uid, user.pw_gid)
        command += ["-i", "-u", "root", "-g", "root"]
    with (home / "out").open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            _until_it_answers(port, process, home)
            yield Judge(port)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _until_it_answers(port: int, process: subprocess.Popen[bytes], home: Path) -> None:
    end = time.monotonic() + 200
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    log = "\n".join(
        path.read_text("utf-8", "replace")[-2000:] for path in (home / "out", home / "log") if path.exists()
    )
    raise AssertionError(f"rspamd did not start: {log}")
