"""Providers that report bounces and complaints over HTTP: which requests are theirs, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from comms import config
from comms.engagement.bounces.webhooks import mailgun, postmark, sendgrid, ses
from comms.engagement.bounces.webhooks.base import Check, Reported
from comms.engagement.bounces.webhooks.ses import Fetch

READERS: Mapping[str, Callable[[bytes], list[Reported]]] = MappingProxyType(
    {"ses": ses.read, "postmark": postmark.read, "mailgun": mailgun.read, "sendgrid": sendgrid.read}
)
"""Provider -> what reads the body of its request. None of them raises, whatever the bytes."""


def checks(settings: config.Bounces, fetch: Fetch) -> dict[str, Check]:
    """Provider -> what checks its requests, of those that the settings name. Raises ConfigError for a bad key."""
    if not settings.webhook_secret:
        return {}
    found: dict[str, Check] = {"postmark": postmark.check}
    if settings.ses_topic:
        found["ses"] = ses.SesCheck(settings.ses_topic, fetch)
    if settings.mailgun_key:
        found["mailgun"] = mailgun.MailgunCheck(settings.mailgun_key)
    if settings.sendgrid_key:
        found["sendgrid"] = sendgrid.SendgridCheck(settings.sendgrid_key)
    return found
