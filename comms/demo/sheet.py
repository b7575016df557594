"""The contact sheet: received mails side by side, as a phone shows them, in one page without a server."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Sequence
from html import escape
from pathlib import Path

MOST_SHOWN = 12

_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Received mails</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem; background: light-dark(#eceef1, #17181a) }}
ul {{ list-style: none; padding: 0; display: grid; gap: 1.5rem;
     grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)) }}
li {{ background: light-dark(#fff, #222428); border-radius: .75rem; overflow: hidden;
     box-shadow: 0 1px 4px rgb(0 0 0 / .2) }}
dl {{ display: grid; grid-template-columns: auto 1fr; gap: .1rem .75rem; margin: 1rem; font-size: .875rem }}
dt {{ opacity: .7 }} dd {{ margin: 0; overflow-wrap: anywhere }}
iframe {{ border: 0; width: 100%; height: 36rem; background: #fff }}
</style></head><body>
<h1>{shown} of {total} received mails</h1>
<p>Each lies beside this page as an <code>.eml</code> file; any mail program opens it.</p>
<ul>
{cards}
</ul></body></html>
"""

_CARD = """\
<li><dl><dt>To</dt><dd>{to}</dd><dt>From</dt><dd>{sender}</dd><dt>Subject</dt><dd>{subject}</dd>
<dt>File</dt><dd><a href="{file}">{file}</a></dd></dl>
<iframe title="Mail to {to}" sandbox="" loading="lazy" srcdoc="{html}"></iframe></li>"""


def write_sheet(files: Sequence[Path], page: Path) -> None:
    """Write `page` with a spread of the mails; each is shown in a frame that can run nothing."""
    step = max(1, len(files) // MOST_SHOWN)
    shown = files[::step][:MOST_SHOWN]
    cards = "\n".join(_card(file) for file in shown)
    page.write_text(_PAGE.format(shown=len(shown), total=len(files), cards=cards), encoding="utf-8")


def _card(file: Path) -> str:
    with file.open("rb") as source:
        message = email.message_from_binary_file(source, policy=email.policy.default)
    part = message.get_body(("html",))
    values = {
        "to": str(message["To"]),
        "sender": str(message["From"]),
        "subject": str(message["Subject"]),
        "file": file.name,
        "html": part.get_content() if part else "",
    }
    return _CARD.format(**{name: escape(value) for name, value in values.items()})
