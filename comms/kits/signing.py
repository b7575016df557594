"""Ed25519 signatures (RFC 8032) over documents, and the keys for them. Knows no feed and keeps no file.

What is signed is a line that says what kind of document follows, then its bytes: a signature of one kind is good for no
other. JSON is signed in its canonical form (RFC 8785), without floating point numbers, which nothing here needs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from comms.errors import CommsError

_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_PUBLIC = re.compile(r"[0-9a-f]{64}")
_NAME_CHARACTERS = 16
_LARGEST = 2**53 - 1
"""The largest whole number that every reader of JSON keeps (RFC 8785 section 3.2.2.3)."""
_DEEPEST = 100
KEY = "comms relay key 1"


class SignatureError(CommsError, ValueError):
    """A document that was not signed by one of the keys, or was changed since."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The half of a key that checks signatures."""

    raw: bytes
    """32 bytes."""

    @property
    def name(self) -> str:
        """The beginning of its SHA-256, in hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()[:_NAME_CHARACTERS]

    def check(self, kind: str, message: bytes, signature: str) -> None:
        """Raises SignatureError unless the message was signed with this key, as a document of this kind."""
        if not _SIGNATURE.fullmatch(signature):
            raise SignatureError("this is no signature.")
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(bytes.fromhex(signature), _signed(kind, message))
        except (InvalidSignature, ValueError) as error:
            raise SignatureError("the signature is not that of this document.") from error


class SigningKey:
    """A whole key, made from 32 secret bytes."""

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = PublicKey(self._key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.public.name})"

    def sign(self, kind: str, message: bytes) -> str:
        """The signature, in 128 hexadecimal digits."""
        return self._key.sign(_signed(kind, message)).hex()


PublicKeys = Mapping[str, PublicKey]
"""Name -> key."""


def canonical(value: Any) -> bytes:
    """The one form that JSON data has (RFC 8785). Raises ValueError for data that has none here: numbers with a
    fraction or beyond 2^53, lone surrogates, nesting without end."""
    return json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def key_document(keys: tuple[SigningKey, ...]) -> bytes:
    """What publishes these keys, oldest first, as canonical JSON: the last one signs. Each is vouched for by the one
    before it."""
    entries: list[dict[str, Any]] = []
    for at, key in enumerate(keys):
        entry: dict[str, Any] = {"key": key.public.raw.hex(), "name": key.public.name, "signs": at == len(keys) - 1}
        if at:
            before = keys[at - 1]
            entry["vouched"] = {"by": before.public.name, "signature": before.sign(KEY, key.public.raw)}
        entries.append(entry)
    return canonical({"algorithm": "Ed25519", "keys": entries})


def read_keys(data: bytes, trusted: PublicKeys | None = None) -> dict[str, PublicKey]:
    """The keys of such a document by name.

    With `trusted`, those alone that these vouch for, or what they vouch for does, beside themselves: so a follower who
    knows one key learns the next. Raises SignatureError for any other document.
    """
    known: dict[str, PublicKey] = dict(trusted or {})
    try:
        for entry in json.loads(data)["keys"]:
            if not _PUBLIC.fullmatch(entry["key"]):
                raise SignatureError("a key in the list of keys is none.")
            key = PublicKey(bytes.fromhex(entry["key"]))
            if trusted is None:
                known[key.name] = key
            elif "vouched" in entry and entry["vouched"]["by"] in known:
                known[entry["vouched"]["by"]].check(KEY, key.raw, entry["vouched"]["signature"])
                known[key.name] = key
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, SignatureError):
            raise
        raise SignatureError("this is no list of keys.") from error
    return known


def _signed(kind: str, message: bytes) -> bytes:
    return f"{kind}\n".encode() + message


def _ordered(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    match value:
        case None | bool() | str():
            return value
        case int() if abs(value) <= _LARGEST:
            return value
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))  # section 3.2.3
            return {name: _ordered(value[name], depth + 1) for name in names}
        case list() | tuple():
            return [_ordered(each, depth + 1) for each in value]
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical form")
