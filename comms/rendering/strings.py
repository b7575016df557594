"""The words that templates and plain text use by themselves, apart from what a campaign says."""

from __future__ import annotations

_ENGLISH = {
    "view_online": "View in browser",
    "unsubscribe": "Unsubscribe",
    "why": "You receive this because you are subscribed to news from {association}.",
    "relayed": "Relayed from {author}.",
    "contents": "In this issue",
    "details": "Details and registration",
}

_RTL_LANGUAGES = frozenset("ar arc ckb dv fa he iw ji ks nqo ps sd syr ug ur yi".split())
_RTL_SCRIPTS = frozenset({"arab", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg"})


def strings(association: str, author: str = "") -> dict[str, str]:
    """Key -> words, with the association's name filled in, and that of the author whose words it passes on.

    Without an author `relayed` is empty.
    """
    filled = {key: words.replace("{association}", association) for key, words in _ENGLISH.items()}
    return filled | {"relayed": filled["relayed"].replace("{author}", author) if author else ""}


def direction(language: str) -> str:
    """ "rtl" or "ltr" for a BCP 47 tag; a script subtag (`az-Arab`) outweighs the language."""
    primary, *rest = language.replace("_", "-").lower().split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), None)
    rtl = script in _RTL_SCRIPTS if script else primary in _RTL_LANGUAGES
    return "rtl" if rtl else "ltr"
