"""Makes up members and what they did, the same for the same seed: a CSV file, and rows for the event tables."""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path

TOPICS = ("coalition-news", "events", "grants", "advocacy", "jobs")
HEADER = (
    "email", "first_name", "last_name", "organization", "sector", "state", "city", "zip", "population_served",
    "branches", "joined", "renewal", "membership_status", "consent", "consent_date", "topics", "tracking",
)  # fmt: skip
TODAY = date(2027, 2, 1)
_SECTORS = ("library",) * 11 + ("museum",) * 5 + ("archives",) * 3 + ("historical society",)
_STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY"
).split()
_FIRST = "Ana Ben Chidi Dana Emre Fatima Grace Hiro Ines João Karin Liam Mei Noor Olga Paul Quinn Rosa Sam Tara".split()
_LAST = "Abara Brown Castillo Dubois Evans Fischer García Haddad Ivanova Jensen Kim Lopez Müller Nguyen Okafor".split()
_PLACES = "Port Lake Mount New Old Fort Saint Spring Cedar River Salt Grand Little North South East West Green".split()
_ENDS = "ville ton field wood burg haven ford dale view land".split()
_STATUS = ("active",) * 14 + ("lapsed",) * 4 + ("pending", "")
_CONSENT = ("yes",) * 17 + ("unsubscribed",) * 2 + ("",)


def write_csv(path: Path, members: int, seed: int = 1) -> None:
    """`members` rows of 12 attributes, consent, topics and tracking; about 190 bytes each."""
    draw = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_member(draw, number) for number in range(members))


def _member(draw: random.Random, number: int) -> tuple[object, ...]:
    first, last = draw.choice(_FIRST), draw.choice(_LAST)
    city = f"{draw.choice(_PLACES)} {draw.choice(_PLACES)}{draw.choice(_ENDS)}"
    sector = draw.choice(_SECTORS)
    joined = TODAY - timedelta(days=int(draw.expovariate(1 / 1500)))
    status = draw.choice(_STATUS)
    renewal = TODAY + timedelta(days=draw.randint(-400, 0) if status == "lapsed" else draw.randint(1, 365))
    consent = draw.choice(_CONSENT)
    topics = ";".join(topic for topic in TOPICS if draw.random() < 0.4) if consent == "yes" else ""
    return (
        f"{first}.{last}.{number}@{city.split()[-1]}.example.org".lower().encode("ascii", "ignore").decode(),
        first,
        last,
        f"{city} {sector.title()}",
        sector,
        draw.choice(_STATES),
        city,
        f"{draw.randint(501, 99950):05}",
        int(draw.lognormvariate(9, 1.6)),
        draw.randint(1, 40),
        joined.isoformat(),
        renewal.isoformat() if status else "",
        status,
        consent,
        (joined + timedelta(days=3)).isoformat(),
        topics,
        "yes" if draw.random() < 0.4 else "",
    )
