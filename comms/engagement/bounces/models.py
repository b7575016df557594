"""What a bounce, a complaint or an automatic answer says, as frozen data. Reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BounceClass(StrEnum):
    """What to do about it."""

    HARD = "hard"
    """The address or its domain does not exist, or takes no mail: do not write there again."""
    SOFT = "soft"
    """This message did not arrive, or not yet; the next one may."""
    COMPLAINT = "complaint"
    """The reader called the message spam, or a feedback loop passed a wish to be left alone."""
    AUTO_REPLY = "auto-reply"
    """A machine answered for a person: absence, or a request to confirm. The message arrived."""
    NONE = "none"
    """Nothing went wrong: an ordinary mail, a receipt, a report of success."""


class Kind(StrEnum):
    """Why, more closely than the class."""

    NO_USER = "no-user"
    """There is no such mailbox."""
    NO_USER_SAID = "no-user-said"
    """The words say so, but neither a code nor the place in the session bears them out: filters write this too."""
    NO_HOST = "no-host"
    """There is no such domain."""
    MOVED = "moved"
    """The mailbox is elsewhere now."""
    NO_MAIL = "no-mail"
    """The domain says that it takes no mail (RFC 7505), or the server that it takes none at all (RFC 7504)."""
    FULL = "full"
    """The mailbox has no room."""
    DISABLED = "disabled"
    """The mailbox is there but out of use."""
    BLOCK = "block"
    """Reputation, missing authentication, a blocklist, or a limit on how much may be sent."""
    SPAM = "spam"
    """The content was taken for spam or a virus, or breaks a rule of the receiver."""
    SIZE = "size"
    """The message is too big, or cannot be carried as it is."""
    FILTERED = "filtered"
    """The recipient's own filter, or a server that says no to this recipient without saying why."""
    DELAYED = "delayed"
    """Still being tried."""
    NETWORK = "network"
    """The server could not be reached, or not in time; routing loops."""
    SYSTEM = "system"
    """Something is broken or set up wrongly at the receiver."""
    OTHER = "other"
    """It failed; why is not said in words we know."""
    COMPLAINT = "complaint"
    AUTH_REPORT = "auth-report"
    """A feedback loop reports that SPF, DKIM or DMARC failed (RFC 6591): about the sender, no wish of the reader."""
    UNSUBSCRIBE = "unsubscribe"
    """A mail program asks to be taken off the list, as List-Unsubscribe with `mailto:` lets it (RFC 2369)."""
    AUTO_REPLY = "auto-reply"
    CHALLENGE = "challenge"
    """The receiver wants the sender to prove that he is a person."""
    DELIVERED = "delivered"
    """Delivered, relayed or expanded, and reported so."""
    NONE = "none"

    @property
    def of_class(self) -> BounceClass:
        """The class that this kind belongs to; soft for every failure that says nothing of the address itself."""
        return _CLASSES.get(self, BounceClass.SOFT)


_CLASSES = {
    Kind.NO_USER: BounceClass.HARD,
    Kind.NO_HOST: BounceClass.HARD,
    Kind.MOVED: BounceClass.HARD,
    Kind.NO_MAIL: BounceClass.HARD,
    Kind.COMPLAINT: BounceClass.COMPLAINT,
    Kind.AUTH_REPORT: BounceClass.COMPLAINT,
    Kind.UNSUBSCRIBE: BounceClass.COMPLAINT,
    Kind.AUTO_REPLY: BounceClass.AUTO_REPLY,
    Kind.CHALLENGE: BounceClass.AUTO_REPLY,
    Kind.DELIVERED: BounceClass.NONE,
    Kind.NONE: BounceClass.NONE,
}


@dataclass(frozen=True)
class Bounced:
    """What a message says of one recipient.

    `status` is an RFC 3463 code such as `5.1.1`, or empty; `reason` one line of the server's own words, or empty.
    `written_to` is the address that the message was sent to, where the report names one other than the `recipient`
    that failed (RFC 3464 section 2.3.1): mail was forwarded. It is the one to look for among members.
    """

    recipient: str
    kind: Kind
    status: str = ""
    reason: str = ""
    written_to: str = ""

    @property
    def of_class(self) -> BounceClass:
        return self.kind.of_class


@dataclass(frozen=True)
class Verdict:
    """What one message is.

    `kind` is for the message as a whole: that of the recipients when there are some, else what could be told without
    one. `message_id` is that of the message which was returned, without angle brackets. `sent_to` are the addresses
    the report itself was sent to (To, Delivered-To, X-Original-To): where a bounce address of our own shows.
    """

    kind: Kind
    recipients: tuple[Bounced, ...] = ()
    status: str = ""
    reason: str = ""
    message_id: str = ""
    sent_to: tuple[str, ...] = ()

    @property
    def of_class(self) -> BounceClass:
        return self.kind.of_class
