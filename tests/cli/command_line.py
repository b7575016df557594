"""Runs the real `comms` command, as a person or another program would."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.commands import COMMANDS


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


def comms(*words: str | bytes, cwd: Path, environment: Mapping[str, str] | None = None) -> Answer:
    """Run `comms WORDS` in a folder. A traceback is never an answer."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COMMS_")}
    environment = {**inherited, "PYTHONPATH": str(Path(__file__).parents[2]), **(environment or {})}
    code, out, err = COMMANDS.run(words, environment, 120, cwd)
    answer = Answer(code, out.decode(errors="replace"), err.decode(errors="replace"))
    assert "Traceback" not in answer.out + answer.err, answer.err
    return answer
