"""The words of letters about somebody's newsletters: the welcome, and the link that they asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from comms.language.words import Words
from comms.rendering.letter import LetterContent


def welcome(
    words: Words, association: str, topics: Sequence[str], *, url: str, own: tuple[str, tuple[str, ...], str] | None
) -> LetterContent:
    """To somebody who has just confirmed. `topics` are the titles of what they get, `url` their own page.

    `own` is what the association says in place of heading, paragraphs and topics, and the language of that.
    """
    heading, paragraphs, language = own or (
        words.gettext("Welcome"),
        (
            words.gettext(
                "Thank you: your address is confirmed, and %(association)s writes to you from now on. What you get:",
                association=association,
            ),
        ),
        words.language,
    )
    return LetterContent(
        subject=heading
        if own
        else words.gettext("Welcome to the newsletters of %(association)s", association=association),
        heading=heading,
        paragraphs=paragraphs,
        points=() if own else tuple(topics),
        button=words.gettext("Choose what you get"),
        url=url,
        notes=(
            words.gettext("There you can stop at any time, get less, or take a pause."),
            _yours_alone(words),
        ),
        why=words.gettext(
            "You get this message because you signed up for newsletters of %(association)s.", association=association
        ),
        language=language,
        spoken=words.language,
    )


def preferences(words: Words, association: str, *, url: str) -> LetterContent:
    """To somebody who asked for the link to their own page, `url`."""
    return LetterContent(
        subject=words.gettext("Your link: newsletters of %(association)s", association=association),
        heading=words.gettext("Choose what you get"),
        paragraphs=(
            words.gettext(
                "Somebody, we hope it was you, asked for the link to the page where you choose what %(association)s "
                "sends to you. There you can stop at any time, get less, or take a pause.",
                association=association,
            ),
        ),
        button=words.gettext("Choose what you get"),
        url=url,
        notes=(words.gettext("If you did not ask for this, do nothing: nothing changes then."), _yours_alone(words)),
        why=words.gettext(
            "You get this one message because this address was typed into a page of %(association)s.",
            association=association,
        ),
        language=words.language,
        spoken=words.language,
    )


def _yours_alone(words: Words) -> str:
    return words.gettext("The link is yours alone: please do not pass this message on.")
