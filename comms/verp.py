"""Tokens that name a delivery, in its return path and as its envelope's name; read from what is returned. Pure.

A server that can not deliver writes to the envelope's sender (RFC 5321 section 4.5.5). Where that address is another
for each mail, what comes back needs no reading to tell whom it is about: variable envelope return paths. The token in
it is signed, for whoever could make one up could have anybody's address suppressed.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from comms.keys import WorkspaceKey

DELIMITER = "+"
_ASSOCIATION_BYTES, _MAC_BYTES = 5, 10
_LEAST, _MOST = 1 + _ASSOCIATION_BYTES + _MAC_BYTES, 8 + _ASSOCIATION_BYTES + _MAC_BYTES
_LONGEST_TOKEN = -(-_MOST * 8 // 5)
_MOST_TRIED = 100
"""Tokens of one message that are looked at; it needs one."""
LONGEST_LOCAL_PART = 64 - len(DELIMITER) - _LONGEST_TOKEN
"""Characters of the bounce address before its `@`, so that a token fits behind it (RFC 5321 section 4.5.3.1.1)."""
_TOKEN = re.compile(rf"[a-z2-7]{{{-(-_LEAST * 8 // 5)},{_LONGEST_TOKEN}}}")
_SIGNED = re.compile(
    rf"(?:\+(?=[a-z2-7]+@)|\boriginal-envelope-id:[ \t]{{0,9}}|\benvid=)({_TOKEN.pattern})(?![a-z0-9])",
    re.IGNORECASE | re.ASCII,
)
"""In front of an `@`, or as the name of the envelope: in a report (RFC 3464 section 2.2.1), or in the command."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What a token says: the delivery's id in the ledger of the association that `mark` stands for."""

    mark: bytes
    delivery: int


class ReturnSigner:
    """Signs and reads the tokens of return paths and envelopes (ENVID, RFC 3461 section 4.4).

    A token is the delivery's id, the association's mark and 80 bits of an HMAC, in base32: some servers fold the case
    of addresses, so an alphabet that tells `a` from `A` would not come back.
    """

    def __init__(self, key: WorkspaceKey) -> None:
        self._key = key.derive("bounces")
        self._marks: dict[str, bytes] = {}

    @staticmethod
    def address(bounces: str, token: str) -> str:
        """The return path of one delivery: the address `bounces` with the delivery's token in front of its `@`."""
        local, _, domain = bounces.rpartition("@")
        return f"{local}{DELIMITER}{token}@{domain}"

    def sign(self, association: str, delivery: int) -> str:
        """The token of a delivery; `association` is the slug. Raises OverflowError from 2**64 on."""
        return self._token(delivery.to_bytes(_bytes_of(delivery), "big") + self.mark(association))

    def mark(self, association: str) -> bytes:
        """What stands for an association in its tokens: too short to be proof, long enough to be found by."""
        if association not in self._marks:
            whole = hmac.digest(self._key, b"association." + association.encode(), "sha256")
            self._marks[association] = whole[:_ASSOCIATION_BYTES]
        return self._marks[association]

    def read(self, token: str) -> Returned | None:
        """What the token says, whatever its case; None for anything that was not signed with this key."""
        text = token.lower()
        if not _TOKEN.fullmatch(text):
            return None
        try:
            data = b32decode(text.upper() + "=" * (-len(text) % 8))
        except ValueError:
            return None
        said = data[:-_MAC_BYTES]
        # Compared as text, for base32 has several texts for the same bytes and only the one we wrote is a token.
        if not _LEAST <= len(data) <= _MOST or not hmac.compare_digest(self._token(said), text):
            return None
        number, mark = said[:-_ASSOCIATION_BYTES], said[-_ASSOCIATION_BYTES:]
        return Returned(mark, int.from_bytes(number, "big"))

    def find(self, texts: Iterable[str]) -> Returned | None:
        """The first signed token that stands in an address or as the name of an envelope somewhere in these texts."""
        found = islice((match[1] for text in texts for match in _SIGNED.finditer(text)), _MOST_TRIED)
        return next((signed for token in found if (signed := self.read(token))), None)

    def _token(self, said: bytes) -> str:
        mac = hmac.digest(self._key, b"return." + said, "sha256")[:_MAC_BYTES]
        return b32encode(said + mac).decode("ascii").rstrip("=").lower()


def _bytes_of(number: int) -> int:
    if number >= 1 << 64:
        raise OverflowError("no delivery has a number of more than eight bytes")
    return max(1, (number.bit_length() + 7) // 8)
