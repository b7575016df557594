"""An offer to one association whose people look at it through their links, over real HTTP, in days to come."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from http_browser import Answer, Browser
from relay_scene import OFFER, Scene, scene_of

from campaigns.relay import RelayState
from campaigns.relays import RelayRow, Seat
from comms.engine.relaying import answering, correcting, making, seating
from comms.links import SeatToken
from comms.web.server import serve

TODAY = datetime.now(UTC).date()
SEND = TODAY + timedelta(days=30)
DATES = {
    "2027-02-01": SEND,
    "2027-01-25": TODAY + timedelta(days=20),
    "2027-01-28": TODAY + timedelta(days=25),
    "2027-02-10": TODAY + timedelta(days=40),
}
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def offer_text(text: str = OFFER) -> str:
    """The offer of the other tests, on days that are always to come."""
    for written, day in DATES.items():
        text = text.replace(written, day.isoformat())
    return text


@dataclass
class Offered:
    """An offer, a server, and those who answer."""

    scene: Scene
    browser: Browser

    def row(self, slug: str = "maine") -> RelayRow:
        return answering.find(self.scene.workspace, "partner", slug)

    def state(self, slug: str = "maine") -> RelayState:
        return self.row(slug).state

    def seat(self, number: int = 0, slug: str = "maine") -> Seat:
        return seating.seats(self.scene.workspace, slug)[number]

    def path(self, seat: Seat | None = None, slug: str = "maine") -> str:
        seat, row = seat or self.seat(slug=slug), self.row(slug)
        link = seating.link(self.scene.workspace, row, seat, making.current(self.scene.workspace, "partner"))
        return link[link.index("/l/") :]

    def expired(self) -> str:
        seat, row = self.seat(), self.row()
        token = SeatToken("maine", row.id, seat.id, seat.serial, 1_700_000_000)
        return f"/l/{self.scene.workspace.links.signer.sign_seat(token)}"

    def page(self, path: str | None = None, **headers: str) -> Answer:
        return self.browser.get(path or self.path(), **headers)

    def post(self, what: str = "", *, to: str | None = None, **fields: str) -> Answer:
        """Send a form as it is, but for what `_` stands for in names of fields."""
        given = {name.replace("_", "-"): value for name, value in fields.items()}
        return self.browser.form(f"{to or self.path()}{what}", urlencode(given))

    def shown(self, path: str | None = None) -> dict[str, str]:
        """What the hidden fields of the page hold."""
        return {name: unescape(value) for name, value in _HIDDEN.findall(self.page(path).text)}

    def accept(self, path: str | None = None, **fields: str) -> Answer:
        """The button on the page as it is now."""
        shown = {name.replace("-", "_"): value for name, value in self.shown(path).items()}
        return self.post(to=path, **{**shown, "do": "accept", **fields})

    def follow(self, answer: Answer) -> Answer:
        assert answer.status == 303, answer.text
        return self.browser.get(answer.headers["location"])

    def letters(self, address: str) -> int:
        box = self.scene.workspace.association_db("coalition")
        return int(box.execute("SELECT count(*) FROM letter WHERE address = ?", [address]).fetchone()[0])

    def correct(self, before: str, after: str) -> None:
        file = self.scene.workspace.folder / "corrected.md"
        file.write_text(offer_text().replace(before, after))
        plan = correcting.plan(self.scene.workspace, file, note="another day")
        correcting.correct(self.scene.workspace, plan, who="dana")

    def send_elsewhere(self) -> None:
        """Maine has its members in a tool of its own."""
        rule = seating.rule(self.scene.workspace, "maine")
        seating.decide(self.scene.workspace, replace(rule, own_tool=True))

    def stand(self, state: RelayState) -> None:
        """Put the relay where only days to come would bring it."""
        self.scene.workspace.host.db.execute("UPDATE relay SET state = ?", [state.value])


@contextmanager
def offered(folder: Path, *, text: str = OFFER, members: Mapping[str, list[str]] | None = None) -> Iterator[Offered]:
    people = members or {"maine": [f"m{n}@example.org" for n in range(70)], "ohio": ["o@example.org"]}
    scene = scene_of(folder, people, moment=datetime.now(UTC))
    scene.offer(offer_text(text))
    server = serve(scene.workspace.folder, "127.0.0.1", 0)
    server.start()
    try:
        yield Offered(scene, Browser(server.port))
    finally:
        server.stop()
        scene.workspace.close()


def at(day: date, hour: str) -> str:
    return f"{day.isoformat()}T{hour}"
