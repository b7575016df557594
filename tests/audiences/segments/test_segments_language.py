"""What rules mean, case by case, asked of Python and of every SQLite at hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import sqlite_utils
from segment_databases import TODAY, fill, open_databases, selected

from audiences.models import AttributeValue, Member
from audiences.segments import matches, parse


@pytest.fixture(scope="module")
def databases() -> Iterator[list[sqlite_utils.Database]]:
    opened = list(open_databases())
    yield opened
    for database in opened:
        database.close()


def holds(databases: list[sqlite_utils.Database], text: str, member: Member, today: date = TODAY) -> bool:
    rule = parse(text)
    answer = matches(rule, member, today)
    for database in databases:
        fill(database, [member])
        assert bool(selected(database, rule, today)) == answer, f"SQL and Python differ on {text}"
    return answer


def of(**attributes: AttributeValue) -> Member:
    return Member(address="ann@example.org", attributes=attributes, language="en-US")


TRUE = [
    ("state = WA", of(state="WA")),
    ("state == WA", of(state="wa")),
    ("STATE = 'wa'", of(state="WA")),
    ("state in (WA, OR, IN)", of(state="or")),
    ("state in (WA, OR, IN)", of(state="IN")),
    ("state = or or state = in", of(state="IN")),
    ("state not in (WA, OR)", of(state="ID")),
    ('state != "HI"', of(state="WA")),
    ("state <> HI", of(state="WA")),
    ("city = 'O''Neil'", of(city="O'Neil")),
    (r'city = "a\\b\"c"', of(city='a\\b"c')),
    ("city = 'café'", of(city="café")),
    ("city = 'cafe\u0301'", of(city="café")),
    ("code = K-12", of(code="k-12")),
    ("zip = 02134", of(zip="02134")),
    ("zip = '99556'", of(zip=99556)),
    ("zip = '99556'", of(zip="99556")),
    ("rate = '-1.5'", of(rate=Decimal("-1.5"))),
    ("size = 10000", of(size=10000)),
    ("size = 10000.0", of(size=10000)),
    ("size = 0.1", of(size=Decimal("0.1"))),
    ("size = -0", of(size=0)),
    ("size > 9223372036854775806", of(size=9223372036854775807)),
    ("size >= 99999999999999999999", of(size=10**400)),
    ("size = 9223372036854775808", of(size=2**63 + 1)),
    ("size < -99999999999999999999", of(size=-(10**400))),
    ("size in (1, many, 2025-01-01)", of(size="2025-01-01T08:00")),
    ("joined > 2025-01-01", of(joined="2025-01-02")),
    ("joined <= 2025-01-01", of(joined="2025-01-01T23:59:59Z")),
    ("joined = 2025-01-01", of(joined="2025-01-01 00:00")),
    ("joined >= 9999-12-31", of(joined="9999-12-31")),
    ("joined < today", of(joined="2027-01-30")),
    ("renewal < today + 30 days", of(renewal="2027-03-01")),
    ("renewal = today+1 month", of(renewal="2027-02-28")),
    ("renewal = today -2 weeks", of(renewal="2027-01-17")),
    ("renewal = TODAY - 1 Year", of(renewal="2026-01-31")),
    ("renewal = today - 35 months", of(renewal="2024-02-29")),
    ("first_name is missing", of()),
    ("first_name is missing", of(first_name="")),
    ("first_name is present", of(first_name="Ann")),
    ("has size", of(size=0)),
    ("not has size", of()),
    ("city contains ANCHOR", of(city="Anchorage")),
    ("city contains '100%_*'", of(city="100%_*!")),
    ("city starts with anch", of(city="Anchorage")),
    ("zip starts with 995", of(zip=99556)),
    ("zip ends with 2025-01-01", of(zip="to 2025-01-01")),
    ("address ends with @EXAMPLE.org", of()),
    ("language starts with en", of()),
    ("timezone is missing", of()),
    ("[in] = x and [Population Served] = 1", of(**{"in": "x"}, population_served=1)),
    ("École = oui", of(**{"école": "oui"})),
    ("everyone", of()),
    ("a = 1 or b = 2 and c = 3", of(a=1)),
    ("not a = 1 and b = 2", of(a=3, b=2)),
    ("not (a = 1 and b = 2)", of(a=1)),
    ("NOT\n(a = 1\tOR b = 2)", of()),
]

FALSE = [
    ("state = WA", of()),
    ("state != WA", of(state="wa")),
    ("state not in (WA, OR)", of(state="or")),
    ("city = 'É'", of(city="é")),
    ("city contains 'É'", of(city="é")),
    ("city = 'ﬁ'", of(city="fi")),
    ("size = 99556", of(size="99556")),
    ("zip = '02134'", of(zip=2134)),
    ("size = '-0'", of(size=0)),
    ("size contains 9", of(size=2**64 + 9)),
    ("address < 5", Member(address="4")),
    ("zip = '1.50'", of(zip=Decimal("1.5"))),
    ("size > 10000", of(size="many")),
    ("size < 10000", of(size="many")),
    ("size < 10000", of()),
    ("size > 1", of(size="2")),
    ("size > 9007199254740992", of(size=9007199254740992)),
    ("address = 5", Member(address="5")),
    ("address > 5", Member(address="6")),
    ("joined > 2025-01-01", of(joined="2025-01-01T23:59:59")),
    ("joined < 2025-01-01", of(joined="2025-01-01")),
    ("joined < 2025-01-01", of(joined="2024 or so")),
    ("joined < 2025-01-01", of(joined="01/12/2024")),
    ("joined < 2025-01-01", of(joined="2024-12-01x")),
    ("joined < 2025-01-01", of(joined=2024)),
    ("joined = '2025-01-01'", of(joined="2025-01-01T08:00")),
    ("first_name is present", of(first_name="")),
    ("rate contains 1", of(rate=Decimal("1.5"))),
    ("city contains anchorage", of(city="Anchor")),
    ("city ends with anchorage", of(city="age")),
    ("city contains 'a%e'", of(city="Anchorage")),
    ("not everyone", of()),
    ("(a = 1 or b = 2) and c = 3", of(a=1)),
]


@pytest.mark.parametrize(("rule", "member"), TRUE)
def test_the_rule_holds(databases: list[sqlite_utils.Database], rule: str, member: Member) -> None:
    assert holds(databases, rule, member)


@pytest.mark.parametrize(("rule", "member"), FALSE)
def test_the_rule_does_not_hold(databases: list[sqlite_utils.Database], rule: str, member: Member) -> None:
    assert not holds(databases, rule, member)


@pytest.mark.parametrize(
    "condition",
    ["x = a", "x in (a, 1)", "x > 1", "x < 1", "x > 2025-01-01", "x < today", "x contains a", "x ends with 1"],
)
def test_no_condition_holds_for_a_missing_value_and_its_negation_does(
    databases: list[sqlite_utils.Database], condition: str
) -> None:
    for member in (of(), of(x="")):
        assert not holds(databases, condition, member)
        assert holds(databases, f"not {condition}", member)


def test_today_is_the_day_the_caller_says(databases: list[sqlite_utils.Database]) -> None:
    member = of(renewal="2028-02-29")
    assert holds(databases, "renewal = today", member, date(2028, 2, 29))
    assert not holds(databases, "renewal = today", member, date(2028, 2, 28))
    assert holds(databases, "renewal = today - 4 years", member, date(2032, 2, 29))


def test_an_attribute_can_not_hide_a_field(databases: list[sqlite_utils.Database]) -> None:
    member = Member(address="ann@example.org", attributes={"address": "Main Street"})
    assert not holds(databases, "address contains Main", member)


def test_a_rule_knows_its_text_and_its_names_with_their_places() -> None:
    rule = parse("State = WA and not (has [Zip Code] or state = OR)")
    assert rule.source == "State = WA and not (has [Zip Code] or state = OR)"
    assert rule.names() == {"state", "zip_code"}
    assert [(name.key, name.column) for name in rule.mentions()] == [("state", 1), ("zip_code", 25), ("state", 39)]
