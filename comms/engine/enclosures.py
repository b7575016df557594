"""Files of the media folder that go with a newsletter: those named under `attachments`, and its pictures where
`inline_images` asks for them. Reads them; what mails look like with them is `rendering.enclosed`."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from campaigns.errors import shown
from campaigns.models import Campaign
from comms.engine.pictures import media_file
from comms.engine.workspace import Workspace
from comms.errors import StorageError, UsageError
from comms.message import MailFile
from comms.preflight import enclosures as rules
from comms.preflight.report import Finding
from comms.rendering.clean import one_line
from comms.rendering.edition import Edition

FIELD = "newsletter.attachments"


def problems(workspace: Workspace, campaign: Campaign) -> Iterator[Finding]:
    """What keeps the files that the campaign names from going with it. Raises StorageError."""
    if campaign.newsletter is None:
        return
    line = campaign.key_lines.get(FIELD, 0)
    for name in campaign.newsletter.attachments:
        path = media_file(workspace, name)
        if path is None:
            hint = f"put it there ({workspace.media_folder}), or correct the name; capitals matter"
            yield rules.MISSING.at(line, FIELD, f"there is no file {shown(name)!r} in the media folder", hint)
        elif path.suffix.lower() not in rules.KINDS:
            kinds = ", ".join(kind.removeprefix(".") for kind in rules.KINDS)
            yield rules.KIND.at(line, FIELD, f"{shown(name)!r} can not be attached", f"what can: {kinds}")
        elif (size := _size(path)) > rules.MOST_BYTES:
            yield rules.TOO_LARGE.at(line, FIELD, f"{shown(name)!r} has {size:,} bytes", rules.LINK_IT)


def with_files(workspace: Workspace, campaign: Campaign, edition: Edition, media_url: str) -> tuple[MailFile, ...]:
    """The files that go with an edition, attachments first.

    Raises UsageError for the first of `problems`, so that no mail goes out without what it speaks of; StorageError.
    A picture that is of no kind which mails can hold stays a link.
    """
    part = campaign.newsletter
    if part is None:
        return ()
    for problem in problems(workspace, campaign):
        raise UsageError(f"{problem.message}.", hint=problem.hint)
    paths = filter(None, (media_file(workspace, name) for name in dict.fromkeys(part.attachments)))
    files = [MailFile(one_line(path.name), rules.KINDS[path.suffix.lower()], _data(path)) for path in paths]
    if part.inline_images:
        pattern = re.compile(rf'"({re.escape(media_url)}[^"\s{{}}<>]+)"')
        for address in dict.fromkeys(pattern.findall(edition.html)):
            path = media_file(workspace, address.removeprefix(media_url))
            if path is not None and (media_type := rules.IMAGES.get(path.suffix.lower())):
                files.append(MailFile(path.name, media_type, _data(path), shown_at=address))
    return tuple(files)


def _data(path: Path) -> str:
    try:
        return b64encode(path.read_bytes()).decode("ascii")
    except OSError as error:
        raise StorageError(f"the file {path.name} can not be read: {error}.") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise StorageError(f"the file {path.name} can not be read: {error}.") from error
