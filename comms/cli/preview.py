"""How a preview is told on a terminal."""

from __future__ import annotations

from rich.markup import escape

from comms.cli.output import counted, say
from comms.engine.preview import NO_BROWSER, Preview


def show_preview(made: Preview) -> None:
    """The files of one mail, or the sheet of many; what came to light; and once that there are no pictures."""
    if len(made.proofs) > 1:
        sheet = next(path for path in made.files if path.name == "index.html")
        say(f"{counted(len(made.proofs), 'mail', 'mails')} side by side: {escape(str(sheet))}")
    else:
        for path in made.files:
            say(escape(str(path)))
    for proof in made.proofs:
        for note in proof.notes:
            where = f"{proof.title}: " if len(made.proofs) > 1 else ""
            say(f"[yellow]look[/]  {escape(where)}{escape(note.message)}")
    if made.proofs and not made.browser:
        say(f"There are no pictures: {escape(NO_BROWSER)}")
