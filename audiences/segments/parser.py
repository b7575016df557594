"""Rule text -> checked `Rule`, or a `RuleError` that says where and what to do. Looks at no member.

rule       = any
any        = all { "or" all }
all        = single { ( "and" | "except" ) single }
single     = "not" single | "(" any ")" | "everyone" | "has" ( name | "topic" | "tag" )
           | name condition | special
condition  = ( "=" | "==" | "!=" | "<>" ) value
           | ( "<" | "<=" | ">" | ">=" ) ( number | day )
           | [ "not" ] "in" ( "(" value { "," value } ")" | "region" text )
           | ( "contains" | "starts" "with" | "ends" "with" ) text
           | "is" ( "present" | "missing" )
special    = ( "topic" | "tag" | "consent" ) condition
           | "membership" "is" ( "current" | "lapsed" )
           | ( "clicked" | "opened" ) ( "(" text { "," text } ")" | "any" ) [ since ]
           | "no" ( "click" | "open" ) [ since ]
           | "sample" digits [ "." digits ] "%"
           | "segment" text
since      = "in" [ "the" "last" ] digits unit
value      = quoted text | number | day | bare word
text       = quoted text | bare word
day        = YYYY-MM-DD | "today" [ ( "+" | "-" ) digits unit ]
unit       = "day" | "week" | "month" | "year", or its plural
name       = word | "[" words "]"
"""

from __future__ import annotations

from audiences.models import attribute_name
from audiences.segments.conditions import condition
from audiences.segments.cursor import KEYWORDS, Cursor
from audiences.segments.errors import RuleError, short
from audiences.segments.kinds import present, special
from audiences.segments.lexer import Kind, tokens
from audiences.segments.tree import And, Everyone, Name, Node, Not, Or, Present, Rule

_RESERVED = (*KEYWORDS, "today")
_JOIN = 'expected "and", "or" or the end of the rule, found {found}'


def parse(text: str) -> Rule:
    """Read a rule.

    Raises `RuleError` for anything that is not one; never another exception, whatever the text.
    """
    cursor = Cursor(tokens(text))
    if cursor.at_end():
        raise RuleError("the rule is empty", 1, "write `everyone` for all members")
    root = _any(cursor)
    if not cursor.at_end():
        raise _unexpected_join(cursor)
    return Rule(text, root)


def _any(cursor: Cursor) -> Node:
    nodes = [_all(cursor)]
    while cursor.take_word("or"):
        nodes.append(_all(cursor))
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


def _all(cursor: Cursor) -> Node:
    nodes = [_single(cursor)]
    while True:
        if cursor.take_word("and"):
            nodes.append(_single(cursor))
        elif cursor.next.is_word("except"):
            nodes.append(Not(cursor.inside(cursor.take(), lambda: _single(cursor))))
        else:
            return nodes[0] if len(nodes) == 1 else And(tuple(nodes))


def _single(cursor: Cursor) -> Node:
    if cursor.next.is_word("not"):
        return Not(cursor.inside(cursor.take(), lambda: _single(cursor)))
    if cursor.next.is_sign("("):
        return cursor.inside(cursor.next, lambda: _parenthesised(cursor))
    if cursor.take_word("everyone"):
        return Everyone()
    if cursor.take_word("has"):
        return present(cursor) or Present(_name(cursor))
    return special(cursor) or condition(cursor, _name(cursor))


def _parenthesised(cursor: Cursor) -> Node:
    opening = cursor.take()
    node = _any(cursor)
    if not cursor.take_sign(")"):
        if cursor.at_end():
            raise RuleError('this "(" is never closed', opening.column, 'put a ")" where its part ends')
        raise _unexpected_join(cursor)
    return node


def _name(cursor: Cursor) -> Name:
    token = cursor.next
    if token.is_word(*_RESERVED):
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
    cursor.take()
    return Name(key, token.column)


def _unexpected_join(cursor: Cursor) -> RuleError:
    token, before = cursor.next, cursor.before
    hint = ""
    if token.is_sign(")"):
        hint = 'there is no "(" for it'
    elif token.is_sign(","):
        hint = "several values go in a list: in (a, b); numbers are written without commas: 10000"
    elif before.kind is Kind.WORD and token.kind is Kind.WORD:
        hint = f'text of several words goes in quotes: "{short(before.text)} {short(token.text)}"'
    return RuleError(_JOIN.format(found=token), token.column, hint)
