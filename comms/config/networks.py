"""Settings of the accounts on social networks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from comms.config.section import Section


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
