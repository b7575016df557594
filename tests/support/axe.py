"""axe-core, which finds what keeps people from using a page; fetched by npm, and run in a page of Chromium."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

VERSION = "4.14.1"
_INSTALL_S = 120
_PAGES = ("landmark-one-main", "page-has-heading-one", "region")
"""Rules about whole pages: a mail is shown within that of a mail program, and a letter has no heading."""
_RUN = """async off => (await axe.run(document, {resultTypes: ["violations"], rules: off})).violations
  .flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 120)} ${node.failureSummary}`))"""


def script(folder: Path) -> str:
    """The text of axe-core, installed into `folder`; the test is skipped where npm can not do that."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not here, which axe-core comes with")
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"axe-core@{VERSION}"]
    try:
        subprocess.run(install, check=True, capture_output=True, timeout=_INSTALL_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm can not install axe-core here: is the registry reachable?")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def violations(page: Any, axe: str) -> list[str]:
    """What axe-core finds in a mail by all rules for it, one line each."""
    page.evaluate(axe)
    found: list[str] = page.evaluate(_RUN, {rule: {"enabled": False} for rule in _PAGES})
    return found
