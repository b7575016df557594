"""What MJML says of its own components: which there are, what each may hold, what its attributes take.

The facts stand in table.json, which scripts/mjml_table.py writes from the npm package; nothing is judged here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_TABLE: dict[str, Any] = json.loads(Path(__file__).with_name("table.json").read_text(encoding="utf-8"))

VERSION: str = _TABLE["version"]
"""Of the npm package that the table was made from."""

_TYPES: dict[str, dict[str, str]] = {
    # What MJML's core reads by itself stands in no definition.
    "mjml": {"dir": "enum(ltr,rtl,auto)", "lang": "string", "owa": "enum(mobile,desktop)"},
    "mj-selector": {"path": "string"},
    "mj-html-attribute": {"name": "string"},
    **{tag: component["attributes"] for tag, component in _TABLE["components"].items()},
}
_ANY_COMPONENT = {
    name: found.pop() if len(found) == 1 else "string"
    for name in sorted({name for kinds in _TYPES.values() for name in kinds})
    for found in [{kinds[name] for kinds in _TYPES.values() if name in kinds}]
}
"""Attributes of all components; those that are not the same everywhere take any text."""
_ALWAYS = {"mj-class": "string", "css-class": "string"}

ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    **{tag: {**kinds, **_ALWAYS} for tag, kinds in _TYPES.items()},
    "mj-all": {**_ANY_COMPONENT, **_ALWAYS},
    "mj-class": {**_ANY_COMPONENT, **_ALWAYS, "name": "string"},
}
"""Tag -> attribute -> its type in MJML's words, such as `unit(px,%){1,4}`."""

TAGS = frozenset(ATTRIBUTES)
"""Every component, without mj-include."""

TEXT = frozenset(tag for tag, component in _TABLE["components"].items() if component["text"]) | {"mj-html-attribute"}
"""Components that hold text or HTML and no components."""

CHILDREN: Mapping[str, frozenset[str]] = {
    **{tag: frozenset(TAGS if children is None else children) for tag, children in _TABLE["children"].items()},
    "mj-class": TAGS,
    "mj-all": frozenset(),
    # Stands in MJML's table, but mjml-python can not compile it.
    "mj-accordion-element": frozenset(_TABLE["children"]["mj-accordion-element"]) - {"mj-raw"},
}
"""Tag -> the components that may stand directly in it."""

COLOURED = frozenset(name for name, kind in _ANY_COMPONENT.items() if kind == "color")
"""Attributes that are colours wherever they are known."""

SHORTHANDS = frozenset(name for name, kind in _ANY_COMPONENT.items() if kind.endswith("{1,4}"))
"""Attributes that take a value for each of the four sides."""

_UNITS = re.compile(r"(unit|unitWithNegative)\(([^)]*)\)(?:\{(\d+)(?:,(\d+))?\})?")


@dataclass(frozen=True, slots=True)
class Kind:
    """What an attribute takes: a pattern found in every good value, and the same in words."""

    pattern: re.Pattern[str]
    words: str

    def accepts(self, value: str) -> bool:
        return self.pattern.search(value) is not None


@cache
def kind(name: str) -> Kind:
    """The type that MJML calls `name`, as mjml-core/lib/types of the npm package reads it."""
    if name.startswith("unit"):
        return _unit(name)
    if name.startswith("enum"):
        values = name[len("enum(") : -1].split(",")
        pattern = "|".join(re.escape(value) for value in values)
        return Kind(re.compile(rf"\A(?:{pattern})\Z"), _or([value for value in values if value]))
    return _SIMPLE[name]


def _unit(name: str) -> Kind:
    found = _UNITS.fullmatch(name)
    assert found, name
    units = found[2].split(",")
    least, most = int(found[3] or 1), int(found[4] or found[3] or 1)
    sign = "-?" if found[1] == "unitWithNegative" else ""
    endings = "|".join(re.escape(unit) for unit in units if unit != "auto")
    single = rf"(?:{sign}[\d.,]+(?:{endings})|0{'|auto' if 'auto' in units else ''})"
    pattern = rf"\A{single}(?: {single}){{{least - 1},{most - 1}}} ?\Z"
    suffix = _or([f"{unit}" for unit in units if unit not in ("", "auto")])
    words = f"{least} to {most} numbers, each with {suffix}" if most > 1 else f"a number with {suffix}"
    extras = (" or without a unit" if "" in units else "") + (" or auto" if "auto" in units else "")
    return Kind(re.compile(pattern, re.ASCII), words + extras)


_SIMPLE = {
    "string": Kind(re.compile(""), "any text"),
    "integer": Kind(re.compile(r"\d", re.ASCII), "a whole number"),
    "boolean": Kind(re.compile(r"\A(?:true|false)\Z"), "true or false"),
    "color": Kind(
        re.compile(
            r"rgba\(\d{1,3},\s?\d{1,3},\s?\d{1,3},\s?\d(?:\.\d{1,3})?\)|rgb\(\d{1,3},\s?\d{1,3},\s?\d{1,3}\)"
            rf"|\A#(?:[0-9a-fA-F]{{3}}){{1,2}}\Z|\A(?:{'|'.join(_TABLE['colours'])})\Z",
            re.ASCII | re.IGNORECASE,
        ),
        "a colour such as #1f4e79, rgb(31,78,121) or darkblue",
    ),
}


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
