"""Files that go with the mail, attached or shown in it: which can not, and how heavy they make it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from comms.preflight.facts import Facts
from comms.preflight.report import Finding, must, should

IMAGES: Mapping[str, str] = MappingProxyType(
    {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif"}
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
KINDS: Mapping[str, str] = MappingProxyType(
    {
        ".pdf": "application/pdf",
        ".docx": f"{_OFFICE}.wordprocessingml.document",
        ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
        ".pptx": f"{_OFFICE}.presentationml.presentation",
        ".odt": f"{_OPEN}.text",
        ".ods": f"{_OPEN}.spreadsheet",
        ".odp": f"{_OPEN}.presentation",
        ".csv": "text/csv",
        ".txt": "text/plain; charset=utf-8",
        ".ics": "text/calendar; charset=utf-8",
        ".epub": "application/epub+zip",
        **IMAGES,
    }
)
"""What may be attached: none of it can run, so that no mail server refuses it for its kind."""
HEAVY_BYTES = 200_000
MOST_BYTES = 3_000_000
LINK_IT = "put the file on your site and link to it: a link weighs nothing, and its clicks are counted"
MISSING = must("attachment-missing", "an attachment that is not in the media folder", "Readers would look for it.")
KIND = must(
    "attachment-kind",
    "an attachment of a kind that can run, such as a program, a page or an archive",
    "Mail servers refuse mails with such files, or take the files out.",
)
TOO_LARGE = must(
    "attachment-large",
    f"attachments and images that go with the mail of more than {MOST_BYTES:,} bytes together",
    "Some mailboxes take no such mail, and thousands of copies would keep the mail server busy for hours.",
)
HEAVY = should(
    "attachment-heavy",
    f"attachments and images that go with the mail of more than {HEAVY_BYTES:,} bytes together",
    "It is sent once for every reader, also to those who never open it, and fills their mailboxes.",
)
RULES = (MISSING, KIND, TOO_LARGE, HEAVY)


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the weight; whether files are there is for others to see."""
    files = facts.mail.edition.files if facts.mail else ()
    total = sum(file.size for file in files)
    if total <= HEAVY_BYTES:
        return
    rule = TOO_LARGE if total > MOST_BYTES else HEAVY
    lines = facts.campaign.key_lines
    name = "attachments" if any(not file.shown_at for file in files) else "inline_images"
    field = f"newsletter.{name}"
    message = f"{len(files)} file{'s' if len(files) > 1 else ''} of {total:,} bytes together go with each mail"
    yield rule.at(lines.get(field, 0), field, message, LINK_IT)
