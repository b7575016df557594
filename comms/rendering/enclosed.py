"""Files that go with a mail, as the parts of MIME that hold them. Reads no file.

A file is attached (RFC 2183), or it is an image that the HTML shows: then it stands beside the HTML in a
multipart/related (RFC 2387) and is named by a `cid:` address (RFC 2392).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from comms.message import MailFile

_LINE = 76
_ATTR_CHAR = "!#$&+-.^_`|~"
"""Beside letters and digits what stands for itself in an extended parameter (RFC 5987 section 3.2.1)."""


def with_cids(html: str, files: Iterable[MailFile]) -> str:
    """The HTML with each image that goes with the mail shown from there, in place of its address."""
    for file in files:
        if file.shown_at:
            html = html.replace(f'"{file.shown_at}"', f'"cid:{file.content_id}"')
    return html


def closing(files: Sequence[MailFile], boundary: str) -> str:
    """The last parts of a multipart, each opened, and its end."""
    return "".join([*(f"\r\n--{boundary}\r\n{_part(file)}" for file in files), f"\r\n--{boundary}--\r\n"])


def _part(file: MailFile) -> str:
    head = [f"Content-Type: {file.media_type}", "Content-Transfer-Encoding: base64"]
    if file.shown_at:
        head += [f"Content-ID: <{file.content_id}>", "Content-Disposition: inline"]
    else:
        head.append(f"Content-Disposition: attachment;\r\n {_file_name(file.name)}")
    lines = (file.data[start : start + _LINE] for start in range(0, len(file.data), _LINE))
    return "\r\n".join([*head, "", *lines])


def _file_name(name: str) -> str:
    """The parameter `filename` (RFC 2183), as RFC 2231 writes it where it is not plain, cut to lines of 76."""
    if name.isascii() and name.isprintable() and len(name) <= 60 and not set('"\\') & set(name):
        return f'filename="{name}"'
    pieces = [quote(character.encode("utf-8", "replace"), safe=_ATTR_CHAR) for character in name]
    lines, room = ["utf-8''"], 40
    for piece in pieces:
        if len(lines[-1]) + len(piece) > room:
            lines.append("")
        lines[-1] += piece
    return ";\r\n ".join(f"filename*{number}*={line}" for number, line in enumerate(lines))
