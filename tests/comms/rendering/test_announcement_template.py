"""The template that every new installation starts with: readable, accessible, small, in any direction."""

from __future__ import annotations

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendering_samples import a_campaign, an_association, rendered, words

from audiences.models import Brand
from campaigns.models import Button, Columns, Heading, Image, NewsletterPart, Plain, Text
from comms.language.tags import direction
from comms.rendering.colour import contrast, legible, palette, parse, readable_on

COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def story(number: int) -> tuple[object, ...]:
    text = Text((Plain("Small libraries keep the memory of their towns. " * 12),), 1)
    return (
        Heading(2, (Plain(f"Story {number}"),), 1),
        Image(f"{number}.jpg", f"Picture {number}", 1, caption="Caption"),
        text,
        Button(f"https://example.org/{number}", (Plain("Read on"),), 1),
    )


def test_images_are_as_wide_as_their_column_for_outlook() -> None:
    picture = Image("a.jpg", "A", 1)
    campaign = a_campaign(picture, Columns(((picture,), (picture,)), 1), Columns(((picture,),) * 4, 1))
    widths = lxml.html.document_fromstring(rendered(campaign).html).xpath("//img/@width")
    assert widths == ["544", "260", "260", "118", "118", "118", "118"]


def test_a_long_newsletter_stays_under_sixty_kilobytes() -> None:
    message = rendered(a_campaign(*(block for number in range(10) for block in story(number))))
    assert len(message.html.encode()) <= 60_000


def test_everything_a_newsletter_must_say_is_there() -> None:
    tree = lxml.html.document_fromstring(rendered().html)
    text = tree.text_content()
    for words_ in (
        "Coalition of Libraries",
        "1 Main Street",
        "You receive this because",
        "Unsubscribe",
        "View in browser",
    ):
        assert words_ in text
    assert text.count("Coalition of Libraries") == 3  # head, footer, reason: the postal address does not repeat it
    assert tree.get("lang") == "en"
    assert tree.xpath("//*[@role='article'][@lang='en']/@aria-label") == ["Spring news"]
    assert all(table.get("role") == "presentation" for table in tree.xpath("//body//table"))
    assert tree.xpath("//meta[@name='color-scheme']/@content") == ["light dark"]
    assert "prefers-color-scheme" in rendered().html
    assert [heading.text_content() for heading in tree.xpath("//h1")] == ["Spring news"]


def test_the_preview_comes_first_and_is_padded() -> None:
    campaign = a_campaign(newsletter=NewsletterPart("s", "For {{ member.name or 'you' }}"))
    body = lxml.html.document_fromstring(rendered(campaign, member={"name": "Ana"}).html).find("body")
    assert body is not None
    text = body.text_content().strip()
    assert text.startswith("For Ana")
    assert text.count("\u034f") > 80
    assert "\u034f" not in rendered(a_campaign(newsletter=NewsletterPart("s"))).html


def test_right_to_left_languages_are_set_from_the_right() -> None:
    html = rendered(a_campaign(*words("سلام"), language="ar")).html
    tree = lxml.html.document_fromstring(html)
    assert tree.get("dir") == "rtl"
    assert "text-align:right" in html
    assert "direction:ltr" not in html


def test_the_logo_stands_in_for_the_name_and_says_it() -> None:
    brand = Brand(logo_url="logo.png")
    [logo] = lxml.html.document_fromstring(rendered(association=an_association(brand=brand)).html).xpath("//img")
    assert logo.get("src") == "https://news.example.org/media/logo.png"
    assert logo.get("alt") == "Coalition of Libraries"


@given(COLOURS, COLOURS)
def test_every_brand_gets_colours_that_can_be_read(accent: str, background: str) -> None:
    colours = palette(Brand(accent=accent, background=background))
    assert contrast(colours["on_accent"], accent) >= 4.5
    assert contrast(colours["accent_text"], "#ffffff") >= 4.5
    assert contrast(colours["muted_on_background"], background) >= 4.5
    assert contrast(colours["accent_on_background"], background) >= 4.5
    assert contrast(colours["accent_text"], colours["tint"]) >= 4.5
    assert contrast(colours["accent_night"], colours["tint_night"]) >= 4.5
    assert contrast(colours["accent_night"], "#111214") >= 4.5  # the page by night
    assert contrast("#1d1d1f", colours["tint"]) >= 7
    assert contrast("#ececee", colours["tint_night"]) >= 7
    assert contrast("#5b5d64", colours["tint"]) >= 4.5


def test_a_colour_that_can_be_read_already_stays() -> None:
    assert legible("#1f4e79", "#ffffff") == "#1f4e79"
    assert readable_on("#ffd400") != "#ffffff"


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert parse("#abc") == (0xAA, 0xBB, 0xCC)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "ltr"),
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("az-Arab", "rtl"),
        ("ur-Latn-PK", "ltr"),
        ("FA", "rtl"),
        ("", "ltr"),
    ],
)
def test_the_direction_follows_script_then_language(language: str, expected: str) -> None:
    assert direction(language) == expected
