"""What an association may be called, send from and look like. Pure: it reads and writes nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from audiences.addresses import normalise_address
from audiences.attributes import clean_text
from audiences.errors import AddressError
from audiences.models import Association
from campaigns.hours import HoursError, SendWindow
from comms.errors import UsageError
from comms.rendering import colour
from comms.rendering.errors import UnsendableAddress
from comms.rendering.look import TYPEFACES
from comms.rendering.mime import addr_spec

_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}", re.ASCII)


def checked(association: Association) -> Association:
    """The association with its text cleaned and its addresses in one form, so that no mail made from it breaks.

    Only the postal address keeps line breaks. Raises UsageError for what can not be used.
    """
    name = clean_text(association.name)
    if not name:
        raise UsageError("an association needs a name.", hint='--name "Its full name"')
    if association.timezone not in available_timezones():
        raise UsageError(f"{association.timezone!r} is no time zone.", hint="Name one such as America/Denver, or UTC.")
    if not _LANGUAGE_TAG.fullmatch(association.language):
        raise UsageError(f"{association.language!r} is no language tag.", hint="Name one such as en or es-MX.")
    window = clean_text(association.send_window)
    try:
        if window:
            SendWindow.read(window)
    except HoursError as error:
        raise UsageError(f"{error.message}.", hint=error.hint) from error
    brand = association.brand
    for shade in (brand.accent, brand.background):
        try:
            colour.parse(shade)
        except ValueError as error:
            raise UsageError(f"{error}.") from error
    if brand.typeface not in TYPEFACES:
        raise UsageError(f"{brand.typeface!r} is no typeface.", hint=f"There are: {', '.join(TYPEFACES)}.")
    lines = (clean_text(line) for line in association.postal_address.splitlines())
    return replace(
        association,
        name=name,
        sender_address=_mailbox(association.sender_address),
        sender_name=clean_text(association.sender_name),
        reply_to=_mailbox(association.reply_to) if association.reply_to else "",
        postal_address="\n".join(line for line in lines if line),
        homepage=clean_text(association.homepage),
        kind=clean_text(association.kind).lower(),
        region=clean_text(association.region),
        send_window=window,
        brand=replace(
            brand,
            logo_url=_web_address(brand.logo_url),
            logo_alt=clean_text(brand.logo_alt),
            footer=clean_text(brand.footer),
        ),
    )


def _mailbox(text: str) -> str:
    try:
        address = normalise_address(text)
        addr_spec(address)
    except AddressError as error:
        raise UsageError(str(error)) from error
    except UnsendableAddress as error:
        raise UsageError(f"{error.message}.", hint=error.hint) from error
    return address


def _web_address(text: str) -> str:
    address = clean_text(text)
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if address and (parts.scheme not in ("http", "https") or not parts.hostname or " " in address):
        raise UsageError(f"{address[:80]!r} is no web address.", hint="It starts with https:// or http://.")
    return address
