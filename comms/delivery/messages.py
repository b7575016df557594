"""One delivery -> the bytes that go to the mail server. Previews are made here too: one code path."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from audiences import attributes as attribute_json
from audiences.models import Association, Member
from comms.delivery.batches import MailBatch, Recipient
from comms.links import EditionToken, LinkMaker, MemberToken
from comms.message import Message
from comms.rendering.context import association_data, member_data
from comms.rendering.dkim import DkimKey, signer_for
from comms.rendering.enclosed import with_cids
from comms.rendering.mime import Frame, addr_spec, domain_of
from comms.rendering.render import Rendered, Renderer


class Enveloped(NamedTuple):
    """An encoded message with its envelope."""

    sender: str
    recipient: str
    data: bytes
    name: str = ""
    """What servers call it by in their reports (ENVID, RFC 3461 section 4.4); empty to ask for none of ours."""


class MessageMaker:
    """Makes the messages of one batch."""

    makes_plain: ClassVar[bool] = True

    def __init__(self, batch: MailBatch, renderer: Renderer, links: LinkMaker) -> None:
        self._batch = batch
        self._renderer = renderer
        self._links = links
        self._public_links = links.for_public(EditionToken(batch.association.slug, batch.run))
        self._dkim = signer_for(tuple(DkimKey(**key) for key in batch.dkim)) if batch.dkim else None
        self._context = {"association": association_data(batch.association), "campaign": dict(batch.campaign)}

    def message(self, recipient: Recipient) -> Message:
        """The message before it is encoded.

        Raises RenderError when the member lacks a value for which the text has no fallback.
        """
        batch, association = self._batch, self._batch.association
        links = self._links_of(recipient)
        rendered = self.rendered(recipient)
        return Message(
            sender_name=association.sender_name or association.name,
            sender_address=association.sender_address,
            recipient=recipient.address,
            subject=rendered.subject,
            html=with_cids(rendered.html, self._renderer.files),
            text=rendered.text,
            message_id=self._message_id(recipient),
            date=datetime.now(UTC),
            language=batch.campaign["language"],
            headers=(*self._own_headers(links, recipient), *self._shared_headers),
            files=self._renderer.files,
        )

    def rendered(self, recipient: Recipient) -> Rendered:
        """What the message says. Raises RenderError as `message` does."""
        return self._renderer.render(self._known_to(recipient, self._links_of(recipient)))

    def make(self, recipient: Recipient) -> Enveloped:
        """The encoded message in its envelope, signed where there are keys.

        It is what `build` makes of `message`, but for the boundary and soft line breaks, and many times as fast.
        Raises RenderError, or UnsendableAddress for an address that mail can not carry.
        """
        links = self._links_of(recipient)
        encoded = self._renderer.encode(self._known_to(recipient, links))
        address, token = addr_spec(recipient.address), self._return_token(recipient)
        sender = self._return_path(token) if self._batch.bounces else self._sender
        now = datetime.now(UTC)
        data = self._frame.fill(
            recipient=address,
            subject=encoded.subject,
            date=now,
            message_id=self._message_id(recipient),
            html=encoded.html,
            text=encoded.text,
            headers=self._own_headers(links, recipient),
        )
        return Enveloped(
            sender, address, self._dkim.sign(data, now, is_relaxed=True) if self._dkim else data, name=token
        )

    def _return_token(self, recipient: Recipient) -> str:
        return self._links.signer.returns.sign(self._batch.association.slug, recipient.delivery)

    def _return_path(self, token: str) -> str:
        return self._links.signer.returns.address(self._batch.bounces, token)

    def _own_headers(self, links: Mapping[str, str], recipient: Recipient) -> tuple[tuple[str, str], ...]:
        if not self._batch.answers:
            return own_headers(links)
        return (("Reply-To", self._return_path(self._return_token(recipient))), *own_headers(links))

    def _links_of(self, recipient: Recipient) -> dict[str, str]:
        token = MemberToken(self._batch.association.slug, recipient.delivery)
        return self._links.personal(self._public_links, token, tracked=recipient.tracked)

    def _known_to(self, recipient: Recipient, links: Mapping[str, str]) -> dict[str, Any]:
        """What a template may use."""
        member = Member(recipient.address, attribute_json.decode(recipient.attributes), recipient.language)
        url = self._batch.url or links["view"]
        today = datetime.now(UTC).date()
        known = {"member": member_data(member), "links": links, "url": url, "today": today}
        return {**self._context, **known, "sections": recipient.sections}

    def _message_id(self, recipient: Recipient) -> str:
        return message_id(self._batch.association, self._batch.campaign["id"], recipient.delivery)

    # Not worked out before the first message asks: an address that can not be written is told of each recipient.

    @cached_property
    def _sender(self) -> str:
        return addr_spec(self._batch.association.sender_address)

    @cached_property
    def _shared_headers(self) -> tuple[tuple[str, str], ...]:
        batch = self._batch
        feedback = feedback_id(batch.association, batch.campaign["id"], batch.site_url)
        answers = () if batch.answers else reply_to(batch.association)
        return (*answers, *list_headers(batch.list_id), ("Feedback-ID", feedback))

    @cached_property
    def _frame(self) -> Frame:
        association = self._batch.association
        return Frame(
            f"{association.slug}.{self._batch.run}",
            sender_name=association.sender_name or association.name,
            sender_address=association.sender_address,
            language=self._batch.campaign["language"],
            headers=self._shared_headers,
            files=self._renderer.files,
        )


def message_id(association: Association, campaign: str, delivery: int) -> str:
    """The same for every try of a delivery (RFC 5322 section 3.6.4), so that a second copy can be told."""
    domain = domain_of(association.sender_address)
    return f"<{campaign}.{association.slug}.{delivery}@{domain}>"


def list_id(association: Association, topic: str | None) -> str:
    """The list's name for ever (RFC 2919): topic and association in front of the sender's domain."""
    domain = domain_of(association.sender_address)
    return f"{topic or 'newsletter'}.{association.slug}.{domain}"


def own_headers(links: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """One-click List-Unsubscribe (RFC 2369, RFC 8058), which names the reader."""
    return (("List-Unsubscribe", f"<{links['unsubscribe']}>"),)


def reply_to(association: Association) -> tuple[tuple[str, str], ...]:
    """Where answers go, where it is not the sender. Raises UnsendableAddress."""
    return (("Reply-To", addr_spec(association.reply_to)),) if association.reply_to else ()


def list_headers(identifier: str) -> tuple[tuple[str, str], ...]:
    """List-ID (RFC 2919), List-Unsubscribe-Post (RFC 8058): the same for every reader."""
    return (("List-ID", f"<{identifier}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))


def feedback_id(association: Association, campaign: str, site_url: str) -> str:
    """Whose readers complain of what, for Gmail's Feedback Loop: campaign, association, kind, and the sender.

    The sender's part has 5 to 15 characters, is the same in all mails of an installation, and no part stands
    twice (support.google.com/mail/answer/6254652).
    """
    sender = hashlib.sha256(site_url.encode()).hexdigest()[:12]
    return ":".join((*dict.fromkeys((campaign, association.slug, "newsletter")), sender))
