"""Settings of sending: mail servers, the queue, batches, returned mail, and how fast newsletters go out."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator

from campaigns.hours import Blackout, HoursError
from comms.config.section import Listed, Section, Unguessable

LONGEST_BOUNCE_NAME = 26
"""Characters before the `@` of the address for returned mail; `verp.py` works out why."""
_BOUNCE_ADDRESS = re.compile(
    rf"[A-Za-z0-9._-]{{1,{LONGEST_BOUNCE_NAME}}}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{{2,63}}"
)
_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d ?- ?(?:[01]\d|2[0-3]):[0-5]\d")


class Smtp(Section):
    """The mail server that takes our newsletters."""

    host: str = Field("127.0.0.1", description="Name or address of the mail server.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(25, description="Its port: 25, 465 (tls) or 587 (starttls).")
    security: Literal["none", "starttls", "tls"] = Field(
        "none",
        description="`tls` from the first byte, `starttls` to upgrade, `none` for a server on this machine.",
    )
    username: str = Field("", description="Login, when the server asks for one.")
    password: str = Field(
        "", description="Password; better set as COMMS_SMTP__PASSWORD in the environment.", repr=False
    )
    timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        60.0,
        description="Seconds to wait for an answer before the connection counts as lost; ten times as long for the "
        "answer to a whole message.",
    )
    connections: Annotated[int, Field(ge=1, le=200)] = Field(4, description="Connections kept open by each sender.")
    messages_per_connection: Annotated[int, Field(ge=1, le=100_000)] = Field(
        500, description="Messages after which a connection is replaced by a new one; some servers want few."
    )
    client: Literal["bulk", "plain"] = Field(
        "bulk",
        description="`bulk` sends several commands at once where the server allows it; `plain` one after the other, "
        "by another library, should a server not get on with that.",
    )


class SmtpRelay(Smtp):
    """A further mail server, under a name of your choice: mail is spread over all, and each fills in for the others."""

    weight: Annotated[int, Field(ge=1, le=1000)] = Field(
        1,
        description="Its share of the messages: with 3 it gets three times as many as `[smtp]`, which counts 1.",
    )
    backup: bool = Field(False, description="`true`: it is used only while none of the others can be.")


class Queue(Section):
    """Where batches wait for a sender."""

    url: str = Field(
        "", description="Empty for a file in the workspace, or a Redis such as `redis://localhost:6379/0`."
    )

    @field_validator("url")
    @classmethod
    def _is_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must be empty, or the address of a Redis such as redis://localhost:6379/0")
        return value


class Delivery(Section):
    """How newsletters are handed to senders."""

    senders: Annotated[int, Field(ge=0, le=256)] = Field(0, description="Sender processes; 0 means one per processor.")
    batch_size: Annotated[int, Field(ge=1, le=5000)] = Field(
        2000,
        description="Most members in one batch. Batches are smaller where half a second of sending is less. Pause and "
        "unsubscribe hold from the next batch on.",
    )
    doubt: Literal["resend", "hold"] = Field(
        "resend",
        description="When a sender died before the server's answer was recorded: `resend` under the same "
        "Message-ID, at most twice, or `hold` as uncertain for a person to decide.",
    )
    give_up_hours: Annotated[float, Field(gt=0, le=240)] = Field(
        48.0, description="How long a message that the server defers is tried again, three times at the least."
    )
    late_hours: Annotated[float, Field(ge=0, le=8760)] = Field(
        24.0,
        description="A campaign whose time was missed because nothing ran goes out at once if it is late by no more "
        "than this; else it is held for a person to decide, and one of a series is left out.",
    )


class Bounces(Section):
    """Where mail that could not be delivered comes back to, and when an address is not written to any more."""

    address: str = Field(
        "",
        description="Address for returned mail, such as `bounces@lists.example.org`: each newsletter goes out from "
        "`bounces+<token>@lists.example.org`. Empty: from the association's own address, and nothing is noticed.",
    )
    maildir: str = Field("", description="Folder (a maildir) into which a mail server on this machine puts such mail.")
    listen: str = Field(
        "", description="Interface and port, such as `127.0.0.1:2424`, on which such mail is taken by LMTP or SMTP."
    )
    imap_host: str = Field("", description="Mail server from which such mail is fetched by IMAP.")
    imap_port: Annotated[int, Field(ge=1, le=65535)] = Field(993, description="Its port: 993 (tls) or 143.")
    imap_security: Literal["none", "starttls", "tls"] = Field("tls", description="As for `[smtp] security`.")
    imap_username: str = Field("", description="Login there.")
    imap_password: str = Field(
        "", description="Password there; better set as COMMS_BOUNCES__IMAP_PASSWORD.", repr=False
    )
    imap_folder: str = Field("INBOX", description="Folder there; what was fetched is marked as read.")
    webhook_secret: Unguessable = Field(
        "",
        description="At least 20 letters and digits that nobody can guess: providers report to "
        "`/hooks/bounces/<provider>/<secret>`.",
        repr=False,
    )
    ses_topic: str = Field("", description="ARN of the SNS topic in which Amazon SES publishes; no other is believed.")
    mailgun_key: str = Field("", description="Mailgun's HTTP webhook signing key.", repr=False)
    sendgrid_key: str = Field("", description="SendGrid's public verification key for signed event webhooks.")
    soft_count: Annotated[int, Field(ge=2, le=100)] = Field(
        5, description="Newsletters that did not arrive, one after the other, after which an address is suppressed."
    )
    soft_days: Annotated[int, Field(ge=1, le=365)] = Field(30, description="Days within which they must lie.")
    soft_spread_days: Annotated[int, Field(ge=0, le=365)] = Field(
        3, description="Days that must lie between the first and the last of them."
    )

    @field_validator("address")
    @classmethod
    def _leaves_room(cls, value: str) -> str:
        if value and not _BOUNCE_ADDRESS.fullmatch(value):
            raise ValueError(
                f"must be an address such as bounces@lists.example.org, with no + in it and at most "
                f"{LONGEST_BOUNCE_NAME} characters before the @, so that a token fits there"
            )
        return value

    @field_validator("listen")
    @classmethod
    def _is_interface(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isascii() and port.isdigit() and int(port) <= 65535):
            raise ValueError("must be an interface and a port, such as 127.0.0.1:2424")
        return value


class Pacing(Section):
    """How fast newsletters go out, and when they wait. 0: no limit."""

    max_per_second: Annotated[float, Field(ge=0, le=100_000)] = Field(
        0.0, description="Messages a second, of all associations together."
    )
    max_per_day: Annotated[int, Field(ge=0, le=100_000_000)] = Field(
        0, description="Messages a day of each association; the others wait for the next day."
    )
    warm_up: Annotated[int, Field(ge=0, le=10_000_000)] = Field(
        0,
        description="Messages on the first day on which an association sends, for mail servers that do not know it "
        "yet; twice as many on each further such day, for two weeks.",
    )
    quiet_hours: str = Field("", description="A stretch of each day in which nothing goes out, such as `21:30-07:00`.")
    timezone: str = Field("UTC", description="Where the day begins, and the quiet hours are: an IANA name.")
    blackout: Listed = Field(
        [],
        description="Days on which nothing of a campaign goes out, by the clock of the association that sends, as "
        '`["2026-12-24..2026-12-26", "2027-01-01"]`; a time in a schedule that falls on one moves to the next day '
        "that does not.",
    )
    most_per_member: Annotated[int, Field(ge=0, le=1000)] = Field(
        0,
        description="Newsletters of an association that a member gets within `per_days`, whatever their topics; who "
        "had as many is left out of the next.",
    )
    per_days: Annotated[int, Field(ge=1, le=365)] = Field(7, description="The days for `most_per_member`.")
    per_domain: dict[str, int] = Field(
        {},
        description='Messages a minute to the addresses of a domain, as `{ "example.edu" = 60 }`. A domain whose '
        "server asks for less has to wait in any case.",
    )

    @field_validator("quiet_hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        if value and not _HOURS.fullmatch(value):
            raise ValueError("must be empty, or two times such as 21:30-07:00")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("must be the IANA name of a time zone such as America/Denver")
        return value

    @field_validator("blackout")
    @classmethod
    def _are_days(cls, value: list[str]) -> list[str]:
        try:
            Blackout.read(value)
        except HoursError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("per_domain")
    @classmethod
    def _are_limits(cls, value: dict[str, int]) -> dict[str, int]:
        if any(limit < 1 for limit in value.values()):
            raise ValueError("must be 1 or more for each domain")
        return {domain.lower(): limit for domain, limit in value.items()}
