"""Good definitions become the Campaign their author meant; files are read as people save them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from campaigns.definition import read, read_file
from campaigns.errors import DefinitionError
from campaigns.models import Button, FeedPart, Heading, NewsletterPart, RelayPart, Schedule, Text
from campaigns.reading import MAX_BYTES

FULL = """\
---
campaign: hosting-partner
title: The Coalition is looking for a hosting partner
language: en
association: coalition        # who sends; the host when left out
audience:
  topic: coalition-news
  segment: sector in (library, archives) and state != "HI"
newsletter:
  subject: "{{ member.first_name or 'Colleague' }}, could your organisation host the Coalition?"
  preview: Proposals are welcome until spring
feed:
  summary: The Coalition seeks a partner to help it grow.
social:
  x: "Could your organisation host the Coalition? {{ url }}"
  mastodon: "We are looking for a hosting partner. {{ url }} #Libraries #Archives #Museums"
schedule:
  at: 2027-02-01 09:00
  timezone: member            # or an IANA zone
relay:
  associations: all
  respond_by: 2027-01-25
tags: [partners, 2027]
---

# A partner for the next step

Dear {{ member.first_name or "colleague" }}, ...

::: button https://example.org/rfp
Read the request
:::
"""

NINE = datetime.fromisoformat("2027-02-01 09:00")


def _with(keys: str = "", body: str = "Text.\n") -> str:
    return f"---\ncampaign: a\ntitle: b\nlanguage: en\n{keys}\n---\n{body}"


def test_every_key_of_the_format_reaches_the_campaign() -> None:
    campaign = read(FULL)

    assert (campaign.id, campaign.language, campaign.association) == ("hosting-partner", "en", "coalition")
    assert campaign.title == "The Coalition is looking for a hosting partner"
    assert campaign.audience.topic == "coalition-news"
    assert campaign.audience.segment == 'sector in (library, archives) and state != "HI"'
    assert campaign.newsletter == NewsletterPart(
        subject="{{ member.first_name or 'Colleague' }}, could your organisation host the Coalition?",
        preview="Proposals are welcome until spring",
        template="announcement",
        subject_line=10,
        preview_line=11,
    )
    assert campaign.feed == FeedPart("The Coalition seeks a partner to help it grow.")
    assert dict(campaign.social) == {
        "x": "Could your organisation host the Coalition? {{ url }}",
        "mastodon": "We are looking for a hosting partner. {{ url }} #Libraries #Archives #Museums",
    }
    assert campaign.schedule == Schedule(NINE, "member")
    assert campaign.relay == RelayPart(("all",), respond_by=date(2027, 1, 25))
    assert campaign.tags == ("partners", "2027")
    assert campaign.source == FULL


def test_lines_of_keys_segment_and_blocks_are_those_of_the_file() -> None:
    campaign = read(FULL)
    lines = FULL.split("\n")

    for key, line in campaign.key_lines.items():
        assert lines[line - 1].strip().startswith(key.rpartition(".")[2] + ":"), key
    assert "sector in" in lines[campaign.audience.segment_line - 1]
    heading, text, button = campaign.blocks
    assert isinstance(heading, Heading)
    assert isinstance(text, Text)
    assert isinstance(button, Button)
    assert lines[heading.line - 1].startswith("# A partner")
    assert lines[text.line - 1].startswith("Dear")
    assert lines[button.line - 1].startswith("::: button")


def test_a_segment_over_several_lines_starts_below_its_key() -> None:
    campaign = read(_with("feed:\naudience:\n  segment: >\n    state = WA\n    or state = OR"))

    assert campaign.audience.segment == "state = WA or state = OR"
    assert campaign.audience.segment_line == 8


@pytest.mark.parametrize("feed", ["feed:", "feed: {}", "feed: null", "feed:\n  summary:"])
def test_an_empty_feed_is_a_feed(feed: str) -> None:
    assert read(_with(feed)).feed == FeedPart()


def test_optional_keys_without_value_count_as_left_out() -> None:
    campaign = read(_with("feed:\nassociation:\naudience:\ntags:\nrelay:\n  associations: [maine]\n  respond_by:"))

    assert campaign.association is None
    assert campaign.audience.topic is None
    assert campaign.tags == ()
    assert campaign.relay == RelayPart(("maine",))


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("2027", "2027"), ("100%", "100%"), ("007", "007"), ("1:30", "1:30"), ("no", "no"), ("1_000.50", "1_000.50")],
)
def test_plain_words_and_numbers_stay_as_written(written: str, read_as: str) -> None:
    campaign = read(f"---\ncampaign: a\ntitle: {written}\nlanguage: no\nfeed:\n---\n")

    assert campaign.title == read_as
    assert campaign.language == "no"


@pytest.mark.parametrize("at", ["2027-02-01 09:00", "2027-02-01T09:00", "2027-02-01 09:00:00", '"2027-02-01 9:00"'])
def test_a_time_can_be_written_in_the_usual_ways(at: str) -> None:
    campaign = read(_with(f"feed:\nschedule:\n  at: {at}\n  timezone: Europe/Paris"))

    assert campaign.schedule == Schedule(NINE, "Europe/Paris")


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant-TW", "es-419", "de-CH-1996", "sr-Latn-x-library"])
def test_language_tags_of_all_usual_shapes_are_taken(tag: str) -> None:
    assert read(f"---\ncampaign: a\ntitle: b\nlanguage: {tag}\nfeed:\n---\n").language == tag


def test_line_ends_and_byte_order_mark_make_no_difference_to_the_content(tmp_path: Path) -> None:
    path = tmp_path / "c.md"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())

    campaign, plain = read_file(path), read(FULL)

    assert campaign.blocks == plain.blocks
    assert campaign.key_lines == plain.key_lines
    assert campaign.newsletter == plain.newsletter
    assert campaign.source.startswith("\ufeff---\r\n")


def test_a_file_in_another_encoding_is_named_with_byte_and_line(tmp_path: Path) -> None:
    path = tmp_path / "latin1.md"
    path.write_bytes(b"---\r\ntitle: Caf\xe9\r\n---\r\n")

    with pytest.raises(DefinitionError) as caught:
        read_file(path)

    (problem,) = caught.value.problems
    assert (problem.line, problem.field) == (2, "file")
    assert "0xE9 at position 16" in problem.message


@pytest.mark.parametrize("name", ["absent.md", "", "bad\0name"])
def test_a_file_that_can_not_be_opened_is_a_problem_like_any_other(tmp_path: Path, name: str) -> None:
    with pytest.raises(DefinitionError, match="can not be read"):
        read_file(f"{tmp_path}/{name}")


def test_a_file_over_the_limit_is_refused_before_it_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "large.md"
    path.write_bytes(b"\xff" * (MAX_BYTES + 1))

    with pytest.raises(DefinitionError, match="too large"):
        read_file(path)
    with pytest.raises(DefinitionError, match="too large"):
        read("x" * (MAX_BYTES + 1))


def test_the_error_prints_every_problem_with_path_line_field_and_hint() -> None:
    with pytest.raises(DefinitionError) as caught:
        read("---\ncampaign: a\ntitle: b\nlanguage: en\nfeed:\nasociation: c\n---\n##### Low\n", path="x/y.md")

    assert str(caught.value).split("\n") == [
        "x/y.md:6: asociation: there is no such key (did you mean `association`?)",
        "x/y.md:8: body: a heading of level 5 (a message has room for # to ####; use bold text for less)",
    ]
