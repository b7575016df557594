"""The workspace key: made once, kept with owner-only permissions, split into one key per purpose."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from comms.errors import CommsError, WorkspaceError

FILE_NAME = "workspace.key"
_BYTES = 32
_NONCE_BYTES = 12


class TamperedError(CommsError, ValueError):
    """Sealed data was changed on its way, or sealed with another workspace's key."""


class WorkspaceKey:
    """32 random bytes. Whoever holds them can forge links and read the queue."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _BYTES:
            raise ValueError(f"a workspace key has {_BYTES} bytes, not {len(secret)}")
        self._secret = secret
        self._cipher = ChaCha20Poly1305(self.derive("seal"))

    def __repr__(self) -> str:
        return "WorkspaceKey(...)"

    def derive(self, purpose: str) -> bytes:
        """The 32-byte key for one purpose; knowing it tells nothing about the others (HMAC as a PRF)."""
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)

    def seal(self, data: bytes) -> bytes:
        """Encrypt and authenticate (RFC 8439), under a fresh nonce that stands in front."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, None)

    def unseal(self, sealed: bytes) -> bytes:
        """Undo `seal`. Raises TamperedError for anything this key did not seal."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise TamperedError("sealed data was changed, or belongs to another workspace") from error


def create(folder: Path) -> WorkspaceKey:
    """Write a new key, readable by its owner alone. Raises FileExistsError rather than replace one."""
    secret = secrets.token_bytes(_BYTES)
    descriptor = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(descriptor)
    return WorkspaceKey(secret)


def load(folder: Path) -> WorkspaceKey:
    """Read the key of a workspace. Raises WorkspaceError when it is missing, damaged, or readable by others."""
    return load_file(folder / FILE_NAME)


def load_file(path: Path) -> WorkspaceKey:
    """The same, wherever the file lies."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise WorkspaceError(
            f"{path} is missing.",
            hint="Without it links in mails already sent stop working and suppressions can not be matched: "
            "restore it from a backup.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{path} can not be read: {error}") from error
    if mode & 0o077:
        raise WorkspaceError(f"{path} can be read by other users.", hint=f"chmod 600 {path}")
    try:
        return WorkspaceKey(bytes.fromhex(text))
    except ValueError as error:
        raise WorkspaceError(f"{path} is damaged: {error}.", hint="Restore it from a backup.") from error
