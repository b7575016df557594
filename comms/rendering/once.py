"""Compiles an edition once for what it is made of, as long as a process lives. Reads none of that itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

from audiences.models import Association
from campaigns.models import Campaign
from comms.rendering.compile import compile_edition
from comms.rendering.edition import Edition
from comms.rendering.source import TemplateSource
from comms.surroundings import Surroundings

MOST = 32
"""Editions that are remembered, those asked for last: some megabytes."""


@dataclass(frozen=True, slots=True)
class _Making:
    """All that an edition is made of; two are the same when their marks are."""

    mark: str
    campaign: Campaign = field(compare=False)
    association: Association = field(compare=False)
    template: TemplateSource = field(compare=False)
    media_url: str = field(compare=False)
    around: Surroundings = field(compare=False)


def edition(
    campaign: Campaign, association: Association, template: TemplateSource, *, media_url: str, around: Surroundings
) -> Edition:
    """What `compile_edition` gives, and raises; the very same object for what was compiled lately."""
    # All of these are frozen data that say everything of themselves, but for words, which stand in files.
    parts = (campaign, association, template, media_url, around, around.catalogues.marks())
    mark = hashlib.sha256("\0".join(map(repr, parts)).encode("utf-8", "surrogatepass")).hexdigest()
    return _compiled(_Making(mark, campaign, association, template, media_url, around))


@lru_cache(maxsize=MOST)
def _compiled(making: _Making) -> Edition:
    return compile_edition(
        making.campaign, making.association, making.template, media_url=making.media_url, around=making.around
    )
