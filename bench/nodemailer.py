"""nodemailer with a pool of connections, where Node.js is here and npm can install it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

VERSION = "10.6.0"
INSTALL_S = 60
SCRIPT = """
const [port, messages, sessions, file] = process.argv.slice(2);
const raw = require("fs").readFileSync(file);
const transport = require("nodemailer").createTransport({
  host: "127.0.0.1", port: +port, pool: true, maxConnections: +sessions, maxMessages: Infinity, ignoreTLS: true });
const envelope = { from: "news@coalition.example", to: ["reader@example.org"] };
(async () => {
  const started = process.hrtime.bigint();
  let next = 0;
  const drain = async () => { while (next++ < +messages) await transport.sendMail({ envelope, raw }); };
  await Promise.all(Array.from({ length: +sessions }, drain));
  console.log(Number(process.hrtime.bigint() - started) / 1e9);
  transport.close();
})();
"""


def rate(scratch: Path, port: int, messages: int, sessions: int, file: Path) -> float | None:
    """Messages a second of bytes made beforehand; None, with the reason printed, when it can not be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("nodemailer is left out: Node.js is not here")
        return None
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(scratch), f"nodemailer@{VERSION}"]
    try:
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"nodemailer is left out: npm can not install it ({type(error).__name__})")
        return None
    script = scratch / "peer.js"
    script.write_text(SCRIPT)
    words = ["node", str(script), str(port), str(messages), str(sessions), str(file)]
    return messages / float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
