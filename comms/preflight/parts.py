"""The two halves of a mail: the text part says what the HTML part says, and neither is too much."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.errors import shown
from comms.preflight import markup
from comms.preflight.facts import Facts, Mail
from comms.preflight.report import Finding, should

GMAIL_CLIP_BYTES = 95_000
"""Gmail hides what follows about 100 KB of HTML, the unsubscribe link first (hteumeuleu/email-bugs 41)."""
FEWEST_WORDS = 20
CLIPPED = should(
    "mail-clipped",
    f"more than {GMAIL_CLIP_BYTES:,} bytes of HTML, for the reader with the longest name",
    "Gmail hides the end of it, and with it the link to unsubscribe.",
)
LINKS = should(
    "text-lacks-links",
    "a link of the HTML part that the text part does not have",
    "Who reads mail as text, or has it read out, can not follow it.",
)
WORDS = should(
    "text-differs",
    "a text part with less than half of the words of the HTML part",
    "Mail filters take two parts that differ for a trick (SpamAssassin: MPART_ALT_DIFF).",
)
MOSTLY_IMAGES = should(
    "mail-mostly-images",
    f"images with fewer than {FEWEST_WORDS} words beside them",
    "Mail filters refuse it (SpamAssassin: HTML_IMAGE_ONLY), and who does not load images sees nothing.",
)
RULES = (CLIPPED, LINKS, WORDS, MOSTLY_IMAGES)

_WORD = re.compile(r"\w+")


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the rendered mail."""
    mail = facts.mail
    if mail is None:
        return
    if mail.largest > GMAIL_CLIP_BYTES:
        message = f"the mail has {mail.largest:,} bytes of HTML; Gmail hides what comes after about 100,000"
        yield CLIPPED.at(0, "body", message, "shorten it, and link to the rest")
    document = markup.read(mail.shown.html)
    yield from _missing_links(facts, mail, document)
    words = {word.casefold() for word in _WORD.findall(document.text)}
    said = {word.casefold() for word in _WORD.findall(mail.shown.text)}
    if len(words) >= 2 * FEWEST_WORDS and len(words & said) < len(words) / 2:
        message = f"{len(words - said):,} of the {len(words):,} words of the mail are not in its text part"
        hint = "put what the template says by itself into the campaign's text"
        yield WORDS.at(facts.template_line, "newsletter.template", message, hint)
    images = [image for image in document.images if _is_seen(image) and image.src != facts.association.brand.logo_url]
    count = len(_WORD.findall(mail.shown.text.partition("\n-- \n")[0]))
    if images and count < FEWEST_WORDS:
        yield MOSTLY_IMAGES.at(0, "body", f"there are {count} words beside the pictures", "say in words what they show")


def _missing_links(facts: Facts, mail: Mail, document: markup.Document) -> Iterator[Finding]:
    home = {facts.association.homepage, facts.association.homepage.rstrip("/")}
    tracked = {f"/{number}": url for number, url in enumerate(mail.edition.links)}
    for url in dict.fromkeys(document.links):
        if not url.startswith(("http:", "https:")) or url in mail.shown.text:
            continue
        number = re.search(r"/c/[^/]+(/\d+)$", url)
        meant = tracked.get(number[1], url) if number else url
        # The name of who sends leads there; as text it needs no link.
        if meant not in home:
            message = f"the text part has no link to `{shown(meant)}`, which the template adds"
            yield LINKS.at(facts.template_line, "newsletter.template", message, "put the link into the campaign's text")


def _is_seen(image: markup.Shown) -> bool:
    return not {image.width, image.height} & {"0", "1"}
