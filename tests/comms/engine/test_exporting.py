"""Lists written into files: whole or not at all, for their owner alone, noted, and read back by what they are for."""

from __future__ import annotations

import csv
import io
import stat
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audiences.importing import detect
from audiences.models import ANY_TOPIC, Association, Basis, Consent, ConsentState, Member, SuppressionScope
from audiences.segments import RuleError
from comms.engine.audience import import_members
from comms.engine.exporting import NO_ROOM, NOT_SUBSCRIBED, Format, export_list
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")
OTHER = Association("other", "Other", "news@other.example", "2 Main Street, Springfield")
GRANT, WITHDRAWAL = ConsentState.GRANTED, ConsentState.WITHDRAWN


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "w", HOST) as workspace:
        workspace.add_association(OTHER)
        yield workspace


def add(
    workspace: Workspace, address: str | None, *records: tuple[str, ConsentState, Basis | None], **more: str
) -> int:
    people = workspace.people("coalition")
    with people.db.atomic():
        number = people.next_id()
        people.insert([Member(address, more, id=number)], NOW)
        people.note_attributes(more)
        people.record([(number, Consent(topic, state, NOW, "form", basis)) for topic, state, basis in records], NOW)
        people.add_tags([(number, "Friends, old"), (number, "Board")])
    return number


@pytest.fixture
def list_of_five(workspace: Workspace) -> Workspace:
    """One for each of Mailchimp's tables, and one whose address no spreadsheet should see."""
    add(workspace, "ana@example.org", (ANY_TOPIC, GRANT, Basis.EXPRESS), first_name="Ana", state="WA", phone="+1 5")
    add(workspace, "lee@example.org", (ANY_TOPIC, WITHDRAWAL, None), first_name="Lee")
    add(workspace, "cleo@example.org", (ANY_TOPIC, GRANT, Basis.MEMBERSHIP), first_name="Cleo")
    add(workspace, "dan@example.org", ("jobs", GRANT, Basis.EXPRESS), first_name="Dan")
    add(workspace, "=1+1@example.org", (ANY_TOPIC, GRANT, Basis.EXPRESS))
    add(workspace, None, first_name="Nobody")
    people = workspace.people("coalition")
    with people.db.atomic():
        people.suppress("cleo@example.org", SuppressionScope.ASSOCIATION, "hard bounce", NOW)
    return workspace


def agrees(workspace: Workspace, slug: str) -> dict[str | None, bool]:
    people = workspace.people(slug)
    members = {m.id: m.address for m in people.select() if m.id is not None}
    return {members[number]: standing.agrees_to(None) for number, standing in people.standings(members).items()}


def test_our_list_is_read_back_by_another_association(list_of_five: Workspace, tmp_path: Path) -> None:
    exported = export_list(list_of_five, tmp_path / "list.csv", "coalition", who="dana")
    result = import_members(list_of_five, tmp_path / "list.csv", "other")

    assert (exported.members, result.added, result.refused, result.source) == (6, 6, [], "comms")
    assert agrees(list_of_five, "other") == agrees(list_of_five, "coalition")
    again = import_members(list_of_five, tmp_path / "list.csv", "other")
    assert (again.added, again.updated, again.unchanged) == (0, 0, 6)


def test_no_cell_of_a_list_runs_in_a_spreadsheet(list_of_five: Workspace, tmp_path: Path) -> None:
    # What the importer makes of the topic "2027 plans" begins with a hyphen.
    add(list_of_five, "eva@example.org", ("-2027-plans", GRANT, Basis.EXPRESS), ("-2026-plans", WITHDRAWAL, None))
    for form in Format:
        path = tmp_path / f"{form}.csv"
        export_list(list_of_five, path, "coalition", form=form, who="dana")
        with path.open(newline="", encoding="utf-8") as file:
            assert not [cell for row in csv.reader(file) for cell in row if cell.startswith(("=", "+", "@", "-"))]


def test_a_mailchimp_zip_has_a_table_for_each_status_and_our_importer_reads_them(
    list_of_five: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "audience.zip"
    exported = export_list(list_of_five, path, "coalition", form=Format.MAILCHIMP, who="dana")

    assert exported.tables == {"subscribed": 1, "unsubscribed": 1, "cleaned": 1, "nonsubscribed": 1}
    assert exported.left_out == {NO_ROOM: 2}
    with zipfile.ZipFile(path) as archive:
        assert sorted(name.partition("_")[0] for name in archive.namelist()) == sorted(exported.tables)
        subscribed = archive.read("subscribed_email_audience_export.csv").decode()
    (row,) = csv.DictReader(io.StringIO(subscribed))
    assert (row["Email Address"], row["First Name"], row["State"]) == ("ana@example.org", "Ana", "WA")
    assert (row["OPTIN_TIME"], row["CONFIRM_TIME"]) == ("2027-02-01 09:00:00", "2027-02-01 09:00:00")
    assert row["TAGS"] == '"Board","Friends, old"'
    assert "MEMBER_RATING" not in row

    assert detect.detect(path)[0][0] == "mailchimp"
    result = import_members(list_of_five, path, "other")
    assert (result.added, result.suppressed, result.refused) == (4, 1, [])
    assert agrees(list_of_five, "other") == {
        "ana@example.org": True,
        "lee@example.org": False,
        "cleo@example.org": False,
        "dan@example.org": False,
    }
    people = list_of_five.people("other")
    ana = people.find("ana@example.org")
    assert ana is not None
    assert people.tags([ana.id or 0])[ana.id or 0] == {"board", "friends, old"}


def test_one_mailchimp_table_holds_nobody_but_the_subscribed(list_of_five: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "audience.csv"
    exported = export_list(list_of_five, path, "coalition", form=Format.MAILCHIMP, who="dana")
    assert (exported.members, exported.left_out) == (1, {NOT_SUBSCRIBED: 3, NO_ROOM: 2})
    assert detect.detect(path)[0][0] == "mailchimp"
    assert "lee@" not in path.read_text(encoding="utf-8")


def test_somebody_else_s_yes_gives_mailchimp_no_time_at_which_the_person_asked(
    workspace: Workspace, tmp_path: Path
) -> None:
    add(workspace, "cleo@example.org", (ANY_TOPIC, GRANT, Basis.MEMBERSHIP))
    export_list(workspace, tmp_path / "a.csv", "coalition", form=Format.MAILCHIMP, who="dana")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text(encoding="utf-8")))
    assert (row["OPTIN_TIME"], row["CONFIRM_TIME"]) == ("", "")


def test_a_rule_says_who_is_in_the_list(list_of_five: Workspace, tmp_path: Path) -> None:
    stream = io.StringIO()
    assert export_list(list_of_five, stream, "coalition", rule="state = WA", who="dana").members == 1
    assert "ana@example.org" in stream.getvalue()
    with pytest.raises(RuleError):
        export_list(list_of_five, tmp_path / "x.csv", "coalition", rule="nonsense = 1", who="dana")
    assert not (tmp_path / "x.csv").exists()


def test_a_list_is_for_its_owner_alone_and_overwrites_nothing(list_of_five: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    export_list(list_of_five, path, "coalition", who="dana")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(StateError, match="exists already"):
        export_list(list_of_five, path, "coalition", who="dana")
    with pytest.raises(UsageError, match="is no folder"):
        export_list(list_of_five, tmp_path / "none" / "list.csv", "coalition", who="dana")


def test_an_export_that_is_cut_off_leaves_nothing_behind(list_of_five: Workspace, tmp_path: Path) -> None:
    def cut_off(done: int, total: int) -> None:
        assert total == 6
        raise KeyboardInterrupt

    for name in ("list.csv", "list.zip"):
        with pytest.raises(KeyboardInterrupt):
            export_list(list_of_five, tmp_path / name, "coalition", form=Format.MAILCHIMP, who="dana", progress=cut_off)
    assert [path.name for path in tmp_path.iterdir()] == ["w"]
    assert not list_of_five.people("coalition").db.conn.in_transaction


def test_a_file_that_somebody_else_makes_meanwhile_is_not_overwritten(list_of_five: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with pytest.raises(StateError, match="exists already"):
        export_list(
            list_of_five, path, "coalition", who="dana", progress=lambda done, total: path.write_text("mine") and None
        )
    assert path.read_text() == "mine"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["list.csv", "w"]


def test_a_place_that_can_not_be_written_to_is_named(list_of_five: Workspace) -> None:
    with pytest.raises(StateError, match=r"/proc/list\.csv can not be written"):
        export_list(list_of_five, Path("/proc/list.csv"), "coalition", who="dana")
    assert not list_of_five.people("coalition").db.conn.in_transaction


def test_who_took_a_list_is_written_down_and_not_whom_it_holds(list_of_five: Workspace, tmp_path: Path) -> None:
    export_list(list_of_five, tmp_path / "list.csv", "coalition", rule='address = "ana@example.org"', who="dana")
    noted = list_of_five.host.db.execute("SELECT who, what, detail FROM audit").fetchall()
    assert noted == [("dana", "list exported", "list of coalition for comms, rows: 1, chosen by a rule")]
