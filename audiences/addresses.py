"""E-mail addresses: brought into one form, and hashed so that a suppression outlives the member."""

from __future__ import annotations

import hashlib
import hmac
import re
import string

import email_validator

from audiences.errors import AddressError

# The plain case, which nearly every address is: an RFC 5321 dot-string of ASCII and a dotted LDH domain.
# The library decides all others; it takes some 40 us an address, this 1.
_PLAIN = re.compile(
    r"(?=.{3,254}\Z)(?=[^@]{1,64}@)"
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?P<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?P<top>[A-Za-z]{2,63}))",
    re.ASCII,
)
# Names such as `local` and `invalid`, to which no mail can be sent (RFC 6761).
_SPECIAL = frozenset(email_validator.SPECIAL_USE_DOMAIN_NAMES)
_LONGEST_LOOKED_AT = 1_000
"""Characters; more is no address in any script (RFC 5321 allows 254), and not worth the library's time."""
_FOLDED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def normalise_address(text: str) -> str:
    """The address as it is stored and written to: trimmed, its domain in lower case and in its own script (RFC 5890).

    The local part keeps its case (RFC 5321 section 2.4); addresses that differ only in ASCII case are the
    same member all the same (`fold_case`). Raises AddressError with a reason that can be shown.
    """
    address = text.strip()
    if len(address) > _LONGEST_LOOKED_AT:
        raise AddressError(f"{address[:80]!r}... has {len(address):,} characters; an address has at most 254")
    match = _PLAIN.fullmatch(address)
    if match and "--" not in match["domain"] and match["top"].lower() not in _SPECIAL:
        local, _, domain = address.rpartition("@")
        return f"{local}@{domain.lower()}"
    try:
        return email_validator.validate_email(address, check_deliverability=False, test_environment=True).normalized
    except email_validator.EmailNotValidError as error:
        raise AddressError(f"{address[:80]!r} is not an e-mail address: {error}") from error


def fold_case(address: str) -> str:
    """The form under which two addresses are the same member: ASCII letters small, as SQLite's NOCASE compares."""
    return address.lower() if address.isascii() else address.translate(_FOLDED)


def address_hash(key: bytes, address: str) -> bytes:
    """HMAC-SHA256 of the address without regard to case, under the workspace's suppression key.

    A plain hash of an address can be guessed; a keyed one only by who holds the key.
    """
    return hmac.digest(key, address.lower().encode("utf-8", "surrogatepass"), hashlib.sha256)
