"""Images: what is said of them to people who do not see them, and how heavy they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.errors import shown
from campaigns.models import Image, Person, walk
from comms.preflight.facts import Facts
from comms.preflight.report import Finding, must, should

HEAVY_BYTES = 500_000
HEAVY_TOTAL_BYTES = 1_500_000
LONGEST_ALT = 250
MISSING = must("picture-missing", "an image that is not in the media folder", "Readers would see an empty frame.")
BROKEN = must("picture-broken", "an image that can not be opened", "Readers would see an empty frame.")
KIND = should("picture-kind", "a kind of image other than JPEG, PNG and GIF", "Some mail programs show an empty frame.")
HEAVY = should(
    "picture-heavy",
    f"an image of more than {HEAVY_BYTES:,} bytes, as it goes into the mail",
    "On a telephone line it comes long after the text, and some readers pay for it by the byte.",
)
HEAVY_TOTAL = should(
    "picture-heavy-total",
    f"images of more than {HEAVY_TOTAL_BYTES:,} bytes together",
    "On a telephone line they come long after the text, and some readers pay for them by the byte.",
)
POOR_ALT = should(
    "picture-alt",
    f"a description that is the name of a file, says “image”, or has more than {LONGEST_ALT} characters",
    "It is all that people who do not see the image get of it.",
)
RULES = (MISSING, BROKEN, KIND, HEAVY, HEAVY_TOTAL, POOR_ALT)

_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|tiff?|bmp|heic|svg)|(?:IMG|DSC|DSCN|PXL|image|photo)[-_ ]?\d+", re.I
)
_SAYS_NOTHING = frozenset("image picture photo photograph graphic logo banner icon img pic foto imagen".split())


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the images of the body. Whether files are there is for others to see."""
    counted: set[str] = set()
    for block in walk(facts.campaign.blocks):
        match block:
            case Image(src=src, alt=alt, line=line):
                yield from _of_description(alt, line)
            case Person(photo=src, line=line) if src:
                pass  # the name stands beside it
            case _:
                continue
        if src not in counted and facts.weights.get(src, 0) > HEAVY_BYTES:
            message = f"the image {shown(src)!r} has {facts.weights[src]:,} bytes"
            yield HEAVY.at(
                line, "body", message, "save it as JPEG, or in a smaller size; moving pictures are the heaviest"
            )
        counted.add(src)
    total = sum(facts.weights.values())
    if total > HEAVY_TOTAL_BYTES:
        yield HEAVY_TOTAL.at(
            0, "body", f"the images have {total:,} bytes together", "take some out, or make them smaller"
        )


def _of_description(alt: str, line: int) -> Iterator[Finding]:
    if not alt:
        return  # declared decorative; the definition knows no other way
    words = alt.casefold().strip(" .").removeprefix("an ").removeprefix("a ").removeprefix("the ")
    if _FILE_NAME.fullmatch(alt.strip()) or words in _SAYS_NOTHING:
        hint = "say what there is to be seen: ![Two people mending a map](photo.jpg)"
        yield POOR_ALT.at(line, "body", f"the description `{shown(alt)}` describes nothing", hint)
    elif len(alt) > LONGEST_ALT:
        message = f"the description has {len(alt)} characters"
        yield POOR_ALT.at(line, "body", message, "say the essential, and the rest in the text")
