"""Mailman 3, fully personalised: its own delivery of one posting to each member, where pip can install it.

Left out of it are its queues, which would only make it slower.
"""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

from bench.sink import Sink

VERSION = "3.3.10"
INSTALL_S = 180
SETTINGS = """
[mailman]
layout: here
[paths.here]
var_dir: {folder}/var
[mta]
incoming: mailman.mta.null.NullMTA
smtp_host: 127.0.0.1
smtp_port: {port}
"""
SCRIPT = """
import sys, time
from email import message_from_bytes

from mailman.core.initialize import initialize

initialize("mailman.cfg")
from mailman.app.lifecycle import create_list
from mailman.config import config
from mailman.email.message import Message
from mailman.interfaces.mailinglist import Personalization
from mailman.interfaces.domain import IDomainManager
from mailman.interfaces.usermanager import IUserManager
from mailman.mta.deliver import deliver
from zope.component import getUtility

getUtility(IDomainManager).add("coalition.example")
mlist = create_list("bench@coalition.example", ["owner@coalition.example"])
mlist.personalize = Personalization.full
users, addresses = getUtility(IUserManager), []
for n in range(int(sys.argv[1])):
    user = users.create_user(f"reader{n}@example.org", f"Reader {n}")
    mlist.subscribe(list(user.addresses)[0])
    addresses.append(f"reader{n}@example.org")
config.db.commit()
message = message_from_bytes(open(sys.argv[2], "rb").read(), Message)
started = time.perf_counter()
deliver(mlist, message, {"recipients": set(addresses), "personalize": True})
print(time.perf_counter() - started)
"""


def rate(scratch: Path, server: Sink, messages: int, file: Path) -> float | None:
    """Messages a second of the mail in `file`; None, with the reason printed, when it can not be had."""
    folder = scratch / "mailman"
    folder.mkdir()
    python = folder / "env" / "bin" / "python"
    try:
        venv.create(folder / "env", with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", f"mailman=={VERSION}"]
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"Mailman is left out: pip can not install it ({type(error).__name__})")
        return None
    (folder / "mailman.cfg").write_text(SETTINGS.format(folder=folder, port=server.port))
    (folder / "peer.py").write_text(SCRIPT)
    words = [str(python), "peer.py", str(messages), str(file)]
    try:
        done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=folder, env={"HOME": str(folder)})
    except subprocess.CalledProcessError as error:
        print(f"Mailman is left out: {error.stderr.strip().splitlines()[-1]}")
        return None
    if server.messages() != messages:
        print(f"Mailman is left out: {server.messages()} of its {messages} messages arrived")
        return None
    return messages / float(done.stdout.split()[-1])
