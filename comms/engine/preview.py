"""Shows what would be sent, made by the code that sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from audiences import attributes as attribute_json
from audiences.models import Association, Member
from audiences.store import agrees_sql
from campaigns import definition
from campaigns.models import Campaign
from comms.delivery.batches import Recipient
from comms.delivery.messages import MessageMaker
from comms.engine import editions, feeds
from comms.engine.segments import compile_rule
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.rendering import slots
from comms.rendering.compile import compile_edition
from comms.rendering.context import association_data, campaign_data
from comms.rendering.library import TemplateLibrary
from comms.rendering.render import Renderer

NOBODY = 10**17
"""Stands for delivery and run in the links of a preview: they are signed, and lead to a friendly "no such mail"."""

UNKNOWN_READER = Member("reader@example.org", {})
"""Who sees the newsletter where nobody would get it yet: a new association has no members."""

SAMPLE = """\
---
campaign: sample
title: A sample of this template
language: en
newsletter:
  subject: A sample of this template
  preview: Every kind of block once
---

# A sample of this template

Dear {{ member.first_name or "colleague" }}, this text shows **strong** and *emphasised* words and a
[link](https://example.org/).

## A second heading

- one point
- another point

::: quote Ana Ruiz, Lakeland Archives
A quotation that somebody said.
:::

::: event A day of open doors
start: 2027-05-01 10:00
end: 2027-05-01 16:00
timezone: America/Los_Angeles
place: Lakeland Archives, 12 Shore Road
:::

::: person Ana Ruiz
role: Head of conservation, Lakeland Archives
link: mailto:ana@example.org
:::

::: columns
::: column
::: statistic 45
members in the left column
:::
:::
::: column
::: statistic 1.2 million
objects in the right column
:::
:::
:::

---

::: poll Which day suits you best?
- Monday
- Friday
:::

::: when state = WA
Words for some readers only.
:::
::: otherwise
Words for all others.
:::

::: button https://example.org/
Read more
:::
"""


def write(
    workspace: Workspace, file: Path, folder: Path, *, address: str | None, association: str | None
) -> list[Path]:
    """Write message.eml, message.html, message.txt, entry.xml and post-<network>.txt, as far as the campaign has
    these channels. Returns the files.

    Raises StateError when the association has no member with `address`; without one it is shown to the first who
    would get it, or to a reader of whom nothing is known.
    """
    campaign = editions.read_definition(file)
    sender = workspace.association(association or campaign.association)
    contents: dict[str, bytes] = {}
    if campaign.newsletter is not None:
        contents |= _newsletter(workspace, campaign, sender, _member(workspace, campaign, sender, address))
    if campaign.feed is not None:
        row = editions.entry(workspace, campaign, sender, workspace.now())
        contents["entry.xml"] = feeds.single_entry(workspace, sender, row)
    for network, text in editions.posts(workspace, campaign, sender).items():
        contents[f"post-{network}.txt"] = f"{text}\n".encode()
    return _write_all(folder, contents)


def library_for(workspace: Workspace, template: str) -> tuple[TemplateLibrary, str]:
    """Where a template is found that a person names by its name or by its file. Raises UsageError for neither."""
    path = Path(template)
    if path.suffix != ".mjml":
        return workspace.templates, template
    if not path.is_file():
        raise UsageError(f"there is no file {template}.")
    return TemplateLibrary([path.parent, workspace.templates_folder]), path.stem


def sample_html(workspace: Workspace, template: str, association: Association) -> str:
    """What a template makes of a sample campaign, for a reader of whom nothing is known. Raises TemplateError."""
    library, name = library_for(workspace, template)
    source, campaign = library.find(name), definition.read(SAMPLE, path="sample.md")
    assert campaign.newsletter is not None
    given = slots.samples(slots.declared(source))
    campaign = replace(campaign, newsletter=replace(campaign.newsletter, template=name, slots=given))
    edition = compile_edition(campaign, association, source, media_url=editions.media_url(workspace))
    site = workspace.settings.site.url
    links = {
        "click": f"{site}/c/sample",
        "poll": f"{site}/p/sample",
        "unsubscribe": f"{site}/u/sample",
        "view": f"{site}/v/sample",
        "pixel": "",
    }
    context = {
        "links": links,
        "url": f"{site}/",
        "association": association_data(association),
        "campaign": campaign_data(campaign),
    }
    return Renderer(edition).render_public(context).html


def _member(workspace: Workspace, campaign: Campaign, sender: Association, address: str | None) -> Member:
    people = workspace.people(sender.slug)
    if address is not None:
        member = people.find(address)
        if member is None:
            raise StateError(
                f"{sender.slug} has no member with the address {address}.",
                hint="Name one that it has, or leave --as out for the first who would get the newsletter.",
            )
        return member
    segment = compile_rule(workspace, campaign.audience.segment, sender.slug, workspace.now().date())
    agrees = agrees_sql(campaign.audience.topic)
    both = type(segment)(f"({segment.sql}) AND {agrees.sql}", {**segment.parameters, **agrees.parameters})
    return next(iter(people.select(both, limit=1)), UNKNOWN_READER)


def _newsletter(workspace: Workspace, campaign: Campaign, sender: Association, member: Member) -> dict[str, bytes]:
    edition = editions.newsletter(workspace, campaign, sender)
    outfit = editions.outfit(workspace, campaign, sender, edition.to_json())
    batch = outfit.batch("preview", NOBODY, (), not_after=0.0)
    maker = MessageMaker(batch, Renderer(edition), workspace.links)
    attributes = attribute_json.encode(member.attributes)
    recipient = Recipient(NOBODY, member.address or "", member.language, attributes, tracked=False)
    message = maker.message(recipient)
    return {
        "message.eml": maker.make(recipient)[2],
        "message.html": message.html.encode(),
        "message.txt": message.text.encode(),
    }


def _write_all(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in contents.items():
        path = folder / name
        part = folder / f".{name}.part"
        part.write_bytes(data)
        part.replace(path)
        written.append(path)
    return written
