"""The plain data that templates see of people, associations and campaigns; nothing else reaches them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from audiences.models import Association, AttributeValue, Member
from campaigns.models import Campaign


def member_data(member: Member) -> dict[str, AttributeValue]:
    """`member`: the attributes, `address` and `language`. What is empty is left out, and so counts as absent."""
    data = {**member.attributes, "address": member.address or "", "language": member.language or ""}
    return {name: value for name, value in data.items() if value != ""} if "" in data.values() else data


def association_data(association: Association) -> dict[str, Any]:
    """`association`, the same when the edition is compiled and when a member's message is made."""
    is_web = urlsplit(association.homepage).scheme in ("http", "https")
    return {
        "slug": association.slug,
        "name": association.name,
        "sender_address": association.sender_address,
        "sender_name": association.sender_name or association.name,
        "reply_to": association.reply_to,
        "postal_address": association.postal_address,
        "homepage": association.homepage if is_web else "",
        "language": association.language,
    }


def postal_lines(association: Association) -> list[str]:
    """The postal address line by line, without the name that stands above it anyway."""
    lines = [line.strip() for line in association.postal_address.splitlines() if line.strip()]
    return lines[1:] if lines[:1] == [association.name] else lines


def campaign_data(campaign: Campaign) -> dict[str, Any]:
    """`campaign`, the same when the edition is compiled and when a member's message is made."""
    return {
        "id": campaign.id,
        "title": campaign.title,
        "language": campaign.language,
        "tags": list(campaign.tags),
    }
