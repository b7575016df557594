"""The cases of a preview: which readers, associations and languages are shown, and the mail that each would get."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from audiences import attributes as attribute_json
from audiences.mailable import agrees_sql
from audiences.models import Association, Member
from audiences.segments import Condition
from campaigns.expressions import merge_fields
from campaigns.models import Campaign
from comms.delivery.batches import Recipient
from comms.delivery.messages import MessageMaker
from comms.engine import editions, languages, sections, variants
from comms.engine.pictures import media_file
from comms.engine.segments import compile_rule
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.planning import variant_for
from comms.preview import pictures, readers
from comms.preview.looks import Look
from comms.preview.proof import Note, Proof, notes_of_pictures, notes_of_text
from comms.rendering.context import member_data
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError, UnsendableAddress
from comms.rendering.render import Renderer

NOBODY = 10**17
"""Stands for delivery and run in the links of a preview: they are signed, and lead to a friendly "no such mail"."""
UNKNOWN_READER = Member("reader@example.org", {})
"""Who sees the newsletter where nobody would get it yet: a new association has no members."""
_ASKED = 200
"""Members who are asked which values hold numbers."""
_LARGEST_PICTURE = 20_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """One mail to show; `name` begins its files."""

    name: str
    title: str
    campaign: Campaign
    """In the language of the case."""
    association: Association
    member: Member


@dataclass(frozen=True, slots=True)
class Mail:
    """What one reader gets: the bytes that are sent, and what they say."""

    eml: bytes
    html: str
    text: str
    subject: str
    preview: str


class Maker:
    """Makes mails as sending does; an edition is compiled once for all who get it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._made: dict[tuple[str, str], tuple[Edition, MessageMaker]] = {}

    def edition(self, campaign: Campaign, association: Association) -> Edition:
        """Raises as `editions.newsletter` does."""
        return self._of(campaign, association)[0]

    def mail(self, case: Case) -> Mail:
        """Raises RenderError or UnsendableAddress when this reader can get none."""
        maker, member = self._of(case.campaign, case.association)[1], case.member
        attributes = attribute_json.encode(member.attributes)
        seen = sections.seen_by(self._workspace, case.campaign, case.association.slug, member)
        recipient = Recipient(NOBODY, member.address or "", member.language, attributes, tracked=False, sections=seen)
        shown = maker.rendered(recipient)
        return Mail(maker.make(recipient)[2], shown.html, shown.text, shown.subject, shown.preview)

    def _of(self, campaign: Campaign, association: Association) -> tuple[Edition, MessageMaker]:
        key = (association.slug, campaign.language)
        if key not in self._made:
            edition = editions.newsletter(self._workspace, campaign, association)
            outfit = editions.outfit(self._workspace, campaign, association, edition.to_json())
            batch = outfit.batch("preview", NOBODY, (), not_after=0.0)
            self._made[key] = edition, MessageMaker(batch, Renderer(edition), self._workspace.links)
        return self._made[key]


def named(
    workspace: Workspace, campaign: Campaign, sender: Association, address: str | None, language: str | None = None
) -> Case:
    """The mail of one member; without an address, of the first who would get it, or of a reader of whom nothing is
    known. In the `language` with this tag, else in the member's.

    Raises StateError when the association has no member with `address`, UsageError for a language that the campaign
    is not in.
    """
    known = languages.variants(campaign)
    if language is None:
        member = _member(workspace, campaign, sender, address)
        part = known[variant_for(member.language, known)]
    else:
        part = languages.variant(campaign, language)
        member = _member(workspace, campaign, sender, address, readers_of=part)
    return Case("message", f"To {member.address or 'a reader'}", part, sender, member)


def worst(workspace: Workspace, campaign: Campaign, sender: Association, maker: Maker) -> Iterator[Case]:
    """Invented readers for whom mails break first, in the campaign's own language."""
    fields = asked(maker.edition(campaign, sender))
    numbers = {
        name
        for member in workspace.people(sender.slug).select(limit=_ASKED)
        for name, value in member.attributes.items()
        if not isinstance(value, str)
    }
    for reader in readers.worst(fields, numbers):
        yield Case(f"worst-{reader.name}", reader.title, campaign, sender, reader.member)


def matrix(workspace: Workspace, campaign: Campaign, senders: Sequence[Association]) -> Iterator[Case]:
    """Each association's newsletter in each language of the campaign, for the first reader who would get it."""
    for sender in senders:
        for tag, variant in languages.variants(campaign).items():
            member = _member(workspace, campaign, sender, None, readers_of=variant)
            title = f"{sender.name}, {languages.name(tag)}"
            yield Case(f"{sender.slug}.{tag}", title, variant, sender, replace(member, language=tag))


def senders(workspace: Workspace, campaign: Campaign, slugs: Sequence[str] = ()) -> tuple[Association, ...]:
    """Those named; else who sends the campaign and all to whom it is offered. Raises UsageError for an unknown one."""
    if slugs:
        return tuple(workspace.association(slug) for slug in dict.fromkeys(slugs))
    own = workspace.association(campaign.association)
    offered = campaign.relay.associations if campaign.relay else ()
    others = workspace.associations() if offered == ("all",) else [workspace.association(slug) for slug in offered]
    return (own, *(other for other in others if other.slug != own.slug))


def asked(edition: Edition) -> tuple[str, ...]:
    """Values of the reader that the newsletter asks for, by name."""
    sources = (edition.subject, edition.preview, edition.html, edition.text)
    return tuple(dict.fromkeys(name for source in sources for name in merge_fields(source) if name.isidentifier()))


def proof(case: Case, maker: Maker, keep: Callable[[str, bytes], None]) -> tuple[Proof, str | None]:
    """The case as the sheet shows it, and its HTML, None when this reader can get no mail. `keep` gets the files."""
    empty = Proof(case.name, case.title, case.association.name, case.campaign.language)
    try:
        mail = maker.mail(case)
    except (RenderError, UnsendableAddress) as error:
        return replace(empty, notes=(Note("impossible", str(error)),)), None
    contents = {"eml": mail.eml, "html": mail.html.encode(), "txt": mail.text.encode()}
    for kind, data in contents.items():
        keep(f"{case.name}.{kind}", data)
    known = member_data(case.member)
    lacking = [name for name in asked(maker.edition(case.campaign, case.association)) if name not in known]
    size = len(contents["html"])
    made = replace(
        empty,
        subject=mail.subject,
        preview=mail.preview,
        size=size,
        files={kind: f"{case.name}.{kind}" for kind in contents},
        notes=tuple(notes_of_text(mail.subject, size, lacking)),
    )
    return made, mail.html


def picture(
    workspace: Workspace,
    program: str,
    mails: Iterable[tuple[Proof, str | None]],
    keep: Callable[[str, bytes], None],
    done: Callable[[], None],
) -> list[Proof]:
    """The proofs with their pictures, taken by the browser `program`. `keep` gets the files."""
    made = list(mails)
    taken = pictures.take(
        program,
        {proof.name: html for proof, html in made if html is not None},
        _own_pictures(workspace),
        lambda name, look, data: keep(_file(name, look), data),
        done,
    )
    return [
        replace(
            proof,
            pictures=tuple((look, _file(proof.name, look)) for look in found.looks),
            notes=(*proof.notes, *notes_of_pictures(found)),
        )
        if (found := taken.get(proof.name))
        else proof
        for proof, _ in made
    ]


def _file(name: str, look: Look) -> str:
    return f"{name}-{look.name}.png"


def _own_pictures(workspace: Workspace) -> pictures.Fetch:
    """Pictures of the media folder; nothing from elsewhere is fetched."""
    prefix = editions.media_url(workspace)

    def fetch(url: str) -> tuple[str, bytes] | None:
        path = media_file(workspace, url.removeprefix(prefix).partition("?")[0]) if url.startswith(prefix) else None
        kind = mimetypes.guess_type(path.name)[0] if path else None
        if path is None or kind is None or not kind.startswith("image/"):
            return None
        try:
            return (kind, path.read_bytes()) if path.stat().st_size <= _LARGEST_PICTURE else None
        except OSError:
            return None

    return fetch


def _member(
    workspace: Workspace,
    campaign: Campaign,
    sender: Association,
    address: str | None,
    *,
    readers_of: Campaign | None = None,
) -> Member:
    """Without an address, the first who would get the campaign; with `readers_of`, in this language of it."""
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
    both = variants.among(segment, agrees_sql(campaign.audience.topic))
    withheld = sections.of(readers_of or campaign).reason(workspace.now())
    if withheld is not None:
        both = variants.among(Condition(f"{withheld.sql} IS NULL", withheld.parameters), both)
    if readers_of is None:
        return next(iter(people.select(both, limit=1)), UNKNOWN_READER)
    reading = variants.readers(workspace, campaign, sender.slug).get(variants.channel(readers_of))
    unknown = replace(UNKNOWN_READER, language=readers_of.language)
    return next(iter(people.select(variants.among(both, reading), limit=1)), unknown)
