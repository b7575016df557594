"""What a person wrote -> their words without what says who they are, as far as a program can tell. Pure.

Addresses, links and telephone numbers go whoever they are of, names where they are known. Who is told of by what they
did, or by a name that is not in our list, can still be known: a person has to read it before they pass it on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from comms.engagement.bounces.mime import Part, one_line
from comms.engagement.bounces.report import leaves, without_tags

LEFT_OUT = "[…]"
"""Stands where something was taken out, in every language."""
MOST_LINES, _LONGEST_LINE, _LONGEST_TEXT = 80, 2_000, 200_000
_NAME = re.compile(r"name|nick|nombre|apellid|prenom|(?<![a-z])nom(?![a-z])")
_WHERE = re.compile(
    r"phone|mobile|fax|street|address|telefon|movil|portable|adres|direccion|domicil|calle|strasse|(?<![a-z])rue(?![a-z])"
)
"""In the name of an attribute, folded, in the languages of those who keep lists: its value tells who somebody is."""
_PARTICLES = frozenset({"von", "van", "der", "den", "del", "los", "las", "the", "and"})
_SHORTEST_NAME = 3
_FEWEST_DIGITS = 7
_ADDRESS = re.compile(r"[^\s<>()\[\]\"]{0,200}@(?:\[[^\s\]]{1,100}\]|[^\s<>()\[\]\",;]{1,255})")
_DOT = r"\s{1,3}(?:dot|punto|point|punkt)\s{1,3}|\s{0,3}[(\[{]\s{0,2}(?:dot|punto|point|punkt|\.)\s{0,2}[)\]}]\s{0,3}"
_LABEL = r"\w[\w-]{0,62}"
_SPELT = re.compile(
    rf"[\w.+-]{{1,64}}\s{{0,3}}(?:[(\[{{]\s{{0,2}}(?:at|ät|arroba|arobase)\s{{0,2}}[)\]}}]\s{{0,3}}{_LABEL}"
    rf"(?:(?:\.|{_DOT}){_LABEL}){{0,4}}"
    rf"|\s(?:at|arroba|arobase)\s{{1,3}}{_LABEL}(?:\.{_LABEL}){{0,3}}(?:(?:{_DOT}){_LABEL}){{1,4}})",
    re.IGNORECASE,
)
"""An address that is meant to be read by people alone: `ana (at) home.org`, `ana at home dot org`."""
# The links of a newsletter hold tokens of whom it went to.
_LINK = re.compile(r"\b(?:[a-z][a-z0-9+.-]{1,20}://|(?:mailto|tel|sms|skype):|www\.)[^\s<>]{2,2000}", re.IGNORECASE)
_NUMBER = re.compile(r"(?<!\w)\+?\(?\d[\d().\-/\u2010-\u2015 ]{4,40}\d(?!\w)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_WORD = re.compile(r"\w+")
_SEVERAL = re.compile(r"(?:\[…\][\s,;.·|<>()-]{0,5}){2,}")
_QUOTED_PAGE = re.compile(r"(?i)<blockquote\b|<div[^<>]{0,300}(?:gmail_quote|divRplyFwdMsg|moz-cite-prefix)")
# Possessive: a line of a hundred thousand dashes must not be tried in as many ways.
_CUT = re.compile(r"-- ?|_{10,}|-{4,}|-{2,}+.{0,80}-{2,}+")
"""A line below which no words of this mail stand: a signature (RFC 3676 section 4.3), or what Outlook quotes."""
_SENDER = re.compile(r"\W{0,3}(?:from|von|de|da|van|fra|från|od)\W{0,3}:.{0,300}", re.IGNORECASE)
_RECIPIENT = re.compile(r"\W{0,3}(?:to|an|à|para|a|sent|gesendet|envoyé|enviado|date|datum)\W{0,3}:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of who wrote."""

    names: frozenset[str] = frozenset()
    """Words of their names, folded."""
    phrases: tuple[str, ...] = field(default=())
    """Streets and the like, which are looked for as they are."""

    @classmethod
    def of(cls, names: Iterable[str], attributes: Mapping[str, object], addresses: Iterable[str]) -> Known:
        """From names as mails give them, a member's attributes, and their addresses."""
        given = {_folded(key): str(value) for key, value in attributes.items()}
        telling = {key: value for key, value in given.items() if _NAME.search(key) or _WHERE.search(key)}
        called = [*names, *(value for key, value in telling.items() if _NAME.search(key))]
        called += [address.partition("@")[0] for address in addresses]
        words = {_folded(word) for text in called for word in re.split(r"[\W\d_]+", text)}
        return cls(
            frozenset(word for word in words if len(word) >= _SHORTEST_NAME and word not in _PARTICLES),
            tuple(sorted((text for text in telling.values() if len(text) > _SHORTEST_NAME), key=len, reverse=True)),
        )


def words_of(mail: Part) -> list[str]:
    """The lines that somebody wrote, without those that they quote, and without their signature. Of several texts in a
    mail the first counts; of a page its text, where there is nothing else."""
    texts = [part for part in leaves(mail) if not part.headers.get("content-disposition").lower().startswith("attach")]
    # What calls itself a multipart and has no parts is a broken text.
    kinds = ("text/plain", mail.kind if mail.kind.startswith("multipart/") else "text/plain")
    plain = next((part.text()[:_LONGEST_TEXT] for part in texts if part.kind in kinds), "")
    if not plain.strip():
        page = next((part.text()[:_LONGEST_TEXT] for part in texts if part.kind == "text/html"), "")
        plain = without_tags(_QUOTED_PAGE.split(page, maxsplit=1)[0])
    return list(_own(plain.split("\n")))[:MOST_LINES]


def withheld(lines: Iterable[str], known: Known) -> list[str]:
    """The lines without what says who wrote them; those of which nothing is left are left out."""
    changed = (_SEVERAL.sub(f"{LEFT_OUT} ", _line(line, known)).strip() for line in lines)
    return [line for line in changed if re.search(r"\w", line)]


def _own(lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if _CUT.fullmatch(line.strip("\r\n\t")) or (
            _SENDER.fullmatch(line.strip()) and any(map(_RECIPIENT.match, lines[number + 1 : number + 4]))
        ):
            return
        if not line.lstrip().startswith(">") and (clean := one_line(line)[:_LONGEST_LINE]):
            yield clean


def _line(line: str, known: Known) -> str:
    text = unicodedata.normalize("NFKC", line)
    for phrase in known.phrases:
        text = re.sub(re.escape(phrase), LEFT_OUT, text, flags=re.IGNORECASE)
    for pattern in (_ADDRESS, _SPELT, _LINK):
        text = pattern.sub(LEFT_OUT, text)
    text = _NUMBER.sub(_unless_date, text)
    return _WORD.sub(lambda word: LEFT_OUT if _folded(word[0]) in known.names else word[0], text)


def _unless_date(number: re.Match[str]) -> str:
    is_short = sum(character.isdigit() for character in number[0]) < _FEWEST_DIGITS
    return number[0] if is_short or _DATE.fullmatch(number[0].strip()) else LEFT_OUT


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))
