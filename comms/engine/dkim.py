"""The keys with which an association's mail is signed (DKIM): made, kept sealed, put to use.

A key signs only once it is put to use: a signature whose record is not in the DNS yet helps nobody.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from comms.db import storage_errors
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.files import write_whole
from comms.keys import TamperedError
from comms.rendering.dkim import DkimKey, Signer, new_ed25519_key, new_rsa_key, signer_for
from comms.rendering.mime import addr_spec

FOLDER = "dkim"
FIRST_SELECTOR = "comms"


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key of an association."""

    key: DkimKey
    kind: str
    """`rsa` or `ed25519`."""
    in_use: bool

    def to_json(self) -> dict[str, object]:
        """Without the private half."""
        return {
            "selector": self.key.selector,
            "domain": self.key.domain,
            "kind": self.kind,
            "in_use": self.in_use,
            "name": self.key.name,
            "record": self.key.record,
        }


def keys(workspace: Workspace, association: str) -> list[KeyState]:
    """Every key of an association, in the order in which they were made.

    Raises UsageError when it does not exist, StateError when the file of its keys can not be read.
    """
    workspace.association(association)
    path = _path(workspace, association)
    if not path.exists():
        return []
    try:
        entries = json.loads(workspace.key.unseal(path.read_bytes()))
        return [KeyState(DkimKey(**entry["key"]), entry["kind"], entry["in_use"]) for entry in entries]
    except (OSError, TamperedError, ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"the keys of {association} can not be read from {path}.",
            hint="Restore the file and workspace.key from one backup, or move it away and make new keys.",
        ) from error


def create(workspace: Workspace, association: str, selector: str = FIRST_SELECTOR, *, kind: str = "rsa") -> KeyState:
    """Make a key for the domain of the association's From address; it does not sign yet.

    Raises UsageError for a selector that can be none or is taken.
    """
    known = keys(workspace, association)
    if selector in {state.key.selector for state in known}:
        raise UsageError(
            f"{association} has a key with the selector {selector!r}.", hint="Name another with --selector."
        )
    domain = _domain(workspace, association)
    try:
        key = new_rsa_key(domain, selector) if kind == "rsa" else new_ed25519_key(domain, selector)
    except ValueError as error:
        raise UsageError(f"{error}.") from error
    made = KeyState(key, kind, in_use=False)
    _write(workspace, association, [*known, made])
    return made


def use(workspace: Workspace, association: str, selectors: list[str]) -> list[KeyState]:
    """Sign with the keys of these selectors from the next campaign on, and with no other; with none, not at all.

    Raises UsageError for a selector that there is no key for, StateError when no RSA key is among them: few
    receivers check anything else.
    """
    known = keys(workspace, association)
    names = [state.key.selector for state in known]
    missing = [selector for selector in selectors if selector not in names]
    if missing:
        raise UsageError(
            f"{association} has no key {missing[0]!r}.",
            hint=f"There are: {', '.join(names) or 'none yet; see comms dkim create'}.",
        )
    changed = [replace(state, in_use=state.key.selector in selectors) for state in known]
    if selectors and not any(state.in_use and state.kind == "rsa" for state in changed):
        raise StateError("an Ed25519 signature alone is checked by few.", hint="Name an RSA key too.")
    _write(workspace, association, changed)
    return changed


def in_use(workspace: Workspace, association: str) -> tuple[DkimKey, ...]:
    """The keys to sign with, of the domain that the association sends from now."""
    domain = _domain(workspace, association)
    return tuple(state.key for state in keys(workspace, association) if state.in_use and state.key.domain == domain)


def signer(workspace: Workspace, association: str) -> Signer | None:
    """What signs the association's mail; None when nothing does. Raises StateError as `keys` does."""
    keys_in_use = in_use(workspace, association)
    return signer_for(keys_in_use) if keys_in_use else None


def _domain(workspace: Workspace, association: str) -> str:
    return addr_spec(workspace.association(association).sender_address).rpartition("@")[2].lower()


def _write(workspace: Workspace, association: str, states: list[KeyState]) -> None:
    entries = [asdict(state) for state in states]
    path = _path(workspace, association)
    with storage_errors(path):
        write_whole(path, workspace.key.seal(json.dumps(entries).encode()))


def _path(workspace: Workspace, association: str) -> Path:
    return workspace.folder / FOLDER / f"{association}.keys"
