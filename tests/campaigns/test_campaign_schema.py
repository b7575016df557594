"""The JSON Schema that editors use says what the reader enforces."""

from __future__ import annotations

import json
import re
from typing import Any

from campaigns.schema import json_schema


def _sections(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"": schema, **schema["$defs"]}


def test_it_is_json_of_the_draft_it_names() -> None:
    schema = json_schema()

    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_unknown_keys_are_refused_at_every_level() -> None:
    assert {
        name: section["additionalProperties"] for name, section in _sections(json_schema()).items()
    } == dict.fromkeys(_sections(json_schema()), False)


def test_every_key_has_a_title_or_reference_and_a_description() -> None:
    for section in _sections(json_schema()).values():
        for name, key in section["properties"].items():
            assert key.get("description"), name
            assert "title" in key or "$ref" in json.dumps(key), name


def test_required_keys_and_patterns_are_those_of_the_reader() -> None:
    schema = json_schema()

    assert schema["required"] == ["campaign", "title", "language"]
    assert schema["$defs"]["ScheduleSection"]["required"] == ["at", "timezone"]
    at = schema["$defs"]["ScheduleSection"]["properties"]["at"]
    assert all(re.search(at["pattern"], example) for example in at["examples"])
    assert not re.search(at["pattern"], "2027-02-01 09:00Z")
    slug = schema["properties"]["campaign"]["pattern"]
    assert re.search(slug, "hosting-partner")
    assert not re.search(slug, "Hosting Partner")
