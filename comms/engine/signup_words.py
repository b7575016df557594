"""The words of a sign-up: what people agree to, and the mail that asks them to say so once more. Pure.

Whoever changes a wording counts its version up: each consent says which one the person saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from comms.language.words import Words
from comms.rendering.letter import LetterContent

WORDING_VERSION = 1


def topic_wording(words: Words, title: str, association: str) -> str:
    """What a person agrees to who signs up for a topic."""
    return words.gettext(
        "%(association)s may send me “%(title)s” by e-mail, until I stop it.", title=title, association=association
    )


def confirmation(
    words: Words, association: str, wordings: Sequence[str], *, url: str, expires_at: datetime, invited: bool
) -> LetterContent:
    """The mail with the link that confirms. `expires_at` is in UTC; `invited`: staff asked for it, and not a form."""
    if invited:
        heading = words.gettext("Would you like our newsletters?")
        asked = words.gettext(
            "%(association)s would like to write to you, and asks you first. By confirming you say:",
            association=association,
        )
        why = words.gettext("You get this one message because %(association)s asked for it.", association=association)
    else:
        heading = words.gettext("One click, and you are signed up")
        asked = words.gettext(
            "Somebody, we hope it was you, asked for newsletters of %(association)s at this address. "
            "By confirming you say:",
            association=association,
        )
        why = words.gettext(
            "You get this one message because this address was typed into the sign-up page of %(association)s.",
            association=association,
        )
    return LetterContent(
        subject=words.gettext("Please confirm: newsletters of %(association)s", association=association),
        heading=heading,
        paragraphs=(asked,),
        points=tuple(wordings),
        button=words.gettext("Yes, sign me up"),
        url=url,
        notes=(
            words.gettext("If you do not want this, do nothing: nothing more is sent to you then."),
            words.gettext("The link works once, until %(moment)s UTC.", moment=words.moment(expires_at)),
        ),
        why=why,
        language=words.language,
    )
