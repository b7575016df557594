"""The newsletter as an association sends it, for those who answer for it. Compiles as sending does; records nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audiences.models import Association
from campaigns.models import Campaign
from campaigns.relay import RelayState
from campaigns.relays import RelayRow
from comms.channels.markup import absolute_url
from comms.engine import readers, sending
from comms.engine.proofs import NOBODY
from comms.engine.relaying import looking, making
from comms.engine.sending import Prepared
from comms.engine.variants import channel, parts
from comms.engine.workspace import Workspace
from comms.links import EditionToken
from comms.rendering.edition import Edition
from comms.rendering.render import Rendered

_AS_SENT = (RelayState.SENDING, RelayState.SENT, RelayState.WITHDRAWN)
"""Here what went out is shown, whatever was corrected since."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An association's newsletter in one language."""

    campaign: Campaign
    """In that language."""
    edition: Edition


def editions(workspace: Workspace, row: RelayRow, desk: looking.Desk | None = None) -> Mapping[str, Shown]:
    """BCP 47 tag -> the newsletter in that language, the campaign's own first; empty while it can not be made."""
    if row.state in _AS_SENT and (found := _as_sent(workspace, row)):
        return found
    ready = (desk or looking.desk(workspace, row)).preview
    if ready is None:
        return {}
    return {
        part.language: Shown(part, ready.newsletters[row.association, channel(part)]) for part in parts(ready.campaign)
    }


def newsletter(workspace: Workspace, ready: Prepared) -> str:
    """HTML of a prepared edition in the campaign's own language. Its links lead nowhere. Raises RenderError."""
    (association,), own = ready.senders, channel(ready.campaign)
    shown = Shown(ready.campaign, ready.newsletters[association.slug, own])
    return rendered(workspace, association, shown, f"{workspace.settings.site.url}/c/preview").html


def rendered(workspace: Workspace, association: Association, shown: Shown, links_url: str) -> Rendered:
    """What it says; its links lead to `links_url`, where `link` says what becomes of them. Raises RenderError."""
    nobody = EditionToken(association.slug, NOBODY)
    links = {**workspace.links.for_public(nobody), "click": links_url}
    return readers.public(workspace, shown.edition, shown.campaign, association, links)


def link(shown: Shown, index: int) -> str | None:
    """Where link `index` of the newsletter leads; None when there is none."""
    known = shown.edition.links
    return absolute_url(known[index], "") if 0 <= index < len(known) else None


def _as_sent(workspace: Workspace, row: RelayRow) -> Mapping[str, Shown]:
    campaign = making.campaign_row(workspace, row)
    if campaign is None:
        return {}
    found = {}
    for part in parts(sending.read_back(campaign)):
        body = workspace.host.edition(campaign.id, row.association, channel(part))
        if body is not None:
            found[part.language] = Shown(part, Edition.from_json(body.decode()))
    return found
