"""mailauth, which checks SPF, DKIM and DMARC as receivers do; fetched by npm, and told what the DNS says."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.name_server import Records

VERSION = "4.13.3"
_INSTALL_S = 240
_SCRIPT = """
const { authenticate } = require("mailauth");
const { mails, records } = JSON.parse(require("fs").readFileSync(0));
const resolver = async (name, type) => {
  const found = records[`${name.toLowerCase().replace(/\\.$/, "")} ${type}`];
  if (!found) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
  return type === "TXT" ? found.map(text => [text])
    : type === "MX" ? found.map(text => ({ priority: +text.split(" ")[0], exchange: text.split(" ")[1] })) : found;
};
(async () => {
  const told = [];
  for (const mail of mails) {
    const { dkim, spf, dmarc } = await authenticate(Buffer.from(mail.raw, "base64"), { ...mail.envelope, resolver });
    told.push({ dkim: dkim.results.map(each => ({
      result: each.status.result, aligned: each.status.aligned, selector: each.selector,
      signed: each.signingHeaders?.keys,
    })), spf: spf.status.result, dmarc: dmarc ? dmarc.status.result : "none" });
  }
  console.log(JSON.stringify(told));
})();
"""


def install(folder: Path) -> Path:
    """Install it into `folder`; the test is skipped where npm can not do that."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("Node.js is not here, which mailauth needs")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"mailauth@{VERSION}"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm can not install mailauth here: is the registry reachable?")
    return folder


def judged(folder: Path, mails: list[tuple[bytes, Mapping[str, str]]], records: Records) -> list[dict[str, Any]]:
    """Per mail and envelope (`ip`, `helo`, `sender`): what it says of `dkim`, `spf` and `dmarc`."""
    given = {
        "mails": [{"raw": b64encode(raw).decode(), "envelope": dict(envelope)} for raw, envelope in mails],
        "records": {f"{name} {kind}": list(values) for (name, kind), values in records.items()},
    }
    done = subprocess.run(
        ["node", "-e", _SCRIPT], input=json.dumps(given), cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told
