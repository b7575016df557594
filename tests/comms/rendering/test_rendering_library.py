"""Templates are found by name in folders, and nowhere else; lint tells what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from rendering_samples import compiled

from comms.errors import UsageError
from comms.rendering.errors import TemplateError
from comms.rendering.library import BUILT_IN, TemplateLibrary

OURS = ("announcement", "call-for-proposals", "digest", "invitation", "letter", "newsletter", "survey")
GOOD = (
    "{# A plain\n letter. #}\n<mjml><mj-body><mj-section><mj-column><mj-text>{{ association.postal_address }}"
    '<a href="{{ links.unsubscribe }}">x</a></mj-text></mj-column></mj-section></mj-body></mjml>'
)


def library(folder: Path, **files: str) -> TemplateLibrary:
    for name, text in files.items():
        (folder / f"{name}.mjml").write_text(text, encoding="utf-8")
    return TemplateLibrary([folder])


def test_the_workspace_comes_before_what_is_built_in(tmp_path: Path) -> None:
    assert library(tmp_path).find("announcement").text == (BUILT_IN / "announcement.mjml").read_text("utf-8")
    assert library(tmp_path, announcement=GOOD).find("announcement").text == GOOD


def test_a_workspaces_template_can_use_the_built_in_parts(tmp_path: Path) -> None:
    own = GOOD.replace("{{ association", '{% import "blocks.mjml" as ui %}{{ ui.render([], "red") }}{{ association')
    assert "1 Main Street" in compiled(template=library(tmp_path, own=own).find("own")).html


@pytest.mark.parametrize(
    "name", ["", "../secret", "/etc/passwd", "a.b", "A", "ümlaut", "a\n", "no-such", "a/b", "x" * 999]
)
def test_other_names_find_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.mjml").write_text("x")
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="there is no template") as caught:
        library(tmp_path / "in").find(name)
    assert "announcement" in caught.value.hint


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "leak.mjml").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(UsageError):
        library(folder).find("leak")


def test_the_list_shows_templates_with_descriptions_but_no_parts(tmp_path: Path) -> None:
    found = {info.name: info.description for info in library(tmp_path, own=GOOD, part="<mj-text>x</mj-text>").list()}
    assert set(found) == {*OURS, "own"}
    assert found["own"] == "A plain letter."
    assert all(found.values())


def test_a_file_that_is_no_text_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.mjml").write_bytes(b"<mjml>\n\n\xff</mjml>")
    with pytest.raises(TemplateError, match="not UTF-8") as caught:
        TemplateLibrary([tmp_path]).find("bad")
    assert caught.value.line == 3


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="larger than"):
        library(tmp_path, big="x" * 1_000_001).find("big")


FAULTS = [
    ("{% if x %}", 1, "Unexpected end of template"),
    ("a\n{{ member. }}", 2, "expected name or number"),
    (GOOD.replace("</mj-text>", "</mj-txt>"), 3, "no component mj-txt"),
    (GOOD.replace("<mj-text>", '\n<mj-text padding="{{ member.x }}">'), 4, "padding of <mj-text>"),
    (GOOD.replace("<mj-text>", "\n\n<mj-text>{{ strngs.why }}"), 5, "'strngs' is undefined"),
    (GOOD.replace("<mj-text>", "<mj-text>{{ association.name|uper }}"), 3, "no filter called uper"),
    (GOOD.replace('href="{{ links.unsubscribe }}"', 'href="https://a.example/"'), 0, "nobody can unsubscribe"),
    (GOOD.replace("{{ association.postal_address }}", ""), 0, "postal address is missing"),
    (GOOD.replace("<mj-text>", "<mj-text>\n{% if blocks is false %}<b>{% endif %}"), 4, "<b> is not closed"),
    (GOOD.replace("<mj-text>", '<mj-text>{% include "none.mjml" %}'), 3, "none.mjml does not exist"),
]


@pytest.mark.parametrize(("text", "line", "said"), FAULTS)
def test_lint_finds_a_seeded_fault_at_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    problems = library(tmp_path, mine=text).lint("mine")
    assert any(problem.line == line and said in problem.message for problem in problems), problems


def test_lint_reports_all_faults_of_the_markup_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("<mj-text>", "<mj-foo />\n<mj-text padding='{{ member.x }}'>\n<b>")
    assert [problem.line for problem in library(tmp_path, mine=text).lint("mine")] == [3, 4, 5]


def test_good_templates_have_no_problems(tmp_path: Path) -> None:
    mine = library(tmp_path, letter=GOOD)
    for name in ("letter", *OURS, "blocks", "frame", "head"):
        assert mine.lint(name) == ()
