"""A coalition with its web face, and an association with an engine of its own that follows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from relay_scene import HOST, OFFER, add_members, association

from audiences.models import Association
from campaigns import definition
from campaigns.follows import FollowedRow, FollowStore
from campaigns.relay import RelayState
from comms.engine.following import feeds, taking, telling
from comms.engine.following.asking import answering_key
from comms.engine.following.fetching import Fetching
from comms.engine.relaying import answering, correcting, offering, peers, seating
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.kits.offers import Offer
from comms.web.server import WebServer, serve

TEXT = "\n".join(line for line in OFFER.split("\n") if "20" not in line and "schedule" not in line)
TEXT = TEXT.replace("  timezone: UTC\n", "")
MAINE = Association("maine-libraries", "Maine Libraries", "news@maine.example", "1 High Street, Portland")
HERE = "the-coalition-partner"
NOW = datetime.now(UTC)


@dataclass
class Two:
    """A coalition with its web face, and an association with an engine of its own."""

    coalition: Workspace
    library: Workspace
    web: WebServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}/relay/north/feed.json"

    def offer(self, text: str = TEXT) -> None:
        offering.offer(self.coalition, offering.plan(self.coalition, definition.read(text)), who="dana")

    def follow(self) -> None:
        feeds.follow(self.library, feeds.look(self.library, self.url), MAINE.slug, who="luis")
        self.register()

    def register(self) -> None:
        key = answering_key(self.library, self.url).public.raw.hex()
        peers.register(self.coalition, "north", key, who="dana")

    def exchange(self) -> list[feeds.Reading]:
        readings = feeds.read(self.library, at_once=True)
        telling.tell(self.library, at_once=True)
        return readings

    def there(self) -> offering.Standing:
        return offering.standings(self.coalition, "partner")[0]

    def here(self) -> RelayState:
        return answering.find(self.library, HERE, MAINE.slug).state

    def known(self) -> FollowedRow:
        (row,) = FollowStore(self.library.host.db).followed(self.url)
        return row

    def correct(self, file: Path, text: str, *, note: str = "The day was wrong", minor: bool = False) -> None:
        file.write_text(text)
        correcting.correct(self.coalition, correcting.plan(self.coalition, file, note=note, minor=minor), who="dana")

    def take(self, *offers: Offer, by: feeds.Engines | None = None) -> dict[str, str]:
        """Campaign here -> what is wrong with it."""
        follow = feeds.find(self.library, "the-coalition")
        files = Fetching(self.library, follow, by or feeds.engines(self.library))
        return {row.campaign: row.fault for row in taking.take(self.library, follow, offers, files)}


@contextmanager
def two_engines(folder: Path) -> Iterator[Two]:
    create_workspace(folder / "c", HOST).close()
    create_workspace(folder / "m", MAINE).close()
    web = serve(folder / "c", "127.0.0.1", 0)
    web.start()
    trusted = {"COMMS_RELAY__TRUSTED_HOSTS": f"127.0.0.1:{web.port}"}
    with Workspace(folder / "c") as coalition, Workspace(folder / "m", environment=trusted) as library:
        coalition.add_association(association("north"))
        seating.add(library, MAINE.slug, "Luis Ortega", "luis@maine.example")
        add_members(library, MAINE.slug, [f"reader{n}@example.org" for n in range(12)])
        two = Two(coalition, library, web)
        yield two
        two.web.stop()


def offer(**values: object) -> Offer:
    """What an engine could say of a campaign."""
    made = Offer("partner", 2, "A partner", "", "en", "https://c.example/x", NOW, NOW, TEXT, via=("a" * 16,),
                 origin=f"{'a' * 16}/partner")  # fmt: skip
    return replace(made, **values)  # type: ignore[arg-type]
