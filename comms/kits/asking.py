"""By what an engine shows, when it asks for its feed of offers, that it is the association's own. Asks nobody.

It is a header of HTTP, `Authorization: Comms-Relay <when> <signature>` (RFC 9110 section 11.6.2). Signed is canonical
JSON of `association` and `sent`, as kind `comms relay ask 1`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from comms.kits.signing import PublicKey, SignatureError, SigningKey, canonical

KIND = "comms relay ask 1"
HEADER = "Authorization"
VALID = timedelta(hours=1)
"""Before and after it was signed: clocks differ."""
_SCHEME = "Comms-Relay"


def write(association: str, now: datetime, key: SigningKey) -> str:
    """The header's value. `association` is its slug at the engine that is asked."""
    sent = now.astimezone(UTC).replace(microsecond=0).isoformat()
    return f"{_SCHEME} {sent} {key.sign(KIND, _signed(association, sent))}"


def is_good(value: str, association: str, key: PublicKey, now: datetime) -> bool:
    """Was the header's value written now, with this key, to ask for what is offered to this association."""
    scheme, _, rest = value.partition(" ")
    sent, _, signature = rest.partition(" ")
    try:
        moment = datetime.fromisoformat(sent)
        key.check(KIND, _signed(association, sent), signature)
    except (ValueError, SignatureError):
        return False
    return scheme == _SCHEME and moment.utcoffset() is not None and abs(now - moment) <= VALID


def _signed(association: str, sent: str) -> bytes:
    return canonical({"association": association, "sent": sent})
