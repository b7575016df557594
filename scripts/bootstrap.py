"""Make .venv from the hashed lock, with nothing but the standard library.

    python3 scripts/bootstrap.py run    what the program needs
    python3 scripts/bootstrap.py dev    that, and what the checks and tests need

Skipped when the lock has not changed since the last time. Uses uv when it is on the PATH
(seconds instead of a quarter of a minute), else pip. COMMS_WHEELHOUSE names a folder of wheels
to install from without any network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
LOCKS = {"run": ROOT / "requirements.txt", "dev": ROOT / "requirements-dev.txt"}
OLDEST = (3, 11)


def fail(message: str) -> None:
    print(f"set-up: {message}", file=sys.stderr)
    raise SystemExit(1)


def fingerprint(kind: str) -> str:
    """What .venv must have been made from: the lock, the project's own metadata and this interpreter."""
    digest = hashlib.sha256()
    for path in (LOCKS[kind], ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    digest.update(repr(sys.version_info[:3]).encode())
    return digest.hexdigest()


def stamp(kind: str) -> Path:
    return VENV / f".{kind}-lock"


def is_current(kind: str) -> bool:
    """True when .venv was made from this lock; a dev environment serves for running too."""
    kinds = ("run", "dev") if kind == "run" else ("dev",)
    return (BIN / "comms").exists() and any(stamp(k).exists() and stamp(k).read_text() == fingerprint(k) for k in kinds)


def make_venv(uv: str | None) -> None:
    same_version = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
    python = BIN / "python"
    working = python.exists() and subprocess.run([python, "-c", same_version]).returncode == 0
    if working:
        return
    if uv:
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], check=True)
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        version = ".".join(map(str, sys.version_info[:2]))
        fail(
            f"this Python {version} comes without venv or ensurepip, so no environment can be made.\n"
            f"  Debian, Ubuntu: apt install python{version}-venv\n"
            f"  Fedora:         dnf install python3-pip\n"
            f"  or install uv, which needs neither; then run this again."
        )
    venv.create(VENV, with_pip=True, clear=True)


def install(kind: str, uv: str | None) -> None:
    wheelhouse = os.environ.get("COMMS_WHEELHOUSE")
    offline = ["--no-index", "--find-links", wheelhouse] if wheelhouse else []
    if uv:
        pip = [uv, "pip", "install", "--quiet", "--python", BIN / "python"]
    else:
        pip = [BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, *offline, "--require-hashes", "-r", LOCKS[kind]], check=True)
    subprocess.run([*pip, *offline, "--no-deps", "--editable", ROOT], check=True)


def main(arguments: list[str]) -> None:
    kind = arguments[0] if arguments else "run"
    if kind not in LOCKS:
        fail(f"unknown kind {kind!r}; it is one of: {', '.join(LOCKS)}")
    if sys.version_info < OLDEST:
        needed, found = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:3]))
        fail(f"Python {needed} or newer is needed, this is {found}. Name another one: make PYTHON=python3.13")
    if is_current(kind):
        return
    uv = shutil.which("uv")
    tool, seconds = ("uv", 5) if uv else ("pip", 30)
    print(f"set-up: making .venv with {tool} (once; about {seconds} seconds) ...", flush=True)
    try:
        make_venv(uv)
        install(kind, uv)
    except subprocess.CalledProcessError as error:
        fail(
            f"{error.cmd[0]} ended with code {error.returncode}; its own message stands above. "
            "Is the package index reachable?"
        )
    stamp(kind).write_text(fingerprint(kind))
    print("set-up: done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
