"""The documentation is true: links lead somewhere, commands parse, examples are valid, the reference is current."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command

from audiences.importing import plain
from audiences.importing.base import ImportRow
from campaigns import definition
from comms import config
from comms.cli.app import app, hoist_workspace
from comms.config.description import describe

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TESTED_ELSEWHERE = {"campaign-files.md"}
"""Its examples, the wrong ones among them, have a test file of their own."""


@dataclass(frozen=True)
class Fence:
    """A fenced block: which page, on which line, of which language."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fences(page: Path) -> Iterator[Fence]:
    language, start, held = None, 0, []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.startswith("```"):
            held.append(line)
        elif language is None:
            language, start, held = line[3:].strip(), number, []
        else:
            yield Fence(page, start, language, "\n".join(held) + "\n")
            language = None
    assert language is None, f"{page}:{start}: the fence is not closed"


def prose(page: Path) -> str:
    """The page without its fenced blocks and code spans, line by line as it was."""
    text = re.sub(
        r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), page.read_text("utf-8"), flags=re.M | re.S
    )
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    """The anchors that hosting sites give to headings: small letters, no punctuation, hyphens for spaces."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", text, flags=re.M):
        stem = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        repeated = sum(
            anchor == stem or re.fullmatch(rf"{re.escape(stem)}-\d+", anchor) is not None for anchor in found
        )
        found.add(f"{stem}-{repeated}" if repeated else stem)
    return found


FENCES = [fence for page in PAGES for fence in fences(page)]
LINKS = [(page, target) for page in PAGES for target in re.findall(r"\]\(([^)\s]+)\)", prose(page))]


def in_language(language: str) -> list[Fence]:
    return [f for f in FENCES if f.language == language and f.page.name not in TESTED_ELSEWHERE]


# --- links ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "target"), LINKS, ids=[f"{page.name}:{target}" for page, target in LINKS])
def test_every_relative_link_leads_to_a_file_and_every_anchor_to_a_heading(page: Path, target: str) -> None:
    if re.match(r"[a-z]+:", target):
        assert target.startswith("https://"), target
        return
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page

    assert file.exists(), f"{page.relative_to(ROOT)} links to {target}"
    assert file.is_relative_to(ROOT), f"{page.relative_to(ROOT)} leads out of the repository: {target}"
    if anchor:
        assert anchor in anchors(file), f"{page.relative_to(ROOT)} links to {target}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    links: dict[Path, set[Path]] = {page: set() for page in PAGES}
    for page, target in LINKS:
        if "://" not in target:
            links[page].add((page.parent / target.partition("#")[0]).resolve())
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += links.get(page, set())

    assert set(PAGES) <= reached


# --- commands ---------------------------------------------------------------------------------


def shown_commands() -> Iterator[tuple[str, str]]:
    """(where, command) for every line of `comms` in blocks that show what to type, or what a service runs."""
    for fence in FENCES:
        pattern = r"ExecStart=\S*/(comms .*)" if fence.language == "ini" else r"(?:\$ )?(comms .*)"
        if fence.language in ("", "sh", "ini"):
            for number, line in enumerate(fence.text.splitlines(), start=1):
                if found := re.fullmatch(pattern, line.strip()):
                    yield f"{fence.page.relative_to(ROOT)}:{fence.line + number}", found[1]


COMMANDS = list(shown_commands())


def parse(words: list[str]) -> None:
    """Parse a command line without running it. Raises what `comms` itself would refuse it with."""
    command: Any = get_command(app)
    arguments, context, name = hoist_workspace(words), None, "comms"
    while True:
        context = command.make_context(name, arguments, parent=context)
        if not hasattr(command, "commands"):
            return
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])


@pytest.mark.parametrize(("where", "line"), COMMANDS, ids=[where for where, _ in COMMANDS])
def test_every_command_that_a_page_shows_is_one_that_comms_takes(
    where: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMS_WORKSPACE", "")
    parse(shlex.split(line.split(" > ")[0], comments=True)[1:])


@pytest.mark.parametrize("line", ["comms cmapaign list", "comms campaign list --jsn", "comms init DIR", "comms report"])
def test_a_command_that_does_not_exist_would_be_noticed(line: str) -> None:
    with pytest.raises(Exception, match=r"No such|Missing"):
        parse(line.split()[1:])


def test_there_are_commands_in_the_pages_for_each_kind_of_user() -> None:
    pages = {where.partition(":")[0] for where, _ in COMMANDS}

    assert {"README.md", "docs/staff.md", "docs/liaisons.md", "docs/operators.md", "docs/segments.md"} <= pages


def test_the_make_targets_that_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))
    named = {name for fence in FENCES for name in re.findall(r"^make ([a-z-]+)", fence.text, flags=re.M)}

    assert {"demo", "test"} <= named <= targets


# --- examples ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fence", in_language("toml"), ids=str)
def test_settings_that_a_page_shows_can_be_used(fence: Fence, tmp_path: Path) -> None:
    (tmp_path / config.FILE_NAME).write_text(fence.text, encoding="utf-8")

    assert config.load(tmp_path, environment={}) != config.Settings()


@pytest.mark.parametrize("fence", in_language("csv"), ids=str)
def test_every_row_of_a_list_that_a_page_shows_can_be_imported(fence: Fence, tmp_path: Path) -> None:
    (tmp_path / "members.csv").write_text(fence.text, encoding="utf-8")
    rows = list(plain.read(tmp_path / "members.csv", datetime(2027, 2, 1, tzinfo=UTC)))

    assert rows
    assert all(isinstance(row, ImportRow) for row in rows)


@pytest.mark.parametrize("fence", in_language("markdown"), ids=str)
def test_a_campaign_file_that_a_page_shows_is_a_good_one(fence: Fence) -> None:
    assert definition.read(fence.text).title in fence.text


def test_there_are_examples_of_each_kind() -> None:
    assert all(in_language(language) for language in ("toml", "csv", "markdown"))


def documented_columns() -> dict[str, set[str]]:
    """What -> column names, from the table in the page for associations."""
    page = (ROOT / "docs" / "liaisons.md").read_text(encoding="utf-8")
    table = page[page.index("| what | column names |") :].split("\n\n")[0].splitlines()[2:]
    cells = [row.strip("|").split("|") for row in table]
    return {what.strip(): set(re.findall(r"`(\w+)`", names.partition(":")[0])) for what, names in cells}


@pytest.mark.parametrize("name", sorted(set[str]().union(*documented_columns().values()) - {"email"}))
def test_a_column_that_the_page_for_associations_names_has_its_meaning_there(name: str) -> None:
    header = [name, "zip"] if name in plain.ADDRESS_NAMES else ["email", name, "zip"]
    columns = plain.find_columns(header, "members.csv")

    assert set(columns.attributes.values()) - {"zip"} == ({"status"} if name == "status" else set())


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("address (needed)", plain.ADDRESS_NAMES),
        ("language, such as `en` or `es-MX`", plain.LANGUAGE_NAMES),
        ("time zone, such as `America/Denver`", plain.TIMEZONE_NAMES),
        ("consent", plain.CONSENT_NAMES),
        ("opted out", plain.OPT_OUT_NAMES),
    ],
)
def test_the_page_for_associations_names_every_column_that_is_recognised(what: str, names: tuple[str, ...]) -> None:
    assert documented_columns()[what] == set(names)


# --- the reference ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_current(reference: ModuleType) -> None:
    assert reference.stale(reference.FOLDER) == []


def test_a_stale_a_missing_and_a_leftover_page_are_each_named(reference: ModuleType, tmp_path: Path) -> None:
    for name, text in reference.pages().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "settings.md").write_text("# Settings\n", encoding="utf-8")
    (tmp_path / "events.md").unlink()
    (tmp_path / "journeys.md").write_text("", encoding="utf-8")

    assert [line.partition(":")[0] for line in reference.stale(tmp_path)] == ["journeys.md", "settings.md", "events.md"]


def test_every_setting_is_documented_with_what_it_means(reference: ModuleType) -> None:
    page = reference.pages()["settings.md"]

    for section, key, _, _, meaning in describe():
        assert f"\n## [{section}]\n" in page
        assert meaning, f"[{section}] {key} has no description"
        assert re.search(rf"^\| `{key}` \|.*{re.escape(meaning[:20])}", page, flags=re.M), key


def command_paths(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from command_paths(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_command_and_option_is_in_the_reference_and_hidden_ones_are_not(reference: ModuleType) -> None:
    page = reference.pages()["commands.md"]
    for path, command in command_paths(get_command(app), "comms"):
        section = re.search(rf"^#+ {re.escape(path)}\n(.*?)(?=^#|\Z)", page, flags=re.M | re.S)
        assert section, path
        for parameter in command.params:
            name = parameter.opts[0] if parameter.param_type_name == "option" else None
            assert name is None or (f"`{name}`" in section[1]) is not parameter.hidden, f"{path} {name}"
    assert "--tethered" not in page


def _helps(command: Any, path: str) -> Iterator[tuple[str, str]]:
    for text in (command.help, command.short_help, *(getattr(each, "help", None) for each in command.params)):
        yield path, text or ""
    for name, below in getattr(command, "commands", {}).items():
        yield from _helps(below, f"{path} {name}")


def test_no_word_of_the_help_is_taken_for_a_style_and_swallowed() -> None:
    swallowed = [(path, text) for path, text in _helps(get_command(app), "comms") if re.search(r"\[[a-z]", text)]

    assert not swallowed, "`[word]` vanishes on a terminal: write `word` or `section.key`"
