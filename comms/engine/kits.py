"""Kits: a campaign packed for an association that sends with a tool of its own.

Collects what a kit is made of; how it is made is the business of `comms/kits`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from audiences.models import Association
from campaigns.models import Campaign, Event, Image, Person, walk
from comms import calendar
from comms.channels.social_text import derived, social_text, thread
from comms.engine import editions, gathering, pictures, social
from comms.engine.relaying import making
from comms.engine.setup import POSTAL_PLACEHOLDER
from comms.engine.workspace import Workspace
from comms.errors import StorageError, UsageError
from comms.kits import guide
from comms.kits.archive import to_zip
from comms.kits.links import tagged
from comms.kits.mail import KitMail, kit_mail
from comms.kits.tables import KitPicture, KitPost, file_name, picture_table, post_table
from comms.kits.tools import TOOLS, Tool
from comms.planning import variant_for
from comms.preflight import rules
from comms.preflight.facts import Facts, Mail
from comms.preflight.report import Finding
from comms.rendering.edition import Edition
from comms.rendering.render import Rendered

_STAMP = datetime(2026, 1, 1, tzinfo=UTC)
"""On every event: the same kit has the same bytes whenever it is made."""


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit, whole. `files` are the paths in it, `findings` what the checks of newsletters say of its mail."""

    data: bytes
    files: tuple[str, ...]
    mail: KitMail
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Nothing stands in the way of sending it."""
        return not any(finding.level == "must fix" for finding in self.findings)


def tool_named(slug: str) -> Tool:
    """Raises UsageError for a tool that is not known."""
    if slug not in TOOLS:
        raise UsageError(f"no tool is called {slug[:40]!r} here.", hint=f"There are: {', '.join(TOOLS)}.")
    return TOOLS[slug]


def find(workspace: Workspace, name: str, association: Association) -> Campaign:
    """The campaign of a definition file, or, by its id, one that is offered to the association, with its own words.

    Raises DefinitionError with every problem of the file, UsageError when the name is neither.
    """
    file = Path(name)
    if file.is_file():
        return gathering.with_what_is_known(workspace, editions.read_definition(file))
    row = workspace.relays.relay(name, association.slug)
    if row is None:
        raise UsageError(
            f"{name[:80]!r} is no file, and no campaign of that id is offered to {association.slug}.",
            hint="Name a definition file, or an id of comms relay list.",
        )
    offered = making.current(workspace, row.campaign)
    # With its words and at its time, but by the name under which everyone has it, and with posts to be posted by hand.
    return replace(making.edition(workspace, row), id=offered.id, social=offered.social, relay=offered.relay)


def make_kit(workspace: Workspace, campaign: Campaign, association: Association, tool: Tool) -> Kit:
    """The campaign as `association` would send it, for its tool. The same arguments give the same bytes.

    A campaign in several languages is packed in the association's, where there is one. Raises UsageError for a
    campaign without a newsletter, TemplateError and ExpressionError for one that can not be made into one, StorageError
    when a picture can not be read.
    """
    tag = variant_for(association.language, (campaign.language, *campaign.variants))
    part = campaign.variants.get(tag, campaign)
    if part.newsletter is None:
        raise UsageError(
            f"{campaign.id} has no newsletter to pack.", hint="Add `newsletter:` with a `subject:` to its definition."
        )
    author = workspace.association(campaign.association)
    page = editions.public_url(workspace, part, author)
    mail = kit_mail(
        part,
        association,
        workspace.templates.find(part.newsletter.template),
        tool,
        url=page,
        media_url=editions.media_url(workspace),
        # A file for calendars is there only where the campaign was sent or published: a kit brings its own.
        around=replace(editions.surroundings(workspace, part, association), calendar_url=""),
    )
    shown = list(_pictures(workspace, mail.campaign, association))
    posts = list(_posts(workspace, part, association, author, shown))
    events = list(calendar.numbered_events(mail.campaign.blocks))
    files = {
        "newsletter.html": mail.html.encode(),
        "newsletter.mjml": mail.mjml.encode(),
        "newsletter.txt": mail.text.encode(),
        **{_event_file(number): _calendar_file(workspace, mail, number, each) for number, each in enumerate(events)},
        **({"images.csv": picture_table(shown)} if shown else {}),
        **({"social.csv": post_table(posts)} if posts else {}),
        **{each.file: each.data for each in shown if each.file},
    }
    names = ("guide.html", *files)
    page_shown = tagged(page, association.slug, campaign.id) if part.feed else ""
    has_form = workspace.relays.relay(campaign.id, association.slug) is not None
    told = guide.Guide(part, association, author, tool, mail, page_shown, names, events, has_form)
    whole = {"guide.html": guide.to_html(told).encode(), **files}
    return Kit(to_zip(whole), tuple(whole), mail, tuple(_findings(workspace, mail)))


def _findings(workspace: Workspace, mail: KitMail) -> Iterator[Finding]:
    """What the rules for newsletters say of the mail that is in the kit."""
    edition = Edition(
        campaign=mail.campaign.id,
        title=mail.campaign.title,
        language=mail.campaign.language,
        association=mail.association.slug,
        subject=mail.subject,
        preview=mail.preview,
        html=mail.html,
        text=mail.text,
    )
    shown = Rendered(mail.spoken_subject, mail.preview, mail.html, mail.text)
    facts = Facts(
        mail.campaign,
        mail.association,
        workspace.now(),
        workspace.settings.site.url,
        mail=Mail(edition, shown, len(mail.html.encode()), mail.unsubscribe),
    )
    return rules.find(facts, postal_placeholder=POSTAL_PLACEHOLDER)


def _pictures(workspace: Workspace, campaign: Campaign, association: Association) -> Iterator[KitPicture]:
    """Every picture of the newsletter once: those of the media folder with their bytes, others by address."""
    images, portraits = pictures.images(workspace, campaign.blocks), pictures.portraits(workspace, campaign.blocks)
    logo, taken = association.brand, set[str]()
    wanted: dict[str, tuple[str, str]] = {}
    if logo.logo_url:
        wanted[logo.logo_url] = ("", logo.logo_alt or association.name)
    for block in walk(campaign.blocks):
        match block:
            case Image(src=src, alt=alt):
                wanted.setdefault(src, (images[src].url if src in images else "", alt))
            case Person(photo=src, name=name) if src:
                wanted.setdefault(src, (portraits[src].url if src in portraits else "", name))
            case _:
                pass
    media = editions.media_url(workspace)
    for src, (copy, alt) in wanted.items():
        url = copy or (f"{media}{src.lstrip('/')}" if pictures.is_ours(src) else src)
        path = pictures.media_file(workspace, url.removeprefix(media)) if url.startswith(media) else None
        if path is None:
            yield KitPicture("", alt, url)
            continue
        name = file_name(src, path.suffix.lower(), taken)
        taken.add(name)
        yield KitPicture(name, alt, url, _read(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"the picture {path.name} can not be read: {error}.") from error


def _posts(
    workspace: Workspace, campaign: Campaign, association: Association, author: Association, shown: list[KitPicture]
) -> Iterator[KitPost]:
    """The posts of the campaign in the association's name. Raises ExpressionError, which names the key."""
    page = tagged(editions.public_url(workspace, campaign, author), association.slug, campaign.id)
    image = social.image(campaign)
    file, alt = _picture_of_posts(workspace, image.src, shown) if image else "", image.alt if image else ""
    for network, written in campaign.social.items():
        link = "" if network == "x" and campaign.post_options.x_without_link else page
        values = editions.public_values(campaign, association, link)
        if written:
            texts = [social_text(network, part, link, values=values).strip() for part in thread(written)]
        else:
            summary = social.summary(campaign, values)
            texts = [derived(campaign.title, summary, link, campaign.tags, social.rules(workspace, network))]
        for number, text in enumerate(texts, 1):
            first = number == 1
            yield KitPost(
                network,
                number,
                text,
                link if link and link in text else "",
                file if first else "",
                alt if first else "",
            )


def _picture_of_posts(workspace: Workspace, src: str, shown: list[KitPicture]) -> str:
    copies = pictures.images(workspace, (Image(src, "", 0),))
    url = copies[src].url if src in copies else src
    return next((each.file for each in shown if each.url == url), "")


def _event_file(number: int) -> str:
    return f"event-{number + 1}.ics" if number else "event.ics"


def _calendar_file(workspace: Workspace, mail: KitMail, number: int, event: Event) -> bytes:
    slug, campaign = mail.association.slug, mail.campaign.id
    return calendar.to_ics(
        event,
        uid=f"{number}.{campaign}.{slug}@{editions.site_name(workspace)}",
        url=tagged(event.url, slug, campaign),
        stamp=_STAMP,
    )
