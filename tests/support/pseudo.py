"""A made-up language in which every word of ours stands in brackets: what has none was forgotten."""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.pofile import read_po, write_po

from comms.language.catalogues import BUILT_IN

TAG = "eo"
OPEN, CLOSE = "⟦", "⟧"


def write_catalogue(workspace: Path) -> None:
    """Give a workspace the language, as staff would add one: by a file."""
    with (BUILT_IN / "comms.pot").open("rb") as file:
        catalogue = read_po(file, locale=TAG)
    for message in catalogue:
        if message.id:
            sources = message.id if isinstance(message.id, tuple) else (message.id,)
            forms = tuple(f"{OPEN}{source}{CLOSE}" for source in sources)
            message.string = forms if message.pluralizable else forms[0]
    written = io.BytesIO()
    write_po(written, catalogue)
    path = workspace / "locale" / TAG / "comms.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(written.getvalue())
