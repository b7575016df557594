"""An edition and one member's data -> that member's subject, HTML and text. Knows no MJML and no e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Template
from jinja2.runtime import Undefined

from campaigns.mergefields import Missing, MissingValueError
from comms.rendering.clean import clean, one_line
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError
from comms.rendering.sandbox import FAULTS, SafeEnvironment, render


@dataclass(frozen=True, slots=True)
class Rendered:
    """One person's message, nothing encoded yet. `subject` and `preview` are single lines."""

    subject: str
    preview: str
    html: str
    text: str


class Renderer:
    """Renders one edition for as many members as there are; safe to share between threads.

    Raises RenderError when the edition's sources are not what `compile_edition` makes.
    """

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._member = _Templates(edition, Missing)

    def render(self, context: Mapping[str, Any]) -> Rendered:
        """One member's message.

        `context` holds plain data: `member` (see `context.member_data`), `association`, `campaign`,
        `links` (`click`, `unsubscribe`, `view`, `pixel`) and `url`. Raises RenderError when the member
        lacks a value for which the text has no fallback; an empty value counts as lacking.
        """
        member = {name: value for name, value in context.get("member", {}).items() if value not in ("", None)}
        return self._member.render({**context, "member": member})

    def render_public(self, context: Mapping[str, Any]) -> Rendered:
        """The message as anyone may see it: fallbacks where there are some, `…` where a value is missing.

        `context` is as for `render`; its `member` is left out.
        """
        return _Templates(self._edition, _Ellipsis).render({**context, "member": {}})


class _Templates:
    """The four sources of an edition, compiled."""

    def __init__(self, edition: Edition, undefined: type[Undefined]) -> None:
        text = SafeEnvironment(autoescape=False, undefined=undefined, finalize=_printable)
        html = SafeEnvironment(autoescape=True, undefined=undefined, finalize=_printable)
        self._subject = _compiled(text, "subject", edition.subject)
        self._preview = _compiled(text, "preview", edition.preview)
        self._html = _compiled(html, "html", edition.html)
        self._text = _compiled(text, "text", edition.text)

    def render(self, context: Mapping[str, Any]) -> Rendered:
        subject = one_line(_rendered(self._subject, "subject", context))
        if not subject:
            raise RenderError("subject", "is empty", hint="write a fallback, such as {{ member.x or 'News' }}")
        return Rendered(
            subject=subject,
            preview=one_line(_rendered(self._preview, "preview", context)),
            html=_rendered(self._html, "html", context),
            text=_rendered(self._text, "text", context),
        )


def _compiled(environment: SafeEnvironment, part: str, source: str) -> Template:
    try:
        return environment.from_string(source)
    except FAULTS as fault:
        raise RenderError(part, str(fault)) from fault


def _rendered(template: Template, part: str, context: Mapping[str, Any]) -> str:
    try:
        return render(template, context)
    except MissingValueError as missing:
        raise RenderError(
            missing.name,
            f"this member has no value for it, and the {part} has no fallback",
            hint=f"write {{{{ member.{missing.name} or '...' }}}}",
        ) from missing
    except FAULTS as fault:
        raise RenderError(part, str(fault)) from fault


def _printable(value: Any) -> Any:
    """What is printed for a value: text without control characters; None is as bad as absent."""
    if value is None:
        raise MissingValueError("value")
    # Exactly str: Markup has been through here already.
    return clean(value) if type(value) is str else value


class _Ellipsis(Undefined):
    """An absent value on a page for everyone: false like `Missing`, but prints as `…`."""

    __slots__ = ()

    def __str__(self) -> str:
        return "…"

    def _same(self, *_: object) -> _Ellipsis:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _same  # type: ignore[assignment]
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _same  # type: ignore[assignment]
    __neg__ = __pos__ = _same  # type: ignore[assignment]
    __abs__ = __round__ = _same
