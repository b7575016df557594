"""Every door keeps on the disk what it answers for, and control takes in what the doors kept."""

from __future__ import annotations

import os
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from returned_mail import dsn, verp
from sent_newsletter import Sent

from audiences.models import SuppressionScope
from comms.config import Bounces
from comms.engagement.bounces.policy import HARD_BOUNCE
from comms.engine import intake
from comms.engine.doors import spool
from comms.engine.doors.imap import Mailbox, MailboxError
from comms.engine.doors.listener import Listener
from comms.engine.doors.maildir import Maildir
from comms.engine.doors.watch import Watch, doors
from comms.engine.workspace import Workspace
from comms.errors import ConfigError, StorageError
from tests.support.imap_server import imap_server
from tests.support.processes import wait_until

BEN = "ben@example.org"
STOPPED = [(SuppressionScope.ASSOCIATION, HARD_BOUNCE)]


def bounce(sent: Sent) -> bytes:
    return dsn(BEN, to=verp(sent.workspace, "coalition", sent.deliveries[BEN]))


def stopped(sent: Sent) -> list[tuple[SuppressionScope, str]]:
    return sent.workspace.people("coalition").suppressions_of(BEN)


def kept(sent: Sent) -> list[Path]:
    return [each.path for each in spool.waiting(sent.workspace.folder, 1000)]


# --- the spool --------------------------------------------------------------------------------


def test_what_was_kept_is_taken_in_once_and_is_gone_then(sent: Sent) -> None:
    spool.keep_mail(sent.workspace.folder, bounce(sent))
    assert intake.follow(sent.workspace) == 1
    assert stopped(sent) == STOPPED
    assert kept(sent) == []
    assert intake.follow(sent.workspace) == 0


def test_the_envelopes_recipient_is_kept_with_the_message(sent: Sent) -> None:
    path = verp(sent.workspace, "coalition", sent.deliveries[BEN])
    spool.keep_mail(sent.workspace.folder, dsn(BEN, to="postmaster@example.org"), path)
    intake.follow(sent.workspace)
    assert stopped(sent) == STOPPED


def test_a_recipient_that_is_more_than_an_address_writes_no_header(sent: Sent) -> None:
    spool.keep_mail(sent.workspace.folder, b"Subject: x\r\n\r\n", "a@b.example\r\nSubject: unsubscribe")
    assert kept(sent)[0].read_bytes() == b"Subject: x\r\n\r\n"


def test_a_busy_database_is_waited_for(sent: Sent) -> None:
    spool.keep_mail(sent.workspace.folder, bounce(sent))
    with Workspace(sent.workspace.folder, environment={}) as other, other.association_db("coalition").atomic():
        sent.workspace.association_db("coalition").execute("PRAGMA busy_timeout = 50")
        assert intake.follow(sent.workspace) == 0
    assert len(kept(sent)) == 1
    assert intake.follow(sent.workspace) == 1
    assert stopped(sent) == STOPPED


def test_what_can_not_be_taken_in_is_set_aside_and_stops_nothing(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.keep_report(sent.workspace.folder, "unheardof", b"{}")
    spool.keep_mail(sent.workspace.folder, bounce(sent))
    assert intake.follow(sent.workspace) == 1
    assert stopped(sent) == STOPPED
    aside = list((sent.workspace.folder / spool.FOLDER / "failed").iterdir())
    assert [path.name.partition(".")[2] for path in aside] == ["unheardof.json"]


def test_files_of_another_name_are_left_alone(sent: Sent) -> None:
    folder = sent.workspace.folder / spool.FOLDER / "new"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    (folder / ".0-half.eml.tmp").write_text("half")
    assert intake.follow(sent.workspace) == 0
    assert len(list(folder.iterdir())) == 2


def test_where_nothing_can_be_kept_it_is_said(sent: Sent) -> None:
    (sent.workspace.folder / spool.FOLDER).write_text("a file where the folder should be")
    with pytest.raises((StorageError, OSError)):
        spool.keep_mail(sent.workspace.folder, b"x")


# --- a maildir --------------------------------------------------------------------------------


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    folder = tmp_path / "Maildir"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    return folder


def test_a_maildir_is_read_and_its_mails_are_marked_as_seen(sent: Sent, maildir: Path) -> None:
    (maildir / "new" / "1.example").write_bytes(bounce(sent))
    (maildir / "new" / "2.example:2,F").write_bytes(b"Subject: x\r\n\r\n")
    (maildir / "new" / "link").symlink_to("/etc/passwd")
    (maildir / "tmp" / "3.example").write_bytes(b"half")
    door = Maildir(maildir, sent.workspace.folder)
    assert door.collect() == 2
    assert sorted(path.name for path in (maildir / "cur").iterdir()) == ["1.example:2,S", "2.example:2,FS"]
    assert [path.name for path in (maildir / "new").iterdir()] == ["link"]
    assert intake.follow(sent.workspace) == 2
    assert stopped(sent) == STOPPED
    assert door.collect() == 0


def test_a_kill_between_keeping_and_marking_loses_nothing_and_counts_once(sent: Sent, maildir: Path) -> None:
    (maildir / "new" / "1.example").write_bytes(bounce(sent))
    (maildir / "cur").rmdir()
    (maildir / "cur").symlink_to(maildir / "nowhere")
    with pytest.raises(ConfigError, match="no maildir"):
        Maildir(maildir, sent.workspace.folder).collect()
    (maildir / "cur").unlink()
    (maildir / "cur").mkdir()
    spool.keep_mail(sent.workspace.folder, bounce(sent))  # as far as it came
    assert Maildir(maildir, sent.workspace.folder).collect() == 1
    assert intake.follow(sent.workspace) == 2
    assert stopped(sent) == STOPPED
    assert len(sent.events()) == 1


# --- IMAP -------------------------------------------------------------------------------------


def mailbox(port: int, sent: Sent, **changes: str) -> Mailbox:
    settings = {"imap_host": "127.0.0.1", "imap_port": port, "imap_security": "none", "imap_username": "bounces"}
    return Mailbox(Bounces.model_validate({**settings, "imap_password": "secret", **changes}), sent.workspace.folder)


def test_what_is_unread_in_a_mailbox_is_fetched_and_marked(sent: Sent) -> None:
    with imap_server(b"Subject: read\r\n\r\n", bounce(sent).replace(b"\n", b"\r\n")) as server:
        server.mails[0].seen = True
        door = mailbox(server.port, sent, imap_folder='Returned "mail"')
        assert door.collect() == 1
        assert all(mail.seen for mail in server.mails)
        assert server.selected == [r'"Returned \"mail\""']
        assert door.collect() == 0
    intake.follow(sent.workspace)
    assert stopped(sent) == STOPPED


def test_a_mailbox_that_dies_before_the_mark_gives_the_mail_again(sent: Sent) -> None:
    with imap_server(bounce(sent)) as server:
        server.refuse_store = True
        with pytest.raises(MailboxError):
            mailbox(server.port, sent).collect()
        server.refuse_store = False
        assert mailbox(server.port, sent).collect() == 1
    assert intake.follow(sent.workspace) == 2
    assert len(sent.events()) == 1


def test_a_login_that_does_not_hold_is_said_plainly_and_without_the_password(sent: Sent) -> None:
    with (
        imap_server() as server,
        pytest.raises(MailboxError, match=f"127.0.0.1:{server.port} can not be read") as raised,
    ):
        mailbox(server.port, sent, imap_password="wrong-one").collect()
    assert "wrong-one" not in str(raised.value)


def test_a_door_that_fails_does_not_keep_the_others_shut(sent: Sent, maildir: Path) -> None:
    (maildir / "new" / "1.example").write_bytes(bounce(sent))
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    Watch([mailbox(port, sent), Maildir(maildir, sent.workspace.folder)]).look()
    assert len(kept(sent)) == 1


# --- LMTP and SMTP ----------------------------------------------------------------------------


@pytest.fixture
def listener(sent: Sent) -> Iterator[Listener]:
    listener = Listener("127.0.0.1:0", sent.workspace.folder, sent.workspace.links.signer.returns)
    listener.start()
    yield listener
    listener.stop()


@pytest.mark.parametrize("client", [smtplib.SMTP, smtplib.LMTP])
def test_mail_for_a_return_path_is_kept_before_it_is_answered(
    sent: Sent, listener: Listener, client: type[smtplib.SMTP]
) -> None:
    path = verp(sent.workspace, "coalition", sent.deliveries[BEN])
    with client("127.0.0.1", listener.port) as session:
        session.sendmail("", [path.upper()], dsn(BEN, to="someone@example.org"))
        assert len(kept(sent)) == 1
    intake.follow(sent.workspace)
    assert stopped(sent) == STOPPED


def test_mail_for_anybody_else_is_refused(sent: Sent, listener: Listener) -> None:
    path = verp(sent.workspace, "coalition", sent.deliveries[BEN])
    forged = path.replace("+", "+a")
    with smtplib.SMTP("127.0.0.1", listener.port) as session:
        for recipient in ("bounces@lists.example.org", "news@coalition.example.org", forged):
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                session.sendmail("", [recipient], b"Subject: x\r\n\r\n")
            assert refused.value.recipients[recipient][0] == 550
        session.ehlo()
        session.docmd("MAIL FROM:<>")
        assert session.docmd(f"RCPT TO:<{path}>")[0] == 250
        assert session.docmd(f"RCPT TO:<{path}>")[0] == 452
    assert kept(sent) == []


def test_what_can_not_be_kept_is_to_be_tried_again(sent: Sent, listener: Listener) -> None:
    (sent.workspace.folder / spool.FOLDER).write_text("a file where the folder should be")
    with smtplib.SMTP("127.0.0.1", listener.port) as session, pytest.raises(smtplib.SMTPDataError) as refused:
        session.sendmail("", [verp(sent.workspace, "coalition", 1)], b"Subject: x\r\n\r\n")
    assert refused.value.smtp_code == 452


def test_a_message_too_large_is_refused(sent: Sent, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    with smtplib.SMTP("127.0.0.1", listener.port) as session:
        session.ehlo()
        assert session.docmd("MAIL FROM:<> SIZE=10000001")[0] == 552


def test_a_port_that_is_taken_is_a_plain_message(sent: Sent, listener: Listener) -> None:
    with pytest.raises(ConfigError, match="can not listen on"):
        Listener(f"127.0.0.1:{listener.port}", sent.workspace.folder, sent.workspace.links.signer.returns)


def test_the_doors_that_the_settings_name_are_open_for_the_time_of_a_block(sent: Sent, maildir: Path) -> None:
    (maildir / "new" / "1.example").write_bytes(bounce(sent))
    environment = {"COMMS_BOUNCES__MAILDIR": os.path.relpath(maildir, sent.workspace.folder)}
    with Workspace(sent.workspace.folder, environment=environment) as workspace:
        with doors(workspace):
            wait_until(lambda: kept(sent))
        assert list((maildir / "new").iterdir()) == []
