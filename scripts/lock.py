"""Renew the two locks from pyproject.toml. Needs uv; the locks themselves need only pip."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    uv = shutil.which("uv")
    if uv is None:
        print("lock: uv is not on the PATH (pip install uv)", file=sys.stderr)
        raise SystemExit(1)
    common = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
              "--no-emit-index-url", "--no-header", "pyproject.toml"]  # fmt: skip
    for target, extra in (("requirements.txt", []), ("requirements-dev.txt", ["--group", "dev"])):
        subprocess.run([*common, *extra, "-o", target], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
