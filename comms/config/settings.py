"""All that comms.toml can say, section by section. Reading it is `loading.py`."""

from __future__ import annotations

import re
from typing import Any, get_args, get_origin

from pydantic import Field, field_validator

from comms.config.mail import Bounces, Delivery, Pacing, Queue, Smtp, SmtpRelay
from comms.config.networks import Bluesky, LinkedIn, Mastodon, X
from comms.config.people import Retention, Segments
from comms.config.section import Section
from comms.config.web import Feeds, Metrics, Relay, Site

NAMED = "NAME"
"""Stands for the name that a person chooses, where a section is a table of tables."""
_RELAY_NAME = re.compile(r"(?=.{1,30}\Z)[a-z][a-z0-9]*(?:_[a-z0-9]+)*", re.ASCII)


class Settings(Section):
    """Everything comms.toml can say."""

    site: Site = Site()
    smtp: Smtp = Smtp()
    smtp_relays: dict[str, SmtpRelay] = Field({})
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
