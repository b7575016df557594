"""LinkedIn's "little" text: how a plain text is written in it, read back from it, and counted. Pure; posts nothing.

Source: Microsoft Learn, LinkedIn Marketing, "little Text Format". What is not escaped there ends the text silently.
"""

from __future__ import annotations

import re
from itertools import zip_longest

from comms.channels.x_length import addresses

LINKEDIN_LIMIT = 3_000
NO_THREADS = "LinkedIn has no threads."
_SPECIAL = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_HASHTAG = re.compile(r"(?<![\w&/])#(\w+)")
_WRITTEN = re.compile(
    r"\{hashtag\|\\?#\|(?P<tag>[^{}|]*)\}|@\[(?P<name>[^\[\]]*)\]\(urn:li:[^()]*\)|\\(?P<character>.)", re.S
)
_SHORT = "https://lnkd.in/"


def linkedin_length(text: str) -> int:
    """UTF-16 code units, which the server's own strings count in: an emoji is two, and more where it is composed."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def little_text(text: str) -> str:
    """`text` so that readers see every character of it, with its hashtags as hashtags.

    In addresses `#` is no hashtag; nothing in a text becomes a mention.
    """
    made, position = [], 0
    for start, end in addresses(text):
        made += [_with_hashtags(text[position:start]), _escaped(text[start:end])]
        position = end
    return "".join([*made, _with_hashtags(text[position:])])


def plain_text(little: str) -> str:
    """What readers see of a text that LinkedIn gives back."""
    return _WRITTEN.sub(_shown, little)


def is_same(written: str, shown: str) -> bool:
    """Whether `shown` is `written` as LinkedIn shows it: spaces may differ, and long addresses be shortened."""
    pairs = zip_longest(written.split(), shown.split(), fillvalue="")
    return all(ours == theirs or ("://" in ours and theirs.startswith(_SHORT)) for ours, theirs in pairs)


def _with_hashtags(text: str) -> str:
    made, position = [], 0
    for match in _HASHTAG.finditer(text):
        word = match[1]
        if "_" in word or word.isdigit():  # the first ends the tag there, the second is a number sign
            continue
        made += [_escaped(text[position : match.start()]), f"{{hashtag|\\#|{word}}}"]
        position = match.end()
    return "".join([*made, _escaped(text[position:])])


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text)


def _shown(match: re.Match[str]) -> str:
    if match["tag"] is not None:
        return f"#{match['tag']}"
    return str(match["character"] if match["name"] is None else match["name"])
