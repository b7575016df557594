"""Write comms/rendering/mjml/table.json from MJML's own definitions, so that the two can not part.

    python scripts/mjml_table.py            write it anew
    python scripts/mjml_table.py --check    exit code 1, with what differs, when it is not current

It installs the npm package of one fixed version into a temporary folder, so it needs Node.js, npm and a registry.
"""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "4.18.0"
"""Of the npm package `mjml` (MIT)."""
TABLE = Path(__file__).resolve().parent.parent / "comms" / "rendering" / "mjml" / "table.json"
INSTALL_S = 120

_SCRIPT = """
const { components } = require("mjml-core");
require("mjml");
const { dependencies } = require("mjml-validator");
const colours = require("mjml-core/lib/types/helpers/colors");
const sorted = (table) => Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)));
const known = Object.values(components).map((each) => [each.componentName, {
  text: Boolean(each.endingTag), attributes: sorted(each.allowedAttributes || {}) }]);
const children = Object.entries(dependencies).map(([tag, allowed]) =>
  [tag, allowed.some((each) => each instanceof RegExp) ? null : [...allowed].sort()]);
console.log(JSON.stringify({
  version: require("mjml/package.json").version,
  components: sorted(Object.fromEntries(known)),
  children: sorted(Object.fromEntries(children)),
  colours: [...(colours.default || colours)].sort() }));
"""


def table() -> str:
    """The table as its file holds it. Raises subprocess.CalledProcessError when npm can not install the package."""
    with tempfile.TemporaryDirectory(prefix="comms-mjml-") as folder:
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, f"mjml@{VERSION}"]
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_S)
        told = subprocess.run(["node", "-e", _SCRIPT], check=True, capture_output=True, text=True, cwd=folder)
    return written(json.loads(told.stdout))


def written(data: dict[str, object]) -> str:
    """JSON with a line for each thing that can change by itself."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("Node.js and npm are needed; they are not on the PATH", file=sys.stderr)
        return 2
    current, fresh = TABLE.read_text(encoding="utf-8") if TABLE.exists() else "", table()
    if "--check" in arguments:
        lines = difflib.unified_diff(current.splitlines(), fresh.splitlines(), "table.json", "npm", lineterm="")
        print(*lines, sep="\n")
        return int(current != fresh)
    TABLE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
