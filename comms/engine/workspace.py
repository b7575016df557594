"""A workspace: the folder that holds one installation, and the way to everything in it.

The one place that knows where files lie. Opens databases when they are first asked for; a Workspace belongs
to the thread that made it, as SQLite connections do.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from audiences.migrations import AUDIENCES
from audiences.models import Association, Brand, Frequency, Topic
from audiences.store import People
from campaigns.migrations import CAMPAIGNS
from campaigns.relays import RelayStore
from campaigns.store import HostStore
from comms import config, keys
from comms.channels.sessions import SealedSessions
from comms.config import Settings
from comms.db import Database, open_database
from comms.delivery.migrations import DELIVERY
from comms.delivery.store import Ledger
from comms.engagement.migrations import ENGAGEMENT
from comms.engagement.store import EventStore
from comms.engine.associations import checked
from comms.errors import UsageError
from comms.language.catalogues import Catalogues
from comms.links import LinkMaker, LinkSigner
from comms.rendering.library import TemplateLibrary

HOST_SETS = (CAMPAIGNS,)
ASSOCIATION_SETS = (AUDIENCES, DELIVERY, ENGAGEMENT)
FIRST_TOPIC = "news"
"""The topic that every association starts with."""
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)


MOST_OPEN = 32
"""Databases of associations kept open at a time by one Workspace; each takes three descriptors."""
LOCALE = "locale"
"""The folder with a workspace's own catalogues."""
_IN_USE = "in-use.lock"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Workspace:
    """An open workspace. Raises WorkspaceError or ConfigError on opening what is none, or can not be used."""

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.folder = folder.resolve()
        self.settings: Settings = config.load(self.folder, environment)
        self.key = keys.load(self.folder)
        self.now = clock
        self._databases: dict[Path, Database] = {}
        # Shared by all who have the workspace open, so that a restore does not swap it from under them.
        self._in_use = os.open(self.folder / _IN_USE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._in_use, fcntl.LOCK_SH)

    # --- where things lie ---------------------------------------------------------------------

    @property
    def host_path(self) -> Path:
        return self.folder / "host.db"

    @property
    def queue_path(self) -> Path:
        return self.folder / "queue.db"

    @property
    def journal_folder(self) -> Path:
        return self.folder / "journal"

    @property
    def outbox_folder(self) -> Path:
        return self.folder / "outbox"

    @property
    def sessions(self) -> SealedSessions:
        """What logins to networks gave, for all processes of the workspace."""
        return SealedSessions(self.folder / "sessions", self.key)

    @property
    def media_folder(self) -> Path:
        return self.folder / "media"

    @property
    def templates_folder(self) -> Path:
        return self.folder / "templates"

    @property
    def relays_folder(self) -> Path:
        """What can be made anew at any time: who would get a relayed campaign from several associations."""
        return self.folder / "relays"

    def association_path(self, slug: str) -> Path:
        return self.folder / "associations" / f"{slug}.db"

    # --- what is in it ------------------------------------------------------------------------

    @property
    def host(self) -> HostStore:
        """The host's database: associations, campaigns, editions, entries, posts."""
        return HostStore(self._open(self.host_path, HOST_SETS))

    @property
    def relays(self) -> RelayStore:
        """Offers, what associations make of them, and who speaks for them."""
        return RelayStore(self._open(self.host_path, HOST_SETS))

    def people(self, slug: str) -> People:
        """The members of an association. Raises UsageError for one that the workspace does not have."""
        return People(self.association_db(slug), self.key.derive("suppression"))

    def people_of(self, path: Path) -> People:
        return People(self._open(path, ASSOCIATION_SETS), self.key.derive("suppression"))

    def ledger(self, slug: str) -> Ledger:
        return Ledger(self.association_db(slug))

    def events(self, slug: str) -> EventStore:
        return EventStore(self.association_db(slug))

    def association_db(self, slug: str) -> Database:
        """Raises UsageError for an association that the workspace does not have."""
        path = self.association_path(slug)
        if path not in self._databases:  # none is ever taken away, and a relay asks for every person who is shared
            self.association(slug)
        return self._open(path, ASSOCIATION_SETS)

    def associations(self) -> list[Association]:
        """All, the host first."""
        return [_association(row) for row in self.host.associations()]

    def association(self, slug: str | None) -> Association:
        """One by its slug; the host for None. Raises UsageError when there is none."""
        if slug is not None:
            row = self.host.association(slug)
            if row is not None:
                return _association(row)
        known = self.associations()
        if slug is None:
            return known[0]
        raise UsageError(
            f"there is no association {slug!r}.",
            hint=f"Known are: {', '.join(a.slug for a in known)}. Add one with: comms association add {slug} ...",
        )

    @property
    def templates(self) -> TemplateLibrary:
        """The workspace's own templates before those that ship with comms."""
        return TemplateLibrary([self.templates_folder])

    @property
    def catalogues(self) -> Catalogues:
        """The workspace's own words over those that ship with comms."""
        return Catalogues(self.folder / LOCALE)

    @property
    def links(self) -> LinkMaker:
        return LinkMaker(self.settings.site.url, LinkSigner(self.key))

    def add_association(self, association: Association, *, is_host: bool = False) -> Association:
        """Add an association with an empty database of its own; returns it as it was written down.

        Raises UsageError when the slug is bad or taken, or something else of it can not be used.
        """
        if not SLUG.fullmatch(association.slug):
            raise UsageError(
                f"{association.slug!r} can not be a slug.", hint="Use small letters, digits and hyphens, at most 64."
            )
        if not is_host and association.slug in {a.slug for a in self.associations()}:
            raise UsageError(f"there is an association {association.slug!r} already.")
        association = checked(association)
        path = self.association_path(association.slug)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._databases[path] = open_database(path, ASSOCIATION_SETS, create=True)
        path.chmod(0o600)
        people = self.people_of(path)
        with people.db.atomic():
            people.add_topic(Topic(FIRST_TOPIC, f"News from {association.name}"))
        values = asdict(association)
        with self.host.db.atomic():
            self.host.add_association(values, self.now(), is_host=is_host)
        return association

    def add_topic(self, slug: str, topic: Topic) -> None:
        """Add or retitle a topic of an association. Raises UsageError when its slug or frequency is none."""
        if not SLUG.fullmatch(topic.slug):
            raise UsageError(f"{topic.slug!r} can not be a topic.", hint="Use small letters, digits and hyphens.")
        if topic.frequency not in list(Frequency):
            raise UsageError(f"{topic.frequency!r} is no frequency.", hint=f"Choose from {', '.join(Frequency)}.")
        people = self.people(slug)
        with people.db.atomic():
            people.add_topic(topic)

    def change_association(self, association: Association) -> Association:
        """Write down how an association is now called, sends and looks; returns it. Raises UsageError."""
        association = checked(association)
        with self.host.db.atomic():
            self.host.update_association(asdict(association))
        return association

    def close(self) -> None:
        """Close every database."""
        for db in self._databases.values():
            db.close()
        self._databases.clear()
        if self._in_use >= 0:
            os.close(self._in_use)
            self._in_use = -1

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, path: Path, sets: Any) -> Database:
        db = self._databases.pop(path, None) or open_database(path, sets)
        self._databases[path] = db  # the one used last stands last
        if len(self._databases) > MOST_OPEN:
            oldest = next(p for p, d in self._databases.items() if p != self.host_path and not d.conn.in_transaction)
            self._databases.pop(oldest).close()
        return db


def in_use(folder: Path) -> bool:
    """Has any process the workspace in `folder` open."""
    descriptor = os.open(folder / _IN_USE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _association(row: Mapping[str, Any]) -> Association:
    values = {name: row[name] for name in Association.__dataclass_fields__ if name != "brand"}
    return Association(**{**values, "welcome": bool(row["welcome"])}, brand=Brand(**row["brand"]))
