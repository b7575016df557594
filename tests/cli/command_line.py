"""Runs the real `comms` command, as a person or another program would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    done = subprocess.run(
        [sys.executable, "-m", "comms", *words],
        cwd=cwd,
        env={**inherited, "PYTHONPATH": str(Path(__file__).parents[2]), **(environment or {})},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    answer = Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    assert "Traceback" not in answer.out + answer.err, answer.err
    return answer
