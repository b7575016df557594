"""The words of a sign-up: what people agree to, and the mail that asks them to say so once more. Pure.

Whoever changes a wording counts its version up: each consent says which one the person saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from comms.rendering.letter import LetterContent

WORDING_VERSION = 1
TOPIC_WORDING = "{association} may send me “{title}” by e-mail, until I stop it."


def confirmation(
    association: str, wordings: Sequence[str], *, url: str, expires_at: datetime, invited: bool
) -> LetterContent:
    """The mail with the link that confirms. `expires_at` is in UTC; `invited`: staff asked for it, and not a form."""
    until = f"{expires_at:%A}, {expires_at.day} {expires_at:%B %Y, %H:%M} UTC"
    if invited:
        heading = "Would you like our newsletters?"
        asked = f"{association} would like to write to you, and asks you first. By confirming you say:"
        why = f"You get this one message because {association} asked for it."
    else:
        heading = "One click, and you are signed up"
        asked = (
            f"Somebody, we hope it was you, asked for newsletters of {association} at this address. "
            "By confirming you say:"
        )
        why = f"You get this one message because this address was typed into the sign-up page of {association}."
    return LetterContent(
        subject=f"Please confirm: newsletters of {association}",
        heading=heading,
        paragraphs=(asked,),
        points=tuple(wordings),
        button="Yes, sign me up",
        url=url,
        notes=(
            "If you do not want this, do nothing: nothing more is sent to you then.",
            f"The link works once, until {until}.",
        ),
        why=why,
    )
