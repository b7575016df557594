"""The languages that an association offers its readers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from audiences.models import Association

_EVERYWHERE = ("en", "es", "fr")
_NAMES: Mapping[str, str] = MappingProxyType({
    "ar": "العربية", "bn": "বাংলা", "ca": "Català", "cs": "Čeština", "da": "Dansk", "de": "Deutsch", "el": "Ελληνικά",
    "en": "English", "es": "Español", "fa": "فارسی", "fi": "Suomi", "fr": "Français", "he": "עברית", "hi": "हिन्दी",
    "hu": "Magyar", "id": "Bahasa Indonesia", "it": "Italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands",
    "no": "Norsk", "pl": "Polski", "pt": "Português", "ro": "Română", "ru": "Русский", "sv": "Svenska",
    "tr": "Türkçe", "uk": "Українська", "ur": "اردو", "vi": "Tiếng Việt", "zh": "中文",
})  # fmt: skip
"""Each language's name in itself (Unicode CLDR)."""


def offered(association: Association, known: str | None = None) -> dict[str, str]:
    """Tag -> name, the association's own language first; with `known`, the one that a person has already."""
    tags = (association.language, *_EVERYWHERE, *([known] if known else []))
    return {tag: name(tag) for tag in tags}


def name(tag: str) -> str:
    """The language's name in itself, with what else a BCP 47 tag says: `Español (MX)`; the tag where we know none."""
    primary, _, rest = tag.partition("-")
    found = _NAMES.get(primary.lower())
    if found is None:
        return tag
    return f"{found} ({rest})" if rest else found
