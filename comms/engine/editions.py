"""A campaign as one association sends it: the compiled newsletter, the feed entry."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from audiences.models import Association
from campaigns import definition
from campaigns.follows import FollowStore
from campaigns.models import Campaign
from campaigns.relay import MARK
from campaigns.store import EntryRow
from comms.channels import expressions
from comms.channels.feed_content import content_from_blocks
from comms.channels.markup import absolute_url
from comms.delivery.dispatch import Outfit
from comms.delivery.messages import list_id
from comms.engine import dkim, enclosures, pictures, segments
from comms.engine.workspace import Workspace
from comms.rendering import once
from comms.rendering.body import numbered_rules
from comms.rendering.context import association_data, campaign_data
from comms.rendering.edition import Edition
from comms.surroundings import Surroundings

ID_YEAR = 2026
"""The year in every tag: URI that we mint (RFC 4151): one in which the site's name was ours. Never changes."""


def read_definition(path: Path) -> Campaign:
    """Raises campaigns.errors.DefinitionError with every problem of the file."""
    return definition.read_file(path)


def newsletter(workspace: Workspace, campaign: Campaign, association: Association, readers: str = "") -> Edition:
    """The newsletter, compiled. `readers`: slug of the association whose list the conditions on the reader speak of, if
    it is not the sender's. Raises TemplateError; UsageError when the template does not exist, or a file can not be
    attached; RuleError for a condition on the reader that can not be used; StorageError when pictures can not be
    copied, or files not read."""
    assert campaign.newsletter is not None
    template = workspace.templates.find(campaign.newsletter.template)
    rules = numbered_rules(campaign.blocks)
    around = replace(
        surroundings(workspace, campaign, association),
        conditions={rule: segments.condition(workspace, rule, readers or association.slug) for rule in rules},
    )
    edition = once.edition(campaign, association, template, media_url=media_url(workspace), around=around)
    files = enclosures.with_files(workspace, campaign, edition, media_url(workspace))
    return replace(edition, files=files) if files else edition


def surroundings(workspace: Workspace, campaign: Campaign, association: Association) -> Surroundings:
    """What the campaign refers to, but for the rules of conditions.

    Raises StorageError, and UsageError when the association that the campaign names does not exist.
    """
    site = workspace.settings.site.url
    return Surroundings(
        calendar_url="/".join(filter(None, (site, "e", association.slug, campaign.id, campaign.variant))),
        images=pictures.images(workspace, campaign.blocks),
        portraits=pictures.portraits(workspace, campaign.blocks),
        relayed_from="" if is_own(workspace, campaign, association) else author_name(workspace, campaign),
        catalogues=workspace.catalogues,
    )


def author_name(workspace: Workspace, campaign: Campaign) -> str:
    """Name of whose campaign it is, be they of this workspace or not. Raises UsageError when they should be of it, and
    are not."""
    return _author_elsewhere(workspace, campaign) or workspace.association(campaign.association).name


def author(workspace: Workspace, campaign: Campaign) -> Association | None:
    """Whose campaign it is; None for one from another installation. Raises UsageError as `author_name`."""
    return None if _author_elsewhere(workspace, campaign) else workspace.association(campaign.association)


def is_own(workspace: Workspace, campaign: Campaign, association: Association) -> bool:
    """Is it a campaign of the association that sends it. Raises UsageError as `author_name`."""
    is_author = workspace.association(campaign.association).slug == association.slug
    return is_author and _author_elsewhere(workspace, campaign) is None


def _author_elsewhere(workspace: Workspace, campaign: Campaign) -> str | None:
    return FollowStore(workspace.host.db).author(campaign.id.partition(MARK)[0])


def outfit(workspace: Workspace, campaign: Campaign, association: Association, edition: str) -> Outfit:
    """What all batches of the run have in common. `edition` is the compiled edition as JSON."""
    return Outfit(
        association=association,
        campaign=campaign_data(campaign),
        edition=edition,
        list_id=list_id(association, campaign.audience.topic),
        url=public_url(workspace, campaign, association) if campaign.feed else "",
        site_url=workspace.settings.site.url,
        smtp=workspace.settings.smtp.model_dump(),
        relays=workspace.settings.relays(),
        dkim=tuple(asdict(key) for key in dkim.in_use(workspace, association.slug)),
        bounces=workspace.settings.bounces.address,
        answers=_takes_answers(workspace, campaign, association),
    )


def _takes_answers(workspace: Workspace, campaign: Campaign, association: Association) -> bool:
    """Do answers come in here, to be passed on: is it relayed, and is there a door for them."""
    settings = workspace.settings.bounces
    has_door = settings.listen or settings.maildir or settings.imap_host
    return bool(settings.address and has_door) and workspace.association(campaign.association).slug != association.slug


def entry(workspace: Workspace, campaign: Campaign, association: Association, now: datetime) -> EntryRow:
    """The campaign's entry in the association's feed."""
    assert campaign.feed is not None
    url = public_url(workspace, campaign, association)
    values = public_values(campaign, association, url)
    return EntryRow(
        campaign=campaign.id,
        association=association.slug,
        topic=campaign.audience.topic or "",
        tag_uri=f"tag:{site_name(workspace)},{ID_YEAR}:{association.slug}/{campaign.id}",
        title=campaign.title,
        summary=expressions.render(campaign.feed.summary, values),
        content=content_from_blocks(
            campaign.blocks,
            url=url,
            media_url=media_url(workspace),
            values=values,
            around=surroundings(workspace, campaign, association),
            language=campaign.language,
        ),
        language=campaign.language,
        tags=campaign.tags,
        published=now,
        updated=now,
        enclosure=pictures.enclosure(workspace, campaign.blocks),
    )


def public_url(workspace: Workspace, campaign: Campaign, association: Association) -> str:
    """The campaign's page for everyone; the site itself for a campaign without a feed entry."""
    if not campaign.feed:
        return f"{workspace.settings.site.url}/"
    return page_url(workspace, association.slug, campaign.id)


def page_url(workspace: Workspace, association: str, campaign: str) -> str:
    """The one public address of a campaign's entry."""
    return f"{workspace.settings.site.url}/a/{association}/{campaign}"


def site_name(workspace: Workspace) -> str:
    """The site's host as a tag URI can hold it (RFC 4151 section 2.1): IDNA, an IPv6 address without its colons."""
    host = urlsplit(absolute_url(workspace.settings.site.url, "") or "").hostname
    return re.sub(r"[^a-z0-9.-]", "-", host or "").strip("-.")


def media_url(workspace: Workspace) -> str:
    return f"{workspace.settings.site.url}/media/"


def public_values(campaign: Campaign, association: Association, url: str) -> dict[str, Any]:
    """What texts may name that are the same for everyone."""
    return {"campaign": campaign_data(campaign), "association": association_data(association), "url": url}
