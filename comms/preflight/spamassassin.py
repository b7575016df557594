"""Asks SpamAssassin, where it is installed, what it thinks of a mail; it sends nothing anywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from comms.preflight.report import Finding, should

PROGRAM = "spamassassin"
SECONDS = 60
BEARABLE = 1.0
"""Points; most installations refuse mail from 5 on, and receivers add what they know of the sender."""
SCORED = should(
    "spam-score",
    f"{BEARABLE} points or more from SpamAssassin, where it is installed",
    "Many mail servers use its rules: from 5 points on a mail is spam to them.",
)
RULES = (SCORED,)

_POINTS = re.compile(r"Content analysis details:\s*\((-?\d+(?:\.\d+)?) (?:points|hits)")
_HIT = re.compile(r"^\s*\*?\s*(-?\d+(?:\.\d+)?) ([A-Z][A-Z0-9_]{2,})\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What SpamAssassin made of a mail: all points, and those of each rule that gave any against it."""

    points: float
    hits: tuple[tuple[str, float], ...]


def judge(message: bytes) -> Verdict | None:
    """The verdict on a whole mail, by local rules alone; None where SpamAssassin is not installed or says nothing."""
    program = shutil.which(PROGRAM)
    if program is None:
        return None
    try:
        done = subprocess.run([program, "-L", "-t"], input=message, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read(done.stdout.decode("utf-8", "replace"))


def read(report: str) -> Verdict | None:
    """The verdict in what `spamassassin -t` prints; None when there is none."""
    reports = list(_POINTS.finditer(report))
    if not reports:
        return None
    found = reports[-1]  # the mail itself may hold such words, but what SpamAssassin says stands below it
    hits = [(name, float(points)) for points, name in _HIT.findall(report, found.end()) if float(points) > 0]
    return Verdict(float(found[1]), tuple(sorted(hits, key=lambda hit: -hit[1])))


def find(verdict: Verdict | None) -> Iterator[Finding]:
    """A finding on a mail that got too many points."""
    if verdict is not None and verdict.points >= BEARABLE:
        hits = ", ".join(f"{name} {points:g}" for name, points in verdict.hits)
        message = f"SpamAssassin gives the mail {verdict.points:g} points: {hits or 'it does not say for what'}"
        yield SCORED.at(0, "body", message, "look these names up at https://spamassassin.apache.org/tests.html")
