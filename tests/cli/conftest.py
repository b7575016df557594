from __future__ import annotations

from pathlib import Path

import pytest
from command_line import comms

PEOPLE = """\
email,name,state,consent
ada@example.org,Ada,WA,yes
ben@example.org,Ben,WA,no
eva@example.org,Eva,OR,
no address,Nobody,OR,yes
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace `coalition` in it, made by the command, and a list of people."""
    folder = tmp_path_factory.mktemp("cli")
    made = comms("init", "coalition", "--name", "Coalition", cwd=folder)
    assert made.code == 0, made.err
    (folder / "people.csv").write_text(PEOPLE)
    return folder
