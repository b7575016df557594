"""Settings of what others reach of this installation over the web, and of whom it asks there."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from comms.config.section import Listed, Section, Unguessable

_LINKABLE = re.compile(r"[!#-;=?-~]+", re.ASCII)
"""What can stand between angle brackets in a header."""


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


class Feeds(Section):
    """How feed readers and aggregators learn at once that something new is there (WebSub)."""

    hub: bool = Field(
        True,
        description="Take subscriptions at `/hub` of the web face, and send subscribers the feed when it changes.",
    )
    hubs: Listed = Field(
        [],
        description='Hubs of others that are told when a feed changes, as `["https://pubsubhubbub.appspot.com/"]`; '
        "feeds name them.",
    )

    @field_validator("hubs")
    @classmethod
    def _are_web_addresses(cls, value: list[str]) -> list[str]:
        for hub in value:
            parts = urlsplit(hub)
            sound = parts.scheme in ("http", "https") and parts.hostname and not parts.fragment
            if not sound or not _LINKABLE.fullmatch(hub):
                raise ValueError("must be web addresses such as https://hub.example.org/")
        return list(dict.fromkeys(value))


class Relay(Section):
    """Offers from other engines (`comms relay follow`)."""

    trusted_hosts: Listed = Field(
        [],
        description="Hosts, as `name` or `name:port`, whose feeds of offers may be read although they are not on the "
        "public internet, such as an engine in the same building.",
    )


class Metrics(Section):
    """Figures of this installation for Prometheus, on `/metrics` of the web face."""

    token: Unguessable = Field(
        "",
        description="At least 20 letters and digits that nobody can guess, which Prometheus sends as bearer token; "
        "better set as COMMS_METRICS__TOKEN. Empty: there is no such page.",
        repr=False,
    )
