"""Makes a workspace that works at once."""

from __future__ import annotations

import re
import shutil
import unicodedata
from importlib import resources
from pathlib import Path

from audiences.models import Association
from comms import config, keys
from comms.config.description import describe, section_summary
from comms.db import open_database
from comms.engine.workspace import HOST_SETS, Workspace
from comms.errors import UsageError

FOLDERS = (
    "associations",
    "campaigns",
    "templates",
    "media",
    "outbox",
    "journal",
    "stops",
    "dkim",
    "locale",
    "letters",
    "relay",
)
POSTAL_PLACEHOLDER = "Please set your postal address"


def create_workspace(folder: Path, host: Association) -> Workspace:
    """Lay out `folder` and add `host` as the association that runs it.

    Raises UsageError when the folder holds something already or can not be made. What was begun is taken away
    again when it fails.
    """
    try:
        existed = folder.exists()
        if existed and any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty.", hint="Name a new folder; comms init never overwrites anything.")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} can not be made: {error.strerror}.", hint="Name a new folder.") from error
    try:
        return _fill(folder, host)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if existed:
            folder.mkdir(exist_ok=True)
        raise


def _fill(folder: Path, host: Association) -> Workspace:
    folder.chmod(0o700)  # members' data: nobody else's business
    for name in FOLDERS:
        (folder / name).mkdir(mode=0o700)
    (folder / config.FILE_NAME).write_text(settings_file(), encoding="utf-8")
    keys.create(folder)
    open_database(folder / "host.db", HOST_SETS, create=True).close()
    (folder / "host.db").chmod(0o600)
    examples = resources.files("comms") / "templates" / "examples"
    campaign = (examples / "welcome.md").read_text(encoding="utf-8")
    (folder / "campaigns" / "welcome.md").write_text(campaign, encoding="utf-8")
    template = (examples / "house-style.mjml").read_text(encoding="utf-8")
    (folder / "templates" / "house-style.mjml").write_text(template, encoding="utf-8")
    workspace = Workspace(folder)
    workspace.add_association(host, is_host=True)
    return workspace


def settings_file() -> str:
    """A comms.toml in which every key stands, with its default and what it means."""
    lines = [
        "# Settings of this workspace. A key that is commented out has the value shown.",
        "# The environment overrides any key as COMMS_<SECTION>__<KEY>, so that secrets need no file:",
        "#     COMMS_SMTP__PASSWORD=... comms run",
    ]
    section = mark = ""
    for name, key, _, default, meaning in describe():
        if name != section:
            section = name
            # A table that a person names is there as soon as its line is, so that is commented out as well.
            mark = "#     " if section.endswith(config.NAMED) else ""
            lines += ["", f"{mark and '# '}[{section}]", f"# {section_summary(section)}", ""]
        lines += [f"{mark}# {meaning}", f"{mark or '# '}{key} = {default}"]
    return "\n".join(lines) + "\n"


def slug_of(name: str) -> str:
    """A slug made from a name: `Société des Archives` -> `societe-des-archives`; empty when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
