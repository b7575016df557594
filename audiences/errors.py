"""What can be wrong with what people hand us about members.

AudienceError
├── AddressError       not an e-mail address that can be written to
├── ImportFileError    the file as a whole can not be imported; names file and line
└── segments.RuleError a segment rule; names the column
"""

from __future__ import annotations


class AudienceError(ValueError):
    """Root of this package's errors."""


class AddressError(AudienceError):
    """Not an e-mail address that can be written to."""


class ImportFileError(AudienceError):
    """The file can not be imported. `line` is 1-based, 0 when it concerns the whole file."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path = path
        self.line = line
        self._message = message

    def __reduce__(self) -> tuple[type[ImportFileError], tuple[str, int, str]]:
        # Errors are rebuilt from what they print, unless told otherwise; this one travels between processes.
        return type(self), (self.path, self.line, self._message)
