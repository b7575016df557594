"""The table of MJML's components says what the npm package says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from comms.rendering.mjml.table import ATTRIBUTES, CHILDREN, TAGS, TEXT, kind

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_the_table_is_what_the_npm_package_says() -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not here, which the table is compared with")
    words = [sys.executable, str(ROOT / "scripts" / "mjml_table.py"), "--check"]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    if "CalledProcessError" in told.stderr or "TimeoutExpired" in told.stderr:
        pytest.skip("npm can not install mjml here: is the registry reachable?")
    assert (told.returncode, told.stdout.strip()) == (0, "")


def test_every_type_of_the_table_is_understood() -> None:
    for kinds in ATTRIBUTES.values():
        for name in kinds.values():
            assert kind(name).words


def test_what_may_stand_in_a_component_is_a_component() -> None:
    for parent, children in CHILDREN.items():
        assert parent in TAGS
        assert children <= TAGS
    assert all(not CHILDREN.get(tag) for tag in TEXT)


TYPES = [
    ("unit(px)", ["0", "12px", "1.5px"], ["12", "12em", "px", "12px 3px", "-1px", "12px\n"]),
    ("unit(px,%)", ["0", "50%"], ["auto", "50", ""]),
    ("unit(px,%){1,4}", ["0", "1px 2%", "0 0 0 0"], ["1px 2px 3px 4px 5px", "1px  2px", "1px,2px"]),
    ("unit(px,auto)", ["auto", "3px"], ["50%"]),
    ("unit(px,%,)", ["1.5", "120%", "22px"], ["1em", "normal"]),
    ("unitWithNegative(px,em)", ["-1px", "0.2em"], ["-1", "--1px"]),
    ("color", ["#abc", "#AABBCC", "rgb(1,2,3)", "rgba(1, 2, 3, 0.5)", "Red", "transparent"], ["#abcd", "redd", ""]),
    ("enum(left,center,right)", ["left", "right"], ["Left", "justify", "", "left\n"]),
    ("enum(full-width,false,)", ["", "false"], ["true"]),
    ("boolean", ["true", "false"], ["yes", "TRUE", ""]),
    ("integer", ["7"], ["seven"]),
    ("string", ["", "x"], []),
]


@pytest.mark.parametrize(("name", "good", "bad"), TYPES)
def test_a_type_takes_what_mjml_takes(name: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not kind(name).accepts(value)] == []
    assert [value for value in bad if kind(name).accepts(value)] == []
