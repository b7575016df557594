"""Turns the text of a definition's `social:` part into the text that is posted; posts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from comms.channels.expressions import ExpressionError, render

_NOTHING: Mapping[str, object] = MappingProxyType({})


def social_text(network: str, text: str, url: str, *, values: Mapping[str, object] = _NOTHING) -> str:
    """`text` with `{{ url }}` filled in, and nothing added.

    `values` may hold `campaign` and `association`, as plain data. Raises ExpressionError, which names the key of the
    definition, for any other name (a post has no single reader, so there is no `member`) and for a missing value.
    """
    try:
        return render(text, {**values, "url": url})
    except ExpressionError as error:
        raise ExpressionError(f"social.{network}: {error.message}", hint=error.hint) from error
