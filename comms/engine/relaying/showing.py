"""The newsletter as an association would send it, as a page: the very edition that goes out, without a reader."""

from __future__ import annotations

from comms.engine import editions, variants
from comms.engine.sending import Prepared
from comms.engine.workspace import Workspace
from comms.rendering.context import association_data, campaign_data
from comms.rendering.render import Renderer


def newsletter(workspace: Workspace, ready: Prepared) -> str:
    """HTML in the campaign's own language. Links lead nowhere that counts. Raises RenderError."""
    (association,), campaign = ready.senders, ready.campaign
    site = workspace.settings.site.url
    context = {
        "association": association_data(association),
        "campaign": campaign_data(campaign),
        "links": {"click": f"{site}/c/preview", "poll": f"{site}/p/preview", "unsubscribe": f"{site}/u/preview",
                  "view": f"{site}/v/preview", "pixel": ""},
        "url": editions.public_url(workspace, campaign, association),
    }  # fmt: skip
    return Renderer(ready.newsletters[association.slug, variants.NEWSLETTER]).render_public(context).html
