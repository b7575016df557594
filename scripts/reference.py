"""Write docs/reference/ from the program itself, so that the two can not part.

    python scripts/reference.py            write it anew
    python scripts/reference.py --check    exit code 1, with what differs, when it is not current

It reads the commands, the settings, the schema of definitions and the vocabulary of states; it runs none of them.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer.main import get_command

from campaigns.schema import json_schema
from comms.cli.app import app
from comms.config.description import describe, section_summary
from comms.engagement.report import STATE_MEANINGS
from comms.events import CampaignState, DeliveryState, EventKind, PostState, SeriesState

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
RENEW = "python scripts/reference.py"
NOTICE = f"*Written by `{RENEW}` from the program itself. Change the program, not this page.*"

EXIT_CODES = """\
| exit code | it says |
|---|---|
| 0 | done; the answer is yes |
| 1 | the answer is no: problems were found, nothing matched, or it can not be done now |
| 2 | wrong usage: an option, a setting, a rule, or a name that does not exist |
"""
INTRODUCTION = """\
`-w DIR` may stand anywhere in a command. Without it `COMMS_WORKSPACE` names the workspace, and without that it is the
current folder. With `--json` a command prints one JSON document on standard output, `{"error": ..., "hint": ...}` when
it could not do its work. Everything else that goes wrong is said on standard error.
"""
JSON_KEYS = """\
These keys of `--json` stay as they are, for programs that rely on them:

| command | keys |
|---|---|
| `members import` | `added`, `updated`, `unchanged`, `refused` (a list of `{line, reason}`) |
| `members count` | `count` |
| `members show` | `mailable`: may a newsletter go to this person now |
| `campaign status`, `report` | `id`, `state`, `audience`, `deliveries`: one count each for `sent`, `deferred`, \
`failed`, `skipped`, `uncertain`, `cancelled`, `ready`, `claimed` |
| `bounces read` | a list of `{file, recipient, class, kind, status, reason}` |
"""
VOCABULARY: tuple[tuple[str, type[StrEnum], str], ...] = (
    ("Campaigns", CampaignState, ""),
    ("Series", SeriesState, "A campaign that repeats. Its occurrences are campaigns of their own."),
    ("Deliveries", DeliveryState, "One newsletter to one member. A final state never changes again."),
    ("Posts", PostState, "One text on one network."),
    (
        "Events",
        EventKind,
        "With a name only where the reader agreed; an unsubscription always belongs to its delivery.",
    ),
)


def pages() -> dict[str, str]:
    """Every file of the reference: name -> text."""
    return {
        "commands.md": commands_page(),
        "settings.md": settings_page(),
        "events.md": events_page(),
        "campaign.schema.json": json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n",
    }


# --- commands ---------------------------------------------------------------------------------


def commands_page() -> str:
    """Every command with its arguments and options; hidden ones are left out."""
    root: Any = get_command(app)
    parts = ["# Commands", NOTICE, INTRODUCTION.rstrip(), EXIT_CODES.rstrip(), JSON_KEYS.rstrip()]
    parts += ["## comms", root.help, *_tables(root)]
    for name, command in _visible(root):
        parts += _command(f"comms {name}", command, level=2)
    return "\n\n".join(parts) + "\n"


def _visible(group: Any) -> Iterator[tuple[str, Any]]:
    return ((name, command) for name, command in group.commands.items() if not command.hidden)


def _command(path: str, command: Any, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} {path}"
    if hasattr(command, "commands"):
        yield _prose(command.help)
        for name, inner in _visible(command):
            yield from _command(f"{path} {name}", inner, level=level + 1)
        return
    yield f"```text\n{_usage(path, command)}\n```"
    yield _prose(command.help)
    yield from _tables(command)


def _usage(path: str, command: Any) -> str:
    """How the command is called: required options are spelled out, the others are `[OPTIONS]`."""
    words = [path]
    options = _parameters(command, "option")
    words += [f"{option.opts[0]} {_value(option)}" for option in options if option.required]
    if any(not option.required for option in options):
        words.append("[OPTIONS]")
    for argument in _parameters(command, "argument"):
        name = _argument_name(argument)
        words.append(name if argument.required else f"[{name}]")
    return " ".join(words)


def _tables(command: Any) -> Iterator[str]:
    arguments = [
        f"| {_code(_argument_name(argument))} | {_cell(argument.help or '')} |"
        for argument in _parameters(command, "argument")
    ]
    if arguments:
        yield "\n".join(["| argument | what it is |", "|---|---|", *arguments])
    options = [
        f"| {_option_name(option)} | {_cell(option.help or '')} | {_default(option)} |"
        for option in _parameters(command, "option")
    ]
    if options:
        yield "\n".join(["| option | what it does | default |", "|---|---|---|", *options])


def _parameters(command: Any, kind: str) -> list[Any]:
    return [p for p in command.params if p.param_type_name == kind and not p.hidden]


def _argument_name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _option_name(option: Any) -> str:
    names = ", ".join(_code(name) for name in option.opts)
    return names if option.is_flag else f"{names} {_code(_value(option))}"


def _value(option: Any) -> str:
    """What stands after the option: its own word, its choices, or the kind of value."""
    annotation = option.type_descriptor.annotation
    if option.metavar:
        return str(option.metavar)
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    kinds: Mapping[Any, str] = {int: "NUMBER", float: "NUMBER", Path: "PATH"}
    return kinds.get(annotation, "TEXT")


def _default(option: Any) -> str:
    if option.required:
        return "needed"
    return _code(str(option.default)) if option.default not in (None, False, "") else ""


# --- settings and vocabulary ------------------------------------------------------------------


def settings_page() -> str:
    """Every key of comms.toml."""
    parts = [
        "# Settings",
        NOTICE,
        "Settings stand in `comms.toml` in the workspace. The environment overrides any key as "
        "`COMMS_<SECTION>__<KEY>`,\nso that secrets need no file: `COMMS_SMTP__PASSWORD` is `password` in `[smtp]`. "
        "A key or section that does not\nexist is refused.",
    ]
    section = ""
    for name, key, kind, default, meaning in describe():
        if name != section:
            section = name
            head = "| key | kind | default | meaning |\n|---|---|---|---|"
            parts += [f"## [{name}]", _prose(section_summary(name)), head]
        parts[-1] += f"\n| `{key}` | {_cell(kind)} | {_code(default)} | {_cell(meaning)} |"
    return "\n\n".join(parts) + "\n"


def events_page() -> str:
    """Every state and event, with what it means."""
    parts = ["# States and events", NOTICE, "The words that reports, `--json` and the databases use."]
    for title, vocabulary, remark in VOCABULARY:
        definition = _definition(vocabulary)
        meanings = _meanings(definition)
        summary = (ast.get_docstring(definition), remark)
        parts += [f"## {title}", *(_prose(text) for text in summary if text)]
        parts.append("\n".join(_item(word, meanings.get(word.name, "")) for word in vocabulary))
    return "\n\n".join(parts) + "\n"


def _item(word: StrEnum, meaning: str) -> str:
    text = meaning or (STATE_MEANINGS.get(word, "") if isinstance(word, DeliveryState) else "")
    text = text.rstrip(".")
    final = " (final)" if isinstance(word, DeliveryState) and word.final else ""
    return f"- `{word}`{final}{f': {_prose(text[0].lower() + text[1:])}' if text else ''}"


def _definition(vocabulary: type[StrEnum]) -> ast.ClassDef:
    (definition,) = ast.parse(inspect.getsource(vocabulary)).body
    assert isinstance(definition, ast.ClassDef)
    return definition


def _meanings(definition: ast.ClassDef) -> dict[str, str]:
    """Member -> the text below it in the source; Python itself does not keep that."""
    meanings, member = {}, ""
    for statement in definition.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                member = name
            case ast.Expr(value=ast.Constant(value=str(text))) if member:
                meanings[member] = inspect.cleandoc(text)
    return meanings


# --- Markdown ---------------------------------------------------------------------------------


def _prose(text: str) -> str:
    """Help text as Markdown: what looks like HTML is text."""
    return (text or "").strip().replace("<", "&lt;")


def _cell(text: str) -> str:
    return " ".join(_prose(text).split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


# --- writing and checking ---------------------------------------------------------------------


def stale(folder: Path) -> list[str]:
    """What differs between the folder and the program, one line per file; empty when nothing does."""
    wanted = pages()
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*")) if path.is_file()}
    differences = [f"{name}: is written by nothing any more" for name in found if name not in wanted]
    for name, text in wanted.items():
        if name not in found:
            differences.append(f"{name}: is missing")
        elif found[name] != text:
            changes = list(difflib.unified_diff(found[name].splitlines(), text.splitlines(), lineterm="", n=0))[2:]
            added = sum(line.startswith("+") for line in changes)
            removed = sum(line.startswith("-") for line in changes)
            first = next(line for line in changes if line[:1] in "+-")
            differences.append(f"{name}: {added} lines to add, {removed} to remove; the first: {first[:100]}")
    return differences


def main(arguments: list[str]) -> None:
    if arguments == ["--check"]:
        if differences := stale(FOLDER):
            print(f"docs/reference is not current; renew it with: {RENEW}", file=sys.stderr)
            print("\n".join(f"  {line}" for line in differences), file=sys.stderr)
            raise SystemExit(1)
        return
    if arguments:
        print(f"usage: {RENEW} [--check]", file=sys.stderr)
        raise SystemExit(2)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
