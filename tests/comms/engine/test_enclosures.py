"""Files that go with a newsletter, from the media folder to the mail: what was approved is what is sent."""

from __future__ import annotations

import email
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from control_scene import HOST, ListQueue
from PIL import Image

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member
from campaigns import definition
from comms.delivery.batches import MailBatch, from_json
from comms.delivery.messages import MessageMaker
from comms.engine import checking, preview, sending
from comms.engine.control import Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.rendering.edition import Edition
from comms.rendering.render import Renderer

CAMPAIGN = """\
---
campaign: welcome
title: Welcome
language: en
newsletter:
  subject: Welcome
  preview: Come in
  attachments: [programme.pdf, "été 2027.txt"]
  inline_images: true
---

Dear reader,

![The house](house.png)
"""
PROGRAMME = b"%PDF-1.7 \x00\xff programme"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = create_workspace(tmp_path / "workspace", HOST)
    (workspace.media_folder / "programme.pdf").write_bytes(PROGRAMME)
    (workspace.media_folder / "été 2027.txt").write_text("Été", encoding="utf-8")
    Image.new("RGB", (40, 20), "#804020").save(workspace.media_folder / "house.png")
    people, now = workspace.people(HOST.slug), datetime(2027, 1, 1, tzinfo=UTC)
    with people.db.atomic():
        people.insert([Member("ana@example.org", {}, "en", id=1), Member("leo@example.org", {}, "es", id=2)], now)
        yes = Consent(ANY_TOPIC, ConsentState.GRANTED, now, "test", Basis.EXPRESS)
        people.record([(1, yes), (2, yes)], now)
    (workspace.folder / "welcome.md").write_text(CAMPAIGN, encoding="utf-8")
    yield workspace
    workspace.close()


def prepared(workspace: Workspace) -> sending.Prepared:
    return sending.prepare(workspace, definition.read_file(workspace.folder / "welcome.md"))


def sent(workspace: Workspace) -> dict[str, EmailMessage]:
    """Address -> the mail, made of nothing but what a sender is handed."""
    sending.start(workspace, sending.approve(workspace, prepared(workspace), who="somebody"))
    workspace.journal_folder.mkdir(exist_ok=True)
    queue, mails = ListQueue(), dict[str, EmailMessage]()
    control = Control(workspace, queue, senders=1)
    while control.step() and queue.work:
        for work in queue.work:
            batch = from_json(work)
            assert isinstance(batch, MailBatch)
            maker = MessageMaker(batch, Renderer(Edition.from_json(batch.edition)), workspace.links)
            for recipient in batch.recipients:
                read = email.message_from_bytes(maker.make(recipient)[2], policy=default)
                assert isinstance(read, EmailMessage)
                mails[recipient.address] = read
        queue.work.clear()
    return mails


def attachments(mail: EmailMessage) -> dict[str | None, object]:
    return {part.get_filename(): part.get_content() for part in mail.iter_attachments()}


def test_a_sent_mail_holds_the_attachments_and_shows_the_images_that_came_with_it(workspace: Workspace) -> None:
    mail = sent(workspace)["ana@example.org"]
    assert attachments(mail) == {"programme.pdf": PROGRAMME, "été 2027.txt": "Été"}
    html = mail.get_body(("html",))
    assert html is not None
    (image,) = (part for part in mail.walk() if part.get_content_type() == "image/png")
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in html.get_content()
    assert "/media/" not in html.get_content()


def test_a_preview_is_the_same_mail_and_its_page_shows_images_by_their_address(workspace: Workspace) -> None:
    out = workspace.folder / "out"
    preview.show(workspace, workspace.folder / "welcome.md", out, preview.Wishes(), browser=None)
    shown = email.message_from_bytes((out / "message.eml").read_bytes(), policy=default)
    assert isinstance(shown, EmailMessage)
    assert attachments(shown) == attachments(sent(workspace)["ana@example.org"])
    page = (out / "message.html").read_text(encoding="utf-8")
    assert "/media/mail/" in page
    assert "cid:" not in page


def test_another_file_of_the_same_name_is_another_plan_and_not_what_goes_out(workspace: Workspace) -> None:
    before = prepared(workspace)
    (workspace.media_folder / "programme.pdf").write_bytes(b"%PDF-1.7 other")
    assert prepared(workspace).plan.digest != before.plan.digest
    (workspace.media_folder / "programme.pdf").write_bytes(PROGRAMME)
    assert prepared(workspace).plan.digest == before.plan.digest
    sending.approve(workspace, before, who="somebody")
    (workspace.media_folder / "programme.pdf").unlink()
    body = workspace.host.edition("welcome", HOST.slug, "newsletter")
    assert body is not None
    assert Edition.from_json(body.decode()).files[0].name == "programme.pdf"


def test_a_variant_can_have_files_of_its_own(workspace: Workspace) -> None:
    (workspace.media_folder / "programa.pdf").write_bytes(b"%PDF-1.7 es")
    spanish = "---\ntitle: Hola\nnewsletter:\n  subject: Hola\n  attachments: [programa.pdf]\n---\n\nHola.\n"
    (workspace.folder / "welcome.es.md").write_text(spanish, encoding="utf-8")
    mails = sent(workspace)
    assert attachments(mails["leo@example.org"]) == {"programa.pdf": b"%PDF-1.7 es"}
    assert set(attachments(mails["ana@example.org"])) == {"programme.pdf", "été 2027.txt"}


@pytest.mark.parametrize("name", ["../comms.toml", "/etc/passwd", "no\\0.pdf", "x" * 299, "lost.pdf"])
def test_no_file_from_elsewhere_goes_with_a_mail(workspace: Workspace, name: str) -> None:
    path = workspace.folder / "welcome.md"
    path.write_text(CAMPAIGN.replace("[programme.pdf,", f"['{name}',"), encoding="utf-8")
    found = [each for each in checking.check(workspace, path).findings if each.rule == "attachment-missing"]
    assert [(each.level, each.line) for each in found] == [("must fix", 8)]
    with pytest.raises(UsageError, match="there is no file"):
        prepared(workspace)
