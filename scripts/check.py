"""All that must hold at every commit, in one command: `make test`.

scripts/check.py               everything
scripts/check.py --no-tests    everything but the tests
scripts/check.py -- ARGS       everything, with ARGS for pytest
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def main(arguments: list[str]) -> None:
    pytest_arguments = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    steps = [
        ("formatting", [BIN / "ruff", "format", "--check", "."]),
        ("lint", [BIN / "ruff", "check", "."]),
        ("types", [BIN / "mypy"]),
        ("import contracts", [BIN / "lint-imports"]),
        ("catalogues", [sys.executable, "scripts/catalogues.py", "check"]),
        ("generated docs", [sys.executable, "scripts/reference.py", "--check"]),
    ]
    if "--no-tests" not in arguments:
        # One more than there are processors: many tests wait for processes and servers of theirs.
        side_by_side = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal", "--durations=15"]
        steps.append(("tests", [sys.executable, "-m", "pytest", *side_by_side, *pytest_arguments]))
    failed = []
    for name, command in steps:
        print(f"--- {name}", flush=True)
        started = time.monotonic()
        code = subprocess.run(command, cwd=ROOT).returncode
        verdict = "ok" if code == 0 else f"FAILED ({code})"
        print(f"--- {name}: {verdict}, {time.monotonic() - started:.1f} s", flush=True)
        if code:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
