"""`comms relay tokenise`, `deal`, `match`: who is in two lists, found without showing either. Needs no workspace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from audiences.importing.base import Refusal
from comms.cli.output import JsonFlag, counted, print_json, say
from comms.db import storage_errors
from comms.errors import StateError, UsageError
from comms.kits import token_files
from comms.kits.token_files import TokenList
from comms.kits.tokens import RelayKey, dealt

KeyFile = Annotated[
    Path, typer.Option("--key-file", metavar="FILE", help="The campaign's key, which the hub must never have.")
]
People = Annotated[Path, typer.Argument(metavar="MEMBERS", help="Your list: a CSV, or an export of your tool.")]
_MOST_SHOWN = 20


def tokenise(
    key_file: KeyFile,
    members: Annotated[Path | None, typer.Argument(metavar="[MEMBERS]", help="Your list, or an export of it.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The tokens; for the hub.")] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Make the key first, in a new file: one for each campaign.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Turn a list into tokens that the hub can compare with those of other associations. Works offline.

    Each address becomes HMAC-SHA256 under the campaign's key. One association makes the key and gives it to the others,
    never to the hub. Who opted out in the list gets no token.

    What this does not do: tokens are not anonymous. Whoever has the key can test whether an address is in a list. So a
    hub that works together with one association can test guesses against all lists of that campaign. Make a new key for
    each campaign, and delete key and tokens after it.
    """
    if new_key:
        token_files.write_key(key_file, RelayKey.new())
    key = token_files.read_key(key_file)
    if members is None:
        if not new_key:
            raise UsageError("which list is meant is not said.", hint="comms relay tokenise members.csv ...")
        if as_json:
            print_json({"key": key.name, "tokens": None})
        else:
            say(f"{escape(str(key_file))}: a new key, {key.name}. Give it to the other associations, never to the hub.")
        return
    if out is None:
        raise UsageError("where the tokens go is not said.", hint="Add: --out tokens.csv")
    people = token_files.read_list(members, key, datetime.now(UTC))
    with storage_errors(out):
        token_files.write_tokens(out, key, people.addresses)
    if as_json:
        print_json({"key": key.name, "tokens": len(people.addresses), **_counts(people)})
        return
    _show_refused(members, people.refused)
    say(
        f"{escape(str(out))}: {counted(len(people.addresses), 'token', 'tokens')} under the key {key.name}; "
        f"{people.left_out:,} left out, {len(people.refused):,} refused"
    )


def deal(
    tokens: Annotated[list[Path], typer.Argument(metavar="TOKENS...", help="The lists, each named ASSOCIATION.csv.")],
    campaign: Annotated[
        str, typer.Option(metavar="ID", help="The campaign: who writes to whom is drawn anew for each.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the answers, ASSOCIATION-answer.csv each.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """For the hub: say for each token which one of the associations that have it writes to the person."""
    lists, name = _lists(tokens)
    leave = dealt(lists, campaign)
    for association, own in lists.items():
        with storage_errors(out):
            token_files.write_answer(_answer(out, association), name, own, leave[association])
    rows = {each: {"tokens": len(own), "leave": len(leave[each])} for each, own in lists.items()}
    if as_json:
        print_json({"key": name, "people": len(frozenset[str]().union(*lists.values())), "associations": rows})
    else:
        for association in lists:
            say(f"{escape(str(_answer(out, association)))}: goes back to {escape(association)}")


def match(
    members: People,
    answer: Annotated[Path, typer.Option(metavar="FILE", help="What the hub answered to your tokens.")],
    key_file: KeyFile,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The addresses not to send to, for your tool.")],
    as_json: JsonFlag = False,
) -> None:
    """Turn the hub's answer into the list of members that another association writes to. Works offline.

    The hub can not tell you who else has them, and this list does not say so either. Delete it after the campaign.
    """
    key = token_files.read_key(key_file)
    people = token_files.read_list(members, key, datetime.now(UTC))
    found = token_files.match(answer, key, people)
    with storage_errors(out):
        token_files.write_exclude(out, found.leave)
    if as_json:
        counts = {"leave": len(found.leave), "send": found.send, "unanswered": found.unanswered}
        print_json({**counts, "foreign": found.foreign, **_counts(people)})
        return
    say(f"{escape(str(out))}: {counted(len(found.leave), 'address', 'addresses')} that another association writes to")
    say(f"You write to {found.send + found.unanswered:,}.")
    if found.unanswered:
        say(f"{found.unanswered:,} of them are not in the answer: the list has changed since its tokens were made.")


def _answer(folder: Path, association: str) -> Path:
    return folder / f"{association}-answer.csv"


def _lists(files: list[Path]) -> tuple[Mapping[str, frozenset[str]], str]:
    """Association -> tokens, and the name of the key. Raises UsageError when the files do not go together."""
    lists: dict[str, frozenset[str]] = {}
    names: dict[str, Path] = {}
    for file in files:
        if file.stem in lists:
            raise UsageError(f"two files are called {file.name}.", hint="Each is named after its association.")
        name, lists[file.stem] = token_files.read_tokens(file)
        names.setdefault(name, file)
    if len(names) > 1:
        first, second, *_ = names.values()
        raise StateError(
            f"{first} and {second} were made with different keys, so nothing in them can be compared.",
            hint="All associations take the same key: ask them to make their tokens again.",
        )
    return lists, next(iter(names))


def _counts(people: TokenList) -> dict[str, object]:
    refused = [{"line": each.line, "reason": each.reason} for each in people.refused]
    return {"left_out": people.left_out, "refused": refused}


def _show_refused(file: Path, refused: tuple[Refusal, ...]) -> None:
    for each in refused[:_MOST_SHOWN]:
        say(f"  {escape(file.name)}:{each.line}: refused: {escape(each.reason)}")
    if len(refused) > _MOST_SHOWN:
        say(f"  ... and {len(refused) - _MOST_SHOWN:,} more; --json has all")
