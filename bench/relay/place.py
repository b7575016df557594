"""The installation in which the relay is simulated: its workspace, `comms run`, the commands, pages and mails of it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from audiences.models import Association, SuppressionScope
from bench.relay.world import ASSOCIATIONS, TWO_SEATS, Person, Stop, seats
from bench.sink import free_port
from comms.engine import audience, reporting
from comms.engine.relaying import seating
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street")
OFFICE = Person("office@coalition.example", {HOST.slug: True}, pilot=True)
"""The only member of the coalition itself, which passes nothing on: a campaign is checked against its list, too."""
LOOK_S = 0.1
PATIENCE_S = 1800.0
_ALERT = re.compile(r'role="alert"><strong>([^<]*)')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that the receiver took."""

    to: str
    sender: str
    """The address of its From."""
    subject: str
    unsubscribe: str
    link: str
    """Where an offer is answered; empty in the mails of readers."""
    at: float

    @property
    def association(self) -> str:
        """Whose address it came from."""
        return self.sender.removeprefix("news@").removesuffix(".example")


class Place:
    """Everything that people and programs see of the simulated coalition."""

    def __init__(self, folder: Path, *, most_per_second: int = 0) -> None:
        """`most_per_second`: how fast `comms run` may send; 0 for as fast as it can."""
        self.scratch, self.folder = folder, folder / "workspace"
        self._log = folder / "mails.log"
        self._log.touch()
        self._read_to, self._mails = 0, list[Mail]()
        words = [sys.executable, "-m", "bench.relay.receiver", str(self._log)]
        self._receiver = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._receiver.stdout is not None
        site = free_port()
        self._environment = {
            **os.environ,
            "COMMS_SMTP__PORT": str(int(self._receiver.stdout.readline())),
            "COMMS_SITE__PORT": str(site),
            "COMMS_SITE__URL": f"http://127.0.0.1:{site}",
            "COMMS_PACING__MAX_PER_SECOND": str(most_per_second),
        }
        self._run: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._run is not None:
            self._run.terminate()
            self._run.wait(60)
        self._receiver.kill()
        self._receiver.wait()
        assert self._receiver.stdout is not None
        self._receiver.stdout.close()

    # --- before the relay ---------------------------------------------------------------------

    def found(self, people: Sequence[Person]) -> None:
        """Make the workspace, the associations with their seats and lists, and what people said before."""
        create_workspace(self.folder, HOST).close()
        workspace = Workspace(self.folder)
        for slug in ASSOCIATIONS:
            name, postal = f"{slug.title()} Libraries", f"1 High Street, {slug.title()}"
            workspace.add_association(Association(slug, name, f"news@{slug}.example", postal))
            for address in seats(slug):
                seating.add(workspace, slug, address.partition("@")[0].title(), address)
        seating.decide(workspace, replace(seating.rule(workspace, TWO_SEATS), two_seats=True))
        for slug in ASSOCIATIONS:
            self._import(workspace, slug, [person for person in people if slug in person.lists])
        self._import(workspace, HOST.slug, [OFFICE])
        self._note_wishes(workspace, people)
        workspace.close()

    def _import(self, workspace: Workspace, slug: str, members: Sequence[Person]) -> None:
        file = self.scratch / f"{slug}.csv"
        words = {True: "yes", False: "no"}
        rows = (
            f"{person.address},{'yes' if person.lists[slug] else 'unsubscribed'},{words[person.pilot]}\n"
            for person in members
        )
        file.write_text("email,consent,pilot\n" + "".join(rows))
        audience.import_members(workspace, file, slug)

    @staticmethod
    def _note_wishes(workspace: Workspace, people: Sequence[Person]) -> None:
        host, now = workspace.people(HOST.slug), workspace.now()
        with host.db.atomic():
            for person in people:
                if person.stop is Stop.NOTED:
                    host.suppress(person.address, SuppressionScope.RELAYS, "asked by letter", now)
        with workspace.relays.db.atomic():
            for person in people:
                if person.choice:
                    workspace.relays.choose(host.hash_of(person.address), person.choice)

    def start(self) -> None:
        """Start `comms run`, and wait until its pages are there."""
        with (self.scratch / "run.log").open("wb") as log:
            self._run = subprocess.Popen(self._words("run"), env=self._environment, cwd=ROOT, stdout=log, stderr=log)
        self.wait_until(self._answers, "its pages are there")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._environment['COMMS_SITE__URL']}/", timeout=20):
                return True
        except OSError:
            return False

    # --- what people do -----------------------------------------------------------------------

    def comms(self, *words: str) -> Any:
        """One command, which has to do well; what it says as JSON. Raises SystemExit with its words."""
        done = subprocess.run(
            self._words(*words, "--json"), env=self._environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"comms {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def reports(self, campaigns: Sequence[str]) -> list[dict[str, Any]]:
        """What `comms report` says of each."""
        workspace = Workspace(self.folder)
        found = [reporting.report(workspace, each).to_json() for each in campaigns]
        workspace.close()
        return found

    def standings(self, campaign: str) -> dict[str, str]:
        """Association -> where it stands with the offer."""
        with closing(sqlite3.connect(f"file:{self.folder / 'host.db'}?mode=ro", uri=True, timeout=60)) as db:
            return dict(db.execute("SELECT association, state FROM relay WHERE campaign = ?", [campaign]).fetchall())

    def look(self, url: str) -> Mapping[str, str]:
        """Open a page; what the hidden fields of its forms hold."""
        with urllib.request.urlopen(url, timeout=120) as answer:
            return {name: unescape(value) for name, value in _HIDDEN.findall(answer.read().decode())}

    def post(self, url: str, fields: Mapping[str, str]) -> str:
        """Send a form as a browser does; the address of the page that comes then. Raises SystemExit with the page's
        own words when it says no."""
        request = urllib.request.Request(url, data=urlencode(fields).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                answer.read()
                return str(answer.url)
        except urllib.error.HTTPError as error:
            said = _ALERT.search(error.read().decode())
            raise SystemExit(f"{url} answers {error.code}: {unescape(said[1]) if said else error.reason}") from error

    def write(self, name: str, text: str) -> str:
        """A campaign's definition; the path of its file."""
        path = self.scratch / f"{name}.md"
        path.write_text(text)
        return str(path)

    # --- what came ----------------------------------------------------------------------------

    def mails(self) -> list[Mail]:
        """Every mail taken so far, in order."""
        with self._log.open("rb") as file:
            file.seek(self._read_to)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_to += len(whole + newline)
        self._mails += [Mail(**json.loads(line)) for line in whole.splitlines()]
        return self._mails

    def copies(self, subject: str) -> dict[str, list[str]]:
        """Address -> the associations from which a campaign, known by its subject, came."""
        found: dict[str, list[str]] = {}
        for mail in self.mails():
            if mail.subject == subject:
                found.setdefault(mail.to, []).append(mail.association)
        return found

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for it; `what` says what does not come. Raises SystemExit."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if self._run is not None and self._run.poll() is not None:
                raise SystemExit(f"comms run ended:\n{(self.scratch / 'run.log').read_text()}")
            if time.monotonic() > deadline:
                raise SystemExit(f"waited in vain until {what}")
            time.sleep(LOOK_S)

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "comms", "-w", str(self.folder), *words]
