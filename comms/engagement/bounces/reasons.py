"""The one line of a server's words that tells why."""

from __future__ import annotations

import re

from comms.engagement.bounces.addresses import ADDRESS
from comms.engagement.bounces.classify import said_kind
from comms.engagement.bounces.codes import reply_in, statuses_in
from comms.engagement.bounces.mime import one_line

LONGEST_REASON = 500
"""Characters of a reason."""
_MOST_PARAGRAPHS = 40
_WORD = re.compile(r"[^\W\d_]{2,}")


def reason_in(text: str) -> str:
    """The first paragraph that holds a code or words we know, else the first that holds words; on one line."""
    paragraphs = [block for block in re.split(r"\n[ \t]*\n", text, maxsplit=_MOST_PARAGRAPHS) if _has_words(block)]
    coded = [block for block in paragraphs if reply_in(block) or statuses_in(block)]
    known = coded or [block for block in paragraphs if said_kind(block)] or paragraphs
    return one_line(_without_address(known[0]), LONGEST_REASON) if known else ""


def _has_words(text: str) -> bool:
    return _WORD.search(ADDRESS.sub(" ", text[:2_000])) is not None


def _without_address(block: str) -> str:
    """The paragraph without a first line that is nothing but the recipient."""
    first, _, rest = block.strip().partition("\n")
    return rest if rest.strip() and not _has_words(first) else block
