"""Newsletters speak the language of their campaign in everything that the campaign does not say itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campaigns.models import Statistic
from comms.channels.feed_content import content_from_blocks
from comms.language.catalogues import SHIPPED
from comms.language.words import ENGLISH
from comms.rendering.body import BodyData
from comms.rendering.strings import strings
from tests.support.template_gallery import NAMES, arabic, example, mail

OURS = {*strings(ENGLISH, "ASSOCIATION", "AUTHOR").values(), "Add to your calendar", "Deadline", "Please answer by"}


def said(text: str) -> set[str]:
    """What of our English words a mail says; names are not looked at."""
    parts = {
        piece for words in OURS for piece in words.replace("ASSOCIATION", "\n").replace("AUTHOR", "\n").split("\n")
    }
    return {part for part in parts if len(part) > 3 and part.strip() in text}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["es", "fr"])
def test_no_english_word_is_left_in_any_template(name: str, language: str) -> None:
    english, translated = (mail(replace(example(name), language=tag)) for tag in ("en", language))
    assert said(english.html)
    assert said(english.text)
    assert said(translated.html) == said(translated.text) == set()
    assert f'lang="{language}"' in translated.html


@pytest.mark.parametrize("name", NAMES)
def test_words_of_ours_in_a_language_that_we_do_not_speak_are_marked_as_english(name: str) -> None:
    html = mail(arabic(name)).html
    assert 'dir="rtl"' in html
    foot = html[html.index("You receive this") - 200 : html.index("You receive this")]
    assert 'lang="en" dir="ltr"' in foot


@pytest.mark.parametrize(
    ("number", "language", "shown"),
    [
        ("12500", "en", "12,500"),
        ("12500", "es", "12.500"),
        ("12500", "fr", "12\u202f500"),
        ("3.5", "es", "3,5"),
        ("1923", "en", "1923"),
        ("1.200", "es", "1.200"),
        ("45 %", "fr", "45 %"),
        ("1.2 million", "es", "1.2 million"),
    ],
)
def test_figures_are_written_as_the_language_writes_them(number: str, language: str, shown: str) -> None:
    block = Statistic(number, (), 1)
    (data,) = BodyData(lambda source, line: source, "https://example.org/media/", language=language).blocks([block])
    assert data["number"] == shown
    html = content_from_blocks((block,), url="https://example.org/", media_url="m", values={}, language=language)
    assert shown in html


def test_labels_of_a_template_are_translated_where_they_are_ours() -> None:
    assert SHIPPED.words("es").translated("Deadline") == "Plazo"
    assert SHIPPED.words("es").translated("Our own label") == "Our own label"
