"""Which languages there are names for. Says nothing of how a tag is written, nor of the words that we have."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale


def is_known(tag: str) -> bool:
    """Has CLDR a name for the language of a BCP 47 tag? It has none for many with few readers, such as `yua`."""
    return tag.split("-")[0].lower() in _named()


@lru_cache(maxsize=1)
def _named() -> frozenset[str]:
    return frozenset(Locale("en").languages)
