"""Products of which there is no sample: files made as their columns are documented, with every status they know."""

from __future__ import annotations

from pathlib import Path

import pytest
from importing_helpers import NOW, best, people_of, rows_of, said, write_zip

from audiences.importing.base import ImportRow, Refusal

CC = (
    "Email address,First name,Last name,Company,Email status,Email permission status,Email update source,"
    "Confirmed Opt-Out Date,Confirmed Opt-Out Source,Confirmed Opt-Out Reason,State/Province - Home,Tags,Email Lists,"
    "Created At\n"
)


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding, newline="")
    return path


def test_constant_contact_keeps_the_permission_as_the_basis(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "contacts.csv",
        CC + 'a@x.org,Ana,Reyes,Library,Active,Express,Contact,,,,KS,"Rural, Liaison","News, Jobs",06/20/2023 10:15\n'
        "b@x.org,,,,Active,Implied,Account,,,,,,,\n"
        "c@x.org,,,,Unsubscribed,Express,,05/01/2024,Contact,Too many,,,,\n"
        "d@x.org,,,,Active,Express,,2024-05-01,Contact,,,,,\n"
        "e@x.org,,,,Active,Awaiting confirmation,,,,,,,,\n"
        "f@x.org,,,,Bounced,Implied,,,,,,,,\n"
        "g@x.org,,,,Temporary hold,Express,,,,,,,,\n",
    )
    assert best(path) == "constantcontact"
    people = people_of(path)
    assert {address: said(person.consents) for address, person in people.items()} == {
        "a@x.org": ["* granted express"],
        "b@x.org": ["* granted implied"],
        "c@x.org": ["* withdrawn"],
        "d@x.org": ["* withdrawn"],
        "e@x.org": [],
        "f@x.org": [],
        "g@x.org": [],
    }
    assert people["f@x.org"].suppression == "hard bounce"
    assert people["a@x.org"].tags == ("Rural", "Liaison", "News", "Jobs")
    assert people["a@x.org"].attributes["created"] == "2023-06-20"
    no = people["c@x.org"].consents[0]
    assert no.at.date().isoformat() == "2024-05-01"
    assert no.source == (
        "import from Constant Contact: contacts.csv, line 4: opted out 05/01/2024; by Contact; reason Too many"
    )


def test_constant_contact_without_its_status_column_grants_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "c.csv", "Email address,Email permission status,Email Lists\na@x.org,Express,News\n")
    assert best(path) == "constantcontact"
    assert people_of(path)["a@x.org"].consents == ()


def test_memberclicks_members_are_written_to_as_members_and_prospects_are_not(tmp_path: Path) -> None:
    header = "[Profile ID],[Contact Name],[Name | First],[Email | Primary],[Member Type],[Member Status],"
    path = write(
        tmp_path,
        "profiles.csv",
        header + "[Expiration Date],[Address | Primary | State]\n"
        "1,Ana Reyes,Ana,a@x.org,Institution,Active,12/31/2027,KS\n"
        "2,Bo,Bo,b@x.org,Individual,Graced,2026-12-31,\n"
        "3,Cy,Cy,c@x.org,Prospect,Active,,\n"
        "4,Di,Di,d@x.org,Individual,Lapsed,,\n"
        "5,Ed,Ed,,Individual,Active,,\n",
    )
    assert best(path) == "memberclicks"
    people = people_of(path)
    assert {address: said(person.consents) for address, person in people.items() if address} == {
        "a@x.org": ["* granted membership"],
        "b@x.org": ["* granted membership"],
        "c@x.org": [],
        "d@x.org": [],
    }
    assert people["a@x.org"].attributes == {
        "name": "Ana Reyes",
        "first_name": "Ana",
        "membership_level": "Institution",
        "membership_status": "active",
        "renewal": "2027-12-31",
        "state": "KS",
    }
    assert people[None].external_id == "memberclicks:5"


SUBSTACK = "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
SUBSTACK_ROWS = "a@x.org,true,,yearly,false,2024-01-02T03:04:05.000Z,\nb@x.org,true,,,true,2024-01-02T03:04:05.000Z,\n"


@pytest.mark.parametrize("zipped", [False, True])
def test_substack_readers_who_disabled_mail_get_none(tmp_path: Path, zipped: bool) -> None:
    if zipped:
        files = {"posts/1.first.html": "<p>", "posts.csv": "id\n1\n", "email_list.news.csv": SUBSTACK + SUBSTACK_ROWS}
        path = write_zip(tmp_path / "export.zip", files)
    else:
        path = write(tmp_path, "list.csv", SUBSTACK + SUBSTACK_ROWS)
    assert best(path) == "substack"
    people = people_of(path)
    assert said(people["a@x.org"].consents) == ["* granted implied"]
    assert said(people["b@x.org"].consents) == ["* withdrawn"]
    assert people["a@x.org"].attributes == {"active_subscription": "true", "plan": "yearly", "created": "2024-01-02"}


def test_the_older_substack_export_is_known_too(tmp_path: Path) -> None:
    text = "email,active_subscription,expiry,email_disabled,prefer_digests,created_at\na@x.org,false,,true,false,\n"
    path = write(tmp_path, "old.csv", text)
    assert best(path) == "substack"
    assert said(people_of(path)["a@x.org"].consents) == ["* withdrawn"]


@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8"), (";", "utf-8-sig")])
def test_keila_in_both_of_its_forms(tmp_path: Path, separator: str, encoding: str) -> None:
    data = '"{""lib"": {""size"": 3, ""rural"": true, ""areas"": [""a"", ""b""]}}"'
    rows = [
        ["Email", "First name", "Last name", "Data", "Status", "External ID"],
        ["a@x.org", "Ána", "Reyes", data, "active", "17"],
        ["b@x.org", "", "", "", "unsubscribed", ""],
        ["c@x.org", "", "", "", "unreachable", ""],
    ]
    path = write(tmp_path, "contacts.csv", "".join(separator.join(row) + "\r\n" for row in rows), encoding)
    assert best(path) == "keila"
    people = people_of(path)
    assert said(people["a@x.org"].consents) == ["* granted implied"]
    assert said(people["b@x.org"].consents) == ["* withdrawn"]
    assert people["c@x.org"].suppression == "hard bounce"
    assert people["a@x.org"].external_id == "keila:17"
    assert people["a@x.org"].attributes == {
        "first_name": "Ána",
        "last_name": "Reyes",
        "lib_size": 3,
        "lib_rural": "true",
        "lib_areas": "a, b",
    }


MAILCHIMP = "Email Address,First Name,Interests,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,{},LEID,EUID,NOTES,TAGS\n"


def mailchimp_files() -> dict[str, str | bytes]:
    subscribed = 'a@x.org,Ana,"A, B",2023-01-02 03:04:05,192.0.2.1,2023-01-02 03:05:00,192.0.2.2,2024-01-01,1,e1,,'
    return {
        "subscribed_members_export_1.csv": MAILCHIMP.format("LAST_CHANGED") + subscribed + '"""Old, dear"",Editors"\n'
        "added@x.org,,,,,,,2024-01-01,2,e2,,\n",
        "unsubscribed_members_export_1.csv": MAILCHIMP.format("UNSUB_TIME,UNSUB_REASON")
        + "u@x.org,,,,,,,2024-02-03 04:05:06,NORMAL,3,e3,,\ns@x.org,,,,,,,2024-02-03 04:05:06,ABUSE,3,e4,,\n",
        "cleaned_members_export_1.csv": MAILCHIMP.format("CLEAN_TIME") + "c@x.org,,,,,,,2024-02-03,4,e5,,\nbad\n",
    }


def test_the_mailchimp_zip_gives_each_person_the_status_of_the_file(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "audience.zip", mailchimp_files())
    assert best(path) == "mailchimp"
    rows = rows_of(path)
    people = {row.address: row for row in rows if isinstance(row, ImportRow)}
    assert {address: (said(person.consents), person.suppression) for address, person in people.items()} == {
        "a@x.org": (["* granted express"], None),
        "added@x.org": (["* granted implied"], None),
        "u@x.org": (["* withdrawn"], None),
        "s@x.org": (["* withdrawn"], "complaint"),
        "c@x.org": ([], "hard bounce"),
    }
    assert people["a@x.org"].tags == ("Old, dear", "Editors")
    assert people["a@x.org"].attributes == {"first_name": "Ana", "interests": "A, B"}
    assert people["a@x.org"].consents[0].source == (
        "import from Mailchimp: subscribed_members_export_1.csv, line 2: opted in 2023-01-02 03:04:05; "
        "from 192.0.2.1; confirmed 2023-01-02 03:05:00; from 192.0.2.2"
    )
    refused = [row for row in rows if isinstance(row, Refusal)]
    assert [row.line for row in refused] == [3]
    assert refused[0].reason.startswith("cleaned_members_export_1.csv: 'bad' is not an e-mail address")


def test_a_mailchimp_file_counts_as_the_worse_of_its_name_and_its_columns(tmp_path: Path) -> None:
    text = MAILCHIMP.format("LAST_CHANGED") + "a@x.org,,,2023-01-02,,,,2024-01-01,1,e1,,\n"
    for name, consents, suppression in (
        ("subscribed.csv", ["* granted express"], None),
        ("unsubscribed.csv", ["* withdrawn"], None),
        ("nonsubscribed.csv", [], None),
        ("cleaned.csv", [], "hard bounce"),
    ):
        person = people_of(write(tmp_path, name, text))["a@x.org"]
        assert (said(person.consents), person.suppression) == (consents, suppression), name
    undecided = text.replace("LAST_CHANGED", "SOMETHING")
    assert people_of(write(tmp_path, "audience.csv", undecided))["a@x.org"].consents == ()


def test_a_list_put_together_of_all_three_mailchimp_files_is_read_row_by_row(tmp_path: Path) -> None:
    text = MAILCHIMP.format("LAST_CHANGED,UNSUB_TIME,CLEAN_TIME") + (
        "s@x.org,,,2023-01-02,,,,2024-01-01,,,1,e1,,\nu@x.org,,,2023-01-02,,,,2024-01-01,2024-02-02,,1,e2,,\n"
        "c@x.org,,,2023-01-02,,,,2024-01-01,,2024-02-02,1,e3,,\n"
    )
    people = people_of(write(tmp_path, "all.csv", text))
    assert [(said(p.consents), p.suppression) for p in people.values()] == [
        (["* granted express"], None),
        (["* withdrawn"], None),
        ([], "hard bounce"),
    ]


def test_a_list_called_unsubscribed_is_no_list_of_subscribers_whatever_columns_are_left(tmp_path: Path) -> None:
    path = write(tmp_path, "unsubscribed_export.csv", "Email Address,First Name\nu@x.org,Ulla\n")
    assert best(path) == "mailchimp"
    assert said(people_of(path)["u@x.org"].consents) == ["* withdrawn"]
    tidied = write(tmp_path, "members cleaned.csv", "Email Address,First Name\na@x.org,Ana\n")
    assert best(tidied) == "plain"
    assert people_of(tidied)["a@x.org"].suppression is None


CIVI = "Contact ID,Contact Type,{}Email,Membership Type,Member Since,Membership Expiration Date,Membership Status\n"
CIVI_FLAGS = "Do Not Email,No Bulk Emails (User Opt Out),On Hold,Do Not Trade,"


def test_the_membership_export_of_civicrm_gives_level_status_and_renewal(tmp_path: Path) -> None:
    text = CIVI.format(CIVI_FLAGS) + (
        '1,Individual,,,No,,a@x.org,Institutional,"March 1st, 2019",2027-03-01,Current\n'
        "2,Individual,,,No,,b@x.org,Individual,2019-03-01,2020-03-01,Expired\n"
        "3,Individual,,,On Hold Opt Out,,c@x.org,Individual,,,Current\n"
        "4,Individual,,,No,1,d@x.org,Individual,,,Grace\n"
    )
    path = write(tmp_path, "memberships.csv", text)
    assert best(path) == "civicrm"
    people = people_of(path)
    assert [said(person.consents) for person in people.values()] == [
        ["* granted membership"],
        ["* granted implied"],
        ["* withdrawn"],
        ["* granted membership"],
    ]
    assert people["c@x.org"].suppression is None
    assert people["d@x.org"].refuses_relays
    assert people["b@x.org"].attributes == {
        "contact_type": "Individual",
        "membership_level": "Individual",
        "member_since": "2019-03-01",
        "renewal": "2020-03-01",
        "membership_status": "expired",
    }


@pytest.mark.parametrize("missing", CIVI_FLAGS.split(",")[:3])
def test_a_civicrm_file_that_leaves_out_an_opt_out_column_grants_nothing(tmp_path: Path, missing: str) -> None:
    columns = [column for column in CIVI_FLAGS.split(",") if column not in ("", missing)]
    path = write(tmp_path, "c.csv", CIVI.format(",".join(columns) + ",") + "1,Individual,,,,a@x.org,,,,Current\n")
    assert people_of(path, "civicrm")["a@x.org"].consents == ()


def test_two_switches_of_wild_apricot_stop_newsletters_and_one_stops_events(tmp_path: Path) -> None:
    text = (
        "User ID,Email,Member emails and newsletters,Subscribed to emails,Opted in,Event announcements,Archived,"
        "Membership enabled,Membership level,Membership status,Password\n"
        "1,a@x.org,no,yes,yes,yes,no,yes,I,Active,secret\n"
        "2,b@x.org,yes,yes,yes,no,no,yes,I,Active,\n"
        "3,c@x.org,yes,yes,no,yes,no,yes,I,Active,\n"
        "4,d@x.org,yes,yes,,yes,no,no,I,Active,\n"
        "5,e@x.org,yes,,yes,yes,no,yes,I,Active,\n"
    )
    path = write(tmp_path, "wa.csv", text)
    assert best(path) == "wildapricot"
    people = people_of(path)
    assert [said(person.consents) for person in people.values()] == [
        ["* withdrawn"],
        ["* granted express", "event-announcements withdrawn"],
        [],
        ["* granted implied"],
        [],
    ]
    assert "secret" not in str(people["a@x.org"])


@pytest.mark.parametrize(
    ("status", "consents", "suppression"),
    [
        ("enabled", ["* granted implied"], None),
        ("disabled", ["* withdrawn"], None),
        ("new", [], None),
        ("Blocklisted", ["* withdrawn"], "blocklisted"),
    ],
)
def test_every_status_of_listmonk(tmp_path: Path, status: str, consents: list[str], suppression: str | None) -> None:
    text = f"uuid,email,name,attributes,status,created_at,updated_at\nu1,a@x.org,Ana,{{}},{status},,\n"
    person = people_of(write(tmp_path, "l.csv", text))["a@x.org"]
    assert (said(person.consents), person.suppression) == (consents, suppression)


@pytest.mark.parametrize(
    ("kind", "consents", "suppression"),
    [
        ("premium", ["* granted express"], None),
        ("unactivated", [], None),
        ("removed", ["* withdrawn"], None),
        ("undeliverable", [], "hard bounce"),
        ("complained", ["* withdrawn"], "complaint"),
        ("blocked", ["* withdrawn"], "blocklisted"),
    ],
)
def test_every_type_of_buttondown(tmp_path: Path, kind: str, consents: list[str], suppression: str | None) -> None:
    header = "id,email,subscriber_type,creation_date,ip_address,subscription_date,unsubscription_date,tags,metadata\n"
    path = write(tmp_path, "b.csv", f"{header}s1,a@x.org,{kind},,192.0.2.1,2024-01-01,,,{{}}\n")
    person = people_of(path)["a@x.org"]
    assert (said(person.consents), person.suppression) == (consents, suppression)


def test_a_deleted_ghost_member_is_not_written_to(tmp_path: Path) -> None:
    header = "id,email,name,subscribed_to_emails,complimentary_plan,stripe_customer_id,deleted_at,labels\n"
    people = people_of(write(tmp_path, "g.csv", f"{header}1,a@x.org,A,true,,cus_1,2024-01-01,\n2,b@x.org,B,,,,,\n"))
    assert [said(person.consents) for person in people.values()] == [[], []]
    assert "cus_1" not in str(people)


def test_both_generations_of_google_columns(tmp_path: Path) -> None:
    text = (
        "Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,E-mail 2 - Type,"
        "E-mail 2 - Value,Organization 1 - Name\n"
        "Ana Reyes,Ana,Reyes,* myContacts ::: Liaisons ::: Board,* Home,,Work,ana@x.org ::: ANA@x.org,Library\n"
    )
    path = write(tmp_path, "google.csv", text)
    assert best(path) == "google"
    person = people_of(path)["ana@x.org"]
    assert person.tags == ("Liaisons", "Board")
    assert person.attributes == {
        "name": "Ana Reyes",
        "first_name": "Ana",
        "last_name": "Reyes",
        "organization": "Library",
    }
    assert person.consents == ()


@pytest.mark.parametrize("name", ["announce-nomail.txt", "NoMail.txt"])
def test_mailman_members_whose_delivery_is_off_get_no_mail(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, "Ana <a@x.org>\n\nb@x.org\n=?x-none?q?=C3?= <c@x.org>\n")
    assert best(path) == "mailman"
    people = people_of(path)
    assert [said(person.consents) for person in people.values()] == [["* withdrawn"]] * 3
    assert people["c@x.org"].attributes == {"name": "=?x-none?q?=C3?="}


def test_a_line_of_mailman_that_is_no_member_is_refused_with_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, "m.txt", "Ana <a@x.org>\nb@x.org\nnothing here\nc@x.org\n" + "d" * 5_000 + "@x.org\n")
    rows = rows_of(path)
    assert [(row.line, type(row).__name__) for row in rows] == [
        (1, "ImportRow"),
        (2, "ImportRow"),
        (3, "Refusal"),
        (4, "ImportRow"),
        (5, "Refusal"),
    ]


# --- what holds for all of them -------------------------------------------------------------


def test_a_no_is_kept_even_where_the_rest_of_the_row_can_not_be_believed(tmp_path: Path) -> None:
    text = MAILCHIMP.format("UNSUB_TIME,UNSUB_REASON") + (
        "u@x.org,Eve,x,,,,,long ago,NORMAL,3,e3,,,surplus\n"
        + f"v@x.org,Vi,{'x' * 20_000},,,,,2024-01-01,NORMAL,3,e4,,\n"
    )
    rows = rows_of(write(tmp_path, "unsubscribed.csv", text))
    no, long = (row for row in rows if isinstance(row, ImportRow))
    assert (no.address, no.attributes, said(no.consents)) == ("u@x.org", {}, ["* withdrawn"])
    assert no.consents[0].at == NOW
    assert (long.address, long.attributes, said(long.consents)) == ("v@x.org", {"first_name": "Vi"}, ["* withdrawn"])
    refused = [row for row in rows if isinstance(row, Refusal)]
    assert [row.line for row in refused] == [2, 3]
    assert "interests: the value has 20,000 characters" in refused[1].reason


def test_a_no_holds_for_every_address_of_the_cell_and_a_yes_for_the_first(tmp_path: Path) -> None:
    header = "id,email,name,subscribed_to_emails,complimentary_plan,stripe_customer_id,labels\n"
    path = write(tmp_path, "g.csv", f"{header}1,a@x.org; b@x.org,,false,,,\n2,c@x.org d@x.org,,true,,,\n")
    people = people_of(path)
    assert {address: said(person.consents) for address, person in people.items()} == {
        "a@x.org": ["* withdrawn"],
        "b@x.org": ["* withdrawn"],
        "c@x.org": ["* granted implied"],
    }
    assert people["c@x.org"].attributes["other_addresses"] == "d@x.org"


def test_plain_tables_keep_people_without_address_tags_and_second_addresses(tmp_path: Path) -> None:
    text = 'email,name,tags,opted_out\n,Ada,,\n"b@x.org, c@x.org",Bo,"x; y",yes\nd@x.org,Di,,yes,surplus\n'
    rows = rows_of(write(tmp_path, "p.csv", text))
    people = {row.address: row for row in rows if isinstance(row, ImportRow)}
    assert people[None].attributes == {"name": "Ada"}
    assert people[None].external_id.startswith("plain:")
    assert people["b@x.org"].tags == ("x", "y")
    for address in ("b@x.org", "c@x.org", "d@x.org"):
        assert said(people[address].consents) == ["* withdrawn"], address
    assert [row.line for row in rows if isinstance(row, Refusal)] == [4]


@pytest.mark.parametrize("cell", ["{'a': ", "{" * 5_000, "__import__('os').system('x')", "-" * 90_000, "'text'"])
def test_metadata_that_is_none_is_left_out_and_reported_and_never_run(tmp_path: Path, cell: str) -> None:
    header = "id,email,subscriber_type,creation_date,ip_address,subscription_date,unsubscription_date,metadata\n"
    rows = rows_of(write(tmp_path, "b.csv", f'{header}s1,a@x.org,unsubscribed,,,,,"{cell}"\n'))
    person = next(row for row in rows if isinstance(row, ImportRow))
    assert said(person.consents) == ["* withdrawn"]
    assert person.attributes == {}
    assert [row.reason.startswith("column metadata: ") for row in rows if isinstance(row, Refusal)] == [True]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_encoding_and_separator_gives_the_same_person(tmp_path: Path, encoding: str, separator: str) -> None:
    header = ["id", "Email", "Name", "Subscribed_to_emails", "complimentary_plan", "stripe_customer_id", "labels"]
    cells = ["1", "jose@müller.example", '"Núñez\r\nJosé"', "true", "", "", "rural"]
    text = "\r\n".join(separator.join(row) for row in (header, cells))
    path = write(tmp_path, "g.csv", text, encoding)
    assert best(path) == "ghost"
    person = people_of(path)["jose@müller.example"]
    assert person.attributes == {"name": "Núñez José"}
    assert person.tags == ("rural",)
