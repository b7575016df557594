"""Every example in docs/campaign-files.md does what the page says, and the page names every key."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from campaigns.blocks import parse_body
from campaigns.definition import read
from campaigns.errors import DefinitionError
from campaigns.mergefields import fields_without_fallback
from campaigns.models import Expression, Text
from campaigns.schema import json_schema

PAGE = (Path(__file__).parents[2] / "docs" / "campaign-files.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(\w+)\n(.*?)```(?=\n|$)", PAGE, re.DOTALL)
MARKDOWN = [text for kind, text in EXAMPLES if kind == "markdown"]
((WRONG, ANSWERS),) = [
    (text, answers) for (_, text), (after, answers) in pairwise(EXAMPLES) if answers.startswith("campaign.md:")
]
GOOD = [text for text in MARKDOWN if text != WRONG]


def test_the_page_has_examples_of_each_kind() -> None:
    assert sum(text.startswith("---\n") for text in GOOD) >= 2
    assert sum(not text.startswith("---\n") for text in GOOD) >= 2


@pytest.mark.parametrize("text", [text for text in GOOD if text.startswith("---\n")])
def test_whole_files_are_good(text: str) -> None:
    assert read(text).title in text


@pytest.mark.parametrize("text", [text for text in GOOD if not text.startswith("---\n")])
def test_texts_are_good(text: str) -> None:
    blocks, problems = parse_body(text, first_line=1)

    assert problems == ()
    assert blocks


def test_the_expressions_shown_have_fallbacks() -> None:
    (text,) = [text for text in GOOD if text.startswith("Dear")]
    blocks, _ = parse_body(text, first_line=1)

    spans = [span for block in blocks if isinstance(block, Text) for span in block.content]
    sources = [span.source for span in spans if isinstance(span, Expression)]
    assert len(sources) == 3
    assert [fields_without_fallback(source) for source in sources] == [()] * 3


def test_the_wrong_file_gets_the_answers_shown() -> None:
    with pytest.raises(DefinitionError) as caught:
        read(WRONG)
    assert str(caught.value) == ANSWERS.rstrip("\n")


def _keys(schema: dict[str, Any]) -> set[str]:
    keys = set()
    for name, key in schema["properties"].items():
        found = re.search(r"#/\$defs/(\w+)", str(key))
        inner = schema["$defs"][found[1]]["properties"] if found else {}
        keys |= {f"{name}.{part}" for part in inner} or {name}
    return keys


def test_the_table_names_every_key_and_no_other() -> None:
    table = next(part for part in PAGE.split("\n\n") if "| `campaign` |" in part)
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]

    assert {key for row in rows for key in re.findall(r"`([^`]+)`", row)} == _keys(json_schema())
