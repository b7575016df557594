"""A workspace in which a newsletter has gone out: what the tests of readers, reports and pages start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audiences.models import ANY_TOPIC, TRACKING, Association, Basis, Consent, ConsentState, Member, Topic
from audiences.store import EVERYONE
from campaigns.store import EntryRow
from comms import keys
from comms.db import open_database
from comms.delivery.batches import Outcome, Receipt
from comms.engine.workspace import HOST_SETS, Workspace
from comms.links import EditionToken, MemberToken
from comms.rendering.edition import Edition

SITE = "https://news.example.org"
NOW = datetime(2027, 2, 1, 9, 30, tzinfo=UTC)
CAMPAIGN = "hosting-partner"
LINKS = ("https://example.org/rfp?a=1&b=2", "https://example.org/budget")
DEFINITION = f"""---
campaign: {CAMPAIGN}
title: A partner for the next step
language: en
audience:
  topic: news
newsletter:
  subject: Could your organisation host us?
---

# A partner for the next step

Dear {{{{ member.first_name or "colleague" }}}}
"""


@dataclass(frozen=True)
class Sent:
    """What went out: the delivery of each address, and the run."""

    workspace: Workspace
    association: str
    run: int
    deliveries: dict[str, int]

    def token(self, address: str) -> str:
        return self.workspace.links.signer.sign(MemberToken(self.association, self.deliveries[address]))

    @property
    def edition_token(self) -> str:
        return self.workspace.links.signer.sign(EditionToken(self.association, self.run))

    def events(self) -> list[tuple[str, int | None, int | None]]:
        """Every recorded event: kind, delivery, link."""
        rows = self.workspace.association_db(self.association).execute(
            "SELECT kind, delivery_id, link FROM event ORDER BY id"
        )
        return rows.fetchall()


def make_workspace(folder: Path, associations: Sequence[Association] = ()) -> Workspace:
    folder.mkdir(exist_ok=True)
    for name in ("associations", "media"):
        (folder / name).mkdir()
    (folder / "comms.toml").write_text(f'[site]\nurl = "{SITE}"\n', encoding="utf-8")
    keys.create(folder)
    open_database(folder / "host.db", HOST_SETS, create=True).close()
    workspace = Workspace(folder, environment={}, clock=lambda: NOW)
    host = association("coalition", "The Coalition")
    for position, each in enumerate(associations or (host,)):
        workspace.add_association(each, is_host=position == 0)
    return workspace


def association(slug: str, name: str) -> Association:
    return Association(slug, name, f"news@{slug}.example.org", "1 Main Street, Springfield")


def add_member(
    workspace: Workspace, slug: str, address: str, *, tracked: bool = False, grants: Sequence[str] = (ANY_TOPIC,)
) -> int:
    people = workspace.people(slug)
    with people.db.atomic():
        number = people.next_id()
        people.insert([Member(address, id=number)], NOW)
        consents = [*grants, TRACKING] if tracked else grants
        people.record(
            [(number, Consent(t, ConsentState.GRANTED, NOW, "form", Basis.EXPRESS)) for t in consents],
            NOW,
        )
    return number


def member_id(sent: Sent, address: str) -> int:
    member = sent.workspace.people(sent.association).find(address)
    assert member is not None
    assert member.id is not None
    return member.id


def log_of(sent: Sent, address: str) -> list[Consent]:
    return sent.workspace.people(sent.association).consent_log(member_id(sent, address))


def agrees(sent: Sent, address: str, topic: str | None) -> bool:
    number = member_id(sent, address)
    return sent.workspace.people(sent.association).standings({number: address})[number].agrees_to(topic)


def consent(workspace: Workspace, slug: str, address: str, topic: str, state: ConsentState) -> None:
    people = workspace.people(slug)
    member = people.find(address)
    assert member is not None
    assert member.id is not None
    with people.db.atomic():
        people.record([(member.id, Consent(topic, state, NOW, "test"))], NOW)


def add_topics(workspace: Workspace, slug: str, **topics: str) -> None:
    people = workspace.people(slug)
    with people.db.atomic():
        for topic, title in topics.items():
            people.add_topic(Topic(topic, title))


def edition(slug: str, *, title: str = "A partner", links: tuple[str, ...] = LINKS, html: str = "") -> Edition:
    body = html or (
        '<!doctype html><html lang="en"><body><p>Dear {{ member.first_name or "colleague" }}</p>'
        '<a href="{{ links.click }}/0">Read</a> <a href="{{ links.unsubscribe }}">Stop</a>'
        '{% if links.pixel %}<img src="{{ links.pixel }}">{% endif %}</body></html>'
    )
    return Edition(CAMPAIGN, title, "en", slug, "Subject", "", body, "text", links)


def save_campaign(
    workspace: Workspace, senders: Sequence[str], *, title: str = "A partner", definition: str = DEFINITION
) -> None:
    host = workspace.host
    with host.db.atomic():
        host.save_campaign(
            CAMPAIGN,
            title=title,
            definition=definition,
            state="sending",
            senders=senders,
            due_at=None,
            now=NOW,
        )


def send(workspace: Workspace, slug: str, outcomes: Sequence[Receipt] | None = None, **kwargs: str) -> Sent:
    """Freeze the campaign for everyone of an association, and settle it: all sent unless told otherwise."""
    compiled = edition(slug, **kwargs)  # type: ignore[arg-type]
    with workspace.host.db.atomic():
        workspace.host.save_edition(CAMPAIGN, slug, "newsletter", compiled.digest, compiled.to_json().encode(), NOW)
    ledger = workspace.ledger(slug)
    with ledger.db.atomic():
        run = ledger.freeze(
            CAMPAIGN,
            "newsletter",
            topic=None,
            digest=compiled.digest,
            doubt="resend",
            segment=EVERYONE,
            excluded={"no_consent": 2},
            due={None: NOW},
            now=NOW,
        )
    with ledger.db.atomic():
        claim = ledger.claim(run, f"batch-{slug}", 1000, NOW)
    receipts = outcomes
    if receipts is None:
        receipts = [Receipt(each.delivery, Outcome.ACCEPTED, 250, "ok") for each in claim.recipients]
    with ledger.db.atomic():
        ledger.settle(f"batch-{slug}", receipts, in_doubt={}, now=NOW, give_up_s=3600)
    return Sent(workspace, slug, run.id, {each.address: each.delivery for each in claim.recipients})


def publish(
    workspace: Workspace, slug: str, *, title: str = "A partner", content: str = "<p>Hello</p>", topic: str = "news"
) -> None:
    with workspace.host.db.atomic():
        workspace.host.save_entry(
            EntryRow(
                campaign=CAMPAIGN,
                association=slug,
                topic=topic,
                tag_uri=f"tag:news.example.org,2026:{slug}/{CAMPAIGN}",
                title=title,
                summary="In short",
                content=content,
                language="en",
                tags=("hosting",),
                published=NOW,
                updated=NOW,
            )
        )
