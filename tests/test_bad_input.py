"""What goes wrong in real installations: each gives a clear error or a safe result, and nothing is lost."""

from __future__ import annotations

import email
import email.policy
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comms.engine.setup import create_workspace
from tests.conftest import HOST, Comms, MailServer

CAMPAIGN = """\
---
campaign: hello
title: Hello
language: en
{extra}
newsletter:
  subject: "Hello {{{{ member.name or 'you' }}}}"
  preview: A preview
  {template}
---

Dear {{{{ member.name or "reader" }}}}, [read](https://example.org/).
"""


def write_campaign(folder: Path, *, extra: str = "", template: str = "") -> str:
    path = folder / "campaign.md"
    path.write_text(CAMPAIGN.format(extra=extra, template=template))
    return str(path)


def write_people(folder: Path, *names: str) -> str:
    path = folder / "people.csv"
    lines = ['"{}@example.org","{}"'.format(f"p{n}", name.replace('"', '""')) for n, name in enumerate(names)]
    path.write_bytes(("email,name\r\n" + "\r\n".join(lines) + "\r\n").encode("utf-8", "surrogatepass"))
    return str(path)


HOSTILE_NAMES = (
    "Eve\r\nBcc: everyone@example.org",
    "{{ 7*7 }}",
    "{% for x in range(10**9) %}{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://evil.example","x")',
    "\x00\x07\x1b[31mred\x7f",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "🏳️‍🌈 עִבְרִית हिन्दी",
)


def test_hostile_names_stay_text_in_every_part_of_the_mail(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server(content=True)
    comms.environment["COMMS_SMTP__PORT"] = str(server.port)
    imported = comms("members", "import", write_people(tmp_path, *HOSTILE_NAMES), "--json")
    assert imported.json()["added"] == len(HOSTILE_NAMES), imported.err
    assert comms("campaign", "send", write_campaign(tmp_path), "--yes", "--wait").code == 0
    taken = {record["to"]: record for record in server.taken()}
    assert len(taken) == len(HOSTILE_NAMES), "exactly the members, and nobody from a smuggled header"
    for number, name in enumerate(HOSTILE_NAMES):
        message = email.message_from_string(taken[f"p{number}@example.org"]["content"], policy=email.policy.default)
        shown = " ".join("".join(c if c.isprintable() or c in "\u200d\ufe0f" else " " for c in name).split())
        assert message["Bcc"] is None
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        assert text is not None
        assert html is not None
        squeezed = " ".join(text.get_content().split())
        assert shown.replace(" ", "") in squeezed.replace(" ", "")
        assert "Hello" in message["Subject"]
        assert "\n" not in message["Subject"]
        assert "<script>" not in html.get_content()
        assert "<img src=x" not in html.get_content()
        assert "49" not in squeezed.split("Dear")[1].split(",")[0]


@pytest.mark.parametrize(
    ("extra", "template", "line", "words"),
    [
        ("colour: red", "", 5, ["colour"]),
        ("audience:\n  segment: state in (WA", "", 6, ["segment", "column"]),
        ("audience:\n  segment: statte = WA", "", 6, ["statte"]),
        ("", "template: nowhere", 0, ["nowhere"]),
        ("", "template: broken", 0, ["broken", "mj-text"]),
        ("association: nobody", "", 5, ["nobody"]),
    ],
)
def test_a_wrong_definition_is_refused_with_its_line_and_nothing_is_sent(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer], extra: str, template: str, line: int,
    words: list[str],
) -> None:  # fmt: skip
    server = mail_server()
    comms.environment["COMMS_SMTP__PORT"] = str(server.port)
    assert comms("members", "import", write_people(tmp_path, "Ana")).code == 0
    (comms.folder / "templates" / "broken.mjml").write_text(
        "<mjml><mj-body><mj-section>\n<mj-column><mj-text>Hello</mj-column>\n</mj-section></mj-body></mjml>"
    )
    path = write_campaign(tmp_path, extra=extra, template=template)
    for command in (("check", path), ("send", path, "--yes", "--wait")):
        done = comms("campaign", *command)
        assert done.code == 1, done.err
        assert "Traceback" not in done.err
        assert all(word in done.out for word in words), done.out
        if line:
            assert f"{path}:{line}:" in done.out
    assert server.taken() == []
    assert comms("campaign", "list", "--json").json() == []


def test_a_broken_template_names_its_own_line(comms: Comms) -> None:
    path = comms.folder / "templates" / "broken.mjml"
    path.write_text("<mjml>\n<mj-body>\n<mj-section>\n<mj-colunm>\n</mj-section>\n</mj-body>\n</mjml>\n")
    done = comms("template", "lint", "broken", "--json")
    assert done.code == 1
    assert {problem["line"] for problem in done.json()} & {4, 5}
    assert comms("template", "lint", "announcement").code == 0
    assert comms("template", "lint", "house-style").code == 0


def test_a_mail_server_that_is_down_stops_a_send_before_anything_is_written(comms: Comms, tmp_path: Path) -> None:
    comms.environment["COMMS_SMTP__PORT"] = "1"
    comms("members", "import", write_people(tmp_path, "Ana"))
    done = comms("campaign", "send", write_campaign(tmp_path), "--yes", "--wait")
    assert done.code == 1
    assert "127.0.0.1:1" in done.err
    assert "refused" in done.err
    assert comms("campaign", "list", "--json").json() == []


def test_a_mail_server_that_goes_away_in_the_middle_costs_only_time(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    people = [f"Person {n}" for n in range(200)]
    comms("members", "import", write_people(tmp_path, *people))
    server = mail_server(delay=0.02)
    comms.environment |= {"COMMS_SMTP__PORT": str(server.port), "COMMS_DELIVERY__SENDERS": "2"}
    send = comms.start("campaign", "send", write_campaign(tmp_path), "--yes", "--wait", "--json")
    _until(lambda: len(server.taken()) > 50)
    server.stop()
    time.sleep(1)
    status = comms("campaign", "status", "hello", "--json").json()
    assert status["state"] == "sending"
    assert sum(status["deliveries"].values()) == 200
    again = mail_server(log=server.log, port=server.port)
    assert send.wait(90) == 0
    copies = Counter(again.recipients())
    report = comms("report", "hello", "--json").json()
    assert report["deliveries"]["sent"] == 200
    assert len(copies) == 200
    assert {a for a, n in copies.items() if n > 1} <= {case["address"] for case in report["in_doubt"]}


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB; skipped where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder]).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    return ballast


def test_a_full_disk_loses_nobody(small_disk: Path, tmp_path: Path, mail_server: Callable[..., MailServer]) -> None:
    folder = small_disk / "workspace"
    create_workspace(folder, HOST).close()
    comms = Comms(folder)
    ballast = fill(small_disk)
    people = write_people(tmp_path, *(f"Person {n}" for n in range(400)))
    refused = comms("members", "import", people)
    assert refused.code == 1
    assert "space" in refused.err
    assert "Traceback" not in refused.err
    ballast.unlink()
    assert comms("members", "count", "everyone", "--json").json() == {"count": 0}, "half an import stayed"
    assert comms("members", "import", people).code == 0

    server = mail_server(delay=0.02)
    comms.environment |= {"COMMS_SMTP__PORT": str(server.port), "COMMS_DELIVERY__SENDERS": "2"}
    send = comms.start(
        "campaign", "send", write_campaign(tmp_path), "--yes", "--wait", stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    _until(lambda: len(server.taken()) > 40)
    ballast = fill(small_disk)
    time.sleep(4)
    during = len(server.taken())
    assert during < 400
    ballast.unlink()
    _, err = send.communicate(timeout=90)
    assert send.returncode == 0, err
    assert b"Traceback" not in err
    copies = Counter(server.recipients())
    report = comms("report", "hello", "--json").json()
    assert len(copies) == 400
    assert report["deliveries"]["sent"] == 400
    assert {a for a, n in copies.items() if n > 1} <= {case["address"] for case in report["in_doubt"]}
