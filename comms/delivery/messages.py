"""One delivery -> the bytes that go to the mail server. Previews are made here too: one code path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from audiences import attributes as attribute_json
from audiences.models import Association, Member
from comms.delivery.batches import MailBatch, Recipient
from comms.links import EditionToken, LinkMaker, MemberToken
from comms.message import Message
from comms.rendering.context import association_data, member_data
from comms.rendering.mime import addr_spec, build
from comms.rendering.render import Renderer


class MessageMaker:
    """Makes the messages of one batch."""

    def __init__(self, batch: MailBatch, renderer: Renderer, links: LinkMaker) -> None:
        self._batch = batch
        self._renderer = renderer
        self._links = links
        self._context = {"association": association_data(batch.association), "campaign": dict(batch.campaign)}

    def message(self, recipient: Recipient) -> Message:
        """The message before it is encoded.

        Raises RenderError when the member lacks a value for which the text has no fallback.
        """
        batch, association = self._batch, self._batch.association
        links = self._links.for_mail(
            MemberToken(association.slug, recipient.delivery),
            EditionToken(association.slug, batch.run),
            tracked=recipient.tracked,
        )
        member = Member(recipient.address, attribute_json.decode(recipient.attributes), recipient.language)
        rendered = self._renderer.render(
            {**self._context, "member": member_data(member), "links": links, "url": batch.url or links["view"]}
        )
        return Message(
            sender_name=association.sender_name or association.name,
            sender_address=association.sender_address,
            recipient=recipient.address,
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            message_id=message_id(association, batch.campaign["id"], recipient.delivery),
            date=datetime.now(UTC),
            language=batch.campaign["language"],
            headers=list_headers(association, batch.list_id, links),
        )

    def make(self, recipient: Recipient) -> tuple[str, str, bytes]:
        """Envelope sender, envelope recipient, and the encoded message.

        Raises RenderError, or UnsendableAddress for an address that mail can not carry.
        """
        message = self.message(recipient)
        return addr_spec(message.sender_address), addr_spec(message.recipient), build(message)


def message_id(association: Association, campaign: str, delivery: int) -> str:
    """The same for every try of a delivery (RFC 5322 section 3.6.4), so that a second copy can be told."""
    domain = association.sender_address.rpartition("@")[2]
    return f"<{campaign}.{association.slug}.{delivery}@{domain}>"


def list_id(association: Association, topic: str | None) -> str:
    """The list's name for ever (RFC 2919): topic and association in front of the sender's domain."""
    domain = association.sender_address.rpartition("@")[2]
    return f"{topic or 'newsletter'}.{association.slug}.{domain}"


def list_headers(association: Association, identifier: str, links: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """List-ID (RFC 2919), one-click List-Unsubscribe (RFC 2369, RFC 8058), Reply-To."""
    reply_to = (("Reply-To", association.reply_to),) if association.reply_to else ()
    return (
        *reply_to,
        ("List-ID", f"<{identifier}>"),
        ("List-Unsubscribe", f"<{links['unsubscribe']}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
