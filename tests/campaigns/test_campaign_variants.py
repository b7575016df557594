"""A campaign in several files, one for each language: which they are, what they change, and what is wrong with them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.definition import read, read_file
from campaigns.errors import DefinitionError
from campaigns.models import Heading, Text
from campaigns.recurrence import occurrence
from campaigns.variants import beside, split

OWN = """\
---
campaign: welcome
title: Welcome
language: en
newsletter:
  subject: Welcome, all
  preview: Come in
  slots:
    place: Lakeland
    seats: 40
feed:
  summary: We welcome all.
schedule:
  at: 2027-02-01 09:00
  timezone: UTC
---

# Welcome
"""
SPANISH = """\
---
title: Bienvenidos
newsletter:
  subject: Bienvenidos todos
  slots:
    place: Lago
---

Hola.
"""


def written(folder: Path, **files: str) -> Path:
    """The campaign's file; each of `files` is a variant, by what stands between its name and `.md`."""
    (folder / "welcome.md").write_text(OWN, encoding="utf-8")
    for tag, text in files.items():
        (folder / f"welcome.{tag.replace('_', '-')}.md").write_text(text, encoding="utf-8")
    return folder / "welcome.md"


def problems(path: Path) -> list[tuple[str, int, str, str]]:
    """(file, line, field, message) of each."""
    with pytest.raises(DefinitionError) as caught:
        read_file(path)
    return [(Path(p.file).name if p.file else "", p.line, p.field, p.message) for p in caught.value.problems]


def test_a_variant_says_what_differs_and_keeps_all_else(tmp_path: Path) -> None:
    campaign = read_file(written(tmp_path, es=SPANISH))
    spanish = campaign.variants["es"]
    assert spanish.newsletter is not None
    assert (spanish.id, spanish.language, spanish.title) == ("welcome", "es", "Bienvenidos")
    assert (spanish.newsletter.subject, spanish.newsletter.preview) == ("Bienvenidos todos", "Come in")
    assert dict(spanish.newsletter.slots) == {"place": "Lago", "seats": "40"}
    assert isinstance(spanish.blocks[0], Text)
    assert isinstance(campaign.blocks[0], Heading)
    assert (spanish.schedule, spanish.audience) == (campaign.schedule, campaign.audience)
    assert spanish.newsletter.subject_line == 4


def test_all_files_as_one_text_read_back_as_the_same_campaign(tmp_path: Path) -> None:
    campaign = read_file(written(tmp_path, es=SPANISH, pt_BR=SPANISH.replace("Hola", "Olá")))
    again = read(campaign.definition)
    assert again == campaign
    assert list(again.variants) == ["es", "pt-BR"]


def test_a_campaign_in_one_language_is_its_file_and_nothing_more(tmp_path: Path) -> None:
    assert read_file(written(tmp_path)).definition == OWN


@settings(deadline=None)
@given(st.lists(st.sampled_from(["es", "fr", "pt-BR", "zh-Hant", "ar"]), unique=True), st.text(max_size=20))
def test_texts_are_parted_where_they_were_joined(tags: list[str], text: str) -> None:
    text = text.replace("\x1e", "")
    campaign = read(OWN + "".join(f"\x1e{tag}\n{SPANISH}" for tag in tags))
    assert list(campaign.variants) == tags
    joined = text + "".join(f"\x1e{tag}\n{text}" for tag in tags)
    assert split(joined) == (text, tuple((tag, text) for tag in tags))


def test_no_file_can_smuggle_in_a_variant(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(f"{OWN}\x1ees\n{SPANISH}", encoding="utf-8")
    assert any("can not be printed (U+001E)" in message for _, _, _, message in problems(path))


def test_a_variant_without_any_key_is_its_text(tmp_path: Path) -> None:
    spanish = read_file(written(tmp_path, es="---\n---\n\nHola.\n")).variants["es"]
    assert (spanish.title, spanish.language) == ("Welcome", "es")


def test_problems_name_the_file_and_the_line_of_the_variant(tmp_path: Path) -> None:
    broken = SPANISH.replace("  slots:", "  template: other\n  slots:").replace("Bienvenidos todos", '"{{ member. }}"')
    path = written(tmp_path, es=f"{broken}\n::: nothing\n", fr="no front matter")
    found = problems(path)
    assert ("welcome.es.md", 5, "newsletter.template", "the key stands in the campaign's own file alone") in found
    assert ("welcome.es.md", 4, "newsletter.subject") in [each[:3] for each in found]
    assert ("welcome.fr.md", 1) in [each[:2] for each in found]
    with pytest.raises(DefinitionError, match=r"welcome\.es\.md:5: newsletter\.template"):
        read_file(path)


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (SPANISH.replace("title:", "campaign: other\ntitle:"), "campaign", "the variant says it is of `other`"),
        (SPANISH.replace("title:", "language: fr\ntitle:"), "language", "the file's name says that it is in es"),
        (SPANISH.replace("title:", "audience:\n  topic: news\ntitle:"), "audience", "the campaign's own file alone"),
        (SPANISH.replace("title:", "tittle:"), "tittle", "no such key"),
        ("---\ntitle: Hola\n---\n", "body", "the variant has no text"),
    ],
)
def test_a_variant_that_says_more_or_less_is_refused(tmp_path: Path, text: str, field: str, message: str) -> None:
    assert any(
        found[0] == "welcome.es.md" and found[2] == field and message in found[3]
        for found in problems(written(tmp_path, es=text))
    )


def test_a_variant_in_the_campaigns_own_language_is_refused(tmp_path: Path) -> None:
    assert problems(written(tmp_path, EN=SPANISH)) == [("welcome.EN.md", 1, "file", "the campaign is in EN itself")]


def test_two_files_for_one_language_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, es=SPANISH, ES=SPANISH)
    assert {(name, message) for name, _, _, message in problems(path)} == {
        ("welcome.ES.md", "there are several files for es"),
        ("welcome.es.md", "there are several files for es"),
    }


def test_a_variant_of_a_campaign_without_a_newsletter_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, es=SPANISH)
    path.write_text("---\ncampaign: welcome\ntitle: T\nlanguage: en\nfeed:\n---\n\nText.\n")
    assert problems(path)[0][0::3] == ("welcome.es.md", "a variant of a campaign without a newsletter")


def test_a_variant_that_can_not_be_read_stops_the_campaign(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "welcome.es.md").write_bytes(b"---\n\xff")
    assert problems(path) == [("welcome.es.md", 2, "file", "not UTF-8: byte 0xFF at position 5 of the file")]


def test_the_file_of_a_variant_is_no_campaign(tmp_path: Path) -> None:
    written(tmp_path, es=SPANISH)
    (found,) = problems(tmp_path / "welcome.es.md")
    assert found[3] == "is the variant for es of the campaign in welcome.md"


def test_files_without_a_language_tag_are_strays(tmp_path: Path) -> None:
    path = written(tmp_path, draft=OWN, es=SPANISH)
    (tmp_path / "other.es.md").write_text(SPANISH)
    (tmp_path / "welcome.fr.txt").write_text(SPANISH)
    (tmp_path / "welcome.de.md").mkdir()
    found = beside(path)
    assert found.files == (("es", tmp_path / "welcome.es.md"),)
    assert [stray.name for stray in found.strays] == ["welcome.de.md", "welcome.draft.md"]
    assert list(read_file(path).variants) == ["es"]


def test_a_file_whose_tag_is_no_known_language_is_refused_until_it_says_that_it_is_one(tmp_path: Path) -> None:
    message = "`old` in the file's name is no language that is known here"
    assert problems(written(tmp_path, old=SPANISH)) == [("welcome.old.md", 1, "file", message)]
    path = written(tmp_path, old=SPANISH.replace("title:", "language: OLD\ntitle:"))
    assert list(read_file(path).variants) == ["old"]


def test_a_campaign_that_was_approved_is_read_whatever_its_variants_are_called(tmp_path: Path) -> None:
    approved = read_file(written(tmp_path, old=SPANISH.replace("title:", "language: old\ntitle:")))
    assert list(read(approved.definition.replace("language: old\n", "")).variants) == ["old"]


def test_each_occurrence_of_a_series_has_the_variants(tmp_path: Path) -> None:
    made = occurrence(read_file(written(tmp_path, es=SPANISH)), datetime(2027, 3, 1, 9))  # noqa: DTZ001 - by the clock on the wall
    assert made.variants["es"].id == made.id == "welcome-2027-03-01"
    assert made.variants["es"].schedule == made.schedule
