"""The words that templates and plain text use by themselves, apart from what a campaign says."""

from __future__ import annotations

from comms.language.words import Words


def strings(words: Words, association: str, author: str = "") -> dict[str, str]:
    """Key -> words, with the association's name filled in, and that of the author whose words it passes on.

    Without an author `relayed` is empty.
    """
    return {
        "view_online": words.gettext("View in browser"),
        "unsubscribe": words.gettext("Unsubscribe"),
        "why": words.gettext(
            "You receive this because you are subscribed to news from %(association)s.", association=association
        ),
        "relayed": words.gettext("Relayed from %(author)s.", author=author) if author else "",
        "contents": words.gettext("In this issue"),
        "details": words.gettext("Details and registration"),
    }
