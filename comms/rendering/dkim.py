"""Signs encoded messages (DKIM, RFC 6376 and RFC 8463). Knows no workspace, no DNS and no server.

By hand, so that signing costs little more than the RSA operation; tests hold it against a verifier that is not ours.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

SIGNED = (
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to", "list-id",
    "list-unsubscribe", "list-unsubscribe-post", "feedback-id",
)  # fmt: skip
"""Headers that a signature covers where they are there. Without the two of List-Unsubscribe no mail program shows its
button (RFC 8058 section 4); From stands in `h=` once more than in the message, so that nobody can add another."""
RSA_BITS = 2048
_LINE = 72
_FOLD = re.compile(r"\r\n(?=[ \t])")
_BLANK_RUN = re.compile(r"[ \t]+")
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

_PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True, repr=False)
class DkimKey:
    """A private key, and under which name its public half stands in the DNS: `selector._domainkey.domain`."""

    domain: str
    """Of the From address, in A-labels."""
    selector: str
    pem: str
    """PKCS #8, unencrypted: it is sealed wherever it lies or travels."""

    @property
    def name(self) -> str:
        """Where the record stands."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """The TXT record's text (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
        public = _load(self.pem).public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return f"v=DKIM1; k=ed25519; p={b64encode(raw).decode()}"
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={b64encode(der).decode()}"


def new_rsa_key(domain: str, selector: str) -> DkimKey:
    """A fresh key of 2048 bits. Raises ValueError for a selector that can be none."""
    return _key(domain, selector, rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))


def new_ed25519_key(domain: str, selector: str) -> DkimKey:
    """A fresh key for a second signature, which few receivers check yet. Raises ValueError as `new_rsa_key` does."""
    return _key(domain, selector, ed25519.Ed25519PrivateKey.generate())


class Signer:
    """Signs messages of one domain, once with each key."""

    def __init__(self, keys: Sequence[DkimKey]) -> None:
        """Raises ValueError for what is no private key of these kinds."""
        self._keys = [(key, _load(key.pem)) for key in keys]

    def sign(self, message: bytes, now: datetime, *, is_relaxed: bool = False) -> bytes:
        """The message with a DKIM-Signature for each key in front; `message` has CRLF line ends.

        `is_relaxed`: whoever made it vouches that `relaxed_body` would not change its body. To look through each of
        thousands of messages for what is not there takes as long as half a signature.
        """
        head, _, body = message.partition(b"\r\n\r\n")
        headers = _signed_headers(head.decode("ascii"))
        names = ":".join([name for name, _ in headers] + ["from"])
        body_hash = b64encode(hashlib.sha256(body if is_relaxed else relaxed_body(body)).digest()).decode()
        covered = "".join(f"{name}:{value}\r\n" for name, value in headers)
        signatures = (
            self._signature(key, private, names, body_hash, covered, int(now.timestamp()))
            for key, private in self._keys
        )
        return "".join(signatures).encode("ascii") + message

    def _signature(
        self, key: DkimKey, private: _PrivateKey, names: str, body_hash: str, covered: str, moment: int
    ) -> str:
        algorithm = "rsa-sha256" if isinstance(private, rsa.RSAPrivateKey) else "ed25519-sha256"
        header = (
            f"DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n"
            f" d={key.domain};\r\n"
            f" s={key.selector}; t={moment};\r\n"
            f" h={_folded(names, ':')};\r\n"
            f" bh={body_hash};\r\n"
            " b="
        )
        name, _, value = header.partition(":")
        digest = hashlib.sha256(f"{covered}{name.lower()}:{_relaxed(value)}".encode("ascii")).digest()
        if isinstance(private, rsa.RSAPrivateKey):
            signed = private.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        else:
            signed = private.sign(digest)
        return f"{header}{_folded(b64encode(signed).decode())}\r\n"


@lru_cache(maxsize=64)  # reading a key takes longer than signing with it
def signer_for(keys: tuple[DkimKey, ...]) -> Signer:
    """A signer with these keys. Raises ValueError as it does."""
    return Signer(keys)


def relaxed_body(body: bytes) -> bytes:
    """The body as it is hashed (RFC 6376 section 3.4.4)."""
    text = body.replace(b"\t", b" ")
    while b"  " in text:  # a regular expression takes several times as long
        text = text.replace(b"  ", b" ")
    text = text.replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _signed_headers(head: str) -> list[tuple[str, str]]:
    """The headers that are signed, as they are hashed (section 3.4.2), a repeated one from the last (5.4.2)."""
    found: dict[str, list[str]] = {}
    for line in _FOLD.sub("", head).split("\r\n"):
        name, _, value = line.partition(":")
        found.setdefault(name.strip().lower(), []).append(_relaxed(value))
    return [(name, value) for name in SIGNED for value in reversed(found.get(name, []))]


def _relaxed(value: str) -> str:
    return _BLANK_RUN.sub(" ", _FOLD.sub("", value)).strip(" ")


def _folded(text: str, end: str = "") -> str:
    """`text` on lines of at most `_LINE`, broken after `end` where one is given, else anywhere."""
    if not end:
        return "\r\n ".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))
    return "\r\n  ".join(_lines(text, end))


def _lines(text: str, end: str) -> Iterator[str]:
    line = ""
    for word in text.split(end):
        if len(line) + len(word) > _LINE:
            yield line
            line = ""
        line += word + end
    yield line.removesuffix(end)


def _key(domain: str, selector: str, private: _PrivateKey) -> DkimKey:
    if not _SELECTOR.fullmatch(selector):
        raise ValueError(f"{selector!r} can not be a selector: use small letters, digits and hyphens, at most 63")
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return DkimKey(domain, selector, pem.decode("ascii"))


def _load(pem: str) -> _PrivateKey:
    try:
        private = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("this is no private key in PEM without a password") from error
    if not isinstance(private, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError("this is neither an RSA nor an Ed25519 key")
    return private
