"""Writes an association's list into a file of its own, for another system or another installation.

What stands in the rows is `audiences/exporting`'s business; here is who is asked, and how the file comes about.
"""

from __future__ import annotations

import csv
import os
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from audiences.exporting import mailchimp, own
from audiences.exporting.mailchimp import Status
from audiences.exporting.store import Export
from audiences.segments import Condition
from comms.db import storage_errors
from comms.engine.segments import compile_rule
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError

_ENCODING = {"encoding": "utf-8", "errors": "replace", "newline": ""}


class Format(StrEnum):
    """What the list is to be read by."""

    COMMS = "comms"
    MAILCHIMP = "mailchimp"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote, and whom it left out."""

    members: int
    """Rows, in all tables together."""
    tables: Mapping[str, int] = field(default_factory=dict)
    """Status -> rows, where there is a table for each."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Why members could not be told in this format -> how many."""

    def to_json(self) -> dict[str, Any]:
        return {"members": self.members, "tables": dict(self.tables), "left_out": dict(self.left_out)}


NO_ROOM = "no address that the format can hold"
NOT_SUBSCRIBED = "not subscribed to everything; a file that ends in .zip holds them too"


def export_list(
    workspace: Workspace,
    target: Path | IO[str],
    association: str,
    *,
    rule: str | None = None,
    form: Format = Format.COMMS,
    who: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Exported:
    """Write the members for whom `rule` holds (all, when None) to a new file, or to an open stream of text.

    The file can be read by its owner alone, and is there whole or not at all. Who took the list is noted in the audit
    log before the first row leaves. Raises StateError when the file exists, UsageError when its folder does not,
    segments.RuleError.
    """
    if isinstance(target, Path):
        _refuse(target)
    condition = compile_rule(workspace, rule, association, workspace.now().date())
    export = Export(workspace.people(association))
    with storage_errors(workspace.association_path(association)), export.snapshot():
        total = workspace.people(association).count(condition)
        _note(workspace, association, form, rule, total, who)
        writer = _Writer(export, condition, lambda done: progress(done, total))
        if not isinstance(target, Path):
            return writer.own(target) if form is Format.COMMS else writer.subscribed(target)
        with _new_file(target) as part:
            if form is Format.MAILCHIMP and target.suffix.casefold() == ".zip":
                return writer.zipped(part)
            with part.open("w", **_ENCODING) as stream:  # type: ignore[call-overload]  # the four are strings
                return writer.own(stream) if form is Format.COMMS else writer.subscribed(stream)


def _refuse(file: Path) -> None:
    if file.exists():
        raise _taken(file)
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder.", hint="Make it first, or name a file in another folder.")


def _taken(file: Path) -> StateError:
    return StateError(f"{file} exists already.", hint="Name a new file; an export never overwrites another.")


def _note(workspace: Workspace, association: str, form: Format, rule: str | None, total: int, who: str) -> None:
    """Write down who takes a list. Not which members, nor the rule, for it may name one: the log is the host's, the
    list the association's."""
    chosen = ", chosen by a rule" if rule else ""
    with workspace.host.db.atomic():
        detail = f"list of {association} for {form.value}, rows: {total:,}{chosen}"
        workspace.host.note(who, "list exported", None, detail, workspace.now())


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """An empty file beside `target`, which takes its name once everything is written; gone when that fails."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".export.", dir=target.parent)  # mode 0600
        os.close(descriptor)
        part = Path(name)
        try:
            yield part
            with part.open("rb") as written:
                os.fsync(written.fileno())
            _name(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        hint = "Nothing is left of it. Is there room on the disk, and may you write there?"
        raise StateError(f"{target} can not be written: {error.strerror or error}.", hint=hint) from error


def _name(part: Path, target: Path) -> None:
    """Give the finished file its name, which somebody else may have taken meanwhile."""
    try:
        os.link(part, target)  # unlike a rename it never replaces a file
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # a file system on which no file has two names, such as that of a memory stick
        _refuse(target)
        part.replace(target)


class _Writer:
    """Writes the members of one export, row by row."""

    def __init__(self, export: Export, condition: Condition, progress: Callable[[int], None]) -> None:
        self._export, self._condition, self._progress = export, condition, progress
        self._topics = export.topics()

    def own(self, stream: IO[str]) -> Exported:
        """Our own list."""
        names = self._export.attribute_names()
        table = csv.writer(stream)
        table.writerow(own.header(names))
        number = 0
        for number, listed in enumerate(self._export.members(self._condition), start=1):
            table.writerow(own.row(listed, names, self._topics))
            self._progress(number)
        return Exported(number)

    def subscribed(self, stream: IO[str]) -> Exported:
        """Mailchimp's table of the subscribed: a tool that is given one table takes all in it for that."""
        return self._mailchimp({Status.SUBSCRIBED: stream})

    def zipped(self, file: Path) -> Exported:
        """Mailchimp's tables in a ZIP, written one beside the other first, for a ZIP takes them one by one."""
        with tempfile.TemporaryDirectory(prefix=".export.", dir=file.parent) as folder, ExitStack() as opened:
            paths = {status: Path(folder) / mailchimp.file_name(status) for status in Status}
            streams = {
                status: opened.enter_context(path.open("w", **_ENCODING))  # type: ignore[call-overload]
                for status, path in paths.items()
            }
            exported = self._mailchimp(streams)
            for stream in streams.values():
                stream.close()
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for status, path in paths.items():
                    if status in mailchimp.USUAL or exported.tables[status]:
                        archive.write(path, path.name)
        return exported

    def _mailchimp(self, streams: Mapping[Status, IO[str]]) -> Exported:
        names = mailchimp.attributes_told(self._export.attribute_names())
        tables = {status: csv.writer(stream) for status, stream in streams.items()}
        for status, table in tables.items():
            table.writerow(mailchimp.header(status, names))
        rows, left_out = Counter[str](dict.fromkeys(tables, 0)), Counter[str]()
        for number, listed in enumerate(self._export.members(self._condition), start=1):
            status = mailchimp.status_of(listed, self._topics)
            if not mailchimp.can_be_told(listed):
                left_out[NO_ROOM] += 1
            elif status not in tables:
                left_out[NOT_SUBSCRIBED] += 1
            else:
                tables[status].writerow(mailchimp.row(listed, status, names, self._topics))
                rows[status.value] += 1
            self._progress(number)
        return Exported(rows.total(), dict(rows), dict(left_out))
