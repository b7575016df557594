"""Whom a notice for people speaks of, and what it says of each: addresses weighed by how they stand in the text.

Servers write the same few things in a thousand forms. Instead of a reader for each, an address counts as a recipient
by its place: alone on a line, in front of a colon, after `RCPT TO` or `to`, near words of failure, named by the
returned message; and it counts less as a sender, as a contact, as the name of a machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from audiences.addresses import fold_case
from comms.engagement.bounces import originals
from comms.engagement.bounces.addresses import ADDRESS, clean_address, found_in, is_machine
from comms.engagement.bounces.classify import said_kind
from comms.engagement.bounces.codes import reply_in, statuses_in
from comms.engagement.bounces.report import Report

LONGEST_WORDS = 1_500
"""Characters that are taken as said of one address at one place."""
_MOST_LINES = 3_000
_MOST_MENTIONS = 2_000
_LONGEST_LINE = 2_000
_SURE, _LIKELY, _POSSIBLE = 3, 1, 0
_OWN = 6

_TO = re.compile(
    r"(?i)(?:rcpt(?: |_|-)?to|recipients?(?:\(s\))?|to|for|address(?:es)?|user|mailbox|account|reach|deliver"
    r"|destinat\w*|an|[àa]|para|til|dla|"
    r"empf[äa]nger|adress[ea]?|envoy[ée] [àa]|до|для|адрес\w*|получател\w*|宛先|あて先|收件人"
    r"|failed)\s{0,3}[:=]?[\s<>\"'`(\[「«]{0,6}$"
)
_FROM = re.compile(
    r"(?i)(?:from|sender|by|reply-?to|return-?path|absender|von|exp[ée]diteur|remitente|mittente|remetente|от"
    r"|отправитель|差出人|发件人|dear|hello|hi|hola|hallo|bonjour)"
    r"(?: address| is)?\s{0,3}[:=]?[\s<\"'`(\[]{0,6}$"
)
_CONTACT = re.compile(
    r"(?i)contact|forward|assist|\bhelp\b|questions?|support|please (?:e-?mail|send|write|call|see)|send (?:this|it"
    r"|mail|e-?mail|a)|mail to:? |report (?:this|it)|complain|wenden|kontakt|s'adresser|problems? to"
)
_IDENTIFIER = re.compile(
    r"(?i)(?:message-?id|msg-?id|references|in-reply-to|\bid|mailto|://\S{0,200})\s{0,3}[:=]?\s{0,3}<?$"
)
_FORWARDED = re.compile(
    r"(?i)(?:generated (?:from|by)|expanded from|forwarded (?:from|by)|originally|alias(?:ed)? (?:of"
    r"|from)):?[\s<\"'(]{0,4}$"
)
_REPLY_BEFORE = re.compile(r"[\s<>(]{0,12}(?:reason: )?[45]\d\d[ -](?:[45]\.\d{1,3}\.\d{1,3} )?<?")
_SESSION_REPLY = re.compile(r"\s{0,4}[45]\d\d ")
_AROUND = " \t<>()[]{}\"'`:;,.*-=>|•·「」『』«»"


@dataclass(frozen=True)
class Mention:
    """An address at one place of the notice."""

    address: str
    line: int
    weight: int


@dataclass(frozen=True)
class Named:
    """A recipient, and what the notice says of it."""

    address: str
    words: str


def named_in(report: Report) -> list[Named]:
    """The recipients that the notice names, in order, with what it says after naming each."""
    lines = [line[:_LONGEST_LINE] for line in report.notice.split("\n")[:_MOST_LINES]]
    mentions = _mentions(lines, report)
    best: dict[str, int] = {}
    for mention in mentions:
        best[mention.address] = max(best.get(mention.address, -99), mention.weight)
    chosen = _chosen(best)
    return [Named(address, words_about(address, lines, mentions, chosen)) for address in chosen]


def words_in(report: Report, address: str) -> str:
    """What the notice says of one address that is known from elsewhere; empty when it does not mention it."""
    lines = [line[:_LONGEST_LINE] for line in report.notice.split("\n")[:_MOST_LINES]]
    mentions = _mentions(lines, report)
    others = _chosen({mention.address: mention.weight for mention in mentions})
    return words_about(address, lines, mentions, [*others, address])


def words_about(address: str, lines: list[str], mentions: list[Mention], recipients: list[str]) -> str:
    """From each line that mentions the address to the next that mentions another recipient."""
    known = {fold_case(each) for each in recipients}
    mine = fold_case(address)
    starts = sorted({mention.line for mention in mentions if fold_case(mention.address) == mine})
    stops = sorted({m.line for m in mentions if fold_case(m.address) != mine and fold_case(m.address) in known})
    pieces: list[str] = []
    end = -1
    for start in starts:
        if start < end:
            continue
        if _SESSION_REPLY.match(lines[start]):
            # A transcript: what led to this line stands above it.
            before = next((n for n in range(start - 1, -1, -1) if _is_apart(lines[n])), -1)
            pieces.append("\n".join(lines[before + 1 : start + 1])[-LONGEST_WORDS:])
            continue
        end = next((line for line in stops if line > start), len(lines))
        pieces.append("\n".join(lines[start:end])[:LONGEST_WORDS])
    return "\n".join(pieces)[: 2 * LONGEST_WORDS]


def _is_apart(line: str) -> bool:
    return not line.strip() or (_SESSION_REPLY.match(line) is not None and "@" in line)


def _chosen(best: dict[str, int]) -> list[str]:
    for least in (_SURE, _LIKELY, _POSSIBLE):
        found = [address for address, weight in best.items() if weight >= least]
        if found:
            return found if least != _POSSIBLE else found[:1]
    # People write to themselves, and then the recipient is a sender too.
    return [address for address, weight in best.items() if weight >= _SURE - _OWN][:1]


def _mentions(lines: list[str], report: Report) -> list[Mention]:
    sent = {fold_case(address) for address in originals.all_recipients(report.original)}
    own = {
        fold_case(a) for name in ("to", "delivered-to") for value in report.headers.all(name) for a in found_in(value)
    }
    own |= {fold_case(address) for address in originals.senders(report.original)}
    reporting = {fold_case(address) for address in found_in(report.headers.get("from"))}
    found: list[Mention] = []
    for number, line in enumerate(lines):
        if "@" not in line:
            continue
        about = lines[number - 1] if number else ""
        for match in ADDRESS.finditer(line):
            address = clean_address(match[0])
            if not address or len(found) >= _MOST_MENTIONS:
                continue
            weight = _place(line, match, about)
            folded = fold_case(address)
            if folded in sent:
                weight += 3
            elif folded in own:
                weight -= _OWN
            elif folded in reporting or is_machine(address):
                weight -= 4
            found.append(Mention(address, number, weight))
    return found


def _place(line: str, match: re.Match[str], above: str) -> int:
    """How much the place of an address in its line says that it is a recipient."""
    before, after = line[: match.start()], line[match.end() :]
    if _IDENTIFIER.search(before) or _FORWARDED.search(before):
        return -9
    lead = before if before.strip(_AROUND) else f"{above} {before}"
    if _FROM.search(lead[-60:]):
        return -4
    weight = 0
    if not ADDRESS.sub("", before + after).strip(_AROUND) or _REPLY_BEFORE.fullmatch(before):
        weight = 3
    elif not before.strip(_AROUND):
        weight = 2
    if _TO.search(lead[-60:]):
        weight = max(weight, 3)
    if reply_in(line) or statuses_in(line) or said_kind(line):
        weight += 1
    return weight - (4 if _CONTACT.search(line) else 0)
