"""Values of a member that may be absent: what stands for them when rendering, and which texts need them.

The analysis renders, but only texts that `expressions.flaws` found harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from jinja2 import Template, TemplateError, Undefined, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from campaigns.errors import CampaignError
from campaigns.expressions import flaws, merge_fields

__all__ = ["MergeEnvironment", "Missing", "MissingValueError", "fields_without_fallback", "merge_fields"]


class MissingValueError(UndefinedError):
    """A text needs a value that is absent and names nothing in its stead; `name` is the value's."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no value for {name!r}")


class Missing(Undefined):
    """An absent value: false, unlike every value, `is defined` says no, `default` replaces it.

    Whatever would put it into the text (printing, filters, arithmetic, iterating) raises MissingValueError.
    """

    __slots__ = ()

    def _fail(self, *_: object, **__: object) -> NoReturn:
        raise MissingValueError(str(self._undefined_name))

    def _no(self, _: object) -> bool:
        return False

    _fail_with_undefined_error = _fail
    __str__ = __len__ = __iter__ = __reversed__ = __abs__ = __format__ = _fail
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _fail
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = _fail
    __pos__ = __neg__ = __int__ = __float__ = __complex__ = __round__ = _fail
    __call__ = __getitem__ = _fail
    __lt__ = __le__ = __gt__ = __ge__ = _no  # type: ignore[assignment]
    __contains__ = _no


class MergeEnvironment(ImmutableSandboxedEnvironment):
    """Jinja for texts about members: sandboxed, absent values are `Missing`, and `x.y` on a mapping is `x["y"]`.

    The last keeps a column called `items` or `values` from naming a method of the mapping.
    """

    def __init__(self, *, autoescape: bool = False) -> None:
        super().__init__(autoescape=autoescape, undefined=Missing, keep_trailing_newline=True)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) and isinstance(argument, str):
            return self.getattr(obj, argument)
        return super().getitem(obj, argument)


def fields_without_fallback(source: str) -> tuple[str, ...]:
    """Names of the member's values without which `source` can not be rendered, in the order of the text.

    `{{ member.first_name or "Colleague" }}` has a fallback, `{{ member.first_name|upper }}` has none.
    Found by rendering with each value absent in turn, then with all absent, and this twice: once with
    every comparison true, once with every one false, so that both branches of an `if` are seen. A value
    behind several conditions at once can stay unseen: rendering is what finally says no.

    Raises CampaignError for a text in which `flaws` finds something.
    """
    if found := flaws(source):
        raise CampaignError(f"line {found[0].line}: {found[0].message} ({found[0].hint})")
    fields = merge_fields(source)
    template = MergeEnvironment().from_string(source)
    needed: set[str] = set()
    for dummy in (_Agreeing("Text"), _Refusing("Text")):
        full: dict[str, str] = dict.fromkeys(fields, dummy)
        for field in fields:
            needed.update(_missed(template, {name: dummy for name in full if name != field}, dummy))
        present: dict[str, str] = dict.fromkeys(needed, dummy)
        while missed := [name for name in _missed(template, present, dummy) if name not in present]:
            present.update(dict.fromkeys(missed, dummy))
            needed.update(missed)
    return tuple(field for field in fields if field in needed)


def _missed(template: Template, present: Mapping[str, str], dummy: str) -> tuple[str, ...]:
    """The name of the value for want of which rendering fails; empty when it does not."""
    anything = _Anything(dummy)
    try:
        template.render(member=present, association=anything, campaign=anything, links=anything, url=dummy)
    except MissingValueError as error:
        return (error.name,)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AssertionError):
        return ()  # fails whatever the member has; the preview shows it
    return ()


class _Anything(Mapping[str, str]):
    """Has every key."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __getitem__(self, key: str) -> str:
        return self._value

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _Dummy(str):
    """Stands for a member's value of any kind: goes through comparisons and sums without an error."""

    __slots__ = ()
    _answer = True

    def _compare(self, _: object) -> bool:
        return self._answer

    def _same(self, *_: object) -> _Dummy:
        return self

    __hash__ = str.__hash__
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _compare
    __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = _same
    __floordiv__ = __rfloordiv__ = __pos__ = __neg__ = __abs__ = _same


class _Agreeing(_Dummy):
    __slots__ = ()


class _Refusing(_Dummy):
    __slots__ = ()
    _answer = False
