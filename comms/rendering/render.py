"""An edition and one member's data -> that member's subject, HTML and text. Knows no MJML and no e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import Template
from jinja2.runtime import Undefined

from campaigns.mergefields import Missing, MissingValueError
from comms.message import MailFile
from comms.rendering import quoted
from comms.rendering.clean import one_line, printable
from comms.rendering.conditions import Conditions, section_flags
from comms.rendering.edition import Edition
from comms.rendering.enclosed import with_cids
from comms.rendering.errors import RenderError
from comms.rendering.sandbox import FAULTS, SafeEnvironment, render
from comms.rendering.skeleton import Skeleton, skeleton


@dataclass(frozen=True, slots=True)
class Rendered:
    """One person's message, nothing encoded yet. `subject` and `preview` are single lines."""

    subject: str
    preview: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """One person's message. `subject` is a single line; `html` and `text` are in quoted-printable."""

    subject: str
    html: str
    text: str


class Renderer:
    """Renders one edition for as many members as there are; safe to share between threads.

    Raises RenderError when the edition's sources are not what `compile_edition` makes.
    """

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._member = _Templates(edition, Missing)
        try:
            self._conditions = Conditions(edition.conditions)
        except ValueError as error:
            raise RenderError("conditions", str(error)) from error

    @property
    def files(self) -> tuple[MailFile, ...]:
        """What goes with each mail."""
        return self._edition.files

    def render(self, context: Mapping[str, Any]) -> Rendered:
        """One member's message.

        `context` holds plain data: `member` (see `context.member_data`), `association`, `campaign`,
        `links` (see `LinkMaker.for_mail`) and `url`; for an edition with conditions also `today`, a date; for one with
        topics `sections`, as a `Recipient` has them: left out, the member sees all sections.
        Raises RenderError when the member lacks a value for which the text has no fallback; an empty value
        counts as lacking.
        """
        return self._member.render(self._for_member(context))

    def encode(self, context: Mapping[str, Any]) -> Encoded:
        """What `render` gives, encoded for a mail, and many times as fast: only what depends on the member is worked
        out. Images that go with the mail are shown from there, and not by their address.

        Raises RenderError as `render` does.
        """
        known = self._for_member(context)
        try:
            return self._member.fill(known, *self._skeletons, files=self._edition.files)
        except FAULTS:  # rendered whole, the text tells best what is wrong with it
            rendered = self._member.render(known)
            html = with_cids(rendered.html, self._edition.files)
            return Encoded(rendered.subject, quoted.encode(html), quoted.encode(rendered.text))

    def render_public(self, context: Mapping[str, Any]) -> Rendered:
        """The message as anyone may see it: fallbacks where there are some, `…` where a value is missing, of each
        condition the other side, and the sections of every topic.

        `context` is as for `render`; its `member` is left out.
        """
        everything = section_flags(self._edition.topics, "")
        return _Templates(self._edition, _Ellipsis).render({**context, "member": everything})

    def _for_member(self, context: Mapping[str, Any]) -> dict[str, Any]:
        member = {name: value for name, value in context.get("member", {}).items() if value not in ("", None)}
        if self._conditions:
            member |= self._conditions.flags(member, context["today"])
        if self._edition.topics:
            member |= section_flags(self._edition.topics, context.get("sections", ""))
        return {**context, "member": member}

    @cached_property
    def _skeletons(self) -> tuple[Skeleton | None, Skeleton | None]:
        """Of the HTML and of the text."""
        return (
            skeleton(with_cids(self._edition.html, self._edition.files), autoescape=True),
            skeleton(self._edition.text, autoescape=False),
        )


class _Templates:
    """The four sources of an edition, compiled."""

    def __init__(self, edition: Edition, undefined: type[Undefined]) -> None:
        text = SafeEnvironment(autoescape=False, undefined=undefined, finalize=printable)
        html = SafeEnvironment(autoescape=True, undefined=undefined, finalize=printable)
        self._subject = _compiled(text, "subject", edition.subject)
        # Most previews are the same for everyone.
        self._preview = _compiled(text, "preview", edition.preview) if "{" in edition.preview else None
        self._same_preview = one_line(edition.preview)
        self._html = _compiled(html, "html", edition.html)
        self._text = _compiled(text, "text", edition.text)

    def render(self, context: Mapping[str, Any]) -> Rendered:
        return Rendered(
            *self._lines(context),
            html=_rendered(self._html, "html", context),
            text=_rendered(self._text, "text", context),
        )

    def fill(
        self, context: dict[str, Any], html: Skeleton | None, text: Skeleton | None, *, files: tuple[MailFile, ...]
    ) -> Encoded:
        """As `render`, through a skeleton where there is one. Raises what a skeleton raises, too."""
        subject, _ = self._lines(context)
        return Encoded(
            subject,
            html=html.fill(context)
            if html
            else quoted.encode(with_cids(_rendered(self._html, "html", context), files)),
            text=text.fill(context) if text else quoted.encode(_rendered(self._text, "text", context)),
        )

    def _lines(self, context: Mapping[str, Any]) -> tuple[str, str]:
        """Subject and preview."""
        subject = one_line(_rendered(self._subject, "subject", context))
        if not subject:
            raise RenderError("subject", "is empty", hint="write a fallback, such as {{ member.x or 'News' }}")
        if self._preview is None:
            return subject, self._same_preview
        return subject, one_line(_rendered(self._preview, "preview", context))


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
