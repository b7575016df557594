"""Backup, restore and doctor: what comes back is whole and quiet, and what is broken is named."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audiences.models import Association
from comms.delivery.letterbox import Letterbox
from comms.delivery.presence import Presence
from comms.delivery.relays import Standing
from comms.engine.audience import import_members
from comms.engine.control import ControlLock
from comms.engine.maintenance import back_up, examine
from comms.engine.pulse import Pulse
from comms.engine.restore import restore
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.web.server import serve
from tests.conftest import MailServer

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")
MUSEUMS = Association("museums", "Museums", "news@museums.example", "2 Main Street, Springfield")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "coalition", HOST) as workspace:
        workspace.add_association(MUSEUMS)
        people = tmp_path / "people.csv"
        people.write_text("email,name,consent\nada@example.org,Ada,yes\nben@example.org,Ben,no\n")
        import_members(workspace, people, "coalition")
        (workspace.media_folder / "logo.png").write_bytes(bytes(range(256)))
        (workspace.folder / "comms.toml").write_text('[smtp]\nport = 1\nhost = "127.0.0.1"\n')
        for campaign, state in (
            ("running", "sending"),
            ("waiting", "scheduled"),
            ("stopped", "paused"),
            ("old", "sent"),
        ):
            with workspace.host.db.atomic():
                workspace.host.save_campaign(
                    campaign, title="T", definition="d", state=state, senders=["coalition"], due_at=None, now=NOW
                )
        yield workspace


@pytest.fixture
def archive(workspace: Workspace, tmp_path: Path) -> Path:
    back_up(workspace, tmp_path / "backup.tar.gz")
    return tmp_path / "backup.tar.gz"


def tables(workspace: Workspace, slug: str) -> dict[str, list[dict[str, object]]]:
    db = workspace.association_db(slug)
    return {name: list(db.query(f"SELECT * FROM [{name}]")) for name in db.table_names()}


# --- backup and restore ---------------------------------------------------------------------


def test_a_restored_workspace_holds_the_same(workspace: Workspace, archive: Path, tmp_path: Path) -> None:
    restore(archive, tmp_path / "restored")
    with Workspace(tmp_path / "restored", environment={}) as restored:
        assert restored.associations() == workspace.associations()
        for slug in ("coalition", "museums"):
            assert tables(restored, slug) == tables(workspace, slug)
        assert restored.people("coalition").count() == 2
        assert restored.settings.smtp.port == 1
        assert restored.key.derive("links") == workspace.key.derive("links")
        assert (restored.media_folder / "logo.png").read_bytes() == bytes(range(256))
        example = "campaigns/welcome.md"
        assert (restored.folder / example).read_text() == (workspace.folder / example).read_text()


def test_what_was_under_way_is_paused_and_the_rest_stays(archive: Path, tmp_path: Path) -> None:
    assert sorted(restore(archive, tmp_path / "restored").paused) == ["running", "waiting"]
    with Workspace(tmp_path / "restored", environment={}) as restored:
        states = {row.id: row.state for row in restored.host.campaigns()}
        assert states == {"running": "paused", "waiting": "paused", "stopped": "paused", "old": "sent"}
        assert [entry[1:3] for entry in restored.host.audit("running")] == [("restore", "paused")]


def test_archive_and_restored_files_are_private(archive: Path, tmp_path: Path) -> None:
    restore(archive, tmp_path / "restored")
    folder = tmp_path / "restored"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in (folder / "workspace.key", folder / "host.db", *folder.glob("associations/*.db")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_backup_made_while_others_write_is_whole(workspace: Workspace, tmp_path: Path) -> None:
    stop, written = threading.Event(), threading.Event()

    def write_pairs() -> None:
        with Workspace(workspace.folder, environment={}) as other:
            while not stop.is_set():
                with other.host.db.atomic():
                    other.host.note("writer", "left", "old", "x" * 500, NOW)
                    other.host.note("writer", "right", "old", "x" * 500, NOW)
                written.set()

    thread = threading.Thread(target=write_pairs)
    thread.start()
    written.wait(10)
    try:
        for number in range(5):
            back_up(workspace, tmp_path / f"{number}.tar.gz")
    finally:
        stop.set()
        thread.join()
    for number in range(5):
        restore(tmp_path / f"{number}.tar.gz", tmp_path / f"restored-{number}")
        with Workspace(tmp_path / f"restored-{number}", environment={}) as restored:
            deeds = [what for _, _, what, _ in restored.host.audit("old")]
            assert deeds
            assert deeds.count("left") == deeds.count("right")
            assert restored.host.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_backup_leaves_nothing_beside_itself_and_overwrites_nothing(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    assert back_up(workspace, folder / "a.tar.gz") == (folder / "a.tar.gz").stat().st_size
    assert [path.name for path in folder.iterdir()] == ["a.tar.gz"]
    before = (folder / "a.tar.gz").read_bytes()
    with pytest.raises(StateError, match="exists already"):
        back_up(workspace, folder / "a.tar.gz")
    assert (folder / "a.tar.gz").read_bytes() == before
    with pytest.raises(UsageError, match="is no folder"):
        back_up(workspace, tmp_path / "none" / "a.tar.gz")


def test_a_backup_that_fails_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    workspace.close()
    (workspace.folder / "associations" / "museums.db").write_bytes(b"no database" * 500)
    with pytest.raises(OSError, match="not a database"):
        back_up(workspace, folder / "a.tar.gz")
    assert list(folder.iterdir()) == []


def test_a_workspace_that_is_restored_over_is_set_aside_whole(workspace: Workspace, archive: Path) -> None:
    workspace.close()
    before = sorted(path.relative_to(workspace.folder) for path in workspace.folder.rglob("*.db"))
    done = restore(archive, workspace.folder)
    assert done.before is not None
    assert sorted(path.relative_to(done.before) for path in done.before.rglob("*.db")) == before
    assert sorted(path.relative_to(workspace.folder) for path in workspace.folder.rglob("*.db")) == before


# --- archives that are broken, or built to harm -----------------------------------------------


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_an_archive_that_was_cut_off_is_refused_and_nothing_stays(archive: Path, tmp_path: Path, kept: float) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * kept)])
    _is_refused(archive, tmp_path)


def test_an_archive_that_lost_its_last_byte_or_got_one_changed_is_refused(archive: Path, tmp_path: Path) -> None:
    data = archive.read_bytes()
    whole = gzip.decompress(data)
    refused = 0
    for changed in (data[:-1], *(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in (700, 1000, 1300, -6))):
        try:
            harmless = gzip.decompress(changed) == whole  # in a run of zeros another way to say the same
        except (OSError, EOFError, zlib.error):
            harmless = False
        if not harmless:
            archive.write_bytes(changed)
            _is_refused(archive, tmp_path)
            refused += 1
    assert refused >= 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"no archive" * 1000, mtime=0),
        b"\x1f\x8b" + b"\xff" * 99,
    ],
)
def test_a_file_that_is_no_archive_is_refused_and_nothing_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "backup.tar.gz").write_bytes(content)
    _is_refused(tmp_path / "backup.tar.gz", tmp_path)


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    _is_refused(tmp_path / "none.tar.gz", tmp_path)


def _is_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=archive.name):
        restore(archive, tmp_path / "restored")
    assert not (tmp_path / "restored").exists() or not list((tmp_path / "restored").iterdir())


def _with(archive: Path, *members: tarfile.TarInfo, without: str = "") -> None:
    """Write the archive anew, with other members before its own."""
    with tarfile.open(archive) as source:
        kept = [(member, source.extractfile(member)) for member in source.getmembers() if member.name != without]
        loaded = [(member, file.read() if file else b"") for member, file in kept]
    with tarfile.open(archive, "w:gz") as target:
        for member in members:
            member.size = 4 if member.isreg() else 0
            target.addfile(member, io.BytesIO(b"evil"))
        for member, data in loaded:
            target.addfile(member, io.BytesIO(data))


def _member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    "member",
    [
        _member("../evil"),
        _member("campaigns/../../evil"),
        _member("link", tarfile.SYMTYPE, "../../outside"),
        _member("link", tarfile.SYMTYPE, "/etc/passwd"),
        _member("hard", tarfile.LNKTYPE, "../outside"),
        _member("device", tarfile.CHRTYPE),
        _member("pipe", tarfile.FIFOTYPE),
    ],
    ids=["parent", "nested parent", "link out", "absolute link", "hard link out", "device", "pipe"],
)
def test_an_archive_built_to_reach_outside_is_refused(archive: Path, tmp_path: Path, member: tarfile.TarInfo) -> None:
    (tmp_path / "outside").write_text("untouched")
    _with(archive, member)
    _is_refused(archive, tmp_path)
    assert not (tmp_path / "evil").exists()
    assert (tmp_path / "outside").read_text() == "untouched"


def test_an_absolute_name_lands_inside_or_nowhere(archive: Path, tmp_path: Path) -> None:
    outside = tmp_path / "absolute"
    _with(archive, _member(str(outside)))
    restore(archive, tmp_path / "restored")
    assert not outside.exists()


@pytest.mark.parametrize("name", ["comms.toml", "workspace.key", "host.db"])
def test_an_archive_without_what_makes_a_workspace_is_refused(archive: Path, tmp_path: Path, name: str) -> None:
    _with(archive, without=name)
    _is_refused(archive, tmp_path)


# --- doctor ---------------------------------------------------------------------------------


def findings(workspace: Workspace) -> dict[str, bool]:
    return {finding.what: finding.ok for finding in examine(workspace)}


def test_doctor_finds_a_healthy_workspace_intact_and_names_what_is_not_set_up(workspace: Workspace) -> None:
    found = findings(workspace)
    assert {what for what in found if what.endswith(": intact")} == {
        "host.db: intact", "coalition.db: intact", "museums.db: intact",
    }  # fmt: skip
    assert found["links in mails start with http://127.0.0.1:8625"] is False
    assert found["nothing runs here, but these wait: 2 campaigns"] is False
    assert all(finding.mend for finding in examine(workspace) if not finding.ok)


def test_doctor_counts_the_letters_that_nobody_sends(workspace: Workspace) -> None:
    box, now = Letterbox(workspace.association_db("museums")), workspace.now()
    for hours in (-1, 1):
        box.add("offer", "luis@museums.example", b"sealed", now=now, expires_at=now + timedelta(hours=hours))
    assert findings(workspace)["nothing runs here, but these wait: 2 campaigns and 1 letter"] is False


def test_doctor_says_that_an_associations_database_is_missing_and_makes_none(workspace: Workspace) -> None:
    path = workspace.association_path("museums")
    workspace.close()
    path.unlink()
    assert findings(workspace)["museums.db: is missing"] is False
    assert not path.exists()


def test_doctor_names_a_damaged_host_database_instead_of_failing_on_it(workspace: Workspace) -> None:
    workspace.close()
    with workspace.host_path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    for path in workspace.folder.glob("host.db-*"):
        path.unlink()
    found = findings(workspace)
    assert not next(ok for what, ok in found.items() if what.startswith("host.db: "))


def test_doctor_says_when_batches_lie_in_the_queue_and_no_sender_takes_them(workspace: Workspace) -> None:
    assert findings(workspace)["no batch waits for a sender"] is True
    ledger = workspace.ledger("coalition")
    with ledger.db.atomic():
        run = ledger.db.execute(
            "INSERT INTO run (campaign, channel, digest, state, doubt, planned, frozen_at)"
            " VALUES ('stuck', 'newsletter', '', 'sending', 'hold', 1, '')"
        ).lastrowid
        claimed = workspace.now().timestamp() - 600
        ledger.db.execute("INSERT INTO batch (id, run_id, claimed_at, size) VALUES ('b', ?, ?, 1)", [run, claimed])
    assert findings(workspace)["1 batches wait for a sender, the oldest for 10 minutes"] is False


def test_doctor_tries_each_mail_server_and_names_the_section_of_one_that_is_away(
    workspace: Workspace, mail_server: Callable[..., MailServer]
) -> None:
    there = mail_server()
    away = '[smtp_relays.away]\nport = 2\nusername = "u"\npassword = "hunter2"\n'
    (workspace.folder / "comms.toml").write_text(f"[smtp]\nport = {there.port}\n{away}")
    with Workspace(workspace.folder, environment={}) as changed:
        found = [each for each in examine(changed) if "mail server" in each.what]
    assert [each.ok for each in found] == [True, False]
    assert found[1].mend == "See [smtp_relays.away] in comms.toml."
    assert "hunter2" not in repr(found)


def test_doctor_says_when_control_runs_and_no_sender_lives_or_control_has_fallen_silent(workspace: Workspace) -> None:
    lock = ControlLock(workspace.folder)
    assert lock.take()
    try:
        Pulse(workspace.folder).beat([], workspace.now() - timedelta(seconds=300))
        assert findings(workspace)["0 senders live on this machine"] is False
        assert findings(workspace)["control told of itself 300 seconds ago"] is False
        with Presence(workspace.folder) as sender:
            Pulse(workspace.folder).beat([], workspace.now())
            sender.tell([Standing("smtp", "open", 0.0, "421 go away")])
            found = findings(workspace)
        assert found["1 senders live on this machine"] is True
        assert found["control told of itself 0 seconds ago"] is True
        assert found["the mail server smtp is set aside by 1 of 1 senders: 421 go away"] is False
    finally:
        lock.release()


def test_doctor_says_that_redis_does_not_answer_and_not_with_which_password(workspace: Workspace) -> None:
    (workspace.folder / "comms.toml").write_text('[queue]\nurl = "redis://u:hunter2@127.0.0.1:1/0"\n')
    with Workspace(workspace.folder, environment={}) as changed:
        (found,) = [each for each in examine(changed) if "Redis" in each.what]
    assert not found.ok
    assert found.what.startswith("Redis at 127.0.0.1:1/0 does not answer: ")
    assert "hunter2" not in repr(found)


def test_doctor_compares_the_clock_with_that_of_the_public_address_when_asked(workspace: Workspace) -> None:
    server = serve(workspace.folder, "127.0.0.1", 0)
    server.start()
    try:
        (workspace.folder / "comms.toml").write_text(f'[site]\nurl = "http://127.0.0.1:{server.port}"\n')
        for offset, ok in ((0, True), (600, False), (-600, False)):
            clock = lambda offset=offset: datetime.now(UTC) + timedelta(seconds=offset)  # noqa: E731
            with Workspace(workspace.folder, environment={}, clock=clock) as changed:
                assert not [each for each in examine(changed) if "that of http" in each.what]
                (found,) = [each for each in examine(changed, online=True) if "that of http" in each.what]
            assert found.ok is ok
    finally:
        server.stop()
    with Workspace(workspace.folder, environment={}) as changed:
        assert any("can not be asked for the time" in each.what for each in examine(changed, online=True))


def test_doctor_notices_a_clock_that_was_put_back(workspace: Workspace) -> None:
    with workspace.host.db.atomic():
        workspace.host.note("somebody", "sent", None, "", workspace.now() + timedelta(hours=1))
    assert any(
        "60 minutes before the last thing written down" in what for what, ok in findings(workspace).items() if not ok
    )


def test_doctor_names_words_and_translations_that_can_not_be_used(workspace: Workspace) -> None:
    own = workspace.folder / "locale" / "es" / "comms.po"
    own.parent.mkdir(parents=True)
    own.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Save"\nmsgstr "100 %"\n')
    welcome = workspace.folder / "letters" / "coalition" / "welcome.md"
    welcome.parent.mkdir(parents=True)
    welcome.write_text("No heading")
    found = findings(workspace)
    (line,) = (what for what in found if "comms.po" in what)
    assert "line 4: a percent sign that is not doubled" in line
    assert line.endswith("and 1 more")
    own.unlink()
    assert any("welcome.md has no heading" in what for what, ok in findings(workspace).items() if not ok)
