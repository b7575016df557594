"""Evaluates authors' Jinja where no member is reading: feeds, public pages, posts. Renders no templates of ours.

Only what `campaigns.expressions` finds harmless is run, in the sandbox that members' texts are rendered in.
"""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import ChainableUndefined, StrictUndefined, TemplateError, Undefined

from campaigns.errors import shown
from campaigns.expressions import PUBLIC, Flaw, expression_flaws, flaws
from campaigns.mergefields import MergeEnvironment
from comms.errors import CommsError

_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What an expression that passed the check can still make Python raise."""


class ExpressionError(CommsError, ValueError):
    """An expression that can not be evaluated; the message shows it and says what is wrong."""


class NoReader(ChainableUndefined):
    """A reader's value where nobody reads: false, so that fallbacks apply; "…" when printed all the same."""

    __slots__ = ()

    def __str__(self) -> str:
        return "…"


def _environment(undefined: type[Undefined]) -> MergeEnvironment:
    environment = MergeEnvironment()
    environment.undefined = undefined
    environment.finalize = lambda value: undefined(name="value") if value is None else value
    environment.globals.clear()
    return environment


_WITH_ELLIPSIS = _environment(NoReader)
_WITH_NOTHING = _environment(ChainableUndefined)
_STRICT = _environment(StrictUndefined)


def evaluate(source: str, values: Mapping[str, object], *, blank: bool = False) -> str:
    """The text of one `{{ ... }}` as a reader who is nobody sees it.

    `values` are plain data; only `association`, `campaign` and `url` of them are used. What only a reader has becomes
    "…" unless the expression has a fallback (nothing at all when `blank`). Raises ExpressionError for an expression
    that is malformed or not allowed.
    """
    _refuse(source, expression_flaws(source))
    environment, nothing = (_WITH_NOTHING, "") if blank else (_WITH_ELLIPSIS, "…")
    try:
        return environment.from_string(source).render(_public(values))
    except _FAULTS:
        # Arithmetic or a filter on what nobody has: the same as printing it.
        return nothing


def render(source: str, values: Mapping[str, object]) -> str:
    """A short text with `{{ ... }}` and `{% if %}` in it, about nothing but `association`, `campaign` and `url`.

    Raises ExpressionError for other names, for anything that is not allowed, and for values that are missing.
    """
    _refuse(source, flaws(source, names=PUBLIC))
    try:
        return _STRICT.from_string(source).render(_public(values))
    except _FAULTS as error:
        message = getattr(error, "message", None) or str(error)
        raise ExpressionError(f"`{shown(source)}` can not be filled in: {shown(str(message), 200)}") from error


def _public(values: Mapping[str, object]) -> dict[str, object]:
    return {name: values[name] for name in PUBLIC if name in values}


def _refuse(source: str, found: tuple[Flaw, ...]) -> None:
    if found:
        raise ExpressionError(f"`{shown(source)}` can not be used: {found[0].message}", hint=found[0].hint)
