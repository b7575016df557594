"""All SQL of offers, relays, and the seats that speak for associations, in the host's database. It decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from campaigns.relay import Adaptation, RelayState
from campaigns.times import stamp


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A campaign that is offered."""

    campaign: str
    title: str
    state: str
    """`open`, `recalled` or `closed`."""
    reason: str
    """Why it was recalled."""
    version: int
    """The version that goes out now; 1 is what was offered first."""
    offered_at: datetime
    updated_at: datetime
    figures: str
    """What each association may learn of the others, written when it was closed: JSON; empty before."""

    @property
    def due(self) -> int:
        """What everybody is to be told: of the version that goes out, or that it was recalled, which comes after."""
        return self.version + (self.state == "recalled")


@dataclass(frozen=True, slots=True)
class VersionRow:
    """The definition of an offer, as it was or as a correction made it."""

    campaign: str
    version: int
    definition: str
    gathered: str
    note: str
    """What was corrected, in words."""
    at: datetime
    minor: bool = False
    """Does who agreed to the version before agree to this one."""
    files: str = ""
    """The files that go with it, as `comms.kits.offer_files.to_text` writes them."""


@dataclass(frozen=True, slots=True)
class RelayRow:
    """What one association makes of an offer."""

    id: int
    campaign: str
    association: str
    state: RelayState
    version: int
    """The version that the association has last looked at."""
    adaptation: Adaptation
    approved: str
    """Fingerprint of what was accepted; empty when nothing is."""
    approved_by: int | None
    """The seat that accepted first; None for staff, and for a rule."""
    reason: str
    """Why it was declined, or what stands in the way."""
    reminded: tuple[int, ...]
    """Days before the last day of which a reminder was sent."""
    offered_at: datetime
    updated_at: datetime
    told: int
    """The last that those who speak for it were told of, as `due` counts; 0 before the offer."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A person who speaks for an association."""

    id: int
    association: str
    name: str
    address: str
    serial: int
    """Part of every link to the seat: a new number makes all older links worthless."""


@dataclass(frozen=True, slots=True)
class RelayRule:
    """What an association decided once and for all."""

    association: str
    two_seats: bool = False
    """Two different seats must accept."""
    accepts: tuple[str, ...] = ()
    """Topics of offers that are accepted without asking; silence sends nothing else."""
    own_tool: bool = False
    """It sends with a tool of its own: nothing goes out from here, and it tells its figures."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a relay."""

    at: datetime
    who: str
    state: str
    detail: str


_OFFER = "campaign, title, state, reason, version, offered_at, updated_at, figures"
_VERSION = "campaign, version, definition, gathered, note, at, minor, files"
_RELAY = (
    "id, campaign, association, state, version, adaptation, approved, approved_by, reason, reminded, offered_at,"
    " updated_at, told"
)
_SEAT = "id, association, name, address, serial"


class RelayStore:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- offers -------------------------------------------------------------------------------

    def offer(self, campaign: str) -> OfferRow | None:
        row = self.db.execute(f"SELECT {_OFFER} FROM offer WHERE campaign = ?", [campaign]).fetchone()  # noqa: S608
        return _offer(row) if row else None

    def offers(self, states: Sequence[str] = ("open", "recalled", "closed")) -> list[OfferRow]:
        """Oldest first."""
        marks = ",".join("?" * len(states))
        sql = f"SELECT {_OFFER} FROM offer WHERE state IN ({marks}) ORDER BY offered_at, campaign"  # noqa: S608
        return [_offer(row) for row in self.db.execute(sql, list(states))]

    def unfinished(self) -> list[OfferRow]:
        """Offers of which it is not written down yet what came of them, oldest first."""
        sql = f"SELECT {_OFFER} FROM offer WHERE figures = '' ORDER BY offered_at, campaign"  # noqa: S608
        return [_offer(row) for row in self.db.execute(sql).fetchall()]

    def save_offer(self, offer: OfferRow) -> None:
        """Insert, or replace all but when it was offered."""
        self.db.execute(
            f"INSERT INTO offer ({_OFFER})"  # noqa: S608
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (campaign) DO UPDATE SET title = excluded.title,"
            " state = excluded.state, reason = excluded.reason, version = excluded.version,"
            " updated_at = excluded.updated_at, figures = excluded.figures",
            [
                offer.campaign, offer.title, offer.state, offer.reason, offer.version,
                stamp(offer.offered_at), stamp(offer.updated_at), offer.figures,
            ],
        )  # fmt: skip

    def add_version(self, row: VersionRow) -> None:
        """Versions are never changed."""
        self.db.execute(
            f"INSERT INTO offer_version ({_VERSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            [
                row.campaign, row.version, row.definition, row.gathered, row.note, stamp(row.at), int(row.minor),
                row.files,
            ],
        )  # fmt: skip

    def version(self, campaign: str, version: int) -> VersionRow:
        row = self.db.execute(
            f"SELECT {_VERSION} FROM offer_version WHERE campaign = ? AND version = ?",  # noqa: S608
            [campaign, version],
        ).fetchone()
        values = dict(zip(_VERSION.split(", "), row, strict=True))
        return VersionRow(
            **{**values, "at": datetime.fromisoformat(values["at"]), "minor": bool(values["minor"])},
        )

    def minor_since(self, campaign: str) -> int:
        """The version after which all corrections were minor: the latest one that asked."""
        sql = "SELECT max(version) FROM offer_version WHERE campaign = ? AND NOT minor"
        return int(self.db.execute(sql, [campaign]).fetchone()[0])

    def changed_at(self, association: str) -> datetime | None:
        """When anything last changed that was ever offered to an association; None when nothing was."""
        sql = "SELECT max(o.updated_at) FROM offer o JOIN relay r USING (campaign) WHERE r.association = ?"
        found = self.db.execute(sql, [association]).fetchone()[0]
        return datetime.fromisoformat(found) if found else None

    # --- relays -------------------------------------------------------------------------------

    def add_relay(self, campaign: str, association: str, version: int, now: datetime) -> None:
        self.db.execute(
            "INSERT INTO relay (campaign, association, state, version, offered_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [campaign, association, RelayState.OFFERED.value, version, stamp(now), stamp(now)],
        )

    def relay(self, campaign: str, association: str) -> RelayRow | None:
        return next(self._relays("campaign = ? AND association = ?", [campaign, association]), None)

    def relay_by_id(self, relay_id: int) -> RelayRow | None:
        return next(self._relays("id = ?", [relay_id]), None)

    def relays(self, campaign: str) -> list[RelayRow]:
        """By association."""
        return list(self._relays("campaign = ? ORDER BY association", [campaign]))

    def relays_of(self, association: str) -> list[RelayRow]:
        """What was offered to one association, latest first."""
        return list(self._relays("association = ? ORDER BY offered_at DESC, id DESC", [association]))

    def save_relay(self, row: RelayRow, *, was: RelayRow, now: datetime) -> bool:
        """Write down all that may change; False, and nothing done, when it is no more what it `was` when it was read:
        two people may write at once, and neither's words are lost."""
        cursor = self.db.execute(
            "UPDATE relay SET state = ?, version = ?, adaptation = ?, approved = ?, approved_by = ?, reason = ?,"
            " reminded = ?, updated_at = ? WHERE id = ? AND state = ? AND version = ? AND approved = ?"
            " AND iif(adaptation = '', ?, adaptation) = ?",
            [
                row.state.value, row.version, row.adaptation.to_json(), row.approved, row.approved_by, row.reason,
                json.dumps(row.reminded), stamp(now), row.id,
                was.state.value, was.version, was.approved, Adaptation().to_json(), was.adaptation.to_json(),
            ],
        )  # fmt: skip
        return cursor.rowcount == 1

    def untold(self) -> list[OfferRow]:
        """Offers of which somebody was not told the last that is to be told, oldest first."""
        sql = (
            f"SELECT {_OFFER} FROM offer WHERE state IN ('open', 'recalled') AND EXISTS (SELECT 1 FROM relay"  # noqa: S608
            " WHERE relay.campaign = offer.campaign AND relay.told < offer.version + (offer.state = 'recalled'))"
            " ORDER BY offered_at, campaign"
        )
        return [_offer(row) for row in self.db.execute(sql).fetchall()]

    def set_told(self, relay_id: int, due: int) -> None:
        """Those who speak for the association were told of this, or of what came after."""
        self.db.execute("UPDATE relay SET told = max(told, ?) WHERE id = ?", [due, relay_id])

    def add_step(self, relay_id: int, who: str, state: str, detail: str, now: datetime) -> None:
        """Append to what happened."""
        self.db.execute(
            "INSERT INTO relay_step (relay_id, at, who, state, detail) VALUES (?, ?, ?, ?, ?)",
            [relay_id, stamp(now), who, state, detail],
        )

    def steps(self, relay_id: int) -> list[Step]:
        """Oldest first."""
        sql = "SELECT at, who, state, detail FROM relay_step WHERE relay_id = ? ORDER BY id"
        rows = self.db.execute(sql, [relay_id])
        return [Step(datetime.fromisoformat(at), who, state, detail) for at, who, state, detail in rows]

    # --- seats and rules ----------------------------------------------------------------------

    def seats(self, association: str) -> list[Seat]:
        """Who speaks for an association now, by name."""
        sql = f"SELECT {_SEAT} FROM seat WHERE association = ? AND removed_at IS NULL ORDER BY name, id"  # noqa: S608
        return [Seat(*row) for row in self.db.execute(sql, [association])]

    def seat(self, seat_id: int) -> Seat | None:
        """None for one that was taken away."""
        sql = f"SELECT {_SEAT} FROM seat WHERE id = ? AND removed_at IS NULL"  # noqa: S608
        row = self.db.execute(sql, [seat_id]).fetchone()
        return Seat(*row) if row else None

    def add_seat(self, association: str, name: str, address: str, now: datetime) -> int:
        """Raises sqlite3.IntegrityError when the address has a seat there."""
        cursor = self.db.execute(
            "INSERT INTO seat (association, name, address, added_at) VALUES (?, ?, ?, ?)",
            [association, name, address, stamp(now)],
        )
        return int(cursor.lastrowid or 0)

    def remove_seat(self, seat_id: int, now: datetime) -> None:
        self.db.execute("UPDATE seat SET removed_at = ? WHERE id = ?", [stamp(now), seat_id])

    def renew_seat(self, seat_id: int) -> None:
        """Make every link that was sent to the seat worthless."""
        self.db.execute("UPDATE seat SET serial = serial + 1 WHERE id = ?", [seat_id])

    def rule(self, association: str) -> RelayRule:
        sql = "SELECT two_seats, accepts, own_tool FROM relay_rule WHERE association = ?"
        row = self.db.execute(sql, [association]).fetchone()
        if row is None:
            return RelayRule(association)
        return RelayRule(association, bool(row[0]), tuple(json.loads(row[1])), bool(row[2]))

    def save_rule(self, rule: RelayRule) -> None:
        self.db.execute(
            "INSERT INTO relay_rule (association, two_seats, accepts, own_tool) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (association) DO UPDATE SET two_seats = excluded.two_seats, accepts = excluded.accepts,"
            " own_tool = excluded.own_tool",
            [rule.association, int(rule.two_seats), json.dumps(rule.accepts), int(rule.own_tool)],
        )

    # --- through whom -------------------------------------------------------------------------

    def choose(self, address_hash: bytes, association: str | None) -> None:
        """Note through whom a person wants what is relayed; None for whoever it may be."""
        self.db.execute("DELETE FROM relay_choice WHERE address_hash = ?", [address_hash])
        if association is not None:
            self.db.execute("INSERT INTO relay_choice VALUES (?, ?)", [address_hash, association])

    def choice(self, address_hash: bytes) -> str | None:
        row = self.db.execute("SELECT association FROM relay_choice WHERE address_hash = ?", [address_hash]).fetchone()
        return str(row[0]) if row else None

    # --- helpers ------------------------------------------------------------------------------

    def _relays(self, where: str, values: Sequence[object]) -> Iterator[RelayRow]:
        rows = self.db.execute(f"SELECT {_RELAY} FROM relay WHERE {where}", list(values)).fetchall()  # noqa: S608
        return iter([_relay(row) for row in rows])


def _offer(row: Sequence[Any]) -> OfferRow:
    values = dict(zip(_OFFER.split(", "), row, strict=True))
    for name in ("offered_at", "updated_at"):
        values[name] = datetime.fromisoformat(values[name])
    return OfferRow(**values)


def _relay(row: Sequence[Any]) -> RelayRow:
    values = dict(zip(_RELAY.split(", "), row, strict=True))
    values["state"] = RelayState(values["state"])
    values["adaptation"] = Adaptation.from_json(values["adaptation"])
    values["reminded"] = tuple(json.loads(values["reminded"]))
    for name in ("offered_at", "updated_at"):
        values[name] = datetime.fromisoformat(values[name])
    return RelayRow(**values)
