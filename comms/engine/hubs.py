"""Which WebSub hubs our feeds name, and how. Asks none of them."""

from __future__ import annotations

from comms.config import Settings

PATH = "/hub"


def own(settings: Settings) -> str | None:
    """Address of the hub of this installation; None where it has none."""
    return f"{settings.site.url}{PATH}" if settings.feeds.hub else None


def of(settings: Settings) -> tuple[str, ...]:
    """Addresses of all hubs to subscribe at, our own first."""
    first = own(settings)
    return (*([first] if first else []), *settings.feeds.hubs)


def link(settings: Settings, topic: str) -> str:
    """The Link header of a feed: its hubs, and its one address (WebSub sections 4 and 7, RFC 8288)."""
    links = [*((hub, "hub") for hub in of(settings)), (topic, "self")]
    return ", ".join(f'<{url}>; rel="{relation}"' for url, relation in links)
