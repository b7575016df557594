"""The tables of a kit: which pictures there are, and what to post. For spreadsheets, so no cell can be a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from audiences.exporting.formulas import guarded
from comms.rendering.clean import clean

_BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the encoding of the machine."""
_LONGEST_STEM = 60


@dataclass(frozen=True, slots=True)
class KitPicture:
    """A picture of the newsletter; `file` is its path in the kit, empty for one that lies elsewhere."""

    file: str
    alt: str
    """Empty for a picture that says nothing."""
    url: str
    """What the newsletter links."""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class KitPost:
    """One part of a post on one network."""

    network: str
    part: int
    text: str
    """With its link in it, where it has one."""
    link: str = ""
    image: str = ""
    """Path in the kit."""
    alt: str = ""


def picture_table(pictures: Iterable[KitPicture]) -> bytes:
    """`images.csv`: file, alt text, and the address that the newsletter links."""
    return _table(("file", "alt text", "address"), ((each.file, each.alt, each.url) for each in pictures))


def post_table(posts: Iterable[KitPost]) -> bytes:
    """`social.csv`: a row for each part of each post."""
    rows = ((each.network, each.part, each.text, each.link, each.image, each.alt) for each in posts)
    return _table(("network", "part", "text", "link", "image", "alt text"), rows)


def file_name(source: str, suffix: str, taken: Iterable[str]) -> str:
    """A path in the kit for a picture: like its own name, in characters that every system takes, and free."""
    stem = re.sub(r"[^a-z0-9]+", "-", PurePosixPath(unquote(source)).stem.lower()).strip("-")[:_LONGEST_STEM] or "image"
    used, number = set(taken), 1
    while (name := f"images/{stem}{f'-{number}' if number > 1 else ''}{suffix}") in used:
        number += 1
    return name


def _table(header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([guarded(clean(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return (_BOM + out.getvalue()).encode()
