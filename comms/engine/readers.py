"""What readers do with the links in their mail: click, open, read online. Stopping is `preferences.py`.

Decides what may be recorded, and records it; makes no page. Whatever carries no token of ours gets None.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from audiences.models import TRACKING, Association, ConsentState
from campaigns.models import Campaign
from comms.channels.markup import absolute_url
from comms.engine import tokens
from comms.engine.editions import public_url
from comms.engine.sending import read_back
from comms.engine.tokens import Copy
from comms.engine.variants import of_channel
from comms.engine.workspace import Workspace
from comms.events import EventKind
from comms.links import EditionToken
from comms.rendering.context import association_data, campaign_data
from comms.rendering.edition import Edition
from comms.rendering.render import Rendered, Renderer

log = structlog.get_logger(__name__)


def click(workspace: Workspace, token: str, index: int, *, record: bool = True) -> str | None:
    """Where link `index` of the newsletter leads; None for a token or index that is not ours.

    The destination comes from the stored edition alone. The click is counted (unless `record` is false), with
    a name only where the member agrees to be tracked now: who withdrew is not known by links sent before.
    """
    copy = tokens.read(workspace, token)
    edition = _edition(workspace, copy) if copy else None
    if copy is None or edition is None or not 0 <= index < len(edition.links):
        return None
    if record:
        known = copy.delivery if _is_tracked(workspace, copy) else None
        _note(workspace, copy, EventKind.CLICKED, delivery=known, link=index)
    return absolute_url(edition.links[index], "")


def opened(workspace: Workspace, token: str) -> None:
    """Record an open by name, of a member who agrees to be tracked now; else nothing at all."""
    copy = tokens.read(workspace, token)
    if copy is not None and _is_tracked(workspace, copy):
        _note(workspace, copy, EventKind.OPENED, delivery=copy.delivery)


def view_online(workspace: Workspace, token: str, *, record: bool = True) -> str | None:
    """The newsletter as a page for everyone, whoever's token it is: no member's data, no link with a name.

    Counted without name, unless `record` is false. Raises RenderError for an edition that can not be rendered.
    """
    copy = tokens.read(workspace, token)
    edition = _edition(workspace, copy) if copy else None
    if copy is None or edition is None:
        return None
    if record:
        _note(workspace, copy, EventKind.VIEWED)
    row = workspace.host.campaign(copy.run.campaign)
    assert row is not None, "an edition belongs to a campaign"
    campaign = of_channel(read_back(row), copy.run.channel)
    links = workspace.links.for_public(EditionToken(copy.association.slug, copy.run.id))
    return public(workspace, edition, campaign, copy.association, links).html


def public(
    workspace: Workspace, edition: Edition, campaign: Campaign, association: Association, links: Mapping[str, str]
) -> Rendered:
    """An edition as everyone may read it, with these `links` (`LinkMaker.for_public`). Raises RenderError."""
    context = {
        "association": association_data(association),
        "campaign": campaign_data(campaign),
        "links": links,
        "url": public_url(workspace, campaign, association) if campaign.feed else links["view"],
    }
    return Renderer(edition).render_public(context)


def _edition(workspace: Workspace, copy: Copy) -> Edition | None:
    body = workspace.host.edition(copy.run.campaign, copy.association.slug, copy.run.channel)
    return Edition.from_json(body.decode()) if body is not None else None


def _is_tracked(workspace: Workspace, copy: Copy) -> bool:
    """Does the copy's member agree to be tracked at this moment; no, when there is none."""
    if copy.member is None:
        return False
    standing = workspace.people(copy.association.slug).standings({copy.member: None})[copy.member]
    return standing.states.get(TRACKING) is ConsentState.GRANTED


def _note(
    workspace: Workspace, copy: Copy, kind: EventKind, *, delivery: int | None = None, link: int | None = None
) -> None:
    events = workspace.events(copy.association.slug)
    lost = events.note(copy.run.id, kind, workspace.now(), delivery=delivery, link=link)
    if lost:
        log.warning("event not counted", kind=kind.value, run=copy.run.id, reason=lost)
