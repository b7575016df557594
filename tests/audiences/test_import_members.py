"""Importing a CSV: which members and consents come of it, and what is refused with its line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from audience_samples import NOW, add_member, counts, grant, import_file, withdraw

from audiences.consent import Exclusion, Wishes, exclusion
from audiences.errors import ImportFileError
from audiences.importing.base import CHUNK, ImportResult, Refusal
from audiences.models import ANY_TOPIC, TRACKING, Basis, Consent, ConsentState, Member, SuppressionScope
from audiences.store import EVERYONE, People

LATER = NOW + timedelta(days=30)


def import_text(people: People, folder: Path, text: str, now: datetime = NOW) -> ImportResult:
    path = folder / "members.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return import_file(people, path, now)


def member(people: People, address: str) -> Member:
    found = people.find(address)
    assert found is not None
    assert found.id is not None
    return found


def log(people: People, address: str) -> list[Consent]:
    member_id = member(people, address).id
    assert member_id is not None
    return people.consent_log(member_id)


def reason(people: People, address: str, topic: str | None = None) -> Exclusion | None:
    found = member(people, address)
    assert found.id is not None
    return exclusion(found, people.standings({found.id: found.address})[found.id], topic, Wishes(), NOW)


# --- members --------------------------------------------------------------------------------


def test_each_column_becomes_an_attribute_under_its_rule_name(people: People, tmp_path: Path) -> None:
    text = (
        "Library Name,E-Mail,ZIP,Population Served,Annual Fee,Lang,Time Zone,,Note\n"
        "Anchor Point,Director@AK0001.example,02134,2054,75.00,es_MX,America/Anchorage,ignored,\n"
    )
    assert counts(import_text(people, tmp_path, text)) == (1, 0, 0, 0)
    found = member(people, "director@ak0001.example")
    assert found.address == "Director@ak0001.example"
    assert found.language == "es-MX"
    assert found.timezone == "America/Anchorage"
    assert found.attributes == {
        "library_name": "Anchor Point",
        "zip": "02134",
        "population_served": 2054,
        "annual_fee": Decimal("75.00"),
    }
    assert str(found.attributes["annual_fee"]) == "75.00"
    assert people.attribute_names() == set(found.attributes)


@pytest.mark.parametrize(
    "header",
    ["email", "EMAIL", "E-Mail", "e_mail", " Email Address ", "[Email | Primary]", "Courriel", "Correo electrónico",
     "Correo", "mail", "Primary Email", "\ufeffEmail"],
)  # fmt: skip
def test_the_address_column_is_known_by_many_names(people: People, tmp_path: Path, header: str) -> None:
    assert import_text(people, tmp_path, f"Name,{header}\nAda,ada@example.org\n").added == 1


def test_the_better_name_wins_when_two_columns_could_hold_the_address(people: People, tmp_path: Path) -> None:
    import_text(people, tmp_path, "Address,Email\n1 Main Street,ada@example.org\n")
    assert member(people, "ada@example.org").attributes == {"address": "1 Main Street"}


def test_addresses_under_another_name_are_not_lost_and_the_error_says_which_columns_there_are(
    people: People, tmp_path: Path
) -> None:
    with pytest.raises(ImportFileError, match=r"members\.csv:1: no column is called email.*column 2\. Columns: Name"):
        import_text(people, tmp_path, "Name,Who\nAda,ada@example.org\n")


def test_an_empty_file_is_refused_and_a_header_alone_is_an_import_of_nobody(people: People, tmp_path: Path) -> None:
    for text in ("", "\n\n", " , ,\n"):
        with pytest.raises(ImportFileError, match="is empty"):
            import_text(people, tmp_path, text)
    assert counts(import_text(people, tmp_path, "email,name\n")) == (0, 0, 0, 0)


def test_formula_cells_stay_the_text_they_are(people: People, tmp_path: Path) -> None:
    formulas = ["=1+1", '=HYPERLINK("http://x")', "+49 30 1", "-2+3", "@SUM(A1)"]
    rows = "".join(f'p{n}@example.org,"{f.replace(chr(34), chr(34) * 2)}"\n' for n, f in enumerate(formulas))
    assert import_text(people, tmp_path, f"email,note\n{rows}").added == len(formulas)
    assert [m.attributes["note"] for m in people.select()] == formulas


def test_what_a_cell_holds_can_neither_break_a_line_nor_steer_a_terminal(people: People, tmp_path: Path) -> None:
    import_text(people, tmp_path, 'email,name\na@b.org,"Eve\r\nBcc: x@y.org\x07\x1b[31m"\n')
    assert member(people, "a@b.org").attributes == {"name": "Eve Bcc: x@y.org[31m"}


def test_a_stray_nul_in_a_large_file_is_dirt_in_a_cell_and_no_reason_to_refuse_it(
    people: People, tmp_path: Path
) -> None:
    rows = "".join(f"m{number}@example.org,Ada\n" for number in range(100))
    assert counts(import_text(people, tmp_path, f"email,name\n{rows}last@example.org,A\0da\n")) == (101, 0, 0, 0)
    assert member(people, "last@example.org").attributes == {"name": "Ada"}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("not an address,Ada", "is not an e-mail address"),
        ("Ada <ada@example.org>,Ada", "is not an e-mail address"),
        ("ada@example.org,Ada,extra", "has 3 cells, the header 2: is a separator unquoted?"),
        ("ada@example.org," + "x" * 10_001, "has 10,001 characters; 10,000 are allowed"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_the_rest_is_taken(
    people: People, tmp_path: Path, row: str, why: str
) -> None:
    result = import_text(people, tmp_path, f'email,name\nfirst@example.org,"two\nlines"\n{row}\nlast@example.org,x\n')
    assert result.added == 2
    assert [refusal.line for refusal in result.refused] == [4]
    assert why in result.refused[0].reason


def test_a_row_without_an_address_is_kept_once_as_a_contact_that_gets_no_newsletter(
    people: People, tmp_path: Path
) -> None:
    text = "email,name,consent\n,Ada,yes\n   ,Ben,yes\nc@d.org,Cy,yes\n"
    assert counts(import_text(people, tmp_path, text)) == (3, 0, 0, 0)
    assert counts(import_text(people, tmp_path, text, LATER)) == (0, 0, 3, 0)
    assert [(m.address, m.attributes["name"]) for m in people.select()] == [
        (None, "Ada"),
        (None, "Ben"),
        ("c@d.org", "Cy"),
    ]
    assert people.exclusions(EVERYONE, None, NOW) == {"no_address": 2, None: 1}


def test_short_rows_and_empty_surplus_cells_are_no_fault(people: People, tmp_path: Path) -> None:
    result = import_text(people, tmp_path, "email,name,city\na@b.org\nc@d.org,Cy,Rome,, ,\n")
    assert counts(result) == (2, 0, 0, 0)
    assert member(people, "a@b.org").attributes == {}


def test_an_address_twice_in_a_file_is_one_member_with_the_later_values(people: People, tmp_path: Path) -> None:
    text = "email,name,city\nAda@example.org,Ada,London\nada@EXAMPLE.org,,Paris\nada@example.org,Ada,Paris\n"
    assert counts(import_text(people, tmp_path, text)) == (1, 1, 1, 0)
    assert [m.attributes for m in people.select()] == [{"name": "Ada", "city": "Paris"}]


def test_an_address_twice_far_apart_is_one_member_too(people: People, tmp_path: Path) -> None:
    rows = "".join(f"m{number}@example.org,{number}\n" for number in range(CHUNK + 10))
    result = import_text(people, tmp_path, f"email,n\n{rows}M0@example.org,again\n")
    assert counts(result) == (CHUNK + 10, 1, 0, 0)
    assert member(people, "m0@example.org").attributes == {"n": "again"}


def test_letters_beyond_ascii_tell_members_apart_within_a_file_and_across_files(people: People, tmp_path: Path) -> None:
    text = "email,n\nÉva@example.org,1\néva@example.org,2\n"
    assert import_text(people, tmp_path, text).added == 2
    assert counts(import_text(people, tmp_path, text)) == (0, 0, 2, 0)
    assert member(people, "Éva@example.org").attributes == {"n": 1}


def test_the_same_file_again_changes_nothing(people: People, tmp_path: Path) -> None:
    text = "email,name,fee,consent\na@b.org,Ada,75.00,yes\nc@d.org,Cy,,no\n"
    assert counts(import_text(people, tmp_path, text)) == (2, 0, 0, 0)
    before = [*people.db.query("SELECT * FROM member"), *people.db.query("SELECT * FROM consent")]
    assert counts(import_text(people, tmp_path, text, LATER)) == (0, 0, 2, 0)
    assert [*people.db.query("SELECT * FROM member"), *people.db.query("SELECT * FROM consent")] == before


def test_a_newer_file_updates_what_it_gives_and_leaves_what_it_does_not(people: People, tmp_path: Path) -> None:
    import_text(people, tmp_path, "email,name,city,language,timezone\na@b.org,Ada,London,en,Europe/London\n")
    result = import_text(people, tmp_path, "email,city,language\nA@b.org,Paris,\n", LATER)
    assert counts(result) == (0, 1, 0, 0)
    found = member(people, "a@b.org")
    assert found.attributes == {"name": "Ada", "city": "Paris"}
    assert (found.language, found.timezone) == ("en", "Europe/London")


@pytest.mark.parametrize("cell", ["Mars/Base", "../../etc/passwd", "EST5EDT4", "x" * 1_000, "english", "en-" * 500])
def test_an_unknown_language_or_zone_is_left_out(people: People, tmp_path: Path, cell: str) -> None:
    import_text(people, tmp_path, f"email,language,timezone\na@b.org,{cell},{cell}\n")
    found = member(people, "a@b.org")
    assert (found.language, found.timezone) == (None, None)


def test_a_fault_half_way_leaves_nothing(people: People, tmp_path: Path) -> None:
    add = "".join(f"m{number}@example.org,x\n" for number in range(3 * CHUNK))
    with pytest.raises(ImportFileError, match="never closed") as refused:
        import_text(people, tmp_path, f'email,name\n{add}last@example.org,"open\n')
    assert refused.value.line == 3 * CHUNK + 2
    assert people.count() == 0
    assert people.attribute_names() == set()
    assert people.db.execute("SELECT count(*) FROM consent").fetchone() == (0,)


# --- consent --------------------------------------------------------------------------------


def test_without_a_consent_column_membership_is_the_basis_with_file_and_line_as_evidence(
    people: People, tmp_path: Path
) -> None:
    import_text(people, tmp_path, 'email,name\na@b.org,"two\nlines"\nc@d.org,Cy\n')
    expected = Consent(ANY_TOPIC, ConsentState.GRANTED, NOW, "import of members.csv, line 4", Basis.MEMBERSHIP)
    assert log(people, "c@d.org") == [expected]
    assert reason(people, "c@d.org", "news") is None


@pytest.mark.parametrize("header", ["consent", "Opted In", "subscribed", "Email Status", "newsletter", "status"])
@pytest.mark.parametrize("said", ["yes", "YES", "1", "true", "subscribed", "sí"])
def test_a_yes_is_express_consent(people: People, tmp_path: Path, header: str, said: str) -> None:
    import_text(people, tmp_path, f"email,{header}\na@b.org,{said}\n")
    assert [(c.topic, c.state, c.basis) for c in log(people, "a@b.org")] == [
        (ANY_TOPIC, ConsentState.GRANTED, Basis.EXPRESS)
    ]


@pytest.mark.parametrize("header", ["consent", "Opted In", "subscribed", "Email Status", "newsletter"])
@pytest.mark.parametrize("said", ["no", "No", "0", "false", "unsubscribed", "cleaned", "blocklisted"])
def test_a_no_is_a_withdrawal(people: People, tmp_path: Path, header: str, said: str) -> None:
    import_text(people, tmp_path, f"email,{header}\na@b.org,{said}\n")
    assert [(c.topic, c.state, c.basis) for c in log(people, "a@b.org")] == [(ANY_TOPIC, ConsentState.WITHDRAWN, None)]
    assert reason(people, "a@b.org") is Exclusion.WITHDRAWN


@pytest.mark.parametrize("said", ["", "maybe", "pending", "unknown"])
def test_neither_yes_nor_no_is_no_consent(people: People, tmp_path: Path, said: str) -> None:
    import_text(people, tmp_path, f"email,consent\na@b.org,{said}\n")
    assert log(people, "a@b.org") == []
    assert reason(people, "a@b.org") is Exclusion.NO_CONSENT


@pytest.mark.parametrize(
    ("said", "why"),
    [("lapsed", None), ("retired", None), ("no", None), ("unsubscribed", "withdrawn"), ("Bounced", "withdrawn")],
)
def test_a_column_called_status_counts_only_where_it_speaks_of_mail(
    people: People, tmp_path: Path, said: str, why: str | None
) -> None:
    import_text(people, tmp_path, f"email,status\na@b.org,{said}\n")
    assert reason(people, "a@b.org") == why
    assert member(people, "a@b.org").attributes == {"status": said}


@pytest.mark.parametrize("header", ["opted_out", "Do Not Email", "No Bulk Emails", "On Hold", "unsubscribed"])
@pytest.mark.parametrize(
    ("said", "out"), [("yes", True), ("1", True), ("2024-05-01", True), ("moved", True), ("no", False), ("", False)]
)
def test_an_opt_out_column_wins_over_a_yes(people: People, tmp_path: Path, header: str, said: str, out: bool) -> None:
    import_text(people, tmp_path, f"email,consent,{header}\na@b.org,yes,{said}\n")
    assert reason(people, "a@b.org") is (Exclusion.WITHDRAWN if out else None)


def test_date_basis_source_wording_and_topics_are_kept_as_evidence(people: People, tmp_path: Path) -> None:
    import_text(
        people,
        tmp_path,
        "email,consent,consent_date,consent_basis,consent_source,consent_wording,topics\n"
        "a@b.org,yes,2025-01-31T14:05:00-08:00,implied,Annual fair,Send me news,News; Job Offers |news\n"
        "c@d.org,yes,2025-01-31,,,,\n",
    )
    source = "import of members.csv, line 2: Annual fair"
    at = datetime(2025, 1, 31, 22, 5, tzinfo=UTC)
    assert log(people, "a@b.org") == [
        Consent(topic, ConsentState.GRANTED, at, source, Basis.IMPLIED, "Send me news")
        for topic in ("news", "job-offers")
    ]
    assert log(people, "c@d.org")[0].at == datetime(2025, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("consent_date", "31/01/2025", "consent date '31/01/2025' is not of the form 2025-01-31"),
        ("consent_date", "0001-01-01T00:00:00+14:00", "is not of the form"),
        ("consent_date", "9999-12-31T23:59:59-14:00", "is not of the form"),
        ("consent_date", "x" * 100_000, "is not of the form"),
        ("consent_basis", "guess", "consent basis 'guess' is none of: membership, implied, express"),
        ("consent_wording", "w" * 10_001, "the evidence has 10,001 characters"),
        ("consent_source", "s" * 10_001, "the evidence has 10,001 characters"),
        ("topics", ";".join(f"t{number}" for number in range(101)), "list of topics is too long"),
        ("topics", "t" * 201, "list of topics is too long"),
        ("topics", "news; Tracking", "'tracking' is no topic"),
    ],
)
def test_evidence_that_can_not_be_right_refuses_the_row(
    people: People, tmp_path: Path, column: str, cell: str, why: str
) -> None:
    result = import_text(people, tmp_path, f"email,consent,{column}\na@b.org,yes,{cell}\n")
    assert [(refusal.line, why in refusal.reason) for refusal in result.refused] == [(2, True)]
    assert len(result.refused[0].reason) < 300
    assert people.count() == 0


@pytest.mark.parametrize(
    ("said", "state"), [("yes", ConsentState.GRANTED), ("no", ConsentState.WITHDRAWN), ("", None), ("perhaps", None)]
)
def test_tracking_needs_a_column_of_its_own_that_says_yes(
    people: People, tmp_path: Path, said: str, state: ConsentState | None
) -> None:
    import_text(people, tmp_path, f"email,consent,tracking\na@b.org,yes,{said}\n")
    assert {c.topic: c.state for c in log(people, "a@b.org")}.get(TRACKING) is state


def test_an_endless_column_name_is_refused_before_it_is_stored_with_every_member(
    people: People, tmp_path: Path
) -> None:
    with pytest.raises(ImportFileError, match="the name of column 2 has 500,000 characters"):
        import_text(people, tmp_path, f"email,{'x' * 500_000}\na@b.org,1\n")


# --- who said no stays out ------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    ["a@b.org,yes,express,news,yes", "A@B.ORG,subscribed,,,", "a@b.org,1,membership,jobs;news,1"],
)
def test_who_opted_out_stays_out_whatever_the_file_says(people: People, tmp_path: Path, row: str) -> None:
    with people.db.atomic():
        member_id = add_member(people, "a@b.org")
        people.record([(member_id, grant("news")), (member_id, withdraw()), (member_id, withdraw(TRACKING))], NOW)
    for _ in range(2):
        result = import_text(people, tmp_path, f"email,consent,consent_basis,topics,tracking\n{row}\n", LATER)
        assert {refusal.line for refusal in result.consent_kept} == {2}
        assert "only the person can come back" in result.consent_kept[0].reason
        assert not result.refused
    assert reason(people, "a@b.org") is Exclusion.WITHDRAWN
    assert len(people.consent_log(member_id)) == 3


def test_a_membership_list_without_consent_column_brings_nobody_back(people: People, tmp_path: Path) -> None:
    import_text(people, tmp_path, "email,opted_out\na@b.org,yes\n")
    result = import_text(people, tmp_path, "email,name\na@b.org,Ada\n", LATER)
    assert counts(result) == (0, 1, 0, 0)
    assert reason(people, "a@b.org") is Exclusion.WITHDRAWN


def test_a_no_in_the_file_holds_against_a_yes_further_down(people: People, tmp_path: Path) -> None:
    rows = "".join(f"m{number}@example.org,yes\n" for number in range(CHUNK))
    result = import_text(people, tmp_path, f"email,consent\na@b.org,no\nA@b.org,yes\n{rows}a@B.org,yes\n")
    assert [kept.line for kept in result.consent_kept] == [3, CHUNK + 4]
    assert reason(people, "a@b.org") is Exclusion.WITHDRAWN


def test_a_suppressed_address_is_added_as_a_member_and_stays_suppressed(people: People, tmp_path: Path) -> None:
    with people.db.atomic():
        people.suppress("Ada@example.org", SuppressionScope.ALL, "complaint", NOW)
    result = import_text(people, tmp_path, "email,consent\nada@example.org,yes\n")
    assert result.added == 1
    assert result.consent_kept == [Refusal(2, "the address is suppressed")]
    assert reason(people, "ada@example.org") is Exclusion.SUPPRESSED


def test_a_second_column_of_one_name_hides_neither(people: People, tmp_path: Path) -> None:
    import_text(people, tmp_path, "email,State,state,email\nana@example.org,WA,x,other@example.org\n")
    assert member(people, "ana@example.org").attributes == {
        "state": "WA",
        "state_2": "x",
        "email_2": "other@example.org",
    }
