"""Gathers what the rules of preflight look at: the newsletter as readers get it, pictures, answers of the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dns.resolver import Resolver

from audiences import attributes as attribute_json
from audiences.models import Association
from campaigns.expressions import merge_fields
from campaigns.models import Campaign, Image, Person, walk
from comms.delivery.batches import Recipient
from comms.delivery.messages import MessageMaker
from comms.engine import dkim, editions, pictures
from comms.engine.proofs import NOBODY
from comms.engine.workspace import Workspace
from comms.links import EditionToken, MemberToken
from comms.pictures import PictureError
from comms.preflight import spamassassin
from comms.preflight.facts import Facts, Mail
from comms.preflight.online import dns
from comms.preflight.online import links as online_links
from comms.preflight.online import sender as online_sender
from comms.preflight.online.web import Asker
from comms.preflight.report import Finding
from comms.rendering.conditions import flag
from comms.rendering.context import association_data, campaign_data
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError, UnsendableAddress
from comms.rendering.mime import addr_spec
from comms.rendering.render import Rendered, Renderer

READER = "reader@library.org"
SOMETHING = "Ana"
"""What a reader is given of whom a text needs to know more than nothing."""
LONG_VALUE = "Wilhelmina-Alexandra Featherstonehaugh-Cholmondeley"


@dataclass(frozen=True, slots=True)
class Network:
    """Whom to ask about links, and about names."""

    asker: Asker
    resolver: Resolver

    @classmethod
    def of_this_machine(cls) -> Network:
        return cls(Asker(), dns.resolver())


def facts(workspace: Workspace, campaign: Campaign, association: Association, edition: Edition | None) -> Facts:
    """All that can be known here. `edition` is the compiled newsletter, None when there is none."""
    return Facts(
        campaign,
        association,
        workspace.now(),
        workspace.settings.site.url,
        mail=_mail(workspace, campaign, association, edition) if edition else None,
        weights=_weights(workspace, campaign),
    )


def judged(
    workspace: Workspace, campaign: Campaign, association: Association, edition: Edition
) -> spamassassin.Verdict | None:
    """What SpamAssassin makes of the mail; None where it is not installed, or nobody could get the mail."""
    found = _read_by(Renderer(edition), _context(workspace, campaign, association), _known(campaign))
    if found is None:
        return None
    attributes = {name: value for name, value in found[0].items() if name not in ("address", "language")}
    recipient = Recipient(NOBODY, READER, campaign.language, attribute_json.encode(attributes), tracked=False)
    outfit = editions.outfit(workspace, campaign, association, edition.to_json())
    maker = MessageMaker(outfit.batch("check", NOBODY, (), not_after=0.0), Renderer(edition), workspace.links)
    try:
        return spamassassin.judge(maker.make(recipient)[2])
    except (RenderError, UnsendableAddress):
        return None


def asked(workspace: Workspace, found: Facts, network: Network) -> Iterator[Finding]:
    """Findings of the network on the campaign's links and its sender."""
    answers = network.asker.ask_all(online_links.askable(found))
    yield from online_links.find(found, answers)
    if found.campaign.newsletter is None:
        return
    slug, sender = found.association.slug, found.association.sender_address
    domain = _domain(sender)
    keys = {key.name: key.record for key in dkim.in_use(workspace, slug)} if domain else {}
    try:
        if domain:
            records = dns.ask(domain, keys, network.resolver)
            returns_to = _domain(workspace.settings.bounces.address or sender)
            yield from online_sender.find(found, records, keys, returns_to)
    except dns.NoAnswerError:
        yield online_sender.unseen(found, domain)


def _domain(address: str) -> str:
    """In A-labels; empty for what is no address, which sending says."""
    try:
        return addr_spec(address).rpartition("@")[2].lower()
    except UnsendableAddress:
        return ""


def _mail(workspace: Workspace, campaign: Campaign, association: Association, edition: Edition) -> Mail | None:
    """The newsletter as readers get it; None when it can not be rendered for anyone."""
    context = _context(workspace, campaign, association)
    found = _read_by(Renderer(edition), context, _known(campaign))
    if found is None:
        return None
    sizes = [len(each.html.encode()) for each in (found[1], *_large(edition, context))]
    return Mail(edition, found[1], max(sizes), context["links"]["unsubscribe"])


def _large(edition: Edition, context: Mapping[str, Any]) -> Iterator[Rendered]:
    """The mail of readers with long values, for whom all conditions hold, or none."""
    renderer = Renderer(replace(edition, conditions=()))
    long = dict.fromkeys(merge_fields(edition.html), LONG_VALUE)
    for holds in (True, False):
        flags = {flag(number): holds for number in range(len(edition.conditions))}
        found = _read_by(renderer, context, {**long, **flags})
        if found is not None:
            yield found[1]


def _read_by(
    renderer: Renderer, context: Mapping[str, Any], known: Mapping[str, Any]
) -> tuple[dict[str, Any], Rendered] | None:
    """The mail of a reader of whom `known` is known and whatever else it needs; and all that was needed then."""
    member = dict(known)
    while True:
        try:
            return member, renderer.render({**context, "member": member})
        except RenderError as error:
            if error.field in member:
                return None  # a value that is there does not help; previews say what would
            member[error.field] = SOMETHING


def _known(campaign: Campaign) -> dict[str, Any]:
    return {"address": READER, "language": campaign.language}


def _context(workspace: Workspace, campaign: Campaign, association: Association) -> dict[str, Any]:
    """What a template may use, but for the reader. Links are those of a preview."""
    tokens = MemberToken(association.slug, NOBODY), EditionToken(association.slug, NOBODY)
    links = workspace.links.for_mail(*tokens, tracked=False)
    return {
        "association": association_data(association),
        "campaign": campaign_data(campaign),
        "links": links,
        "url": editions.public_url(workspace, campaign, association) if campaign.feed else links["view"],
        "today": workspace.now().date(),
    }


def _weights(workspace: Workspace, campaign: Campaign) -> dict[str, int]:
    """Pictures of the media folder by `src`: bytes of the copy that mails link. Those that have none are left out."""
    found: dict[str, int] = {}
    for block in walk(campaign.blocks):
        match block:
            case Image(src=src):
                portrait = False
            case Person(photo=src) if src:
                portrait = True
            case _:
                continue
        path = pictures.media_file(workspace, src) if pictures.is_ours(src) else None
        if path is None:
            continue
        try:
            copy = pictures.copy_of(workspace, path, portrait=portrait)
            name = copy.url.rpartition("/")[2]
            found[src] = (workspace.media_folder / pictures.FOLDER / name).stat().st_size
        except (PictureError, OSError):
            continue  # said where the picture is checked
    return found
