"""Three fictional associations and some 600 invented members. Seeded: the same in every demo."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

from audiences.models import Association, Brand

SEED = 20270201

HOST = Association(
    "coalition",
    "Coalition for Shared Memory",
    "news@shared-memory.example",
    "12 Depot Street, Suite 4, Cedar Falls, OR 97000, United States",
    reply_to="hello@shared-memory.example",
    homepage="https://shared-memory.example",
    timezone="America/Los_Angeles",
    brand=Brand(accent="#7a2e3a", background="#f5f0e8"),
)
OTHERS = (
    Association(
        "lakeland",
        "Lakeland Library Association",
        "bulletin@lakeland-libraries.example",
        "1 Reading Room Square, Lakeland, WA 98000, United States",
        homepage="https://lakeland-libraries.example",
        timezone="America/Los_Angeles",
        brand=Brand(accent="#1d5c63", background="#eef3f1"),
    ),
    Association(
        "harbor-league",
        "Harbor League of Museums and Archives",
        "post@harbor-league.example",
        "Pier 9, Old Customs House, Harbor City, ID 83000, United States",
        homepage="https://harbor-league.example",
        timezone="America/Boise",
        brand=Brand(accent="#2f3e75", background="#f1f1f6"),
    ),
)
SIZES = {"coalition": 190, "lakeland": 240, "harbor-league": 175}

_GIVEN = (
    "Ana Amara Beatriz Chiara Daniel Elif Fatima Grace Hiroshi Imani Jonas Kavita Lena Mateo Noor Ọlá Priya Quinn "
    "Rosa Søren Tomás Uma Viktor Wren Ximena Yael Zofia Åsa Étienne Łukasz Nguyễn דנה ليلى अनन्या 美咲"
).split()
_FAMILY = (
    "Abara Bergström Castillo Dubois Eriksen Farouk Goldberg Hernández Ito Jacobs Kowalczyk Lindqvist Mbeki Nakamura "
    "O'Neill Petrov Quispe Reyes Silva Tanaka Ustinov Vargas Whitehorse Xu Yıldız Zamora"
).split()
_PLACES = (
    ("Alder Bay", "WA"), ("Birch Hollow", "OR"), ("Copper Ridge", "ID"), ("Dune Harbor", "OR"), ("Elk Crossing", "MT"),
    ("Fern Valley", "WA"), ("Granite Falls", "ID"), ("Heron Lake", "MN"), ("Juniper Flats", "UT"), ("Kestrel", "WA"),
)  # fmt: skip
_KINDS = {
    "library": ("{} Public Library", "{} Community Library", "{} County Library System"),
    "archive": ("{} City Archives", "{} Historical Records Center"),
    "museum": ("{} Museum", "{} Heritage Museum", "Museum of {} History"),
}
_JOBS = ("director", "archivist", "curator", "reference", "outreach", "registrar")


@dataclass(frozen=True, slots=True)
class _Row:
    email: str
    first_name: str
    last_name: str
    institution: str
    sector: str
    city: str
    state: str
    population_served: int
    joined: str
    consent: str
    topics: str
    tracking: str


def write_members(association: str, path: Path) -> int:
    """Write the members of one association as a CSV file, such as a spreadsheet would. Returns how many."""
    chance = random.Random(f"{SEED}/{association}")  # noqa: S311 - invented people, not secrets
    rows = [_invent(chance, number, association) for number in range(SIZES[association])]
    names = list(_Row.__dataclass_fields__)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([[getattr(row, name) for name in names] for row in rows])
    return len(rows)


def _invent(chance: random.Random, number: int, association: str) -> _Row:
    sector = chance.choice(list(_KINDS))
    city, state = chance.choice(_PLACES)
    institution = chance.choice(_KINDS[sector]).format(city)
    said = chance.random()
    return _Row(
        email=f"{chance.choice(_JOBS)}.{number}@{city.lower().replace(' ', '-')}.{association}.example",
        first_name="" if chance.random() < 0.08 else chance.choice(_GIVEN),
        last_name=chance.choice(_FAMILY),
        institution=institution,
        sector=sector,
        city=city,
        state=state,
        population_served=round(chance.lognormvariate(9.5, 1.1)),
        joined=f"{chance.randint(2009, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        consent="unsubscribed" if said < 0.06 else "yes",
        topics="coalition-news" if said < 0.5 else "coalition-news; training",
        tracking="yes" if chance.random() < 0.3 else "no",
    )
