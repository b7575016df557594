"""Trees of the segment language as text, each in one of the many ways to write it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

from audiences.segments.tree import (
    Agrees,
    And,
    Compare,
    Engaged,
    Everyone,
    HasConsent,
    HasText,
    InRegion,
    Membership,
    Name,
    Named,
    Node,
    Not,
    OfRecord,
    OneOf,
    Or,
    Present,
    Sample,
    Segment,
    Tagged,
    TagHasText,
    Word,
)
from audiences.segments.values import Day, Number, RelativeDay, Text, Value


def render(node: Node, style: random.Random) -> str:
    """One of the many ways to write `node`."""
    match node:
        case Everyone():
            return _keyword("everyone", style)
        case And(parts):
            return _and(parts, style)
        case Or(parts):
            return _joined("or", [render(part, style) for part in parts], style)
        case Not(Present(name)) if style.random() < 0.5:
            return f"{_name(name, style)} {_keyword('is missing', style)}"
        case Not(OneOf(name, (value,))) if style.random() < 0.5:
            return f"{_name(name, style)} {style.choice(['!=', '<>'])} {_value(value, style)}"
        case Not(OneOf(name, several)) if style.random() < 0.5:
            return f"{_name(name, style)} {_keyword('not in', style)} {_list(several, style)}"
        case Not(InRegion(name, region)) if style.random() < 0.5:
            return f"{_name(name, style)} {_keyword('not in region', style)} {_text(region.text, style)}"
        case Not(Agrees(words)) if words and style.random() < 0.5:
            return f"topic {_keyword('not in', style)} ({_words(words, style)})"
        case Not(Tagged((word,))) if style.random() < 0.5:
            return f"tag{style.choice([' != ', '<>'])}{_text(word.text, style)}"
        case Not(HasConsent(kinds)) if style.random() < 0.5:
            return f"consent {_keyword('not in', style)} ({', '.join(kinds)})"
        case Not(Engaged(activity, (), since)) if style.random() < 0.5:
            noun = {"opened": "open", "clicked": "click"}[activity]
            return f"{_keyword(f'no {noun}', style)}{_since(since, style)}"
        case Not(inner):
            return f"{_keyword('not', style)} {render(inner, style)}"
        case Agrees() | Tagged() | HasConsent() | TagHasText() | Engaged() | Membership() | Sample() | Named():
            return _special(node, style)
        case Segment(name, _):
            return _special(Named(name), style)
        case InRegion(name, region):
            return f"{_name(name, style)} {_keyword('in region', style)} {_text(region.text, style)}"
        case Present(name) if style.random() < 0.5:
            return f"{_keyword('has', style)} {_name(name, style)}"
        case Present(name):
            return f"{_name(name, style)} {_keyword('is present', style)}"
        case OneOf(name, (value,)) if style.random() < 0.5:
            return f"{_name(name, style)}{style.choice([' = ', '==', '= '])}{_value(value, style)}"
        case OneOf(name, several):
            return f"{_name(name, style)} {_keyword('in', style)} {_list(several, style)}"
        case Compare(name, order, value):
            return f"{_name(name, style)}{order}{_value(value, style)}"
        case HasText(name, part, text):
            return f"{_name(name, style)} {_keyword(part, style)} {_quoted(text.value, style)}"


def _special(node: OfRecord | Membership | Sample | Named, style: random.Random) -> str:
    match node:
        case Agrees(()) | Tagged(()):
            kind = "topic" if isinstance(node, Agrees) else "tag"
            return _keyword(style.choice([f"has {kind}", f"{kind} is present"]), style)
        case Agrees((topic,)) if style.random() < 0.5:
            return f"{_keyword('topic', style)} = {_text(topic.text, style)}"
        case Agrees(topics):
            return f"topic {_keyword('in', style)} ({_words(topics, style)})"
        case Tagged((tag,)) if style.random() < 0.5:
            return f"tag={_text(tag.text, style)}"
        case Tagged(tags):
            return f"{_keyword('tag in', style)} ({_words(tags, style)})"
        case TagHasText(part, text):
            return f"tag {_keyword(part, style)} {_quoted(text.value, style)}"
        case HasConsent(kinds):
            return f"{_keyword('consent in', style)} ({', '.join(_keyword(kind, style) for kind in kinds)})"
        case Engaged(activity, campaigns, since):
            done = f"({_words(campaigns, style)})" if campaigns else f" {_keyword('any', style)}"
            return f"{_keyword(activity, style)}{done}{_since(since, style)}"
        case Membership(current):
            return _keyword(f"membership is {'current' if current else 'lapsed'}", style)
        case Sample(hundredths):
            return f"{_keyword('sample', style)} {Decimal(hundredths) / 100}%"
        case Named(name):
            spelling = style.choice([name.text, name.text.title(), _quoted(name.text, style)])
            return f"{_keyword('segment', style)} {spelling}"


def _since(since: RelativeDay | None, style: random.Random) -> str:
    if since is None:
        return ""
    amount = f"{-since.amount} {_keyword(since.unit + style.choice(['', 's']), style)}"
    return f" {_keyword(style.choice(['in', 'in the last']), style)} {amount}"


def _words(words: Sequence[Word], style: random.Random) -> str:
    return ", ".join(_text(word.text, style) for word in words)


def _and(parts: Sequence[Node], style: random.Random) -> str:
    first, *others = parts
    text = render(first, style)
    for part in others:
        if isinstance(part, Not) and style.random() < 0.3:
            text += f" {_keyword('except', style)} {render(part.node, style)}"
        else:
            inside = render(part, style)
            text += f" {_keyword('and', style)} {f'({inside})' if style.random() < 0.2 else inside}"
    return f"({text})"


def _joined(word: str, parts: list[str], style: random.Random) -> str:
    # Every part is given parentheses of its own at times, and the whole always.
    inside = [f"({part})" if style.random() < 0.2 else part for part in parts]
    return f"({f' {_keyword(word, style)} '.join(inside)})"


def _keyword(words: str, style: random.Random) -> str:
    return style.choice([words, words.upper(), words.title()]).replace(" ", style.choice([" ", "\n", " \t"]))


def _name(name: Name, style: random.Random) -> str:
    if name.key in ("in", "tag"):
        return f"[{name.key}]"
    return style.choice([name.key, name.key.upper(), name.key.replace("ss", "ß"), f"[ {name.key} ]"])


def _list(several: Sequence[Value], style: random.Random) -> str:
    return f"({style.choice([', ', ',']).join(_value(value, style) for value in several)})"


def _value(value: Value, style: random.Random) -> str:
    match value:
        case Text(text):
            return _text(text, style)
        case Number(int() as number):
            return str(number)
        case Number(number):
            digits_only = format(Decimal(repr(number)), "f")
            return digits_only if "." in digits_only else f"{digits_only}.0"
        case Day(day):
            return day.isoformat()
        case RelativeDay(0, _):
            return _keyword("today", style)
        case RelativeDay(amount, unit):
            space = style.choice(["", " "])
            sign = "-" if amount < 0 else "+"
            return f"today{space}{sign}{space}{abs(amount)} {_keyword(unit + style.choice(['', 's']), style)}"


def _text(text: str, style: random.Random) -> str:
    plain = text.isascii() and text.isalpha() and text.lower() not in ("today", "region")
    return text if plain and style.random() < 0.5 else _quoted(text, style)


def _quoted(text: str, style: random.Random) -> str:
    quote = style.choice("\"'")
    inside = text.replace("\\", "\\\\").replace(quote, style.choice([quote * 2, f"\\{quote}"]))
    return f"{quote}{inside}{quote}"
