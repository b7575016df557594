"""MJML's own compiler, the npm package, which the bench of MJML compares with."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping

from comms.rendering.mjml.table import VERSION

INSTALL_S = 120
_SCRIPT = """
const mjml = require("mjml"), sources = JSON.parse(require("fs").readFileSync(0)), made = {};
for (const name in sources) {
  try { made[name] = mjml(sources[name], { validationLevel: "skip" }).html; } catch (error) { made[name] = null; }
}
console.log(JSON.stringify(made));
"""


def compiled_by_npm(sources: Mapping[str, str]) -> dict[str, str | None] | None:
    """The HTML of each source by name, None for one that it fails at.

    None, with the reason printed, when Node.js is not here or npm can not install the package.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("Node.js is not here")
        return None
    with tempfile.TemporaryDirectory(prefix="comms-bench-") as folder:
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, f"mjml@{VERSION}"]
        try:
            subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"npm can not install mjml {VERSION} ({type(error).__name__})")
            return None
        told = subprocess.run(
            ["node", "-e", _SCRIPT], input=json.dumps(sources), check=True, capture_output=True, text=True, cwd=folder
        )
    made: dict[str, str | None] = json.loads(told.stdout)
    return made
