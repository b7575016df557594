"""Two engines on one machine, each with a workspace, a port and a mail server of its own; and the line between them cut
while they work."""

from __future__ import annotations

import subprocess
import urllib.request
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audiences.models import Association
from comms.engine.setup import create_workspace
from tests.conftest import Comms, MailServer, Result, free_port
from tests.support.processes import kill, of_workspace, wait_until

OFFER = """\
---
campaign: {id}
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
  preview: Proposals are welcome
  template: house-style
  attachments: [grant.pdf]
feed:
  summary: The Coalition seeks a partner.
{more}relay:
  associations: [maine]
---

Dear {{{{ member.name or "colleague" }}}}, the Coalition seeks a partner. The deadline is {day}.

::: slot near-you "What does this mean where you are?"
Ask us about it.
:::
"""
MEMBERS = [f"reader{n}@example.org" for n in range(15)]
MAINE = Association("maine-libraries", "Maine Libraries", "news@maine.example", "1 High Street, Portland")
HERE = "the-coalition-partner"


@dataclass
class Engine:
    comms: Comms
    server: MailServer
    running: subprocess.Popen[Any] | None = None

    @property
    def url(self) -> str:
        return self.comms.environment["COMMS_SITE__URL"]

    def start(self) -> None:
        self.running = self.comms.start("run")
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/relay/keys.json", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        assert self.running is not None
        self.running.terminate()
        assert self.running.wait(30) == 0
        self.running = None

    def must(self, *words: str) -> Result:
        done = self.comms(*words)
        assert done.code == 0, done.out + done.err
        return done

    def newsletters(self) -> Counter[str]:
        """Address -> how many newsletters it got, without the mails to seats."""
        return Counter(record["to"] for record in self.server.taken() if not record["to"].startswith("luis@"))


@pytest.fixture
def engines(comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]) -> Iterator[tuple[Engine, Engine]]:
    """The coalition, which knows of Maine only that it exists, and Maine with its members."""
    other = tmp_path / "maine"
    create_workspace(other, MAINE).close()
    maine = Comms(other, {"COMMS_SITE__PORT": str(free_port())})
    found = []
    for each in (comms, maine):
        server = mail_server(content=True)
        each.environment |= {
            "COMMS_SITE__URL": f"http://127.0.0.1:{each.environment['COMMS_SITE__PORT']}",
            "COMMS_SMTP__PORT": str(server.port),
            "COMMS_DELIVERY__SENDERS": "1",
        }
        found.append(Engine(each, server))
    maine.environment["COMMS_RELAY__TRUSTED_HOSTS"] = f"127.0.0.1:{comms.environment['COMMS_SITE__PORT']}"
    coalition, library = found
    coalition.must(
        "association", "add", "maine", "--name", "Maine", "--from", "news@maine.example",
        "--postal-address", "1 High Street, Portland",
    )  # fmt: skip
    people = tmp_path / "people.csv"
    people.write_text("email,name\n" + "".join(f"{address},Person\n" for address in MEMBERS))
    library.must("members", "import", str(people), "--association", MAINE.slug)
    library.must("relay", "seat", MAINE.slug, "luis@maine.example", "--name", "Luis Ortega")
    yield coalition, library
    for engine in found:
        if engine.running is not None:  # what a failed test left
            engine.running.kill()
            engine.running.wait()
    kill(of_workspace(other))


def _file(folder: Path, name: str, day: str = "1 March", more: str = "") -> str:
    file = folder / f"{name}.md"
    file.write_text(OFFER.format(id=name, day=day, more=more))
    return str(file)


def _at_the_coalition(coalition: Engine, campaign: str = "partner") -> dict[str, Any]:
    (found,) = coalition.must("relay", "status", campaign, "--json").json()["associations"]
    assert isinstance(found, dict)
    return found


def _at_home(library: Engine, campaign: str = HERE) -> dict[str, Any]:
    (found,) = library.must("relay", "status", campaign, "--json").json()["associations"]
    assert isinstance(found, dict)
    return found


def test_an_offer_is_adapted_sent_corrected_recalled_and_reported_across_two_engines_and_a_cut_line(
    engines: tuple[Engine, Engine], tmp_path: Path
) -> None:
    coalition, library = engines
    (coalition.comms.folder / "media" / "grant.pdf").write_bytes(b"%PDF-1.7 what the grant pays for")
    coalition.start()
    (key,) = coalition.must("relay", "keys", "--json").json()
    feed = f"{coalition.url}/relay/maine/feed.json"
    refused = library.comms("relay", "follow", feed, "--as", MAINE.slug, "--key", "0" * 16)
    assert refused.code != 0, "another key than the one that was told"
    (followed,) = library.must(
        "relay", "follow", feed, "--as", MAINE.slug, "--key", key["name"], "--json"
    ).json()  # fmt: skip
    coalition.must("relay", "peer", "maine", "--key", followed["answers_with"], "--yes")
    coalition.must("relay", "offer", _file(tmp_path, "partner"), "--yes")
    library.start()
    library.must("relay", "follow", "--now")
    wait_until(lambda: _at_the_coalition(coalition)["self_reported"])
    assert coalition.comms("relay", "accept", "partner", "-a", "maine").code != 0, "it answers from its own engine"

    # The line is cut; what Maine decides, it decides at home.
    coalition.stop()
    library.must("relay", "adapt", HERE, "-a", MAINE.slug, "--text", "near-you=We meet in Bangor.")
    library.must("relay", "accept", HERE, "-a", MAINE.slug)
    wait_until(lambda: _at_home(library)["state"] == "sent", seconds=120)
    assert library.newsletters() == Counter(MEMBERS)
    newsletter = next(each for each in library.server.taken() if each["to"] == MEMBERS[0])["content"]
    assert "We meet in Bangor." in newsletter
    assert "Relayed from The Coalition" in newsletter
    assert 'filename="grant.pdf"' in newsletter
    assert b64encode(b"%PDF-1.7 what the grant pays for").decode() in newsletter
    assert library.comms("relay", "follow", "--now").code == 1
    assert _at_the_coalition(coalition)["state"] == "offered"
    corrected = _file(tmp_path, "partner", "2 March")
    coalition.must("relay", "correct", corrected, "--note", "The day was wrong", "--yes")

    # It is mended: the answer arrives, and says which version it is about; the correction comes.
    coalition.start()
    library.must("relay", "follow", "--now")
    told = _at_the_coalition(coalition)
    assert (told["state"], told["version"]) == ("sent", 1)
    assert told["self_reported"]["figures"]["copies"] == len(MEMBERS)
    library.must("relay", "publish", HERE, "-a", MAINE.slug)
    wait_until(lambda: _at_the_coalition(coalition)["version"] == 2)

    coalition.must("relay", "keys", "--rotate", "--yes")
    more = "schedule:\n  at: 2099-02-01 09:00\n  timezone: UTC\n"
    coalition.must("relay", "offer", _file(tmp_path, "later", more=more), "--yes")
    library.must("relay", "follow", "--now")
    library.must("relay", "accept", "the-coalition-later", "-a", MAINE.slug)
    wait_until(lambda: _at_the_coalition(coalition, "later")["state"] == "scheduled")
    for campaign in ("partner", "later"):
        coalition.must("relay", "recall", campaign, "--reason", "The grant was withdrawn", "--yes")
    library.must("relay", "follow", "--now")
    for campaign in ("partner", "later"):
        assert _at_home(library, f"the-coalition-{campaign}")["state"] == "withdrawn"
        assert _at_the_coalition(coalition, campaign)["state"] == "withdrawn"
    assert _at_the_coalition(coalition)["self_reported"]["figures"]["copies"] == len(MEMBERS)

    library.stop()
    coalition.stop()
    assert library.newsletters() == Counter(MEMBERS), "one copy each, and nothing of what was recalled"
    assert coalition.newsletters() == Counter(), "the coalition wrote to none of Maine's members"
