"""Runs the demo from an empty folder to the report, and says what it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from audiences.models import Topic
from audiences.store import EVERYONE
from comms import config
from comms.demo import people
from comms.demo.mailbox import Mailbox, free_port
from comms.demo.readers import Deeds, read_all
from comms.demo.sheet import write_sheet
from comms.engagement.html import to_html
from comms.engagement.report import ReportData
from comms.engine import checking, feeds, reporting, sending, setup
from comms.engine.audience import import_members
from comms.engine.control import Control, ControlLock
from comms.engine.sending import Prepared
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.queues import queue_of
from comms.web.server import serve
from comms.worker import senders

Say = Callable[[str], None]
Bar = Callable[[str, int | None], AbstractContextManager[Callable[..., None]]]
"""`bar(text, total)` yields `update(done, total=None, text=None)`."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo left behind."""

    folder: Path
    mails: tuple[Path, ...]
    sheet: Path
    feeds: tuple[Path, ...]
    report_page: Path
    report: ReportData
    deeds: Deeds
    site: str
    """Where the web face answers."""


@contextmanager
def show(folder: Path, say: Say, bar: Bar) -> Iterator[Shown]:
    """Run the demo in `folder`; while the block lasts, the web face stays up."""
    with _workspace(folder) as workspace:
        say(f"A workspace with {len(workspace.associations())} associations: {workspace.folder}")
        _bring_members(workspace, say)
        campaign = workspace.folder / "campaigns" / "shared-disaster-plan.md"
        campaign.write_text(
            (resources.files("comms.demo") / "campaign.md").read_text(encoding="utf-8"), encoding="utf-8"
        )
        prepared = _approve(workspace, campaign)
        site = workspace.settings.site
        server = serve(workspace.folder, site.host, site.port)
        server.start()
        try:
            yield _after(workspace, prepared, say, bar)
        finally:
            server.stop()


def _after(workspace: Workspace, prepared: Prepared, say: Say, bar: Bar) -> Shown:
    folder, plan = workspace.folder, prepared.plan
    counted = ", ".join(f"{n.audience} of {n.members} at {n.association}" for n in plan.newsletters)
    say(f"One campaign definition: {plan.audience} newsletters ({counted}), feed entries and posts")
    _send(workspace, prepared, bar)
    mails = tuple(sorted((folder / "received").glob("*.eml")))
    say(f"Sent through a real mail session: {len(mails)} mails received, each rendered for its reader")
    with bar("readers open, click and leave", len(mails)) as update:
        deeds = read_all(mails, people.SEED, update)
    say(f"Readers: {deeds.clicked} clicks, {deeds.opened} pixels (only of those who agreed), {deeds.left} left")
    write_sheet(mails, folder / "received" / "index.html")
    written = feeds.write_feeds(workspace, folder / "feeds")
    report = reporting.report(workspace, plan.campaign)
    page = folder / "report.html"
    page.write_text(to_html(report), encoding="utf-8")
    sheet, site = folder / "received" / "index.html", workspace.settings.site.url
    return Shown(folder, mails, sheet, tuple(written), page, report, deeds, site)


@contextmanager
def _workspace(folder: Path) -> Iterator[Workspace]:
    """A new workspace whose mail server is a mailbox of the demo's own."""
    setup.create_workspace(folder, people.HOST).close()
    mailbox = Mailbox(folder / "received")
    web_port = free_port()
    settings = {
        "smtp.port": str(mailbox.port),
        "site.port": str(web_port),
        "site.url": f'"http://127.0.0.1:{web_port}"',
    }
    _set(folder, settings)
    mailbox.start()
    try:
        with Workspace(folder) as workspace:
            for association in people.OTHERS:
                workspace.add_association(association)
            yield workspace
    finally:
        mailbox.stop()


def _set(folder: Path, values: dict[str, str]) -> None:
    """Put values into comms.toml in place of the lines that show their defaults."""
    path = folder / config.FILE_NAME
    section, lines = "", []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        key = re.match(r"# (\w+) = ", line)
        value = values.get(f"{section}.{key[1]}") if key else None
        lines.append(f"{key[1]} = {value}" if key and value else line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _bring_members(workspace: Workspace, say: Say) -> None:
    (workspace.folder / "lists").mkdir()
    total, out = 0, 0
    for association in workspace.associations():
        file = workspace.folder / "lists" / f"{association.slug}.csv"
        people.write_members(association.slug, file)
        result = import_members(workspace, file, association.slug)
        members = workspace.people(association.slug)
        workspace.add_topic(association.slug, Topic("coalition-news", "News from the Coalition"))
        workspace.add_topic(association.slug, Topic("training", "Training and workshops"))
        total += result.added
        out += members.exclusions(EVERYONE, "coalition-news", workspace.now()).get("withdrawn", 0)
    say(f"Imported {total} invented members from three CSV files; {out} of them had opted out and stay out")


def _approve(workspace: Workspace, campaign: Path) -> Prepared:
    slugs = tuple(association.slug for association in workspace.associations())
    result = checking.check(workspace, campaign, slugs)
    if not result.ok or result.campaign is None:
        raise StateError("the demo's own campaign has problems.", hint=str(result.findings))
    prepared = sending.prepare(workspace, result.campaign, slugs)
    sending.start(workspace, sending.approve(workspace, prepared, who="demo"))
    return prepared


def _send(workspace: Workspace, prepared: Prepared, bar: Bar) -> None:
    lock = ControlLock(workspace.folder)
    lock.take()
    campaign = prepared.campaign.id
    with bar("sending", prepared.plan.audience) as update, senders(workspace) as pool:
        pool.keep()

        def after_step() -> None:
            pool.keep()
            update(reporting.status(workspace, campaign).deliveries["sent"])

        control = Control(workspace, queue_of(workspace), pool.size)
        control.run(lambda: sending.find(workspace, campaign).state in sending.OVER, after_step)
    lock.release()
