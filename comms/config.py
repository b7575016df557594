"""Settings of a workspace: `comms.toml`, overridden key by key from the environment.

The only reader of files and environment for settings. It opens no database and no connection.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from campaigns.hours import Blackout, HoursError
from comms.errors import ConfigError, WorkspaceError

FILE_NAME = "comms.toml"
LONGEST_BOUNCE_NAME = 26
"""Characters before the `@` of the address for returned mail; `verp.py` works out why."""
ENVIRONMENT_PREFIX = "COMMS_"
_LINKABLE = re.compile(r"[!#-;=?-~]+", re.ASCII)
"""What can stand between angle brackets in a header."""
SEPARATOR = "__"
_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d ?- ?(?:[01]\d|2[0-3]):[0-5]\d")


def _listed(value: object) -> object:
    """A text as a list, parted by commas; anything else as it is."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


class Section(BaseModel):
    """A table of comms.toml; a key it does not know is an error, for it is most likely a typing slip."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(Section):
    """Where readers reach this installation."""

    url: str = Field(
        "http://127.0.0.1:8625",
        description="Public address of the web face; links in mails and feeds start with it.",
    )
    host: str = Field("127.0.0.1", description="Interface on which `comms web` listens.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(8625, description="Port on which `comms web` listens.")

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be a web address such as https://news.example.org")
        return value.rstrip("/")


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
    webhook_secret: str = Field(
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

    @field_validator("webhook_secret")
    @classmethod
    def _is_long(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9_-]{20,200}", value):
            raise ValueError("must be 20 to 200 letters, digits, hyphens and underscores")
        return value


_BOUNCE_ADDRESS = re.compile(
    rf"[A-Za-z0-9._-]{{1,{LONGEST_BOUNCE_NAME}}}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{{2,63}}"
)


class Feeds(Section):
    """How feed readers and aggregators learn at once that something new is there (WebSub)."""

    hub: bool = Field(
        True,
        description="Take subscriptions at `/hub` of the web face, and send subscribers the feed when it changes.",
    )
    hubs: list[str] = Field(
        [],
        description='Hubs of others that are told when a feed changes, as `["https://pubsubhubbub.appspot.com/"]`; '
        "feeds name them.",
    )

    @field_validator("hubs", mode="before")
    @classmethod
    def _are_listed(cls, value: object) -> object:
        """The environment has only text: `https://hub.example/,https://hub.example.net/`."""
        return _listed(value)

    @field_validator("hubs")
    @classmethod
    def _are_web_addresses(cls, value: list[str]) -> list[str]:
        for hub in value:
            parts = urlsplit(hub)
            sound = parts.scheme in ("http", "https") and parts.hostname and not parts.fragment
            if not sound or not _LINKABLE.fullmatch(hub):
                raise ValueError("must be web addresses such as https://hub.example.org/")
        return list(dict.fromkeys(value))


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
    blackout: list[str] = Field(
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

    @field_validator("blackout", mode="before")
    @classmethod
    def _are_listed(cls, value: object) -> object:
        """The environment has only text: `2026-12-24..2026-12-26,2027-01-01`."""
        return _listed(value)

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


class X(Section):
    """An account on X. Without all four secrets, posts are written to the outbox folder instead."""

    api_key: str = Field("", description="Consumer key of the app.", repr=False)
    api_secret: str = Field("", description="Consumer secret of the app.", repr=False)
    access_token: str = Field("", description="Access token of the account.", repr=False)
    access_secret: str = Field("", description="Access token secret of the account.", repr=False)
    api_url: str = Field("https://api.x.com", description="Address of the API.")
    read_back: bool = Field(
        False,
        description="After a cut line, look through the account's latest posts for the post, instead of leaving it to "
        "a person at once. X asks $0.001 for each post it shows: at most ten, six times.",
    )
    figures: bool = Field(
        False,
        description="Count replies, reposts and likes of each post, an hour, a day and a week after it. X asks $0.001 "
        "for each look, beside `monthly_budget`.",
    )
    monthly_budget: Annotated[float, Field(ge=0, le=1_000_000)] = Field(
        0.0,
        description="Dollars a month that posts may cost, at X's prices of April 2026: $0.015, and $0.20 with a link. "
        "A post that would exceed it is skipped; a person may post it later. 0: no limit.",
    )


class Mastodon(Section):
    """An account on a Mastodon instance. Without address and token, posts are written to the outbox folder instead."""

    url: str = Field("", description="Address of the instance, such as https://mastodon.social.")
    access_token: str = Field(
        "", description="Access token of an application; better set as COMMS_MASTODON__ACCESS_TOKEN.", repr=False
    )
    visibility: Literal["public", "unlisted", "private"] = Field("public", description="Who sees the posts.")


class Bluesky(Section):
    """An account on Bluesky. Without handle and password, posts are written to the outbox folder instead."""

    service: str = Field("https://bsky.social", description="Address of the account's server.")
    handle: str = Field("", description="Name of the account without @, such as library.bsky.social.")
    app_password: str = Field(
        "", description="A password for apps; better set as COMMS_BLUESKY__APP_PASSWORD.", repr=False
    )


class LinkedIn(Section):
    """The page of an organisation on LinkedIn. Without number and token, posts go to the outbox folder instead."""

    organization: str = Field(
        "", description="Number of the page, as in its address when you manage it: linkedin.com/company/NUMBER/admin."
    )
    access_token: str = Field(
        "",
        description="Access token of an administrator of the page; better set as COMMS_LINKEDIN__ACCESS_TOKEN. It ends "
        "after 60 days.",
        repr=False,
    )
    client_id: str = Field(
        "", description="Client ID of the app. With the secret, `comms doctor` tells when tokens end."
    )
    client_secret: str = Field(
        "", description="Client secret of the app; better set as COMMS_LINKEDIN__CLIENT_SECRET.", repr=False
    )
    refresh_token: str = Field(
        "",
        description="Where LinkedIn gave the app one: the access token is renewed by itself, for a year; better set as "
        "COMMS_LINKEDIN__REFRESH_TOKEN.",
        repr=False,
    )
    api_version: str = Field("202605", description="Version of the API, as year and month; LinkedIn keeps each a year.")
    api_url: str = Field("https://api.linkedin.com", description="Address of the API.")
    oauth_url: str = Field("https://www.linkedin.com", description="Where tokens are renewed and asked about.")


class Retention(Section):
    """How long what is known of people is kept; once a day the older goes. 0 days: it is kept for good."""

    events_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        730,
        description="Days after a newsletter went out in which it stays known who opened it, clicked in it or "
        "unsubscribed with it; the figures in reports stay.",
    )
    deliveries_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        365, description="Days after a newsletter went out in which the mail servers' answers are kept word for word."
    )
    imports_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        90, description="Days in which an import can be undone; then what members were before it is forgotten."
    )
    unconfirmed_days: Annotated[int, Field(ge=0, le=3_650)] = Field(
        7, description="Days for which a sign-up is kept once its link has expired; 0 deletes it with the link."
    )
    request_address_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        365, description="Days for which the consent log holds the IP address that a consent was given from."
    )
    items_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        180,
        description="Days after which items of the feeds of others are forgotten that are not in their feed any more.",
    )
    members_without_consent_days: Annotated[int, Field(ge=0, le=36_500)] = Field(
        0, description="Days after which members who opted out of everything are erased, as if they had asked for it."
    )


class Metrics(Section):
    """Figures of this installation for Prometheus, on `/metrics` of the web face."""

    token: str = Field(
        "",
        description="At least 20 letters and digits that nobody can guess, which Prometheus sends as bearer token; "
        "better set as COMMS_METRICS__TOKEN. Empty: there is no such page.",
        repr=False,
    )

    @field_validator("token")
    @classmethod
    def _is_long(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9_-]{20,200}", value):
            raise ValueError("must be 20 to 200 letters, digits, hyphens and underscores")
        return value


class Relay(Section):
    """Offers from other engines (`comms relay follow`)."""

    trusted_hosts: list[str] = Field(
        [],
        description="Hosts, as `name` or `name:port`, whose feeds of offers may be read although they are not on the "
        "public internet, such as an engine in the same building.",
    )

    @field_validator("trusted_hosts", mode="before")
    @classmethod
    def _are_listed(cls, value: object) -> object:
        """The environment has only text: `127.0.0.1:8626,engine.local`."""
        return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


class Segments(Section):
    """What the rules over members may name."""

    regions: dict[str, list[str]] = Field(
        {},
        description='Lists of values by name, as `{ pacific = ["WA", "OR", "CA"] }` for `state in region pacific`, '
        "beside those of the US Census Bureau, or in their place.",
    )


class Settings(Section):
    """Everything comms.toml can say."""

    site: Site = Site()
    smtp: Smtp = Smtp()
    smtp_relays: dict[str, SmtpRelay] = {}
    queue: Queue = Queue()
    delivery: Delivery = Delivery()
    bounces: Bounces = Bounces()
    feeds: Feeds = Feeds()
    pacing: Pacing = Pacing()
    retention: Retention = Retention()
    metrics: Metrics = Metrics()
    x: X = X()
    mastodon: Mastodon = Mastodon()
    bluesky: Bluesky = Bluesky()
    linkedin: LinkedIn = LinkedIn()
    relay: Relay = Relay()
    segments: Segments = Segments()

    @field_validator("smtp_relays")
    @classmethod
    def _have_names(cls, value: dict[str, SmtpRelay]) -> dict[str, SmtpRelay]:
        if bad := [name for name in value if not _RELAY_NAME.fullmatch(name) or name == "smtp"]:
            raise ValueError(
                f"{bad[0][:40]!r} can not be a name: take small letters, digits and single underscores, at most 30, "
                "beginning with a letter, and not `smtp`"
            )
        return value

    def relays(self) -> dict[str, dict[str, Any]]:
        """The settings of each of `[smtp_relays]`, as plain data for senders; the passwords are among them."""
        return {name: relay.model_dump() for name, relay in self.smtp_relays.items()}


_RELAY_NAME = re.compile(r"(?=.{1,30}\Z)[a-z][a-z0-9]*(?:_[a-z0-9]+)*", re.ASCII)
NAMED = "NAME"
"""Stands for the name that a person chooses, where a section is a table of tables."""


def load(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read `folder/comms.toml` and the environment's `COMMS_<SECTION>__<KEY>` over it.

    Raises WorkspaceError when there is no such file, ConfigError naming file (or variable), section and
    key when a value can not be used.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WorkspaceError(
            f"{folder} is no workspace: it has no {FILE_NAME}.",
            hint=f'Make one with: comms init {folder} --name "Your coalition"; or name another with -w.',
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can not be read: {error}") from error
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    sources = _overlay(tables, os.environ if environment is None else environment)
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(problem, path, sources) for problem in error.errors())) from error


def _overlay(tables: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Lay the environment's values over `tables`; returns which variable each key came from."""
    sources = {}
    for variable, value in environment.items():
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        if name == variable or SEPARATOR not in name:
            continue
        section, _, rest = name.lower().partition(SEPARATOR)
        path = (section, *rest.split(SEPARATOR, 1)) if section in NAMED_SECTIONS else (section, rest)
        table: Any = tables
        for depth, part in enumerate(path[:-1], 1):
            if part not in table:
                sources[(*path[:depth], "")] = variable
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                break
        else:
            table[path[-1]] = value
            sources[path] = variable
    return sources


def _explain(problem: Any, path: Path, sources: Mapping[tuple[str, ...], str]) -> str:
    location = [str(part) for part in problem["loc"]]
    depth = 2 if location[0] in NAMED_SECTIONS and len(location) > 1 else 1
    table, key = location[:depth], location[depth] if len(location) > depth else ""
    variable = sources.get((*table, key)) or sources.get(tuple(table))
    section = ".".join(table)
    where = variable or f"{path}: [{section}]{f' {key}' if key else ''}"
    if problem["type"] == "extra_forbidden":
        known = list(model_of(location[0]).model_fields if key else Settings.model_fields)
        near = get_close_matches(key or section, known, n=1)
        guess = f"; did you mean {near[0]}?" if near else f"; known are: {', '.join(known)}"
        return f"{where}: no such {'key' if key else 'section'}{guess}"
    if problem["type"] in ("model_type", "dict_type") and not key:
        name = f"{table[0]}.{NAMED}" if table[0] in NAMED_SECTIONS else section
        return f"{where}: must be a table: a line [{name}], then its keys"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {message}"


def model_of(name: str) -> type[Section]:
    """The keys of a section, or of each table in it."""
    model = Settings.model_fields[name].annotation
    if get_origin(model) is dict:
        model = get_args(model)[1]
    assert isinstance(model, type)
    assert issubclass(model, Section)
    return model


NAMED_SECTIONS = frozenset(
    name for name, field in Settings.model_fields.items() if get_origin(field.annotation) is dict
)
"""Those that hold tables under names that a person chooses."""
