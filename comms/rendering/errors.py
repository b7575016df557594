"""What can go wrong between a campaign and a message. Knows no template language and no file.

CommsError
├── TemplateError       a template or the Jinja in a campaign can not be used; names template and line
├── RenderError         one member's message can not be made; names the field
└── UnsendableAddress   an address that no mail server would take from us
"""

from __future__ import annotations

from dataclasses import dataclass

from comms.errors import CommsError


@dataclass(frozen=True, slots=True, order=True)
class TemplateProblem:
    """One thing wrong in a template. `line` is 1-based; 0 when no single line is to blame."""

    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class TemplateError(CommsError, ValueError):
    """A template, or the Jinja in a campaign, can not be used. `line` is 0 when unknown."""

    def __init__(self, template: str, line: int, message: str, *, hint: str = "") -> None:
        where = f"{template}, line {line}" if line else template
        super().__init__(f"{where}: {message}", hint=hint)
        self.template = template
        self.line = line
        self.reason = message

    @classmethod
    def of(cls, template: str, problem: TemplateProblem) -> TemplateError:
        """The problem as an error that names its template."""
        return cls(template, problem.line, problem.message, hint=problem.hint)

    @property
    def problem(self) -> TemplateProblem:
        """The error as a line of a report."""
        return TemplateProblem(self.line, self.reason, self.hint)


class RenderError(CommsError, ValueError):
    """One member's message can not be made. `field` is the value that lacks or misbehaves."""

    def __init__(self, field: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{field}: {message}", hint=hint)
        self.field = field
        self.reason = message


class UnsendableAddress(CommsError, ValueError):  # noqa: N818 - the word people use for it
    """An address that can not stand in a message header; nothing was built."""

    def __init__(self, address: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{address!r}: {message}", hint=hint)
        self.address = address
