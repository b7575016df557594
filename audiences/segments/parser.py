"""Rule text -> checked `Rule`, or a `RuleError` that says where and what to do. Looks at no member.

rule       = any
any        = all { "or" all }
all        = single { "and" single }
single     = "not" single | "(" any ")" | "everyone" | "has" name | name condition
condition  = ( "=" | "==" | "!=" | "<>" ) value
           | ( "<" | "<=" | ">" | ">=" ) ( number | day )
           | [ "not" ] "in" "(" value { "," value } ")"
           | ( "contains" | "starts" "with" | "ends" "with" ) text
           | "is" ( "present" | "missing" )
value      = quoted text | number | day | bare word
day        = YYYY-MM-DD | "today" [ ( "+" | "-" ) digits unit ]
unit       = "day" | "week" | "month" | "year", or its plural
name       = word | "[" words "]"
"""

from __future__ import annotations

import re
import unicodedata

from audiences.models import attribute_name
from audiences.segments.errors import RuleError, short
from audiences.segments.lexer import Kind, Token, tokens
from audiences.segments.tree import (
    And,
    Compare,
    Everyone,
    HasText,
    Name,
    Node,
    Not,
    OneOf,
    Or,
    Order,
    Part,
    Present,
    Rule,
)
from audiences.segments.values import LONGEST_OFFSET, RelativeDay, Text, Unit, Value, bare

DEEPEST = 50
"""How many parentheses and `not` may stand inside one another."""

_CONDITION_WORDS = ("in", "is", "contains", "starts", "ends")
_KEYWORDS = (*_CONDITION_WORDS, "and", "or", "not", "has", "everyone")
_RESERVED = (*_KEYWORDS, "today")
_ORDERS = {order.value: order for order in Order}
_UNITS = {name: unit for unit in Unit for name in (unit.value, f"{unit.value}s")}
_OFFSET_NUMBER = re.compile(r"[0-9]{1,9}")
_JOIN = 'expected "and", "or" or the end of the rule, found {found}'


def parse(text: str) -> Rule:
    """Read a rule.

    Raises `RuleError` for anything that is not one; never another exception, whatever the text.
    """
    return Rule(text, _Parser(tokens(text)).rule())


class _Parser:
    """Recursive descent over the tokens; each method reads what its name says and leaves the rest."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def _at_end(self) -> bool:
        return self._next.kind is Kind.END

    def rule(self) -> Node:
        if self._at_end():
            raise RuleError("the rule is empty", 1, "write `everyone` for all members")
        node = self._any()
        if not self._at_end():
            raise self._unexpected_join()
        return node

    def _any(self) -> Node:
        nodes = [self._all()]
        while self._next.is_word("or"):
            self._take()
            nodes.append(self._all())
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def _all(self) -> Node:
        nodes = [self._single()]
        while self._next.is_word("and"):
            self._take()
            nodes.append(self._single())
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def _single(self) -> Node:
        if self._next.is_word("not") or self._next.is_sign("("):
            return self._nested()
        if self._next.is_word("everyone"):
            self._take()
            return Everyone()
        if self._next.is_word("has"):
            self._take()
            return Present(self._name())
        return self._condition(self._name())

    def _nested(self) -> Node:
        opening = self._take()
        self._depth += 1
        if self._depth > DEEPEST:
            raise RuleError(
                f"more than {DEEPEST} parentheses and `not` stand inside one another",
                opening.column,
                "split the rule, or leave out parentheses that change nothing",
            )
        node: Node
        if opening.is_sign("("):
            node = self._any()
            if not self._take_sign(")"):
                if self._at_end():
                    raise RuleError('this "(" is never closed', opening.column, 'put a ")" where its part ends')
                raise self._unexpected_join()
        else:
            node = Not(self._single())
        self._depth -= 1
        return node

    def _name(self) -> Name:
        token = self._next
        if token.kind is Kind.WORD and token.is_word(*_RESERVED):
            raise RuleError(
                f"expected the name of an attribute, found the word {token}",
                token.column,
                f"an attribute of that name is written [{token.text.lower()}]",
            )
        numeric = token.kind is Kind.WORD and token.text[0] in "+-.0123456789"
        key = attribute_name(token.text) if token.kind in (Kind.WORD, Kind.BRACKETED) and not numeric else ""
        if not key:
            raise RuleError(
                f"expected the name of an attribute, found {token}",
                token.column,
                'a condition starts with a name, as in: state = "WA"',
            )
        self._take()
        return Name(key, token.column)

    def _condition(self, name: Name) -> Node:
        sign = self._next
        if sign.kind is Kind.SIGN:
            return self._signed(name)
        if sign.is_word("not", "in"):
            return self._membership(name)
        if sign.is_word("is"):
            return self._presence(name)
        if sign.is_word("contains", "starts", "ends"):
            return self._text_test(name)
        raise self._no_condition(name)

    def _signed(self, name: Name) -> Node:
        sign = self._take()
        if sign.is_sign("=", "=="):
            return OneOf(name, (self._value(f'"{sign.text}"'),))
        if sign.is_sign("!=", "<>"):
            return Not(OneOf(name, (self._value(f'"{sign.text}"'),)))
        if sign.text not in _ORDERS:
            raise RuleError(f"expected a comparison after {short(name.key)}, found {sign}", sign.column, _COMPARISONS)
        token = self._next
        value = self._value(f'"{sign.text}"')
        if isinstance(value, Text):
            raise RuleError(
                f'"{sign.text}" compares with a number or a date, and {token} is text',
                token.column,
                _order_hint(token),
            )
        return Compare(name, _ORDERS[sign.text], value)

    def _membership(self, name: Name) -> Node:
        negated = self._next.is_word("not")
        if negated:
            self._take()
        if not self._next.is_word("in"):
            raise RuleError(
                f'expected "in" after "not", found {self._next}',
                self._next.column,
                "to turn a condition round, put `not` before it: not city contains York",
            )
        self._take()
        if not self._take_sign("("):
            raise RuleError(
                f'expected "(" after "in", found {self._next}', self._next.column, "as in: state in (WA, OR)"
            )
        values = [self._value('"in ("')]
        while self._take_sign(","):
            values.append(self._value('","'))
        if not self._take_sign(")"):
            raise RuleError(
                f'expected "," or ")" in the list, found {self._next}',
                self._next.column,
                'put a ")" at the end of the list' if self._at_end() else "text of several words goes in quotes",
            )
        node = OneOf(name, tuple(values))
        return Not(node) if negated else node

    def _presence(self, name: Name) -> Node:
        self._take()
        token = self._next
        if not token.is_word("present", "missing"):
            raise RuleError(
                f'expected "present" or "missing" after "is", found {token}',
                token.column,
                f"to compare with a value write: {short(name.key)} = ...",
            )
        self._take()
        return Present(name) if token.is_word("present") else Not(Present(name))

    def _text_test(self, name: Name) -> Node:
        words = self._take().text.lower()
        if words != "contains":
            if not self._next.is_word("with"):
                raise RuleError(f'expected "with" after "{words}", found {self._next}', self._next.column)
            self._take()
            words = f"{words} with"
        token = self._value_token(f'"{words}"')
        if token.is_word("today"):
            raise RuleError(
                f'"{words}" looks for text, and today is a day', token.column, 'the word goes in quotes: "today"'
            )
        # Whatever a bare word would be elsewhere, here its letters and digits count: `zip starts with 995`.
        return HasText(name, Part(words), Text(unicodedata.normalize("NFC", token.text)))

    def _value(self, after: str) -> Value:
        token = self._value_token(after)
        if token.kind is Kind.QUOTED:
            return Text(token.text)
        if token.is_word("today"):
            return self._offset()
        return bare(token.text, token.column)

    def _value_token(self, after: str) -> Token:
        """The first (mostly only) token of a value; `after` is for the message if there is none."""
        token = self._next
        if token.kind not in (Kind.QUOTED, Kind.WORD):
            raise RuleError(f"expected a value after {after}, found {token}", token.column)
        if not token.text:
            raise RuleError("these quotes are empty", token.column, "to find members without a value write: is missing")
        self._take()
        if token.is_word(*_KEYWORDS) and not self._ends_value():
            raise RuleError(
                f"expected a value after {after}, found the word {token}",
                token.column,
                f'if the value is this word, put it in quotes: "{token.text}"',
            )
        return token

    def _ends_value(self) -> bool:
        """Whether a value may end here. Tells Oregon from a forgotten value: `state in (WA, OR)`, `state = or`."""
        return self._at_end() or self._next.is_sign(",", ")") or self._next.is_word("and", "or")

    def _offset(self) -> RelativeDay:
        """What follows `today`, if anything does."""
        token = self._next
        if token.kind is not Kind.WORD or token.text[0] not in "+-":
            return RelativeDay()
        self._take()
        direction, digits, column = token.text[0], token.text[1:], token.column + 1
        if not digits:
            column = self._next.column
            digits = self._take().text
        if not _OFFSET_NUMBER.fullmatch(digits):
            raise RuleError(f'expected a whole number after "today {direction}"', column, _OFFSETS)
        unit_token = self._take()
        unit = _UNITS.get(unit_token.text.lower()) if unit_token.kind is Kind.WORD else None
        if unit is None:
            raise RuleError(
                f'expected days, weeks, months or years after "today {direction} {digits}", found {unit_token}',
                unit_token.column,
                _OFFSETS,
            )
        if int(digits) > LONGEST_OFFSET[unit]:
            raise RuleError(
                f"{digits} {unit}s is too far from today", column, f"at most {LONGEST_OFFSET[unit]:,} {unit}s"
            )
        return RelativeDay(int(f"{direction}{digits}"), unit)

    def _take_sign(self, sign: str) -> bool:
        if not self._next.is_sign(sign):
            return False
        self._take()
        return True

    def _no_condition(self, name: Name) -> RuleError:
        token, following = self._next, self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        hint = _COMPARISONS
        if token.kind is Kind.WORD and (following.kind is Kind.SIGN or following.is_word(*_CONDITION_WORDS)):
            joined = attribute_name(f"{name.key} {token.text}")
            hint = f"names of several words are written with underscores: {short(joined)}"
        return RuleError(f"expected a comparison after {short(name.key)}, found {token}", token.column, hint)

    def _unexpected_join(self) -> RuleError:
        token, before = self._next, self._tokens[self._at - 1]
        hint = ""
        if token.is_sign(")"):
            hint = 'there is no "(" for it'
        elif token.is_sign(","):
            hint = "several values go in a list: in (a, b); numbers are written without commas: 10000"
        elif before.kind is Kind.WORD and token.kind is Kind.WORD:
            hint = f'text of several words goes in quotes: "{short(before.text)} {short(token.text)}"'
        return RuleError(_JOIN.format(found=token), token.column, hint)


_COMPARISONS = "use = != < > in, contains, starts with, ends with, is present or is missing"
_OFFSETS = "as in: today + 30 days"


def _order_hint(token: Token) -> str:
    """What the author of `size > token` may have meant."""
    if token.kind is Kind.QUOTED and not isinstance(bare(token.text[:30], token.column), Text):
        return "write it without the quotes"
    if any(c.isdigit() for c in token.text):
        return "numbers are written as 10000 or 1.5, dates as 2025-01-31"
    return "to compare with text use = or !="
