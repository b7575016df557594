"""`comms dkim`: keys to sign mail with, and the records that publish them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import NO, AssociationOption, JsonFlag, open_workspace, print_json, say, stop
from comms.engine import dkim
from comms.engine.dkim import KeyState

app = typer.Typer(no_args_is_help=True, help="Keys to sign an association's mail with.")


class Kind(str, Enum):  # noqa: UP042 - Typer shows the values of this kind alone
    RSA = "rsa"
    ED25519 = "ed25519"


@app.command()
def create(
    association: AssociationOption = None,
    selector: Annotated[str, typer.Option(help="The key's name in the DNS.")] = dkim.FIRST_SELECTOR,
    kind: Annotated[Kind, typer.Option(help="`ed25519` only beside an RSA key: few receivers check it.")] = Kind.RSA,
    as_json: JsonFlag = False,
) -> None:
    """Make a key and print the DNS record to publish. Nothing is signed until `comms dkim use`."""
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        made = dkim.create(workspace, slug, selector, kind=kind.value)
    if as_json:
        print_json(made.to_json())
        return
    _show(made)
    say(f"Publish this record, then: [bold]comms dkim use {escape(selector)} --association {slug}[/]")


@app.command()
def show(association: AssociationOption = None, as_json: JsonFlag = False) -> None:
    """Print every key's DNS record, and which sign. Exit code 1 when there is no key."""
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        known = dkim.keys(workspace, slug)
    if as_json:
        print_json([state.to_json() for state in known])
    elif known:
        for state in known:
            _show(state)
    else:
        say(f"{slug} has no key; make one with: comms dkim create --association {slug}")
    if not known:
        stop(NO)


@app.command()
def use(
    selectors: Annotated[list[str] | None, typer.Argument(help="The keys to sign with; none to stop signing.")] = None,
    association: AssociationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Sign with these keys, and no other. Publish their records first."""
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        changed = dkim.use(workspace, slug, selectors or [])
    if as_json:
        print_json([state.to_json() for state in changed])
        return
    signing = [state.key.selector for state in changed if state.in_use]
    say(
        f"Mail of {slug} is signed with: {escape(', '.join(signing))}." if signing else f"Mail of {slug} is not signed."
    )


def _show(state: KeyState) -> None:
    """The record as zone files have it: no string over 255 bytes (RFC 1035 section 3.3)."""
    record = state.key.record
    strings = " ".join(f'"{record[start : start + 250]}"' for start in range(0, len(record), 250))
    used = "signs" if state.in_use else "does not sign yet"
    say(f"[bold]{escape(state.key.selector)}[/] ({state.kind}, {used})")
    typer.echo(f"{state.key.name}. IN TXT ( {strings} )")
