"""What a rule asks of the value of a field or attribute: the tokens after its name -> a condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from audiences.models import attribute_name
from audiences.segments.cursor import CONDITION_WORDS, Cursor
from audiences.segments.errors import RuleError, short
from audiences.segments.lexer import Kind, Token
from audiences.segments.tree import Compare, HasText, InRegion, Name, Node, Not, OneOf, Order, Part, Present
from audiences.segments.values import Text, bare

_ORDERS = {order.value: order for order in Order}
_COMPARISONS = "use = != < > in, contains, starts with, ends with, is present or is missing"
_IN = "as in: state in (WA, OR)"
_IN_REGION = "as in: state in region west"
_Read = TypeVar("_Read")


def condition(cursor: Cursor, name: Name) -> Node:
    """The condition on `name` that comes next."""
    sign = cursor.next
    if sign.is_word("in", "not"):
        negated = negation(cursor)
        node = _region(cursor, name) if cursor.next.is_word("region") else OneOf(name, in_list(cursor, cursor.value))
        return Not(node) if negated else node
    if found := equality(cursor, cursor.value):
        negated, values = found
        return Not(OneOf(name, values)) if negated else OneOf(name, values)
    if sign.kind is Kind.SIGN:
        return _order(cursor, name)
    if sign.is_word("is"):
        present = presence(cursor, name.key) == "present"
        return Present(name) if present else Not(Present(name))
    if sign.is_word("contains", "starts", "ends"):
        part, text = text_test(cursor)
        return HasText(name, part, text)
    raise _no_condition(cursor, name)


def equality(cursor: Cursor, read: Callable[[str], _Read]) -> tuple[bool, tuple[_Read, ...]] | None:
    """`= x`, `!= x`, `in (x, y)` or `not in (x, y)`: whether negated, and what `read` made of each value.

    None when none of these comes next.
    """
    sign = cursor.next
    if sign.is_sign("=", "==", "!=", "<>"):
        cursor.take()
        return sign.is_sign("!=", "<>"), (read(f'"{sign.text}"'),)
    if sign.is_word("in", "not"):
        return negation(cursor), in_list(cursor, read)
    return None


def negation(cursor: Cursor) -> bool:
    """Read `in` or `not in`; whether it was the latter."""
    negated = cursor.take_word("not")
    if not cursor.take_word("in"):
        raise RuleError(
            f'expected "in" after "not", found {cursor.next}',
            cursor.next.column,
            "to turn a condition round, put `not` before it: not city contains York",
        )
    return negated


def in_list(cursor: Cursor, read: Callable[[str], _Read]) -> tuple[_Read, ...]:
    """The values in parentheses after `in`."""
    return cursor.listed("in", read, _IN)


def presence(cursor: Cursor, name: str) -> str:
    """`is present` or `is missing`: the second word."""
    cursor.take()
    token = cursor.next
    if not cursor.take_word("present", "missing"):
        raise RuleError(
            f'expected "present" or "missing" after "is", found {token}',
            token.column,
            f"to compare with a value write: {short(name)} = ...",
        )
    return token.text.lower()


def text_test(cursor: Cursor) -> tuple[Part, Text]:
    """`contains`, `starts with` or `ends with`, and the text."""
    words = cursor.take().text.lower()
    if words != "contains":
        if not cursor.take_word("with"):
            raise RuleError(f'expected "with" after "{words}", found {cursor.next}', cursor.next.column)
        words = f"{words} with"
    if cursor.next.is_word("today"):
        raise RuleError(
            f'"{words}" looks for text, and today is a day', cursor.next.column, 'the word goes in quotes: "today"'
        )
    # Whatever a bare word would be elsewhere, here its letters and digits count: `zip starts with 995`.
    return Part(words), Text(cursor.word(f'"{words}"').text)


def joins_name(token: Token) -> bool:
    """Does a condition start here, so that the word before it belongs to a name: `opened links > 5`."""
    comparison = token.kind is Kind.SIGN and not token.is_sign("(", ")", ",")
    return comparison or token.is_word(*(word for word in CONDITION_WORDS if word != "in"))


def _region(cursor: Cursor, name: Name) -> InRegion:
    cursor.take()
    token = cursor.next
    if token.kind not in (Kind.WORD, Kind.QUOTED):
        raise RuleError(f'expected the name of a region after "in region", found {token}', token.column, _IN_REGION)
    return InRegion(name, cursor.word('"in region"'))


def _order(cursor: Cursor, name: Name) -> Compare:
    sign = cursor.next
    if sign.text not in _ORDERS:
        raise RuleError(f"expected a comparison after {short(name.key)}, found {sign}", sign.column, _COMPARISONS)
    cursor.take()
    token = cursor.next
    value = cursor.value(f'"{sign.text}"')
    if isinstance(value, Text):
        raise RuleError(
            f'"{sign.text}" compares with a number or a date, and {token} is text', token.column, _order_hint(token)
        )
    return Compare(name, _ORDERS[sign.text], value)


def _order_hint(token: Token) -> str:
    """What the author of `size > token` may have meant."""
    if token.kind is Kind.QUOTED and not isinstance(bare(token.text[:30], token.column), Text):
        return "write it without the quotes"
    if any(c.isdigit() for c in token.text):
        return "numbers are written as 10000 or 1.5, dates as 2025-01-31"
    return "to compare with text use = or !="


def _no_condition(cursor: Cursor, name: Name) -> RuleError:
    token, following = cursor.next, cursor.peek(1)
    hint = _COMPARISONS
    if token.kind is Kind.WORD and (following.kind is Kind.SIGN or following.is_word(*CONDITION_WORDS)):
        joined = attribute_name(f"{name.key} {token.text}")
        hint = f"names of several words are written with underscores: {short(joined)}"
    return RuleError(f"expected a comparison after {short(name.key)}, found {token}", token.column, hint)
