"""Makes the texts of a campaign's posts: the author's own, or one of title, summary and address. Posts nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from comms.channels.expressions import ExpressionError, render
from comms.channels.measures import Measure
from comms.channels.x_length import addresses

_NOTHING: Mapping[str, object] = MappingProxyType({})
_PART_END = re.compile(r"^[ \t]*---[ \t]*$", re.MULTILINE)
_ELLIPSIS = "…"
_MOST_TAGS = 5


def social_text(network: str, text: str, url: str, *, values: Mapping[str, object] = _NOTHING) -> str:
    """`text` with `{{ url }}` filled in, and nothing added.

    `values` may hold `campaign` and `association`, as plain data. Raises ExpressionError, which names the key of the
    definition, for any other name (a post has no single reader, so there is no `member`) and for a missing value.
    """
    try:
        return render(text, {**values, "url": url})
    except ExpressionError as error:
        raise ExpressionError(f"social.{network}: {error.message}", hint=error.hint) from error


def thread(text: str) -> tuple[str, ...]:
    """The parts of a text, which end at lines `---`; one for a text without."""
    parts = [part.strip("\n") for part in _PART_END.split(text)]
    return tuple(part for part in parts if part.strip()) if len(parts) > 1 else (text,)


def derived(title: str, summary: str, url: str, tags: Sequence[str], measure: Measure) -> str:
    """A text that its network takes: title, summary and address, with hashtags where there is room.

    What does not fit is cut at a word; the address never is. `url` may be empty.
    """
    ends = f"\n\n{url}" if url else ""
    text = f"{_cut(title, lambda words: measure.takes(words + ends))}{ends}"
    if summary and text.startswith(title):
        short = _cut(summary, lambda words: measure.takes(f"{title}\n\n{words}{ends}"))
        text = f"{title}\n\n{short}{ends}" if short else text
    chosen: list[str] = []
    for tag in dict.fromkeys(filter(None, map(hashtag, tags))):
        if len(chosen) < _MOST_TAGS and measure.takes(f"{text}\n\n{' '.join([*chosen, tag])}"):
            chosen.append(tag)
    return f"{text}\n\n{' '.join(chosen)}" if chosen else text


def hashtag(words: str) -> str:
    """`#SmallArchives` for "small archives", which programs that read aloud can tell apart; empty for no word."""
    parts = re.findall(r"\w+", unicodedata.normalize("NFC", words).replace("_", " "))
    joined = "".join(part[:1].upper() + part[1:] for part in parts)
    return f"#{joined}" if joined and not joined.isdigit() else ""


def with_utm(url: str, network: str, campaign: str) -> str:
    """`url` with the parameters by which web statistics tell where a reader came from; those it has stay."""
    return with_parameters(url, {"utm_source": network, "utm_medium": "social", "utm_campaign": campaign})


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """`url` with these parameters in its query, but for those that it has; as it is when it is no address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    there = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    missing = urlencode({name: value for name, value in parameters.items() if name not in there})
    query = "&".join(filter(None, (parts.query, missing)))
    return urlunsplit(parts._replace(query=query))


def links_with_utm(text: str, network: str, campaign: str, hosts: Collection[str]) -> str:
    """`text` with these parameters in every `http(s)://` address on one of the `hosts`."""
    made, position = [], 0
    for start, end in addresses(text):
        url = text[start:end]
        made.append(text[position:start])
        ours = url.lower().startswith(("http://", "https://")) and _host(url) in hosts
        made.append(with_utm(url, network, campaign) if ours else url)
        position = end
    return "".join([*made, text[position:]])


def has_link(text: str) -> bool:
    """Whether X counts the post as one with a link."""
    return bool(addresses(text))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _cut(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning of `text` that fits, whole words and an ellipsis; empty when not even one word does."""
    text = text.strip()
    if fits(text):
        return text
    words = [match.end() for match in re.finditer(r"\S+", text)]
    low, high = 0, len(words)
    while low < high:  # the most words that fit: more of them never count less
        middle = (low + high + 1) // 2
        if fits(_shortened(text, words[middle - 1])):
            low = middle
        else:
            high = middle - 1
    return _shortened(text, words[low - 1]) if low else ""


def _shortened(text: str, end: int) -> str:
    return text[:end].rstrip(" ,;:.–—-") + _ELLIPSIS
