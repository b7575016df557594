"""Nobody learns of another association's members: every page, command and file is read after a real relay."""

from __future__ import annotations

import email
import email.policy
import http.client
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from typer.testing import CliRunner

from comms.cli.app import app
from comms.engine.relaying import posted, seating
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.kits.signed_figures import signature
from comms.web.app import create_app
from tests.confidential_scene import ACORN, BIRCH, OFFER, SHARED, TOPIC, Finder, lists
from tests.conftest import HOST, SMTP_SERVER, Comms, MailServer, free_port
from tests.support.files import contents
from tests.support.processes import kill, of_workspace, wait_until

STRANGER, THEIRS = "stranger@nowhere.example", BIRCH[0]


@dataclass
class Story:
    """A campaign that Acorn and Birch have relayed, and what is left of it."""

    folder: Path
    comms: Comms
    server: MailServer
    log: Path
    finder: Finder
    queue: bytes
    """All that stood in the queue's files while it went on."""

    def run(self, *words: str) -> str:
        """What a command says, its error included."""
        runner = CliRunner(env={**self.comms.environment, "COMMS_WORKSPACE": str(self.comms.folder)})
        result = runner.invoke(app, list(words))
        return f"{result.output}\n{result.exception or ''}"

    def get(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> bytes:
        """Status line, headers and body."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", int(self.comms.environment["COMMS_SITE__PORT"]), timeout=20
        )
        try:
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, path, body=body.encode(), headers={**kind, **(headers or {})})
            response = connection.getresponse()
            return f"{response.status} {response.getheaders()}\n".encode() + response.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("confidential")
    create_workspace(folder / "workspace", HOST).close()
    log, port = folder / "mail.log", str(free_port())
    words = [sys.executable, str(SMTP_SERVER), str(log), "--content"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    server = MailServer(process, int(process.stdout.readline()), log)
    comms = Comms(folder / "workspace", {
        "COMMS_SITE__PORT": port, "COMMS_SITE__URL": f"http://127.0.0.1:{port}", "COMMS_SMTP__PORT": str(server.port),
        "COMMS_DELIVERY__SENDERS": "2", "COMMS_LOG": "info",
    })  # fmt: skip
    try:
        found = Story(folder, comms, server, folder / "run.log", Finder.made(), b"")
        _begin(found)
        with found.log.open("wb") as stream:
            run = comms.start("run", stdout=stream, stderr=subprocess.STDOUT)
            wait_until(lambda: _states(found) == {"sent"}, seconds=180)
            yield found
            run.terminate()
            run.wait(30)
    finally:
        kill(of_workspace(comms.folder))
        server.stop()


def _begin(story: Story) -> None:
    with Workspace(story.comms.folder) as workspace:
        for slug in ("acorn", "birch"):
            story.run(
                "association", "add", slug, "--name", f"{slug.title()} Libraries", "--from", f"news@{slug}.example",
                "--postal-address", f"1 High Street, {slug.title()}",
            )  # fmt: skip
            seating.add(workspace, slug, f"Luis of {slug}", f"luis@{slug}.example")
    story.run("association", "topic", "birch", TOPIC, "--title", f"{TOPIC} of Birch")
    for slug, file in lists(story.folder).items():
        assert "26 added" in story.run("members", "import", str(file), "-a", slug)
    story.run("segments", "save", "zqsegment", 'sector = "Zqattribute 1"', "-a", "birch")
    offer = story.folder / "partner.md"
    offer.write_text(OFFER.format(id="partner"))
    story.run("relay", "offer", str(offer), "--yes")
    for slug in ("acorn", "birch"):
        assert "scheduled" in story.run("relay", "accept", "partner", "-a", slug)


def _states(story: Story) -> set[str]:
    story.queue += b"".join(content for _, content in contents(story.comms.folder, "queue.db*"))
    with Workspace(story.comms.folder) as workspace:
        return {row.state.value for row in workspace.relays.relays("partner")}


def test_the_story_is_what_it_should_be(story: Story) -> None:
    got = [record["to"] for record in story.server.taken() if not record["to"].startswith("luis@")]
    assert sorted(got) == sorted({*ACORN, *BIRCH})
    birch = (story.comms.folder / "associations" / "birch.db").read_bytes()
    birch += b"".join(path.read_bytes() for path in (story.comms.folder / "associations").glob("birch.db-wal"))
    assert len(story.finder.found(birch)) >= 5, "what is looked for can be found where it belongs"


# --- files ------------------------------------------------------------------------------------


def test_no_file_but_birch_s_own_database_holds_anything_of_its_members(story: Story) -> None:
    read = set()
    for path, content in contents(story.comms.folder):
        name = path.relative_to(story.comms.folder).as_posix()
        if not name.startswith("associations/birch.db"):
            story.finder.check(content, name)
            read.add(name)
    assert {"associations/acorn.db", "host.db", "queue.db", "relays/partner.db"} <= read
    acorn = [path for path in (story.comms.folder / "associations").glob("acorn.db*") if path.suffix != ".db-shm"]
    assert all(TOPIC.encode() not in path.read_bytes() for path in acorn)


def test_the_queue_and_the_log_tell_no_address_at_all(story: Story) -> None:
    assert story.queue
    log = story.log.read_bytes()
    assert b"campaign is sent" in log
    for data, where in ((story.queue, "the queue"), (log, "the log")):
        story.finder.check(data, where)
        for address in (*ACORN, *BIRCH):
            assert address.encode() not in data, where


# --- pages ------------------------------------------------------------------------------------


def _tokens(story: Story) -> list[str]:
    """All that stand in the mails that Acorn's members and the person who speaks for it got from it."""
    found: dict[str, None] = {}
    for record in story.server.taken():
        message = email.message_from_string(record["content"], policy=email.policy.SMTP)
        if "acorn" in f"{message['From']} {record['to']}":
            text = "".join(str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text")
            for token in re.findall(r"127\.0\.0\.1:\d+/\w/([\w.-]+)", f"{message['List-Unsubscribe']} {text}"):
                found[token.removesuffix(".gif")] = None
    kinds: dict[str, list[str]] = {}
    for token in found:
        kinds.setdefault(token[0], []).append(token)
    assert {"m", "e", "l"} <= set(kinds), kinds.keys()
    return [token for tokens in kinds.values() for token in tokens[:2]]


def _fillings(story: Story) -> dict[str, list[str]]:
    """What stands in the place of a part of a path: everything that somebody of Acorn can know or guess."""
    feeds = re.findall(r"/feeds/([^\"]+)", story.get("GET", "/feeds.opml").decode())
    assert feeds
    return {
        "token": _tokens(story),
        "association": ["acorn", "birch", "coalition"],
        "campaign": ["partner", "partner.acorn", "partner.birch"],
        "index": ["0", "1"],
        "poll": ["0"],
        "choice": ["0"],
        "number": ["0", "1"],
        "variant": ["es"],
        "language": ["en", "es"],
        "provider": ["postmark", "sns"],
        "secret": ["secret"],
        "sha256": ["0" * 64],
        "name": feeds,
        "path": ["a.png", "../associations/birch.db", "%2e%2e/associations/birch.db", "../relays/partner.db"],
    }


FORMS = (
    "", "confirm=unsubscribe", f"address={THEIRS}", f"email={THEIRS}&topic=news", "choice=yes", "until=3", "stop=yes",
    "this=yes", "language=es", "copies=20&people=20&clicks=3&replies=1",
)  # fmt: skip


def test_no_page_tells_anything_of_birch_s_members(story: Story) -> None:
    fillings, pages = _fillings(story), 0
    for route in create_app(story.comms.folder).router.routes:
        path, methods = str(getattr(route, "path")), sorted(getattr(route, "methods") or ())  # noqa: B009
        names = re.findall(r"{(\w+)(?::\w+)?}", path)
        assert set(names) <= set(fillings), f"decide what stands in {path}"
        for method in methods:
            for values in product(*(fillings[name] for name in names)):
                filled = path
                for name, value in zip(names, values, strict=True):
                    filled = re.sub(rf"{{{name}(?::\w+)?}}", lambda _, value=value: value, filled)
                for form in FORMS if method == "POST" else ("",):
                    answer = story.get(method, filled, form).replace(THEIRS.encode(), b"")
                    story.finder.check(answer, f"{method} {filled}")
                    if "token" in names:
                        assert TOPIC.encode() not in answer, filled
                    pages += 1
    assert pages > 100


def test_a_tool_of_acorn_learns_nothing_of_birch_by_posting_figures(story: Story) -> None:
    with Workspace(story.comms.folder) as workspace:
        secret = posted.give(workspace, "acorn", who="dana").secret
    told = set()
    for slug in ("acorn", "birch", "coalition", "nobody"):
        for campaign in ("partner", "partner.birch", "nothing"):
            body = json.dumps({"campaign": campaign, "copies": 20}).encode()
            seconds = int(time.time())
            headers = {"Comms-Timestamp": str(seconds), "Comms-Signature": signature(secret, seconds, body)}
            answer = story.get("POST", f"/relay/{slug}/figures", body.decode(), headers)
            story.finder.check(answer, slug)
            if slug != "acorn":
                told.add(re.sub(rb"nonce-\S+|\('date', '[^']+'\)", b"", answer))
    assert len(told) == 1, "one answer, whatever there is of others"


def test_a_form_answers_the_same_about_a_member_of_birch_and_about_a_stranger(story: Story) -> None:
    for path in ("/subscribe/acorn", "/preferences/acorn", "/subscribe/birch", "/preferences/birch"):
        for form in ("address={}", "email={}&topic=news"):
            answers = [
                re.sub(rb"nonce-\S+|\('date', '[^']+'\)", b"", story.get("POST", path, form.format(address)))
                for address in (THEIRS, STRANGER)
            ]
            told = {answer.replace(THEIRS.encode(), b"").replace(STRANGER.encode(), b"") for answer in answers}
            assert len({re.sub(rb"\('content-length', '\d+'\)", b"", each) for each in told}) == 1, path


# --- commands ---------------------------------------------------------------------------------

OWN = ["-a", "acorn"]
COMMANDS: dict[str, list[list[str]] | str] = {
    "members invite": [["someone@acorn.example", *OWN]],
    "members import": [["{acorn}", *OWN, "--dry-run", "--json"]],
    "members imports": [[*OWN, "--json"]],
    "members undo-import": [["99", *OWN]],
    "members count": [["all", *OWN, "--json"], ['email = "{theirs}"', *OWN, "--json"]],
    "members show": [["{shared}", *OWN, "--json"], ["{theirs}", *OWN]],
    "members export": [["{shared}", *OWN], ["{theirs}", *OWN]],
    "members erase": [["{theirs}", *OWN, "--yes", "--json"]],
    "members export-list": [["{out}/list.csv", *OWN]],
    "members feed": [["{shared}", *OWN, "--json"], ["{theirs}", *OWN, "--json"]],
    "members succeed": [["{theirs}", *OWN, "--new-address", "new@acorn.example", "--yes"]],
    "segments explain": [["all", *OWN, "--json"], ["in zqsegment", *OWN], ["tag zqtag", *OWN]],
    "segments save": [["mine", "all", *OWN], ["theirs", 'sector = "Zq"', *OWN]],
    "segments list": [[*OWN, "--json"]],
    "segments remove": [["mine", *OWN]],
    "dkim create": [[*OWN, "--json"]],
    "dkim show": [[*OWN, "--json"]],
    "dkim use": [[*OWN, "--json"]],
    "campaign check": [["{file}", *OWN, "--json"]],
    "campaign preview": [
        ["{file}", *OWN, "--out", "{out}/preview", "--as", "{shared}"],
        ["{file}", *OWN, "--out", "{out}/theirs", "--as", "{theirs}"],
        ["{file}", *OWN, "--out", "{out}/cases", "--worst-cases"],
    ],
    "campaign plan": [["{file}", *OWN, "--json"]],
    "campaign send": [["{file}", *OWN, "--yes", "--json"]],
    "campaign schedule": [["{file}", *OWN, "--yes", "--json"]],
    "template compile": [["newsletter", *OWN]],
    "feed correct": [["partner.acorn", "{file}", "--note", "a note", *OWN, "--dry-run"]],
    "feed withdraw": [["partner.acorn", "--reason", "a reason", *OWN, "--dry-run"]],
    "bounces list": [[*OWN, "--json"]],
    "relay list": [[*OWN, "--json"], ["--json"]],
    "relay show": [["partner", *OWN, "--json"], ["partner", *OWN, "--out", "{out}/relay"]],
    "relay adapt": [["partner", *OWN, "--text", "near-you=Words"]],
    "relay accept": [["partner", *OWN, "--json"]],
    "relay decline": [["partner", *OWN, "--json"]],
    "relay follow": [["--as", "acorn", "--json"]],
    "relay peer": [["acorn", "--key", "0" * 64, "--json"]],
    "relay unpeer": [["acorn", "--json"]],
    "relay figures": [
        ["partner", *OWN, "--copies", "20", "--json"],
        ["partner", *OWN, "--copies", "20", "--dry-run"],
        ["partner", "--file", "{figures}", "--json"],
        ["partner", "--file", "{figures}", "--dry-run"],
    ],
    "relay secret": [["acorn", "--json"], ["acorn"], ["acorn", "--renew", "--yes"], ["acorn", "--revoke", "--yes"]],
    "relay publish": [["partner", *OWN, "--json"]],
    "relay kit": [["partner", *OWN, "--tool", "mailchimp", "--out", "{out}/kit.zip", "--json"]],
    "relay link": [["partner", *OWN, "--seat", "luis@acorn.example", "--json"]],
    "relay seat": [["acorn", "two@acorn.example", "--name", "Two", "--json"]],
    "relay seats": [["acorn", "--json"]],
    "relay unseat": [["acorn", "two@acorn.example", "--json"]],
    "relay rule": [["acorn", "--json"], ["acorn", "--own-tool", "--json"], ["acorn", "--from-here"]],
    "association welcome": [["acorn", "--json"]],
    "association edit": [["acorn", "--json"]],
    "association topic": [["acorn", "own", "--title", "Own", "--json"]],
    "association add": "names no association that there is",
    # What the coalition asks over all associations: they must not tell it of members either.
    "association list": [["--json"]],
    "report": [["partner.acorn", "--json"], ["partner.birch", "--json"], ["partner.birch", "--html", "{out}/r.html"]],
    "campaign status": [["partner.birch", "--json"]],
    "campaign settle": [["partner.birch", "--json"]],
    "campaign list": [["--json"]],
    "relay status": [["partner", "--json"]],
    "feed build": [["{out}/feeds", "--json"]],
    "retention": [["--dry-run", "--json"]],
    "doctor": [["--json"]],
}
"""Command -> how somebody of Acorn, or the coalition, would call it; or why that would prove nothing."""
ASKS = {"association", "slug"}
"""Names of the parameters that name an association."""


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if not hasattr(command, "list_commands"):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from _commands(command.get_command(context, name), (*path, name))


def test_every_command_that_takes_an_association_is_looked_at() -> None:
    found = dict(_commands(typer.main.get_command(app)))
    asking = {name for name, command in found.items() if ASKS & {each.name for each in command.params}} - {"init"}
    assert not (undecided := asking - set(COMMANDS)), f"decide how Acorn would call {sorted(undecided)}"
    assert set(COMMANDS) <= set(found), "these commands are no more"


def test_no_command_tells_acorn_anything_of_birch_s_members(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "own.md"
    file.write_text(OFFER.format(id="own").partition("relay:")[0] + "---\n\nDear {{ member.name }}, hello.\n")
    figures = tmp_path / "figures.csv"
    figures.write_text("association,copies\nacorn,20\nbirch,20\n")
    places = {
        "figures": str(figures),
        "acorn": str(story.folder / "acorn.csv"), "theirs": THEIRS, "shared": SHARED[0], "file": str(file),
        "out": str(tmp_path / "out"),
    }  # fmt: skip
    (tmp_path / "out").mkdir()
    for name, calls in COMMANDS.items():
        for words in calls if isinstance(calls, list) else ():
            given = [word.format(**places) if "{" in word else word for word in words]
            said = story.run(*name.split(), *given)
            for word in given:  # what one was asked for is no news
                said = said.replace(word, "")
            for word in (THEIRS, "zqsegment", "zqtag", '"Zq"'):
                said = said.replace(word, "") if any(word in each for each in given) else said
            story.finder.check(said.encode(errors="replace"), f"comms {name}")
            assert TOPIC not in said or OWN[1] not in words, f"comms {name}"
    for path in (tmp_path / "out").rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(path.with_suffix(""))
    assert (tmp_path / "out" / "kit").is_dir()
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            story.finder.check(path.read_bytes(), os.fspath(path.relative_to(tmp_path)))


def test_a_command_says_the_same_of_a_member_of_birch_and_of_a_stranger(story: Story) -> None:
    for words in (["members", "show"], ["members", "export"], ["members", "succeed", "--yes"]):
        told = {story.run(*words, address, *OWN).replace(address, "") for address in (BIRCH[1], STRANGER)}
        assert len(told) == 1, told
