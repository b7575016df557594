"""Sections for the subscribers of a topic: who sees what of them, in HTML and text, and who sees all."""

from __future__ import annotations

import json
import quopri

import pytest
from rendering_samples import a_campaign, a_context, an_association, announcement, words

from campaigns.models import Block, FeedItem, FeedItems
from comms.rendering.compile import compile_edition
from comms.rendering.edition import Edition
from comms.rendering.render import Renderer


def compiled(*blocks: Block) -> Edition:
    return compile_edition(a_campaign(*(blocks or words("Hello"))), an_association(), announcement(), media_url="")


def test_a_section_reaches_whom_it_is_for_in_html_and_text_and_everyone_on_the_page_online() -> None:
    old, new = (FeedItem(title, f"https://museum.org/{title}") for title in ("Maps", "Globes"))
    feed = FeedItems("museum", 1, topic="museums", unseen=True, items=(new,), missed=(old,))
    everyone = FeedItems("news", 1, items=(FeedItem("Opening", "https://museum.org/"),))
    edition = compiled(feed, everyone)
    assert edition.topics == ("museums",)
    renderer = Renderer(Edition.from_json(edition.to_json()))
    for digits, shown in {"0": set(), "1": {"Globes"}, "2": {"Globes", "Maps"}, "": {"Globes", "Maps"}}.items():
        rendered = renderer.render({**a_context(), "sections": digits})
        for part in (rendered.html, rendered.text):
            assert {title for title in ("Globes", "Maps", "Opening") if title in part} == shown | {"Opening"}
        encoded = renderer.encode({**a_context(), "sections": digits})
        assert quopri.decodestring(encoded.text).decode().split() == rendered.text.split()
    assert "Maps" in renderer.render_public(a_context()).html


def test_an_edition_without_sections_is_what_it_was_before_there_were_any() -> None:
    assert "topics" not in compiled().to_json()
    with pytest.raises(ValueError, match="wrong type"):
        Edition.from_json(json.dumps({**json.loads(compiled().to_json()), "topics": [1]}))
