"""Our own list: exported and imported elsewhere the members are the same, and so is their consent, or less of it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from audience_samples import open_people, taken_back
from export_samples import NOW, TOPICS, Sample, Seen, bring, fill, grant, seen, withdraw, write_own
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.attributes import attribute_value
from audiences.errors import ImportFileError
from audiences.exporting.own import COLUMNS
from audiences.importing import detect, plain, values
from audiences.importing.base import ImportRow, Refusal
from audiences.models import ANY_TOPIC, TRACKING, Basis, ConsentState, attribute_name
from audiences.store import People

STRENGTH = list(Basis)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[People, People]]:
    """Where members come from, and where they go; each example takes back what it wrote."""
    folder = tmp_path_factory.mktemp("export")
    here, there = open_people(folder / "here.db"), open_people(folder / "there.db")
    yield here, there
    here.db.close()
    there.db.close()


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Callable[..., dict[str, Seen]]]:
    """Export these members, import them elsewhere, and see what they are there."""
    here, there = open_people(tmp_path / "here.db"), open_people(tmp_path / "there.db")

    def move(*samples: Sample, source: str = detect.AUTO) -> dict[str, Seen]:
        fill(here, samples)
        write_own(here, tmp_path / "list.csv")
        result = bring(there, tmp_path / "list.csv", source)
        assert result.refused == []
        return seen(there)

    yield move
    here.db.close()
    there.db.close()


# --- random members ---------------------------------------------------------------------------

texts = st.text(st.sampled_from("='+-@ aZé,;\"|0123.5\t\n<\u202e🙂"), max_size=12)
names = texts.map(attribute_name).filter(lambda n: bool(n) and attribute_name(n) == n and "pass" not in n)
names |= st.sampled_from(["email", "consent", "topics", "tags", "opted_out", "status", "language", "first_name"])
attribute_values = texts.map(attribute_value).filter(lambda value: value is not None)
attribute_values |= st.integers(-(10**14), 10**14) | st.sampled_from([Decimal("-1.50"), Decimal("0.5"), "007", "5"])
consent_changes = st.lists(
    st.one_of(
        st.builds(grant, st.sampled_from([ANY_TOPIC, *TOPICS]), st.sampled_from(STRENGTH)),
        st.builds(withdraw, st.sampled_from([ANY_TOPIC, TRACKING, *TOPICS])),
        st.just(grant(TRACKING, wording="you may")),
    ),
    max_size=5,
).map(tuple)
tag_words = st.text(st.sampled_from("abc ,;|\"='"), max_size=8).map(values.label).filter(bool)
samples = st.builds(
    Sample,
    address=st.none(),
    attributes=st.dictionaries(names, attribute_values, max_size=4),
    language=st.sampled_from([None, "en", "es-MX"]),
    timezone=st.sampled_from([None, "America/Denver"]),
    consents=consent_changes,
    tags=st.lists(tag_words, unique_by=str.casefold, max_size=4).map(tuple),
    suppression=st.sampled_from([None, None, "hard bounce", "complaint", "=1+1"]),
    refuses_relays=st.booleans(),
)


def placed(sample: Sample, number: int, *, with_address: bool) -> Sample:
    """The sample as somebody of their own, some at an address that a spreadsheet would run."""
    if with_address:
        return replace(sample, address=f"{('', '=1+', chr(39), '-')[number % 4]}m{number}@example.org")
    return replace(sample, external_id=f"wildapricot:{number}", suppression=None, refuses_relays=False)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(st.tuples(samples, st.booleans()), max_size=6))
def test_members_come_back_whole_with_the_same_consent_and_never_more(
    bases: tuple[People, People], tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[Sample, bool]]
) -> None:
    here, there = bases
    path = tmp_path_factory.getbasetemp() / "list.csv"
    with taken_back(here), taken_back(there):
        fill(here, [placed(sample, n, with_address=has) for n, (sample, has) in enumerate(drawn)])
        write_own(here, path)
        result = bring(there, path)
        before, after = seen(here), seen(there)

    assert result.refused == []
    assert before.keys() == after.keys()
    for key, was in before.items():
        now = after[key]
        assert now.attributes == was.attributes
        assert {name: type(value) for name, value in now.attributes.items()} == {
            name: type(value) for name, value in was.attributes.items()
        }
        assert (now.language, now.timezone, now.tags) == (was.language, was.timezone, was.tags)
        assert (now.suppressed, now.refuses_relays) == (was.suppressed, was.refuses_relays)
        assert now.agrees == was.agrees
        assert now.tracked == was.tracked
        assert now.agrees or now.opted_out == was.opted_out
        assert strongest(now) <= strongest(was)


def strongest(member: Seen) -> int:
    bases = [basis for topic, basis in member.basis.items() if topic != TRACKING]
    return max(map(STRENGTH.index, bases), default=-1)


# --- what is never more -----------------------------------------------------------------------


def test_all_but_one_topic_is_told_as_the_topics_that_are_left(moved: Callable[..., dict[str, Seen]]) -> None:
    (ana,) = moved(Sample("ana@example.org", consents=(grant(basis=Basis.MEMBERSHIP), withdraw("jobs")))).values()
    assert ana.agrees == {"news", "2027-plans"}
    assert ana.opted_out
    assert set(ana.basis.values()) == {Basis.MEMBERSHIP}


def test_nothing_but_one_topic_keeps_that_topic_and_the_no_to_the_others(moved: Callable[..., dict[str, Seen]]) -> None:
    (ana,) = moved(Sample("ana@example.org", consents=(grant(), withdraw(), grant("news")))).values()
    assert (ana.agrees, ana.opted_out) == ({"news"}, True)


def test_of_different_bases_the_weakest_is_told(moved: Callable[..., dict[str, Seen]]) -> None:
    (ana,) = moved(Sample("ana@example.org", consents=(grant("news"), grant("jobs", Basis.IMPLIED)))).values()
    assert ana.basis == {"news": Basis.IMPLIED, "jobs": Basis.IMPLIED}


def test_a_wish_to_be_tracked_that_was_not_express_is_not_told(moved: Callable[..., dict[str, Seen]]) -> None:
    (ana,) = moved(Sample("ana@example.org", consents=(grant(), grant(TRACKING, Basis.IMPLIED)))).values()
    assert not ana.tracked


@pytest.mark.parametrize(
    "sample",
    [
        Sample("a@example.org", consents=(grant(),), suppression="hard bounce"),
        Sample("a@example.org", consents=(grant(), withdraw("news"), withdraw("jobs"), withdraw("2027-plans"))),
        Sample("a@example.org", consents=(withdraw(),)),
        Sample("a@example.org", consents=(withdraw("jobs"),)),
        Sample("a@example.org"),
    ],
)
def test_read_as_any_plain_table_it_says_no_more_either(moved: Callable[..., dict[str, Seen]], sample: Sample) -> None:
    (ana,) = moved(sample, source=plain.NAME).values()
    assert ana.agrees == frozenset()


# --- reading it back --------------------------------------------------------------------------


def test_the_evidence_goes_along(people: People, tmp_path: Path) -> None:
    here = open_people(tmp_path / "here.db")
    fill(here, [Sample("ana@example.org", consents=(grant(wording="=yes, send me news"), grant(TRACKING)))])
    write_own(here, tmp_path / "list.csv")
    here.db.close()
    bring(people, tmp_path / "list.csv")
    news, tracking = people.consent_log(1)
    assert (news.at, news.wording) == (grant().at, "=yes, send me news")
    assert news.source == "import of list.csv, line 2: form 7"
    assert (tracking.topic, tracking.at, tracking.source) == (TRACKING, grant().at, news.source)


def test_an_opt_out_typed_into_the_list_by_hand_counts(people: People, tmp_path: Path) -> None:
    fill(people, [Sample("ana@example.org", consents=(grant(),))])
    header, row = write_own(people, tmp_path / "list.csv")
    row[header.index("opted_out")] = "asked by telephone"
    (tmp_path / "list.csv").write_text("\n".join(",".join(f'"{c}"' for c in cells) for cells in (header, row)))
    bring(people, tmp_path / "list.csv")
    assert seen(people)["ana@example.org"].agrees == frozenset()


def test_a_list_saved_with_other_separators_and_a_mark_is_still_ours(people: People, tmp_path: Path) -> None:
    fill(people, [Sample("ana@example.org", {"note": "=1+1"}, consents=(grant(),))])
    rows = write_own(people, tmp_path / "list.csv")
    text = "\r\n".join(";".join(f'"{cell}"' for cell in row) for row in rows)
    (tmp_path / "list.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert detect.detect(tmp_path / "list.csv")[0] == ("comms", 1.0)
    result = bring(people, tmp_path / "list.csv")
    assert (result.unchanged, result.updated, result.refused) == (1, 0, [])


def test_a_list_whose_columns_were_moved_is_a_plain_table(people: People, tmp_path: Path) -> None:
    fill(people, [Sample("ana@example.org", consents=(grant(), withdraw("jobs")))])
    rows = [row[1:] + row[:1] for row in write_own(people, tmp_path / "list.csv")]
    (tmp_path / "list.csv").write_text("\n".join(",".join(f'"{c}"' for c in row) for row in rows), encoding="utf-8")
    assert detect.detect(tmp_path / "list.csv")[0][0] == plain.NAME


@pytest.mark.parametrize(
    ("email", "extra", "reason"),
    [("not an address", "", "not an address"), ("ana@example.org", ",one,two,three", "separator unquoted")],
)
def test_a_row_that_can_not_be_read_is_refused_and_its_no_is_kept(
    people: People, tmp_path: Path, email: str, extra: str, reason: str
) -> None:
    fill(people, [Sample("ana@example.org", consents=(withdraw(),))])
    header, row = write_own(people, tmp_path / "list.csv")
    row[0] = email
    (tmp_path / "list.csv").write_text(f"{','.join(header)}\n{','.join(row)}{extra}\n", encoding="utf-8")
    rows = list(detect.read(tmp_path / "list.csv", NOW))
    assert isinstance(rows[0], Refusal)
    assert reason in rows[0].reason
    assert len(rows) == (1 if "@" not in email else 2)


@pytest.mark.parametrize("kept", range(1, len(COLUMNS)))
def test_a_row_that_was_cut_off_says_yes_to_nothing(people: People, tmp_path: Path, kept: int) -> None:
    fill(people, [Sample("ana@example.org", consents=(grant("news"), withdraw("jobs")), suppression="hard bounce")])
    header, row = write_own(people, tmp_path / "list.csv")
    with (tmp_path / "list.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, row[:kept]])
    rows = list(detect.read(tmp_path / "list.csv", NOW))
    assert isinstance(rows[0], Refusal)
    assert "cut off" in rows[0].reason
    said = [change for row in rows[1:] if isinstance(row, ImportRow) for change in row.consents]
    assert all(change.state is ConsentState.WITHDRAWN for change in said)


def test_a_list_of_topics_that_names_none_is_no_yes_to_everything(people: People, tmp_path: Path) -> None:
    fill(people, [Sample("ana@example.org", consents=(grant("news"),))])
    header, row = write_own(people, tmp_path / "list.csv")
    row[COLUMNS.index("topics")] = "tracking; *"
    with (tmp_path / "list.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, row])
    (read,) = detect.read(tmp_path / "list.csv", NOW)
    assert isinstance(read, ImportRow)
    assert read.consents == ()


wild = st.text(st.sampled_from("ab@.,;'\"=+-\n\t\x00\x1b\u2028é🙂*5"), max_size=30)
wild |= st.sampled_from(["yes", "no", "*", "tracking", "a@b.example", "express", "suppressed", "x" * 20_000])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(wild, max_size=len(COLUMNS) + 4), max_size=4))
def test_any_cells_under_our_header_are_people_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "wild.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[*COLUMNS, "note", "note"], *rows])
    rows_read: list[ImportRow | Refusal] = []
    with suppress(ImportFileError):  # so many NULs that it is no text any more
        rows_read += detect.read(path, NOW)
    for row in rows_read:
        if isinstance(row, Refusal):
            assert len(row.reason) < 1_000
        else:
            assert all(text.isprintable() for text in (*row.tags, *row.attributes, row.external_id))
            assert all(change.topic.isprintable() for change in row.consents)
            assert all(change.basis or change.state is ConsentState.WITHDRAWN for change in row.consents)
