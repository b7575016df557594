"""The two lines that readers see before they open a mail: subject and preview text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.models import NewsletterPart
from comms.preflight.facts import Facts
from comms.preflight.report import Finding, should

LONGEST_SUBJECT = 60
LONGEST_PREVIEW = 140
LONG = should(
    "subject-long", f"a subject of more than {LONGEST_SUBJECT} characters", "Phones cut it there, some even sooner."
)
CAPITALS = should(
    "subject-capitals", "a subject all in capitals", "It reads as shouting, and mail filters count it against you."
)
SHOUTING = should(
    "subject-shouting",
    "more than one exclamation mark, or several currency signs, in the subject",
    "Mail filters count it against you.",
)
PRETENDED = should(
    "subject-reply", "a subject that begins with `Re:` or `Fwd:`", "It pretends to an exchange that never was."
)
NO_PREVIEW = should(
    "preview-missing", "no preview text", "Readers see the first words of the mail beside the subject instead."
)
LONG_PREVIEW = should(
    "preview-long", f"a preview text of more than {LONGEST_PREVIEW} characters", "No mail program shows more of it."
)
SAME = should(
    "preview-repeats", "a preview text that repeats the subject", "It takes the place of what is not said yet."
)
RULES = (LONG, CAPITALS, SHOUTING, PRETENDED, NO_PREVIEW, LONG_PREVIEW, SAME)

_REPLY = re.compile(r"\s*(?:re|fwd?|aw|wg|tr)\s*:", re.IGNORECASE)
_CURRENCY = re.compile(r"[$€£]{2,}")
_EXPRESSION = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the newsletter's subject and preview, as a reader sees them of whom nothing is known."""
    part = facts.campaign.newsletter
    if part is not None:
        # What can not be rendered is blamed elsewhere; the words between the expressions can still be judged.
        subject = facts.mail.shown.subject if facts.mail else _EXPRESSION.sub("", part.subject).strip()
        preview = facts.mail.shown.preview if facts.mail else _EXPRESSION.sub("", part.preview).strip()
        yield from _of_subject(part, subject)
        yield from _of_preview(part, subject, preview)


def _of_subject(part: NewsletterPart, subject: str) -> Iterator[Finding]:
    line, field = part.subject_line, "newsletter.subject"
    if len(subject) > LONGEST_SUBJECT:
        message = f"has {len(subject)} characters; most readers see the first 40 to {LONGEST_SUBJECT}"
        yield LONG.at(line, field, message, "put what matters first, and take out what the mail says anyway")
    letters = [char for char in subject if char.isupper() or char.islower()]
    if len(letters) >= 10 and " " in subject.strip() and all(char.isupper() for char in letters):
        yield CAPITALS.at(line, field, "is all in capitals", "write it as a sentence")
    if subject.count("!") > 1 or _CURRENCY.search(subject):
        yield SHOUTING.at(line, field, "shouts", "one exclamation mark at most, and no row of currency signs")
    if _REPLY.match(subject):
        yield PRETENDED.at(
            line, field, "looks like a reply or a forwarded mail", "take out what stands before the colon"
        )


def _of_preview(part: NewsletterPart, subject: str, preview: str) -> Iterator[Finding]:
    field = "newsletter.preview"
    if not part.preview:
        yield NO_PREVIEW.at(part.subject_line, field, "is missing", "add `preview:` with what the subject does not say")
    if len(preview) > LONGEST_PREVIEW:
        yield LONG_PREVIEW.at(
            part.preview_line,
            field,
            f"has {len(preview)} characters",
            f"{LONGEST_PREVIEW} at most are shown: shorten it",
        )
    if preview and _plain(preview) == _plain(subject):
        yield SAME.at(part.preview_line, field, "says what the subject says", "say the next thing instead")


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\W+", " ", text).casefold().split())
