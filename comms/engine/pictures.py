"""The pictures of a campaign as mails link them: copies in the media folder, made once for each content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from campaigns.models import Blocks, Button, Image, Link, Person, spans, walk
from comms.engine.workspace import Workspace
from comms.errors import StorageError
from comms.files import write_whole
from comms.pictures import SUFFIXES, Picture, PictureError, measure, prepare

ATTACHMENTS = {
    ".epub": "application/epub+zip",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".pdf": "application/pdf",
}
"""Files that feeds offer with an entry that links to them."""
_PICTURES = {".jpg": "image/jpeg", ".png": "image/png", ".gif": "image/gif"}
FOLDER = "mail"
"""In the media folder: the copies, by the hash of what they were made from."""


def media_file(workspace: Workspace, src: str) -> Path | None:
    """The file of the media folder that an image's `src` names; None when there is none, or it lies elsewhere."""
    folder = workspace.media_folder.resolve()
    try:
        path = (folder / unquote(src)).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, ValueError):  # a NUL, or a name too long
        return None


def is_ours(src: str) -> bool:
    """Is it a file of the media folder, and not an address elsewhere."""
    return not urlsplit(src).scheme


def images(workspace: Workspace, blocks: Blocks) -> dict[str, Picture]:
    """The images of a body by `src`; those that can not be used are left out. Raises StorageError."""
    return _copies(workspace, [block.src for block in walk(blocks) if isinstance(block, Image)], portrait=False)


def portraits(workspace: Workspace, blocks: Blocks) -> dict[str, Picture]:
    """The same of people's photos."""
    return _copies(workspace, [block.photo for block in walk(blocks) if isinstance(block, Person)], portrait=True)


def enclosure(workspace: Workspace, blocks: Blocks) -> dict[str, object] | None:
    """The file that goes with an entry in feeds, as `url`, `type` and `length`; None when there is none.

    It is the first file of the media folder that a link or button leads to, else the first picture. Raises
    StorageError.
    """
    return _attachment(workspace, blocks) or _first_picture(workspace, blocks)


def _attachment(workspace: Workspace, blocks: Blocks) -> dict[str, object] | None:
    media = f"{workspace.settings.site.url}/media/"
    links = [block.url for block in walk(blocks) if isinstance(block, Button)]
    links += [span.url for span in spans(blocks) if isinstance(span, Link)]
    for url in links:
        name = url.removeprefix(media)
        path = media_file(workspace, name) if name != url else None
        if path is not None and (kind := ATTACHMENTS.get(path.suffix.lower())):
            return {"url": url, "type": kind, "length": _size(path)}
    return None


def _first_picture(workspace: Workspace, blocks: Blocks) -> dict[str, object] | None:
    for picture in images(workspace, blocks).values():
        path = media_file(workspace, picture.url.removeprefix(f"{workspace.settings.site.url}/media/"))
        if path is not None:
            return {"url": picture.url, "type": _PICTURES[path.suffix], "length": _size(path)}
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise StorageError(f"the file {path.name} can not be read: {error}.") from error


def copy_of(workspace: Workspace, path: Path, *, portrait: bool) -> Picture:
    """The copy of a file, which is made when it is not there yet.

    Raises PictureError for what can not be a picture in a mail, StorageError when it can not be read or kept.
    """
    try:
        status = path.stat()
        stem = _stem(path, status.st_mtime_ns, status.st_size, portrait=portrait)
        folder = workspace.media_folder / FOLDER
        found = next((file for suffix in SUFFIXES.values() if (file := folder / f"{stem}{suffix}").is_file()), None)
        if found is None:
            prepared = prepare(path.read_bytes(), portrait=portrait)
            found = folder / f"{stem}{prepared.suffix}"
            write_whole(found, prepared.data)
            # Unlike the databases these are for everyone, whoever serves them.
            found.chmod(0o644)
        width, height = measure(found)
    except OSError as error:
        raise StorageError(f"the picture {path.name} can not be read or copied: {error}.") from error
    return Picture(f"{workspace.settings.site.url}/media/{FOLDER}/{found.name}", width, height)


@lru_cache(maxsize=1_000)
def _stem(path: Path, modified: int, size: int, *, portrait: bool) -> str:
    """What a copy is called; `modified` and `size` tell a file that was changed."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    return f"{digest}-portrait" if portrait else digest


def _copies(workspace: Workspace, sources: list[str], *, portrait: bool) -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    for src in filter(None, dict.fromkeys(sources)):
        path = media_file(workspace, src) if is_ours(src) else None
        if path is None:
            continue
        try:
            found[src] = copy_of(workspace, path, portrait=portrait)
        except PictureError:
            continue  # linked as it is; the check says what is wrong with it
    return found
