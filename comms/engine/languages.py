"""The languages of readers and campaigns: what an association offers, and in which one to speak to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from audiences.models import Association
from campaigns.models import Campaign
from comms.engine import tokens
from comms.engine.sending import read_back
from comms.engine.variants import of_channel
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.language.words import Words

_NAMES: Mapping[str, str] = MappingProxyType({
    "ar": "العربية", "bn": "বাংলা", "ca": "Català", "cs": "Čeština", "da": "Dansk", "de": "Deutsch", "el": "Ελληνικά",
    "en": "English", "es": "Español", "fa": "فارسی", "fi": "Suomi", "fr": "Français", "he": "עברית", "hi": "हिन्दी",
    "hu": "Magyar", "id": "Bahasa Indonesia", "it": "Italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands",
    "no": "Norsk", "pl": "Polski", "pt": "Português", "ro": "Română", "ru": "Русский", "sv": "Svenska",
    "tr": "Türkçe", "uk": "Українська", "ur": "اردو", "vi": "Tiếng Việt", "zh": "中文",
})  # fmt: skip
"""Each language's name in itself (Unicode CLDR)."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """In which languages to speak to somebody, as BCP 47 tags, the best first."""

    first: tuple[str, ...] = ()
    """What is known of the person, and of the mail that they come from: before what a browser says."""
    last: tuple[str, ...] = ()
    """What the association speaks: after it."""


def wishes(workspace: Workspace, token: str) -> Wishes:
    """Of the reader whom a token in a mail stands for; none for a token that is not ours."""
    copy = tokens.read(workspace, token)
    holder = tokens.holder(workspace, token)
    owner = copy.association if copy else holder.association if holder else None
    if owner is None:
        return Wishes()
    member = workspace.people(owner.slug).get(holder.member) if holder and holder.member is not None else None
    row = workspace.host.campaign(copy.run.campaign) if copy else None
    sent = of_channel(read_back(row), copy.run.channel).language if row and copy else None
    known = (member.language if member else None, sent)
    return Wishes(tuple(filter(None, known)), (owner.language,))


def speaks(workspace: Workspace, association: str) -> Wishes:
    """Of somebody of whom nothing is known but which association they look for."""
    owner = next((each for each in workspace.associations() if each.slug == association), None)
    return Wishes(last=(owner.language,)) if owner else Wishes()


def words(workspace: Workspace, wished: Wishes) -> Words:
    """How to speak to somebody of whose browser nothing is known."""
    return workspace.catalogues.words(*wished.first, *wished.last)


def offered(workspace: Workspace, association: Association, known: str | None = None) -> dict[str, str]:
    """Tag -> name: the association's own language, then all that we have words for; with `known`, the one that a
    person has already."""
    tags = (association.language, *workspace.catalogues.tags(), *([known] if known else []))
    return {tag: name(tag) for tag in tags}


def variants(campaign: Campaign) -> dict[str, Campaign]:
    """Tag -> the campaign in that language, its own first."""
    return {campaign.language: campaign, **campaign.variants}


def variant(campaign: Campaign, tag: str) -> Campaign:
    """The campaign in the language `tag`, however its capitals are. Raises UsageError when it is not in it."""
    known = variants(campaign)
    found = next((each for own, each in known.items() if own.lower() == tag.lower()), None)
    if found is None:
        raise UsageError(f"campaign {campaign.id} is not in {tag}.", hint=f"It is in: {', '.join(known)}.")
    return found


def name(tag: str) -> str:
    """The language's name in itself, with what else a BCP 47 tag says: `Español (MX)`; the tag where we know none."""
    primary, _, rest = tag.partition("-")
    found = _NAMES.get(primary.lower())
    if found is None:
        return tag
    return f"{found} ({rest})" if rest else found
