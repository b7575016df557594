"""A real Postfix with TLS and logins, in folders and on a port of its own: takes mail for one domain, returns what it
can not deliver. Needs root and Debian's package postfix; its own configuration is not touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "newsletter", "correct horse"
DOMAIN = "members.example.org"
POSTFIX = shutil.which("postfix", path="/usr/sbin:/usr/bin")

_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
mail_owner = postfix
myhostname = mx.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
biff = no
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{home}/mailboxes
virtual_mailbox_base = {home}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
relay_domains = {lists}
transport_maps = texthash:{home}/transport
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {certificate}
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{logins}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
smtpd_reject_unlisted_recipient = {at_once}
smtpd_client_connection_count_limit = 0
minimal_backoff_time = 1s
queue_run_delay = 1s
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    home: Path
    port: int

    def delivered(self) -> list[str]:
        """Mailboxes that got something."""
        return sorted(path.parents[1].name for path in self.home.glob("mail/*/new/*"))

    def log(self) -> str:
        path = self.home / "log"
        return path.read_text() if path.exists() else ""


class _Logins(socketserver.StreamRequestHandler):
    """Says who may log in, as Dovecot's auth service does (https://doc.dovecot.org/developers/design/auth_protocol)."""

    def handle(self) -> None:
        self.wfile.write(b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n")
        for line in self.rfile:
            word, *fields = line.decode().rstrip("\n").split("\t")
            if word == "AUTH":
                _, user, password = b64decode(fields[-1].removeprefix("resp=")).decode().split("\0")
                good = (user, password) == (USER, PASSWORD)
                self.wfile.write(f"{'OK' if good else 'FAIL'}\t{fields[0]}\tuser={user}\n".encode())


def unusable() -> str:
    """Why Postfix can not be used here; empty when it can."""
    if POSTFIX is None:
        return "Postfix is not installed"
    return "" if os.geteuid() == 0 else "Postfix wants to be started by root"


@contextmanager
def postfix(
    certificate: Path, *, mailboxes: list[str], lists: str, returns_to: int, reject_at_once: bool = False
) -> Iterator[Postfix]:
    """Postfix for the time of a block, with these mailboxes at `DOMAIN`.

    Mail to the domain `lists` goes by LMTP to the port `returns_to`. Unknown users are returned later, or rejected at
    once.
    """
    with tempfile.TemporaryDirectory(prefix="postfix-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        owner = pwd.getpwnam("postfix")
        for name in ("config", "queue", "data", "mail"):
            (home / name).mkdir(mode=0o755)
        for name in ("data", "mail"):
            os.chown(home / name, owner.pw_uid, owner.pw_gid)
        shutil.copy(certificate, home / "certificate.pem")
        values = {"home": home, "domain": DOMAIN, "lists": lists, "uid": owner.pw_uid, "gid": owner.pw_gid}
        at_once = "yes" if reject_at_once else "no"
        (home / "config" / "master.cf").write_text(_MASTER.format(port=port))
        (home / "mailboxes").write_text("".join(f"{name}@{DOMAIN} {name}/\n" for name in mailboxes))
        (home / "transport").write_text(f"{lists} lmtp:inet:127.0.0.1:{returns_to}\n")
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Logins) as logins:
            logins.daemon_threads = True
            values["logins"] = logins.server_address[1]
            main = _MAIN.format(certificate=home / "certificate.pem", at_once=at_once, **values)
            (home / "config" / "main.cf").write_text(main)
            thread = threading.Thread(target=logins.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                _run(home, "start")
                yield Postfix(home, port)
            finally:
                _run(home, "stop", check=False)
                logins.shutdown()
                thread.join()


def _run(home: Path, word: str, *, check: bool = True) -> None:
    assert POSTFIX is not None
    done = subprocess.run([POSTFIX, "-c", str(home / "config"), word], capture_output=True, text=True, timeout=60)
    log = home / "log"
    assert not check or done.returncode == 0, f"{done.stderr}\n{log.read_text() if log.exists() else ''}"
