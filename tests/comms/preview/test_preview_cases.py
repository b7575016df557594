"""A preview shows what would be sent: to one member, to the readers for whom mails break first, by all associations."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import lxml.html
import pytest
from preview_samples import campaign, office

from audiences.models import Member
from comms.engine import editions, preview, proofs
from comms.engine.preview import Wishes
from comms.engine.workspace import Workspace
from comms.errors import StateError, StorageError, UsageError
from comms.preview import readers

WORST = [each.name for each in readers.worst((), ())]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with office(tmp_path_factory.mktemp("office")) as opened:
        yield opened


def shown(workspace: Workspace, path: Path, folder: Path, **wishes: object) -> preview.Preview:
    return preview.show(workspace, path, folder, Wishes(**wishes), browser=None)  # type: ignore[arg-type]


def test_one_member_gets_mail_entry_post_and_a_page_that_shows_them(workspace: Workspace, tmp_path: Path) -> None:
    made = shown(workspace, campaign(workspace), tmp_path / "out", address="ana@archives.org")
    names = ["entry.xml", "index.html", "message.eml", "message.html", "message.txt", "post-mastodon.txt"]
    assert [path.name for path in made.files] == names
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert made.ok
    (proof,) = made.proofs
    assert (proof.subject, proof.preview) == ("Spring, Ana", "What is new")
    assert proof.size == len((tmp_path / "out" / "message.html").read_bytes())
    page = lxml.html.document_fromstring((tmp_path / "out" / "index.html").read_text("utf-8"))
    assert {"message.eml", "message.html", "message.txt", "entry.xml", "post-mastodon.txt"} <= set(
        page.xpath("//a/@href")
    )
    assert "no Chromium was found" in page.text_content()


def test_the_files_say_what_the_mail_says_that_is_sent(workspace: Workspace, tmp_path: Path) -> None:
    made = shown(workspace, campaign(workspace), tmp_path, worst_cases=True)
    for proof in made.proofs:
        raw = (tmp_path / proof.files["eml"]).read_bytes()
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        assert mail["Subject"] == proof.subject
        for kind, subtype in (("html", "html"), ("txt", "plain")):
            part = mail.get_body((subtype,))
            assert part is not None
            said = (tmp_path / proof.files[kind]).read_text("utf-8")
            assert part.get_content().replace("\r\n", "\n").rstrip("\n") == said.rstrip("\n")


def test_worst_cases_fill_in_everything_that_the_text_asks_for(workspace: Workspace, tmp_path: Path) -> None:
    made = shown(workspace, campaign(workspace), tmp_path, worst_cases=True)
    assert [proof.name for proof in made.proofs] == ["message", *(f"worst-{name}" for name in WORST)]
    assert made.ok
    for reader in readers.worst(("first_name", "visits"), ("visits",)):
        text = (tmp_path / f"worst-{reader.name}.txt").read_text("utf-8")
        name = reader.member.attributes.get("first_name", "colleague")
        number = reader.member.attributes.get("visits", 0)
        assert "".join(f"Dear {name}, you came {number} times.".split()) in "".join(text.split())


def test_long_names_stay_within_their_limits() -> None:
    values = {
        each.name: str(each.member.attributes["x"]) for each in readers.worst(("x",), ()) if each.member.attributes
    }
    assert len(values["long-name"]) == len(values["unbroken-name"]) == readers.LONGEST
    assert " " in values["long-name"]
    assert " " not in values["unbroken-name"]
    assert "\u200d" in values["emoji"]
    assert set(values) == set(WORST) - {"nothing-known"}


def test_what_a_case_shows_is_told_of_it_and_of_no_other(workspace: Workspace, tmp_path: Path) -> None:
    made = shown(workspace, campaign(workspace), tmp_path, worst_cases=True)
    notes = {proof.name: {note.kind for note in proof.notes} for proof in made.proofs}
    assert notes["message"] == notes["worst-emoji"] == set()
    assert notes["worst-nothing-known"] == {"fallback"}
    assert notes["worst-long-name"] == {"subject"}
    (fallback,) = next(p for p in made.proofs if p.name == "worst-nothing-known").notes
    assert "first_name, visits" in fallback.message


def test_a_mail_that_gmail_would_clip_is_told(workspace: Workspace, tmp_path: Path) -> None:
    made = shown(workspace, campaign(workspace, text="\n\n".join(["All work and no play. " * 40] * 100)), tmp_path)
    assert [note.kind for note in made.proofs[0].notes] == ["large"]


def test_a_reader_who_would_get_no_mail_is_named_and_the_others_are_shown(workspace: Workspace, tmp_path: Path) -> None:
    path = campaign(workspace, text="Your city: {{ member.first_name|upper }}")
    made = shown(workspace, path, tmp_path, worst_cases=True)
    assert not made.ok
    assert len(made.proofs) == 1 + len(WORST)
    impossible = {proof.name for proof in made.proofs if not proof.files}
    assert impossible == {"worst-nothing-known"}
    assert "first_name" in next(p for p in made.proofs if p.name == "worst-nothing-known").notes[0].message
    assert not (tmp_path / "worst-nothing-known.eml").exists()


def test_the_matrix_shows_every_association_that_it_is_offered_to(workspace: Workspace, tmp_path: Path) -> None:
    offered = campaign(workspace, extra="relay:\n  associations: all")
    made = shown(workspace, offered, tmp_path, matrix=True)
    assert [proof.name for proof in made.proofs] == ["coalition.en", "league.en"]
    assert [proof.sender for proof in made.proofs] == ["The Coalition", "The League"]
    assert [proof.subject for proof in made.proofs] == ["Spring, Ana", "Spring, Ben"]
    assert "From: The League" in (tmp_path / "league.en.eml").read_text("ascii")
    named = shown(workspace, campaign(workspace), tmp_path / "named", matrix=True, associations=("league",))
    assert [proof.name for proof in named.proofs] == ["league.en"]
    alone = shown(workspace, campaign(workspace), tmp_path / "alone", matrix=True)
    assert [proof.name for proof in alone.proofs] == ["coalition.en"]


@pytest.mark.parametrize(
    ("wishes", "error", "said"),
    [
        ({"address": "nobody@example.org"}, StateError, "nobody@example.org"),
        ({"address": "ana@archives.org", "matrix": True}, UsageError, "--matrix"),
        ({"associations": ("coalition", "league")}, UsageError, "one association"),
        ({"associations": ("nowhere",)}, UsageError, "nowhere"),
    ],
)
def test_wishes_that_can_not_be_fulfilled_are_refused_before_a_file_is_written(
    workspace: Workspace, tmp_path: Path, wishes: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        shown(workspace, campaign(workspace), tmp_path / "out", **wishes)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_can_not_be_written_is_named(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="can not be written"):
        shown(workspace, campaign(workspace), tmp_path / "out")


def test_a_campaign_without_a_newsletter_has_an_entry_and_posts_to_show(workspace: Workspace, tmp_path: Path) -> None:
    path = campaign(workspace)
    path.write_text(re.sub(r"newsletter:\n.*\n.*\n", "", path.read_text()))
    path.write_text(
        path.read_text()
        .replace('{{ member.first_name or "colleague" }}', "all")
        .replace("{{ member.visits or 0 }}", "3")
    )
    made = shown(workspace, path, tmp_path)
    assert [file.name for file in made.files] == ["entry.xml", "index.html", "post-mastodon.txt"]
    assert (made.ok, made.proofs) == (True, ())
    with pytest.raises(UsageError, match="no newsletter"):
        shown(workspace, path, tmp_path, worst_cases=True)


HOSTILE = (
    "Eve\r\nBcc: all@example.org",
    "\x00\x07\x1b[31m",
    "\ud800",
    "a\u2028Bcc: b\u0085c",
    "</script><script>alert(1)",
    "x" * 1_000_000,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_reaches_neither_a_header_nor_the_page(workspace: Workspace, tmp_path: Path, name: str) -> None:
    loaded = editions.read_definition(campaign(workspace))
    case = proofs.named(workspace, loaded, workspace.association("coalition"), None)
    written: dict[str, bytes] = {}
    case = replace(case, member=Member("eve@example.org", {"first_name": name}))
    proof, html = proofs.proof(case, proofs.Maker(workspace), written.__setitem__)
    if html is None:  # a million characters
        assert proof.notes[0].kind == "impossible"
        return
    head = written["message.eml"].partition(b"\r\n\r\n")[0]
    assert not re.search(rb"(?im)^bcc", head)
    page = preview.to_html(preview.Sheet("c", "t", workspace.now(), [proof]))
    page.encode("utf-8")
    assert "<script" not in page
    assert not re.search("[\x00-\x08\x1b]", page)


BREAKS = ("\r\n", "\n", "\r", "\x85", "\u2028", "\u2029", "\x0b", "\x00")


@pytest.mark.parametrize("mark", BREAKS, ids=ascii)
def test_no_line_break_of_any_kind_makes_a_header(workspace: Workspace, mark: str) -> None:
    smuggled = f"Eve{mark}Bcc: all@example.org"
    sender = replace(workspace.association("coalition"), name=smuggled, sender_name=smuggled)
    loaded = editions.read_definition(campaign(workspace))
    case = proofs.Case("c", "c", loaded, sender, Member("eve@example.org", {"first_name": smuggled}))
    head = proofs.Maker(workspace).mail(case).eml.partition(b"\r\n\r\n")[0]
    assert b"\n" not in head.replace(b"\r\n", b"")
    mail = email.message_from_bytes(head + b"\r\n\r\n", policy=email.policy.default)
    assert mail["Bcc"] is None
    for header in (mail["Subject"], mail["From"].addresses[0].display_name):
        assert "Bcc: all@example.org" in header
        assert not any(break_ in header for break_ in BREAKS)
