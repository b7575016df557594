"""What can go wrong in a way a person can mend.

    CommsError
    ├── ConfigError         a setting is missing or wrong; names file and key
    ├── WorkspaceError      the folder is no workspace, or is newer than this program
    ├── UsageError          the command asks for something that does not exist
    ├── StateError          it exists, but not in a state in which this can be done
    └── StorageError        a database can not be read or written (disk full, locked, damaged)

Everything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


class CommsError(Exception):
    """Root of the errors that are shown as one message, without a traceback.

    `hint` says what to do; it is empty when the message says it already.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigError(CommsError, ValueError):
    """A setting is missing or has a value that can not be used."""


class WorkspaceError(CommsError):
    """The folder is no workspace, or one that this version can not open."""


class UsageError(CommsError, LookupError):
    """Something named on the command line or in a call does not exist, or can not be used so."""


class StateError(CommsError):
    """What is asked for can not be done in the state in which things are; nothing was changed."""


class StorageError(CommsError, OSError):
    """A database or file can not be read or written now; nothing was half done.

    `passing`: the same may work later without anyone mending the file, as when the disk was full.
    """

    def __init__(self, message: str, *, hint: str = "", passing: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.passing = passing
