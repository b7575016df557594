"""Random and damaged segment rules, asked of SQLite and of Python: both must agree, and nothing else may happen.

scripts/fuzz_rules.py --rules 100000 --seed 1

Each rule that can be read is run on a small database of its own kind of people, with an authorizer that lets it
read four tables and refuses all else; where it looks at values alone, it is also counted by a tally of them. Prints
how many rules were tried and read, and how fast. Exits 1 with the rule at the first that fails otherwise than with a
RuleError, that reads what it may not, or on which the answers differ.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sqlite_utils
from sqlite_utils.utils import sqlite3

from audiences import attributes as attribute_json
from audiences.migrations import AUDIENCES
from audiences.models import AttributeValue, Member
from audiences.segments import (
    LATEST,
    MemberFacts,
    Rule,
    RuleError,
    explain,
    matches,
    parse,
    resolve,
    to_sql,
    wanted_index,
)
from audiences.tallies import Tallies

TODAY = date(2027, 1, 31)
PEOPLE = 40
MAY_READ = {"member", "subscription", "tag", "activity"}
MAY_CALL = {"json_extract", "lower", "substr", "instr", "replace", "typeof", "glob", "coalesce", "count", "min"}
REGIONS = {"Pacific Northwest": ["WA", "OR", "99556"]}
SEGMENTS = {
    "big": "size > 10 or state in region west",
    "readers": 'clicked any in 30 days or opened("spring")',
    "others": "not segment readers except tag = donor",
    "circle": "segment circle",
    "broken": "size >",
}

NAMES = "state size joined city été [in] address language membership_status renewal clicked [tag] sample".split()
TEXTS = 'WA or "New York" donor É 99556 02134 "99556" "%" news jobs spring hosting-partner today active'.split(" ")
DAYS = ("2027-01-31", "2025-01-31", "today", "today - 30 days", "today + 1 month", "0001-01-01", "9999-12-31")
NUMBERS = ("0", "-1.5", "10", "99556", "9223372036854775808")
SPANS = ("", "", " in 30 days", " in the last 2 months", " in 100 years", " IN 1 day")
SCRAPS = ("(", ")", '"', "'", "[", "]", ",", "=", "<", "%", "\\", "\0", "\ud800", "“", " not ", " and ", " or ", " in ")
MORE_SCRAPS = (
    " is ",
    " any ",
    " except ",
    " tag",
    " segment ",
    "sample 1",
    "99999999999",
    "é\u0301",
    "😀",
    "-",
    "\n",
    ".",
)


class Rules:
    """Rules by chance, always the same for one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._last = "everyone"

    def next(self) -> str:
        """A rule; every third time one that is damaged."""
        if self._random.random() < 0.33:
            return self._damaged(self._last)
        self._last = self._rule(self._random.choice((0, 1, 1, 2, 2, 3)))
        return self._last

    def _rule(self, depth: int) -> str:
        chance = self._random
        if depth == 0:
            return self._condition()
        parts = [self._rule(depth - 1) for _ in range(chance.choice((1, 2, 2, 3)))]
        text = parts[0]
        for part in parts[1:]:
            text += f" {chance.choice(('and', 'and', 'or', 'except', 'AND'))} {part}"
        return chance.choice((text, f"({text})", f"not ({text})", f"not {text}"))

    def _condition(self) -> str:
        chance = self._random
        name, text, other = chance.choice(NAMES), chance.choice(TEXTS), chance.choice(TEXTS)
        value = chance.choice((text, chance.choice(DAYS), chance.choice(NUMBERS)))
        ordered = chance.choice((chance.choice(DAYS), chance.choice(NUMBERS)))
        part = chance.choice(("contains", "starts with", "ends with"))
        record = chance.choice(("tag", "topic"))
        consent = chance.choice(("express", "implied", "membership", "withdrawn", "tracking", "none"))
        region = chance.choice(("west", '"New England"', "pacific_northwest", "nowhere"))
        done, noun = chance.choice((("clicked", "click"), ("opened", "open")))
        return chance.choice(
            (
                f"{name} {chance.choice(('=', '!=', '==', '<>'))} {value}",
                f"{name} {chance.choice(('<', '<=', '>', '>='))} {ordered}",
                f"{name} {chance.choice(('in', 'not in'))} ({value}, {other})",
                f"{name} {part} {text}",
                f"{name} is {chance.choice(('present', 'missing'))}",
                f"has {chance.choice((name, record))}",
                f"{name} {chance.choice(('in', 'not in'))} region {region}",
                f"{record} {chance.choice(('=', '!='))} {text}",
                f"{record} {chance.choice(('in', 'not in'))} ({text}, {other})",
                f"{record} is {chance.choice(('present', 'missing'))}",
                f"tag {part} {text}",
                f"consent {chance.choice(('=', '!='))} {consent}",
                f"membership is {chance.choice(('current', 'lapsed'))}",
                f"{done}({text}, {other}){chance.choice(SPANS)}",
                f"{done} any{chance.choice(SPANS)}",
                f"no {noun}{chance.choice(SPANS)}",
                f"sample {chance.choice(('1', '12.5', '99.99', '100', '50'))}%",
                f"segment {chance.choice((*SEGMENTS, 'unknown'))}",
                "everyone",
            )
        )

    def _damaged(self, text: str) -> str:
        chance = self._random
        for _ in range(chance.randint(1, 3)):
            at, length = chance.randint(0, len(text)), chance.randint(0, 6)
            scrap = chance.choice((*SCRAPS, *MORE_SCRAPS, chr(chance.randrange(0x110000)), self._condition()))
            text = text[:at] + chance.choice(("", scrap, scrap * 2)) + text[at + length :]
        return text


def people(seed: int) -> list[tuple[Member, dict[str, tuple[str, str | None]], MemberFacts]]:
    """Members, their subscriptions (topic -> state and basis), and what is known of them."""
    chance = random.Random(seed)

    def some(choices: dict[str, list[AttributeValue]]) -> dict[str, AttributeValue]:
        return {name: chance.choice(values) for name, values in choices.items() if chance.random() < 0.7}

    def moment() -> str:
        day = chance.choice(("2027-01-31", "2027-01-30", "2027-01-01", "2026-11-30", "2020-02-29"))
        return f"{day}T{chance.choice(('00:00:00', '23:59:59'))}+00:00"

    found = []
    for number in range(1, PEOPLE + 1):
        attributes = some(
            {
                "state": ["WA", "wa", "Oregon", "NY", "Maine", 99556],
                "size": [0, 10, 11, 99556, 2**53, "99556", "many"],
                "joined": ["2025-01-31", "2027-01-31T10:00", "2027-01-01", "31/01/2025", 2025],
                "city": ["New York", "new york", "É", "100%", "München", "%"],
                "été": ["oui", 1],
                "in": ["or", "today"],
                "clicked": [10, "donor"],
                "tag": ["donor", "news"],
                "sample": [0, "50"],
                "membership_status": ["Active", "Pending Renewal", "pending_renewal", "GRACE", "Lapsed", "new", 1],
                "renewal": ["2027-01-30", "2027-01-31", "2028-01-01", "soon", 2027],
            }
        )
        address = f"m{number}@example.org" if chance.random() < 0.9 else None
        member = Member(address, attributes, chance.choice([None, "en", "en-US", "WA"]), None, number)
        subscriptions = {
            topic: chance.choice(
                (("granted", "express"), ("granted", "implied"), ("granted", "membership"), ("withdrawn", None))
            )
            for topic in ("*", "news", "jobs", "tracking")
            if chance.random() < 0.4
        }
        done = {
            kind: {campaign: moment() for campaign in ("spring", "hosting-partner") if chance.random() < 0.4}
            for kind in ("opened", "clicked")
        }
        facts = MemberFacts(
            {topic: state for topic, (state, _) in subscriptions.items()},
            frozenset(basis for topic, (_, basis) in subscriptions.items() if basis and topic != "tracking"),
            frozenset(tag for tag in ("donor", "Board 2026", "É", "99556") if chance.random() < 0.3),
            done["opened"],
            done["clicked"],
            max(done["opened"].values(), default=None),
            max(done["clicked"].values(), default=None),
        )
        found.append((member, subscriptions, facts))
    return found


def open_database(everyone: list[tuple[Member, dict[str, tuple[str, str | None]], MemberFacts]]) -> sqlite3.Connection:
    """These people in the tables of an association."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    AUDIENCES.apply(sqlite_utils.Database(connection))
    for member, subscriptions, facts in everyone:
        connection.execute(
            "INSERT INTO member (id, address, language, timezone, attributes, opened_at, clicked_at, created_at,"
            " updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, '', '')",
            [
                *(member.id, member.address, member.language, member.timezone),
                *(attribute_json.encode(member.attributes), facts.opened_at, facts.clicked_at),
            ],
        )
        for topic, (state, basis) in subscriptions.items():
            connection.execute("INSERT INTO subscription VALUES (?, ?, ?, ?, '')", [topic, member.id, state, basis])
        for tag in facts.tags:
            connection.execute("INSERT INTO tag (tag, member_id) VALUES (?, ?)", [tag, member.id])
        for kind, times in (("opened", facts.opened), ("clicked", facts.clicked)):
            for campaign, at in times.items():
                connection.execute("INSERT INTO activity VALUES (?, ?, ?, ?)", [campaign, kind, member.id, at])
    return connection


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    allowed = (
        action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE)
        or (action == sqlite3.SQLITE_READ and first in MAY_READ)
        or (action == sqlite3.SQLITE_FUNCTION and second in MAY_CALL)
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def read(text: str) -> Rule | None:
    """The rule, resolved; None when it is refused. Whatever can be refused late can be put in words before."""
    try:
        rule = parse(text)
        explain(rule, TODAY)
        return resolve(rule, SEGMENTS.get, REGIONS, SEGMENTS)
    except RuleError as error:
        if not 1 <= error.column <= len(text) + 1:
            raise ValueError(f"column {error.column}") from error
        return None


def tally(tallies: Tallies, rule: Rule) -> int | None:
    """How many members the rule holds for by a tally of what it looks at; None where there can be none."""
    names = wanted_index(rule)
    if not names or LATEST.intersection(names):
        return None
    name = f"tally_{'_'.join(each.encode().hex() for each in names)}"
    tallies.keep(name, names)
    return tallies.count(name, names, rule, TODAY)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rules", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    wanted = options.parse_args()
    everyone = people(wanted.seed)
    connection = open_database(everyone)
    tallies = Tallies(sqlite_utils.Database(open_database(everyone)))
    connection.set_authorizer(_authorize)
    rules, parsed, started = Rules(wanted.seed), 0, time.monotonic()
    chance = random.Random(wanted.seed)
    for _ in range(wanted.rules):
        text = rules.next()
        try:
            rule = read(text)
            if rule is None:
                continue
            parsed += 1
            explain(rule, TODAY)
            wanted_index(rule)
            # Each name at random: no index begins with it, or one does, with few values or with many.
            leading = {name: chance.random() < 0.5 for name in sorted(rule.names()) if chance.random() < 0.6}
            condition = to_sql(rule, TODAY, leading)
            rows = connection.execute(f"SELECT id FROM member WHERE {condition.sql} ORDER BY id", condition.parameters)
            by_sql = [row[0] for row in rows]
            by_python = [member.id for member, _, facts in everyone if matches(rule, member, TODAY, facts)]
            tallied = tally(tallies, rule)
        except Exception as error:  # noqa: BLE001 - that any is a finding is what this program is for
            sys.exit(f"{type(error).__name__}: {error}\non the rule {text!r}")
        if tallied not in (None, len(by_python)):
            sys.exit(f"a tally counts {tallied}, Python {len(by_python)}\non the rule {text!r}")
        if by_sql != by_python:
            sys.exit(f"SQL finds {by_sql}, Python {by_python}\non the rule {text!r}")
    seconds = time.monotonic() - started
    print(
        f"{wanted.rules:,} rules, {parsed:,} of them read and run, {wanted.rules / seconds:,.0f} per second; no finding"
    )


if __name__ == "__main__":
    main()
