"""What a rule asks beside a member's values: newsletters, tags, consent, what was done, samples, other segments.

The words that start these conditions are no reserved words: followed by an operator that makes no sense for the
new kind, `clicked`, `opened`, `no`, `sample`, `segment` and `membership` are names of attributes as ever.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from audiences.models import TRACKING
from audiences.segments.conditions import equality, joins_name, presence, text_test
from audiences.segments.cursor import CONDITION_WORDS, KEYWORDS, Cursor, unit_of
from audiences.segments.errors import RuleError, short
from audiences.segments.lexer import Kind, Token
from audiences.segments.suggest import suggestion
from audiences.segments.tree import (
    Activity,
    Agrees,
    ConsentKind,
    Engaged,
    HasConsent,
    Leaf,
    Membership,
    Named,
    Node,
    Not,
    Sample,
    Tagged,
    TagHasText,
    Word,
)
from audiences.segments.values import RelativeDay

_NOT_WORD = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_PERCENTAGE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%", re.ASCII)
_DONE = {"click": Activity.CLICKED, "open": Activity.OPENED}
_MISSPELT = {"clicks": "click", "clicked": "click", "opens": "open", "opened": "open"}
_SPAN = "as in: in 90 days"


def segment_name(text: str) -> str:
    """The form in which segments and regions are kept and compared: `Big Libraries` -> `big-libraries`.

    Unicode letters and digits stay; everything else becomes one hyphen. Empty when nothing is left.
    """
    return _NOT_WORD.sub("-", unicodedata.normalize("NFKC", text).casefold()).strip("-")


def special(cursor: Cursor) -> Node | None:
    """The condition of these kinds that comes next; None when what comes is none."""
    read = _KINDS.get(cursor.next.text.lower()) if cursor.next.kind is Kind.WORD else None
    return read(cursor) if read else None


def present(cursor: Cursor) -> Node | None:
    """What follows `has`, when it is no attribute: a topic or a tag."""
    if cursor.take_word("topic"):
        return Agrees(())
    if cursor.take_word("tag"):
        return Tagged(())
    if cursor.next.is_word("consent"):
        raise RuleError(
            f"expected the name of an attribute, found the word {cursor.next}",
            cursor.next.column,
            "write: consent != none; an attribute of that name is written [consent]",
        )
    return None


def _topic(cursor: Cursor) -> Node | None:
    word = cursor.next
    if not _compares(cursor):
        _refuse_forgotten_equals(cursor, "topic")
        return None
    cursor.take()
    node: Leaf
    if found := equality(cursor, cursor.slug):
        negated, topics = found
        node = Agrees(topics)
        for topic in topics:
            if topic.text == TRACKING:
                raise RuleError(f"{TRACKING} is no newsletter", topic.column, f"write: consent = {TRACKING}")
    elif cursor.next.is_word("is"):
        negated, node = presence(cursor, "topic") == "missing", Agrees(())
    else:
        raise _other_comparison(cursor, word, "=, !=, in, not in, is present or is missing")
    return Not(node) if negated else node


def _tag(cursor: Cursor) -> Node | None:
    word = cursor.next
    if not _compares(cursor):
        _refuse_forgotten_equals(cursor, "tag")
        return None
    cursor.take()
    node: Leaf
    if found := equality(cursor, cursor.word):
        negated, tags = found
        node = Tagged(tags)
    elif cursor.next.is_word("is"):
        negated, node = presence(cursor, "tag") == "missing", Tagged(())
    elif cursor.next.is_word("contains", "starts", "ends"):
        negated, node = False, TagHasText(*text_test(cursor))
    else:
        raise _other_comparison(cursor, word, "=, !=, in, not in, contains, starts with, ends with, is present")
    return Not(node) if negated else node


def _consent(cursor: Cursor) -> Node | None:
    word = cursor.next
    if not _compares(cursor):
        _refuse_forgotten_equals(cursor, "consent")
        return None
    cursor.take()
    found = equality(cursor, lambda after: _consent_kind(cursor.slug(after)))
    if not found:
        raise _other_comparison(cursor, word, "=, !=, in or not in; whoever has any consent on record: consent != none")
    negated, kinds = found
    return Not(HasConsent(kinds)) if negated else HasConsent(kinds)


def _consent_kind(word: Word) -> ConsentKind:
    try:
        return ConsentKind(word.text)
    except ValueError:
        raise RuleError(
            f"{short(word.text)} is no kind of consent", word.column, suggestion(word.text, [*ConsentKind])
        ) from None


def _membership(cursor: Cursor) -> Node | None:
    """`membership is current` or `membership is lapsed`; `membership is present` asks for the attribute."""
    state = cursor.peek(2)
    if not cursor.peek(1).is_word("is") or state.is_word("present", "missing"):
        return None
    if not state.is_word("current", "lapsed"):
        raise RuleError(
            f'expected "current", "lapsed", "present" or "missing" after "is", found {state}',
            state.column,
            "to compare with a value write: membership = ...",
        )
    column = cursor.take().column
    cursor.take()
    return Membership(cursor.take().is_word("current"), column)


def _engaged(cursor: Cursor) -> Node | None:
    """`clicked("a", "b")` or `opened any`, and how long ago at most."""
    activity = Activity(cursor.next.text.lower())
    following, then = cursor.peek(1), cursor.peek(2)
    if following.is_sign("("):
        cursor.take()
        campaigns: tuple[Word, ...] = cursor.listed(activity, cursor.slug, "")
    elif following.is_word("any"):
        cursor.take()
        cursor.take()
        campaigns = ()
    elif following.is_word("in") and (then.is_word("the") or _DIGITS.fullmatch(then.text)):
        raise RuleError(
            f'expected a campaign or "any" after "{activity}"', following.column, f"as in: {activity} any in 90 days"
        )
    elif _is_value(following) and not joins_name(then):
        raise RuleError(
            f'expected "(" after "{activity}", found {following}',
            following.column,
            f'write: {activity}("{short(following.text)}")',
        )
    else:
        return None
    return Engaged(activity, campaigns, _since(cursor))


def _no(cursor: Cursor) -> Node | None:
    """`no click` or `no open`, and since when."""
    noun, then = cursor.peek(1), cursor.peek(2)
    if noun.kind is not Kind.WORD or joins_name(then):
        return None
    if right := _MISSPELT.get(noun.text.lower()):
        raise RuleError(f'expected "click" or "open" after "no", found {noun}', noun.column, f"write: no {right}")
    activity = _DONE.get(noun.text.lower())
    if activity is None:
        return None
    if then.is_sign("("):
        raise RuleError(f'"no {noun.text.lower()}" asks for no campaign', then.column, f"write: not {activity}(...)")
    cursor.take()
    cursor.take()
    return Not(Engaged(activity, (), _since(cursor)))


def _since(cursor: Cursor) -> RelativeDay | None:
    """`in 90 days` or `in the last 90 days`, if one comes."""
    token = cursor.next
    if not cursor.take_word("in"):
        if _DIGITS.fullmatch(token.text) and unit_of(cursor.peek(1)):
            raise RuleError(
                f'expected "in" before {token}',
                token.column,
                f"write: in {short(token.text)} {cursor.peek(1).text.lower()}",
            )
        return None
    after = "in"
    if cursor.take_word("the"):
        after = "in the last"
        if not cursor.take_word("last"):
            raise RuleError(f'expected "last" after "in the", found {cursor.next}', cursor.next.column, _SPAN)
    amount, unit = cursor.span(after, _SPAN)
    return RelativeDay(-amount, unit)


def _sample(cursor: Cursor) -> Node | None:
    token = cursor.peek(1)
    if token.kind is not Kind.WORD or not (token.text[0] in "+-.0123456789" or "%" in token.text):
        return None
    percentage = _PERCENTAGE.fullmatch(token.text)
    hundredths = int(percentage[1]) * 100 + int((percentage[2] or "").ljust(2, "0")) if percentage else 0
    if not 1 <= hundredths <= 10_000:
        wanted = f"{token.text}%" if _PERCENTAGE.fullmatch(f"{token.text}%") else "10%"
        raise RuleError(
            f'expected a percentage after "sample", found {token}',
            token.column,
            f"write: sample {wanted}; above 0% and up to 100%, with at most two decimals",
        )
    cursor.take()
    cursor.take()
    return Sample(hundredths)


def _segment(cursor: Cursor) -> Node | None:
    token, then = cursor.peek(1), cursor.peek(2)
    if not _is_value(token) or joins_name(then) or (then.is_word("in") and token.kind is Kind.WORD):
        return None
    name = segment_name(token.text)
    if not name:
        raise RuleError(f"{token} is no name of a segment", token.column, "as in: segment big-libraries")
    cursor.take()
    cursor.take()
    return Named(Word(name, token.column))


def _compares(cursor: Cursor) -> bool:
    """Does an operator follow the next token."""
    token = cursor.peek(1)
    return joins_name(token) or token.is_word("in", "not")


def _is_value(token: Token) -> bool:
    """May `token` be a value that was written without an operator before it."""
    return token.kind is Kind.QUOTED or (
        token.kind is Kind.WORD and not token.is_word(*CONDITION_WORDS, *KEYWORDS, "except")
    )


def _refuse_forgotten_equals(cursor: Cursor, kind: str) -> None:
    """Refuse `tag donor`. Leaves `tag line = x`, a name of several words, to be refused as one."""
    token, then = cursor.peek(1), cursor.peek(2)
    if _is_value(token) and not joins_name(then):
        quote = '"' if token.kind is Kind.QUOTED else ""
        raise RuleError(
            f'expected "=" after "{kind}", found {token}',
            token.column,
            f"write: {kind} = {quote}{short(token.text)}{quote}",
        )


def _other_comparison(cursor: Cursor, word: Token, comparisons: str) -> RuleError:
    kind = word.text.lower()
    return RuleError(
        f"{cursor.next} can not follow {kind}",
        cursor.next.column,
        f"use {comparisons}; an attribute of that name is written [{kind}]",
    )


_KINDS: dict[str, Callable[[Cursor], Node | None]] = {
    "topic": _topic,
    "tag": _tag,
    "consent": _consent,
    "membership": _membership,
    "clicked": _engaged,
    "opened": _engaged,
    "no": _no,
    "sample": _sample,
    "segment": _segment,
}
