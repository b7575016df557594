"""The contract that other programs rely on: keys of the JSON documents, and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Answer, comms

from audiences.models import Association
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A folder with a workspace `coalition` of one test's own."""
    create_workspace(
        tmp_path / "coalition", Association("coalition", "Coalition", "news@coalition.example", "1 Main Street")
    ).close()
    (tmp_path / "people.csv").write_text(
        "email,name,state,consent\nada@example.org,Ada,WA,yes\nben@example.org,Ben,WA,no\n"
        "eva@example.org,Eva,OR,\nno address,Nobody,OR,yes\n"
    )
    return tmp_path


@pytest.fixture
def peopled(fresh: Path) -> Path:
    assert run(fresh, "members", "import", "people.csv").code == 0
    return fresh


def run(folder: Path, *words: str) -> Answer:
    return comms(*words, cwd=folder, environment={"COMMS_WORKSPACE": "coalition"})


# --- init, association ------------------------------------------------------------------------


def test_init_makes_a_workspace_that_works_at_once(tmp_path: Path) -> None:
    made = comms("init", "new", "--name", "Société des Archives", "--json", cwd=tmp_path)
    assert made.code == 0
    assert made.json == {"workspace": str((tmp_path / "new").resolve()), "host": "societe-des-archives"}
    assert comms("-w", "new", "campaign", "check", "new/campaigns/welcome.md", cwd=tmp_path).code == 0
    with Workspace(tmp_path / "new", environment={}) as workspace:
        assert workspace.association(None).name == "Société des Archives"


def test_init_overwrites_nothing(fresh: Path) -> None:
    for target in ("coalition", "people.csv"):
        refused = comms("init", target, "--name", "Other", "--json", cwd=fresh)
        assert refused.code == 2
        assert set(refused.json) == {"error", "hint"}
    assert run(fresh, "association", "list", "--json").json[0]["name"] == "Coalition"


def test_init_asks_for_a_slug_where_the_name_gives_none(tmp_path: Path) -> None:
    refused = comms("init", "new", "--name", "图书馆", cwd=tmp_path)
    assert refused.code == 2
    assert "--slug" in refused.err
    assert not (tmp_path / "new").exists()
    assert comms("init", "new", "--name", "图书馆", "--slug", "tushuguan", "--json", cwd=tmp_path).code == 0


ADD = ("--name", "Museums", "--from", "news@museums.example", "--postal-address", "2 Main Street")


def test_association_add_gives_the_association_back_as_it_was_written_down(fresh: Path) -> None:
    added = run(fresh, "association", "add", "museums", *ADD, "--timezone", "America/Denver", "--json")
    assert added.code == 0
    expected = {"slug": "museums", "name": "Museums", "sender_address": "news@museums.example",
                "postal_address": "2 Main Street", "timezone": "America/Denver", "language": "en"}  # fmt: skip
    assert expected.items() <= added.json.items()
    listed = run(fresh, "association", "list", "--json").json
    assert [association["slug"] for association in listed] == ["coalition", "museums"]
    assert listed[1] == {**added.json, "members": 0}


@pytest.mark.parametrize(
    ("slug", "changes"),
    [
        ("coalition", ()),
        ("../evil", ()),
        ("Upper", ()),
        ("museums", ("--timezone", "Mars/Base")),
        ("museums", ("--from", "news@museums.example\r\nBcc: everyone@example.org")),
        ("museums", ("--accent", "red")),
        ("museums", ("--name", "")),
    ],
)
def test_an_association_that_can_not_be_is_wrong_usage(fresh: Path, slug: str, changes: tuple[str, ...]) -> None:
    refused = run(fresh, "association", "add", slug, *ADD, *changes, "--json")
    assert refused.code == 2
    assert refused.json["error"]
    assert len(run(fresh, "association", "list", "--json").json) == 1


def test_association_edit_changes_only_what_is_given(fresh: Path) -> None:
    edited = run(fresh, "association", "edit", "coalition", "--accent", "#102030", "--json")
    assert edited.code == 0
    assert edited.json["brand"]["accent"] == "#102030"
    assert edited.json["name"] == "Coalition"
    assert run(fresh, "association", "edit", "nobody", "--name", "x").code == 2


# --- members ----------------------------------------------------------------------------------


def test_members_import_counts_rows_and_lists_what_it_refused(fresh: Path) -> None:
    first = run(fresh, "members", "import", "people.csv", "--association", "coalition", "--json")
    assert first.code == 0
    assert {name: first.json[name] for name in ("added", "updated", "unchanged", "refused")} == {
        "added": 3,
        "updated": 0,
        "unchanged": 0,
        "refused": first.json["refused"],
    }
    assert [
        (refused["line"], "is not an e-mail address" in refused["reason"]) for refused in first.json["refused"]
    ] == [(5, True)]
    (fresh / "people.csv").write_text("email,name,consent\nada@example.org,Ada L.,yes\nben@example.org,Ben,yes\n")
    again = run(fresh, "members", "import", "people.csv", "--json").json
    assert (again["added"], again["updated"], again["unchanged"], again["refused"]) == (0, 1, 1, [])
    assert [kept["line"] for kept in again["consent_kept"]] == [3]


def test_a_dry_run_says_the_same_and_leaves_nothing(fresh: Path) -> None:
    dry = run(fresh, "members", "import", "people.csv", "--dry-run", "--json")
    assert dry.code == 0
    wet = run(fresh, "members", "import", "people.csv", "--json").json
    assert dry.json == {**wet, "dry_run": True, "import": None}
    assert wet["added"] == 3


def test_a_dry_run_leaves_no_member_no_consent_and_no_name_for_rules(fresh: Path) -> None:
    run(fresh, "members", "import", "people.csv", "--dry-run")
    assert run(fresh, "members", "count", "everyone", "--json").json == {"count": 0}
    assert run(fresh, "members", "count", "state = WA").code == 2  # nobody has a state yet
    with Workspace(fresh / "coalition", environment={}) as workspace:
        assert workspace.association_db("coalition").execute("SELECT count(*) FROM consent").fetchone() == (0,)


def test_refusals_are_shown_to_people_with_file_and_line(fresh: Path) -> None:
    shown = run(fresh, "members", "import", "people.csv")
    assert "3 added, 0 updated, 0 unchanged, 1 refused" in shown.out
    assert "people.csv:5: refused: 'no address' is not an e-mail address" in shown.out


@pytest.mark.parametrize(("rule", "number"), [("state = WA", 2), ("everyone", 3), ("state = ZZ", 0)])
def test_members_count_counts_and_says_no_for_nobody(peopled: Path, rule: str, number: int) -> None:
    counted = run(peopled, "members", "count", rule, "--association", "coalition", "--json")
    assert counted.json == {"count": number}
    assert counted.code == (0 if number else 1)


@pytest.mark.parametrize(
    ("address", "mailable", "reason"),
    [("ada@example.org", True, ""), ("BEN@example.org", False, "withdrawn"), ("eva@example.org", False, "no_consent")],
)
def test_members_show_says_whether_a_newsletter_may_go_to_this_person(
    peopled: Path, address: str, mailable: bool, reason: str
) -> None:
    shown = run(peopled, "members", "show", address, "--json")
    assert shown.code == 0
    assert (shown.json["mailable"], shown.json["reason"]) == (mailable, reason)
    assert shown.json["address"] == address.lower()


def test_members_show_gives_the_evidence_of_consent(peopled: Path) -> None:
    consent = run(peopled, "members", "show", "ada@example.org", "--json").json["consent"]
    assert [(record["topic"], record["state"], record["basis"], record["source"]) for record in consent] == [
        ("*", "granted", "express", "import of people.csv, line 2")
    ]


def test_an_unknown_member_is_a_no_and_not_mailable(peopled: Path) -> None:
    shown = run(peopled, "members", "show", "nobody@example.org", "--json")
    assert shown.code == 1
    assert shown.json["mailable"] is False
    assert run(peopled, "members", "show", "nonsense", "--json").code == 1


# --- segments, campaign -------------------------------------------------------------------------


def test_segments_explain_gives_words_count_and_examples(peopled: Path) -> None:
    explained = run(peopled, "segments", "explain", "state = WA", "--association", "coalition", "--json")
    assert explained.code == 0
    assert explained.json["rule"] == "state = WA"
    assert explained.json["count"] == 2
    assert explained.json["words"]
    assert [example["address"] for example in explained.json["examples"]] == ["ada@example.org", "ben@example.org"]
    assert run(peopled, "segments", "explain", "state = ZZ", "--json").code == 1


@pytest.mark.parametrize("command", [("members", "count"), ("segments", "explain")])
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("state = ", "column 8"),
        ("state = WA and (sector = library", "column"),
        ("stat = WA", "no member has stat at column 1"),
        ("'", "column 1"),
        ("(" * 5_000, "column"),
        ("state = \x1b[31m", "column"),
    ],
)
def test_a_broken_rule_is_wrong_usage_with_the_column(
    folder: Path, command: tuple[str, str], rule: str, message: str
) -> None:
    comms("-w", "coalition", "members", "import", "people.csv", cwd=folder)
    refused = comms("-w", "coalition", *command, rule, "--json", cwd=folder)
    assert refused.code == 2
    assert message in refused.json["error"]


def test_campaign_check_is_good_for_the_example(fresh: Path) -> None:
    checked = run(fresh, "campaign", "check", "coalition/campaigns/welcome.md", "--json")
    assert checked.code == 0
    assert checked.json["ok"] is True
    assert checked.json["id"] == "welcome"


def test_campaign_check_lists_all_problems_with_their_lines(fresh: Path) -> None:
    (fresh / "bad.md").write_text(
        "---\ncampaign: bad\ntitle: Bad\nlanguage: en\nnewsleter:\n  subject: x\n---\n\n# Hi\n"
    )
    checked = run(fresh, "campaign", "check", "bad.md", "--json")
    assert checked.code == 1
    assert checked.json["ok"] is False
    must_fix = [problem for problem in checked.json["problems"] if problem["level"] == "must fix"]
    assert 5 in [problem["line"] for problem in must_fix]
    assert all(set(problem) == {"level", "line", "field", "message", "hint"} for problem in must_fix)
    assert "bad.md:5" in run(fresh, "campaign", "check", "bad.md").out


@pytest.mark.parametrize("name", ["none.md", ".", "people.csv"])
def test_campaign_check_of_what_is_no_definition_is_a_no(fresh: Path, name: str) -> None:
    assert run(fresh, "campaign", "check", name).code == 1
    assert run(fresh, "campaign", "check", name, "--json").json["ok"] is False


def test_an_unknown_campaign_is_wrong_usage(folder: Path) -> None:
    for words in (("report", "none"), ("campaign", "status", "none"), ("campaign", "pause", "none")):
        refused = comms("-w", "coalition", *words, "--json", cwd=folder)
        assert refused.code == 2
        assert "there is no campaign 'none'" in refused.json["error"]
