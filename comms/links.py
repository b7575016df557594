"""The links that stand in mails: made, signed, and read back. Knows no database and no page.

A member's token says which delivery a link belongs to; an edition's token says only which edition, and
stands in the mails of everyone who did not agree to be tracked, so that those clicks have no name. A person's
token stands in letters, which belong to no newsletter.
Where a click leads is stored with the edition: no link carries its destination, so none can be bent.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from itsdangerous import BadSignature, Signer

from comms.keys import WorkspaceKey
from comms.verp import ReturnSigner

_MEMBER, _EDITION, _PERSON, _SEAT = "m", "e", "p", "l"
_TOKEN = re.compile(
    r"(?P<kind>[mep])\.(?P<association>[a-z0-9-]{1,64})\.(?P<number>[1-9][0-9]{0,17})(?:\.(?P<mark>[0-9a-f]{32}))?"
)
_SEAT_TOKEN = re.compile(rf"{_SEAT}\.([a-z0-9-]{{1,64}})" + r"\.([1-9][0-9]{0,17})" * 4)


@dataclass(frozen=True, slots=True)
class MemberToken:
    """One delivery: `number` is its id in the association's ledger."""

    association: str
    number: int


@dataclass(frozen=True, slots=True)
class EditionToken:
    """One edition, whoever reads it: `number` is the run's id in the association's ledger."""

    association: str
    number: int


@dataclass(frozen=True, slots=True)
class PersonToken:
    """One member, in a letter to them alone: `number` is the member's id, `mark` what `LinkSigner.mark` says of the
    address that the letter goes to."""

    association: str
    number: int
    mark: str


@dataclass(frozen=True, slots=True)
class SeatToken:
    """One seat of an association, for one relay: `number` is the relay's id in the host's database.

    `serial` is the seat's: a new one makes all older links worthless. `expires` is in Unix time.
    """

    association: str
    number: int
    seat: int
    serial: int
    expires: int


Token = MemberToken | EditionToken | PersonToken


class LinkSigner:
    """Signs and reads tokens. A token is not secret-bearing, but can not be made without the key."""

    def __init__(self, key: WorkspaceKey) -> None:
        # "none": the key is already derived for this purpose alone.
        self._key = key.derive("links")
        self.returns = ReturnSigner(key)
        """For the return paths of the same mails."""
        self._signer = Signer(self._key, sep=".", key_derivation="none", digest_method=staticmethod(hashlib.sha256))

    def sign(self, token: Token) -> str:
        """The token as URL-safe text with a 256-bit HMAC."""
        match token:
            case MemberToken():
                value = f"{_MEMBER}.{token.association}.{token.number}"
            case EditionToken():
                value = f"{_EDITION}.{token.association}.{token.number}"
            case PersonToken():
                value = f"{_PERSON}.{token.association}.{token.number}.{token.mark}"
        # What Signer.sign would give, in a fifth of the time: one for every mail.
        digest = hmac.digest(self._key, value.encode(), "sha256")
        return f"{value}.{urlsafe_b64encode(digest)[:-1].decode()}"

    def mark(self, address: str) -> str:
        """Tells one address from others, and nothing of it to who has no key."""
        return hmac.digest(self._key, f"address {address.lower()}".encode(), "sha256").hex()[:32]

    def sign_seat(self, token: SeatToken) -> str:
        """The token as URL-safe text with a 256-bit HMAC."""
        value = f"{_SEAT}.{token.association}.{token.number}.{token.seat}.{token.serial}.{token.expires}"
        digest = hmac.digest(self._key, value.encode(), "sha256")
        return f"{value}.{urlsafe_b64encode(digest)[:-1].decode()}"

    def read_seat(self, text: str) -> SeatToken | None:
        """The token, or None for anything that was not signed with this key. Whether it holds, the caller asks."""
        try:
            value = self._signer.unsign(text).decode()
        except (BadSignature, UnicodeError):
            return None
        match = _SEAT_TOKEN.fullmatch(value)
        if match is None:
            return None
        token = SeatToken(match[1], *map(int, match.groups()[1:]))
        return token if self.sign_seat(token) == text else None

    def read(self, text: str) -> Token | None:
        """The token, or None for anything that was not signed with this key."""
        try:
            value = self._signer.unsign(text).decode()
        except (BadSignature, UnicodeError):
            return None
        match = _TOKEN.fullmatch(value)
        if match is None or (match["kind"] == _PERSON) != (match["mark"] is not None):
            return None
        association, number = match["association"], int(match["number"])
        token: Token
        if match["kind"] == _PERSON:
            token = PersonToken(association, number, match["mark"])
        else:
            token = (MemberToken if match["kind"] == _MEMBER else EditionToken)(association, number)
        # Base64 has several texts for the same bytes; only the one we wrote is a token.
        return token if self.sign(token) == text else None


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Turns tokens into the addresses that stand in mails."""

    site_url: str
    signer: LinkSigner

    def unsubscribe(self, token: MemberToken) -> str:
        """Page on GET, effect on POST (RFC 8058 section 3.1)."""
        return f"{self.site_url}/u/{self.signer.sign(token)}"

    def relay(self, token: SeatToken) -> str:
        """Page where a seat answers an offer."""
        return f"{self.site_url}/l/{self.signer.sign_seat(token)}"

    def preferences(self, token: PersonToken) -> str:
        """The same page, for a letter."""
        return f"{self.site_url}/u/{self.signer.sign(token)}"

    def for_mail(self, member: MemberToken, edition: EditionToken, *, tracked: bool) -> dict[str, str]:
        """Plain data for a template: `click` (an index is appended), `poll` (the numbers of poll and answer are),
        `unsubscribe`, `view`, `pixel`.

        `poll` names the delivery, so that its last answer is the one that counts; what is kept of it has no name.
        `pixel` is empty, and `click` carries no name, unless the member agreed to be `tracked`.
        """
        return self.personal(self.for_public(edition), member, tracked=tracked)

    def personal(self, public: Mapping[str, str], member: MemberToken, *, tracked: bool) -> dict[str, str]:
        """The same from what `for_public` gave for the edition, which is then signed once for all its mails."""
        name = self.signer.sign(member)
        links = {**public, "unsubscribe": f"{self.site_url}/u/{name}", "poll": f"{self.site_url}/p/{name}"}
        if tracked:
            links |= {"click": f"{self.site_url}/c/{name}", "pixel": f"{self.site_url}/o/{name}.gif"}
        return links

    def for_public(self, edition: EditionToken) -> dict[str, str]:
        """The same for a page that anyone may read: the edition's token in all of them, and no pixel."""
        token = self.signer.sign(edition)
        return {
            "click": f"{self.site_url}/c/{token}",
            "poll": f"{self.site_url}/p/{token}",
            "unsubscribe": f"{self.site_url}/u/{token}",
            "view": f"{self.site_url}/v/{token}",
            "pixel": "",
        }
