"""Keyed tokens of addresses, by which two lists can be compared by somebody who sees neither. Pure.

A token is HMAC-SHA256 under a key that the associations share for one campaign and the hub never has. Without the key
nobody can turn a token back, or try addresses out. With it anybody can: tokens hide a list from the hub alone, and a
hub that colludes with one association can test guesses. Hashes are not anonymous (US Federal Trade Commission, "No,
hashing still doesn't make your data anonymous", 2024), which is why keys and tokens are for one campaign.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping

from audiences.addresses import address_hash
from comms.errors import UsageError

_BYTES = 32
_MARK = "comms-relay-key-1"
_FILE = re.compile(rf"\s*{_MARK} (?P<secret>[0-9a-f]{{{2 * _BYTES}}})\s*")
_NAME_BYTES = 8
TOKEN = re.compile(r"[0-9a-f]{64}")
"""What every token looks like."""


class RelayKey:
    """32 random bytes for one campaign. Whoever holds them can test whether an address is in a list of tokens."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _BYTES:
            raise ValueError(f"a relay key has {_BYTES} bytes, not {len(secret)}")
        self._secret = secret

    def __repr__(self) -> str:
        return "RelayKey(...)"

    @classmethod
    def new(cls) -> RelayKey:
        return cls(secrets.token_bytes(_BYTES))

    @classmethod
    def read(cls, text: str) -> RelayKey:
        """The key that `text` wrote down. Raises UsageError for anything else."""
        found = _FILE.fullmatch(text)
        if found is None:
            raise UsageError(
                "this is no relay key.", hint="Ask who made it for the file again; a new one is made with --new-key."
            )
        return cls(bytes.fromhex(found["secret"]))

    @property
    def text(self) -> str:
        """For a file: another first word than keys of workspaces have, so that nobody takes one for the other."""
        return f"{_MARK} {self._secret.hex()}\n"

    @property
    def name(self) -> str:
        """Tells keys apart, and nothing of them."""
        return hmac.digest(self._secret, b"name of this key", hashlib.sha256).hex()[: 2 * _NAME_BYTES]

    def token(self, address: str) -> str:
        """Of a normalised address (`audiences.addresses`), without regard to case."""
        return address_hash(self._secret, address).hex()


def dealt(lists: Mapping[str, Iterable[str]], campaign: str) -> dict[str, frozenset[str]]:
    """Association -> those of its tokens that another association writes to.

    Each token stays with exactly one of those that have it. Which one is drawn by rendezvous hashing, anew for each
    campaign: the same for the same lists, in whatever order, and no association more often than others.
    """
    holders: dict[str, list[str]] = {}
    for association in sorted(lists):
        for token in set(lists[association]):
            holders.setdefault(token, []).append(association)
    leave: dict[str, set[str]] = {association: set() for association in lists}
    for token, several in holders.items():
        if len(several) > 1:
            writes = max(several, key=lambda association: _draw(campaign, association, token))
            for association in several:
                if association != writes:
                    leave[association].add(token)
    return {association: frozenset(tokens) for association, tokens in leave.items()}


def _draw(campaign: str, association: str, token: str) -> bytes:
    return hashlib.sha256(f"{campaign}\0{association}\0{token}".encode()).digest()
