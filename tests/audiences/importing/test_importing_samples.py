"""Every sample file: recognised as what it is, and each person with the consent that the product recorded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from importing_helpers import best, people_of, rows_of, said

from audiences.importing.base import Refusal
from audiences.models import AttributeValue

GRANTED_EXPRESS, GRANTED_IMPLIED, GRANTED_MEMBER = "* granted express", "* granted implied", "* granted membership"
WITHDRAWN = "* withdrawn"


@dataclass(frozen=True)
class Expected:
    consents: list[str]
    attributes: dict[str, AttributeValue]
    """Some of them."""
    tags: tuple[str, ...] = ()
    suppression: str | None = None
    refuses_relays: bool = False


ANA = {"first_name": "Ana", "last_name": "Reyes"}
LEE = {"first_name": "Lee", "last_name": "Park"}
EDITORS = ("Lorem Editors",)

SAMPLES: dict[str, tuple[str, dict[str | None, Expected]]] = {
    "mailchimp_subscribed.csv": (
        "mailchimp",
        {
            "s1@example.com": Expected([GRANTED_EXPRESS], {}),
            "s2@example.com": Expected([GRANTED_EXPRESS], {}, EDITORS),
            "s3@example.com": Expected([GRANTED_EXPRESS], {}, EDITORS),
            "s4@example.com": Expected([GRANTED_EXPRESS], {}, EDITORS),
            "s5@example.com": Expected([GRANTED_EXPRESS], {"first_name": "Dolor", "company": "Lorem Co."}, EDITORS),
        },
    ),
    "mailchimp_unsubscribed.csv": (
        "mailchimp",
        {
            "u1@example.com": Expected([WITHDRAWN], {"first_name": "Dolor"}),
            "u2@example.com": Expected([WITHDRAWN], {"last_name": "Simet"}, EDITORS),
            "u3@example.com": Expected([WITHDRAWN], {"first_name": "Lorem", "last_name": "Ipsum"}, EDITORS),
            "u4@example.com": Expected([WITHDRAWN], {}, EDITORS),
            "u5@example.com": Expected([WITHDRAWN], {}, EDITORS),
        },
    ),
    "mailchimp_cleaned.csv": (
        "mailchimp",
        {
            "c1@example.com": Expected([], {"first_name": "Dolor", "member_rating": 1}, ("Editors",), "hard bounce"),
            "c2@example.com": Expected([], {"first_name": "Simet", "last_name": "Lut"}, ("Editors",), "hard bounce"),
            "c3@example.com": Expected([], {"company": "Another Company"}, (), "hard bounce"),
            "c4@example.com": Expected([], {"last_name": "Lorem"}, ("Editors",), "hard bounce"),
            "c5@example.com": Expected([], {"member_rating": 1}, ("Editors",), "hard bounce"),
        },
    ),
    "own/buttondown_subscribers.csv": (
        "buttondown",
        {
            "ana.reyes@example.org": Expected(
                [GRANTED_EXPRESS], {"state": "KS", "created": "2024-03-13"}, ("library", "ks")
            ),
            "lee.park@example.net": Expected([WITHDRAWN], {"created": "2024-03-13"}),
        },
    ),
    "own/civicrm_primary_fields.csv": (
        "civicrm",
        {
            "ana.reyes@example.org": Expected(
                [GRANTED_IMPLIED],
                {**ANA, "organization": "Gaylord City Library"},
                ("Newsletter", "Archives Month", "archives"),
            ),
            "lee.park@example.net": Expected(
                [WITHDRAWN], {**LEE, "state": "Oregon"}, ("Newsletter",), refuses_relays=True
            ),
            "jose@example.org": Expected(
                [WITHDRAWN], {"first_name": "José", "last_name": "Núñez"}, ("Newsletter",), "hard bounce"
            ),
            "desk@example.com": Expected(
                [GRANTED_IMPLIED], {"contact_type": "Organization", "organization": "Town Museum"}
            ),
        },
    ),
    "own/contacts.vcf": (
        "vcard",
        {
            "ana.reyes@example.org": Expected([], {**ANA, "notes": "Speaks at the exchange, May", "state": "KS"}),
            "jose@example.org": Expected(
                [], {"name": "José Núñez", "other_addresses": "desk@example.com"}, ("museum", "curator")
            ),
            "bla@example.net": Expected([], {"last_name": "Þora"}),
        },
    ),
    "own/excel_semicolon_bom.csv": (
        "plain",
        {
            "jose@example.org": Expected([GRANTED_MEMBER], {"first_name": "José", "last_name": "Núñez"}),
            "bla@example.net": Expected([GRANTED_MEMBER], {"first_name": "Þóra", "last_name": "Müller"}),
        },
    ),
    "own/ghost_members.csv": (
        "ghost",
        {
            "ana.reyes@example.org": Expected(
                [GRANTED_IMPLIED], {"name": "Ana Reyes", "created": "2023-07-14"}, ("library", "rural")
            ),
            "lee.park@example.net": Expected(
                [WITHDRAWN], {"name": "Lee Park", "notes": '=HYPERLINK("http://example.net")'}
            ),
        },
    ),
    "own/google_contacts.csv": (
        "google",
        {
            "ana.reyes@example.org": Expected([], {**ANA, "other_addresses": "ana@example.com"}, ("Liaisons",)),
            None: Expected([], {"first_name": "No", "last_name": "Address"}),
        },
    ),
    "own/listmonk_export.csv": (
        "listmonk",
        {
            "ana.reyes@example.org": Expected([GRANTED_IMPLIED], {"state": "KS", "sector": "library"}),
            "lee.park@example.net": Expected([WITHDRAWN], {"name": "Lee Park"}, suppression="blocklisted"),
        },
    ),
    "own/mailman_members.txt": (
        "mailman",
        {
            "ana.reyes@example.org": Expected([GRANTED_IMPLIED], {"name": "Ana Reyes"}),
            "iris.quinn@example.org": Expected([GRANTED_IMPLIED], {"name": "Quinn, Iris"}),
            "lee.park@example.net": Expected([GRANTED_IMPLIED], {}),
            "jose@example.org": Expected([GRANTED_IMPLIED], {"name": "José"}),
        },
    ),
    "own/wildapricot_members.csv": (
        "wildapricot",
        {
            "Ana.Reyes@example.org": Expected(
                [GRANTED_EXPRESS],
                {"membership_status": "active", "renewal": "2027-03-01", "member_since": "2019-03-01"},
                ("Rural libraries",),
            ),
            "lee.park@example.net": Expected([WITHDRAWN], {**LEE, "renewal": "2027-06-15"}),
            "desk@example.com": Expected([GRANTED_IMPLIED], {"membership_status": "lapsed", "bundle": 1004}),
            None: Expected([GRANTED_MEMBER], {"first_name": "Mo", "membership_level": "Bundle"}),
            "iris.quinn@example.org": Expected([], {"archived": "yes", "last_name": "Quinn"}),
        },
    ),
}


@pytest.mark.data
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_recognised_and_every_person_is_as_the_product_says(name: str, data: Path) -> None:
    source, expected = SAMPLES[name]
    path = data / "imports" / name
    assert best(path) == source
    people = people_of(path)
    assert list(people) == list(expected)
    for address, person in expected.items():
        found = people[address]
        assert said(found.consents) == person.consents, address
        assert (found.suppression, found.tags, found.refuses_relays) == (
            person.suppression,
            person.tags,
            person.refuses_relays,
        ), address
        assert person.attributes.items() <= found.attributes.items(), address
        assert all(f"{path.name}, line {found.line}" in consent.source for consent in found.consents)


@pytest.mark.data
def test_the_table_holds_every_sample_there_is(data: Path) -> None:
    folder = data / "imports"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.is_file()}
    assert {name for name in files if not name.startswith(("LICENSE", "COLUMNS"))} == {*SAMPLES, "malformed.csv"}


@pytest.mark.data
def test_a_ragged_row_is_reported_with_its_line(data: Path) -> None:
    path = data / "imports" / "malformed.csv"
    assert best(path) == "plain"
    assert rows_of(path) == [Refusal(2, "has 3 cells, the header 2: is a separator unquoted?")]


@pytest.mark.data
def test_a_person_without_address_is_known_by_the_id_of_the_product(data: Path) -> None:
    person = people_of(data / "imports/own/wildapricot_members.csv")[None]
    assert person.external_id == "wildapricot:1004"
    again = [people_of(data / "imports/own/google_contacts.csv")[None].external_id for _ in range(2)]
    assert again[0] == again[1] != ""


@pytest.mark.data
def test_the_evidence_of_an_express_consent_is_kept_with_its_time(data: Path) -> None:
    person = people_of(data / "imports/mailchimp_subscribed.csv")["s1@example.com"]
    assert person.consents[0].at.isoformat() == "2023-04-21T11:16:57+00:00"
    assert person.consents[0].source == (
        "import from Mailchimp: mailchimp_subscribed.csv, line 2: "
        "opted in 2023-04-21 11:16:57; confirmed 2023-04-21 11:16:57"
    )
    no = people_of(data / "imports/mailchimp_unsubscribed.csv")["u1@example.com"].consents[0]
    assert no.at.isoformat() == "2018-07-23T12:19:27+00:00"
