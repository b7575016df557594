"""Rule text -> tokens. Knows quotes, signs and words; does not know what they mean together."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

from audiences.segments.errors import RuleError, short

LONGEST_RULE = 10_000
"""Characters; a longer rule is a list of addresses that belongs in an attribute."""

_SIGN = re.compile(r"<=|>=|!=|<>|==|[=<>(),]")
# `today+30 days` is three words: people do not type spaces around a plus.
_WORD = re.compile(r"""today(?=[+-])|[^\s()\[\],'"=<>!]+""", re.IGNORECASE)
_CURLY = "“”„‟‘’‚‛«»‹›"
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t"}
# Invisible, and able to make two rules that look the same mean different things. Joiners (U+200C, U+200D)
# stay: Persian, Hindi and emoji need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\uffff]"
)


class Kind(Enum):
    WORD = auto()
    QUOTED = auto()
    BRACKETED = auto()
    SIGN = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str
    """A word as typed, the content of quotes (NFC, escapes resolved) or brackets, or a sign."""
    column: int
    """1-based, in characters from the start of the rule."""

    def is_sign(self, *signs: str) -> bool:
        return self.kind is Kind.SIGN and self.text in signs

    def is_word(self, *words: str) -> bool:
        """Whether this is one of `words` (given in lower case), in any case and not in quotes."""
        return self.kind is Kind.WORD and self.text.lower() in words

    def __str__(self) -> str:
        """For messages: short, on one line."""
        if self.kind is Kind.END:
            return "the end of the rule"
        return f"[{short(self.text)}]" if self.kind is Kind.BRACKETED else f'"{short(self.text)}"'


def tokens(text: str) -> list[Token]:
    """Cut `text` into tokens; the last is always of kind END.

    Raises `RuleError`: too long, an invisible character, an open quote or bracket, a curly quote.
    """
    if len(text) > LONGEST_RULE:
        raise RuleError(
            f"the rule has {len(text):,} characters, and may have {LONGEST_RULE:,}",
            LONGEST_RULE + 1,
            "mark these members with an attribute, and ask for that",
        )
    if invisible := _INVISIBLE.search(text):
        raise RuleError(
            f"there is an invisible character (U+{ord(invisible.group()):04X})",
            invisible.start() + 1,
            "delete it, and type the words around it anew",
        )
    found = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token, at = _token(text, at)
        found.append(token)
    found.append(Token(Kind.END, "", len(text.rstrip()) + 1))
    return found


def _token(text: str, at: int) -> tuple[Token, int]:
    """The token that starts at `at`, and where the next may start."""
    first = text[at]
    if first in "\"'":
        return _quoted(text, at)
    if first == "[":
        end = text.find("]", at)
        if end < 0:
            raise RuleError('this "[" is never closed', at + 1, 'put a "]" after the name')
        return Token(Kind.BRACKETED, text[at + 1 : end], at + 1), end + 1
    if first in _CURLY:
        raise RuleError("this is a curly quote", at + 1, "use straight quotes: \" or '")
    if sign := _SIGN.match(text, at):
        return Token(Kind.SIGN, sign.group(), at + 1), sign.end()
    if word := _WORD.match(text, at):
        return Token(Kind.WORD, word.group(), at + 1), word.end()
    raise RuleError(f'"{first}" has no meaning here', at + 1, 'text that holds it goes in quotes: "..."')


def _quoted(text: str, start: int) -> tuple[Token, int]:
    """Text in quotes, from its first quote; a doubled quote or a backslash puts a quote inside."""
    quote = text[start]
    content = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            following = text[at + 1 : at + 2]
            if following not in _ESCAPES:
                raise RuleError(
                    "a backslash in quotes stands before a quote or another backslash",
                    at + 1,
                    r"write it twice: \\",
                )
            content.append(_ESCAPES[following])
            at += 2
        elif char != quote:
            content.append(char)
            at += 1
        elif text.startswith(quote * 2, at):
            content.append(quote)
            at += 2
        else:
            return Token(Kind.QUOTED, unicodedata.normalize("NFC", "".join(content)), start + 1), at + 1
    raise RuleError(
        "this quote is never closed",
        start + 1,
        f"put a {quote} at the end of the text; a text that holds an apostrophe goes in double quotes",
    )
