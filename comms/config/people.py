"""Settings of the lists: what rules over members may name, and how long what is known of people is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from comms.config.section import Section


class Segments(Section):
    """What the rules over members may name."""

    regions: dict[str, list[str]] = Field(
        {},
        description='Lists of values by name, as `{ pacific = ["WA", "OR", "CA"] }` for `state in region pacific`, '
        "beside those of the US Census Bureau, or in their place.",
    )


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
