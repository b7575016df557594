"""Other ways to make the messages of an edition, reader by reader: what the bench of rendering compares with."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import jinja2
from mjml import mjml2html

from comms.delivery.batches import MailBatch, Recipient
from comms.delivery.messages import list_headers, message_id, own_headers
from comms.links import EditionToken, LinkMaker, MemberToken
from comms.rendering.context import association_data
from comms.rendering.edition import Edition

NODEMAILER, HANDLEBARS = "10.6.0", "4.7.8"
INSTALL_S = 60
_OWN_FIELDS = {"From": "from", "To": "to", "Date": "date", "Message-ID": "messageId"}
_POLICY = SMTP.clone(max_line_length=998)
_SCRIPT = """
const { edition, readers } = JSON.parse(require("fs").readFileSync(process.argv[2]));
const Composer = require("nodemailer/lib/mail-composer");
const Handlebars = require("handlebars");
const html = Handlebars.compile(edition.html), plain = { noEscape: true };
const text = Handlebars.compile(edition.text, plain), subject = Handlebars.compile(edition.subject, plain);
const make = ({ values, headers, ...fields }) => new Composer({
  ...fields, headers, textEncoding: "quoted-printable",
  subject: subject(values), html: html(values), text: text(values) }).compile().build();
const all = async () => { for (const reader of readers) await make(reader); };
(async () => {
  for (let warm = 0; warm < 3; warm++) await all();
  const before = process.cpuUsage();
  await all();
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1e6 / readers.length);
})();
"""


@dataclass(frozen=True)
class Peer:
    """What all other ways need: the edition, the batch, and how links are made."""

    batch: MailBatch
    edition: Edition
    links: LinkMaker

    def values(self, recipient: Recipient) -> dict[str, Any]:
        """What a template may use."""
        batch = self.batch
        links = self.links.for_mail(
            MemberToken(batch.association.slug, recipient.delivery),
            EditionToken(batch.association.slug, batch.run),
            tracked=recipient.tracked,
        )
        member = json.loads(recipient.attributes) | {"address": recipient.address}
        known = {"association": association_data(batch.association), "campaign": batch.campaign}
        return {**known, "member": member, "links": links, "url": links["view"]}

    def headers(self, recipient: Recipient, links: Mapping[str, str]) -> dict[str, str]:
        """All but the subject and those of MIME."""
        batch = self.batch
        return {
            "From": f"{batch.association.name} <{batch.association.sender_address}>",
            "To": recipient.address,
            "Date": format_datetime(datetime.now(UTC)),
            "Message-ID": message_id(batch.association, batch.campaign["id"], recipient.delivery),
            **dict((*own_headers(links), *list_headers(batch.association, batch.list_id))),
        }


def email_message(peer: Peer) -> Callable[[Recipient], bytes]:
    """Jinja templates compiled once, rendered for each reader, and encoded by Python's own library."""
    html = jinja2.Environment(autoescape=True).from_string(peer.edition.html)
    return _with_jinja(peer, lambda values: html.render(values))


def mjml_each(peer: Peer, mjml: str) -> Callable[[Recipient], bytes]:
    """The same, with MJML that is compiled anew for each reader."""
    template = jinja2.Environment(autoescape=True).from_string(mjml)
    return _with_jinja(peer, lambda values: mjml2html(template.render(values)))


def _with_jinja(peer: Peer, html: Callable[[dict[str, Any]], str]) -> Callable[[Recipient], bytes]:
    environment = jinja2.Environment(autoescape=False)
    subject = environment.from_string(peer.edition.subject)
    text = environment.from_string(peer.edition.text)

    def make(recipient: Recipient) -> bytes:
        values = peer.values(recipient)
        message = EmailMessage(_POLICY)
        for name, value in peer.headers(recipient, values["links"]).items():
            message[name] = value
        message["Subject"] = subject.render(values)
        message.set_content(text.render(values), cte="quoted-printable")
        message.add_alternative(html(values), subtype="html", cte="quoted-printable")
        return message.as_bytes()

    return make


class Nodemailer:
    """Handlebars and nodemailer's own composer, each measured inside one Node.js process."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    @classmethod
    def installed(cls, scratch: Path, peer: Peer, recipients: Sequence[Recipient]) -> Nodemailer | None:
        """None, with the reason printed, when Node.js is not here or npm can not install the two."""
        if shutil.which("node") is None or shutil.which("npm") is None:
            print("nodemailer is left out: Node.js is not here")
            return None
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(scratch)]
        try:
            packages = [f"nodemailer@{NODEMAILER}", f"handlebars@{HANDLEBARS}"]
            subprocess.run([*install, *packages], check=True, capture_output=True, timeout=INSTALL_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"nodemailer is left out: npm can not install it ({type(error).__name__})")
            return None
        script, data = scratch / "render.js", scratch / "render.json"
        script.write_text(_SCRIPT)
        edition = {part: _handlebars(getattr(peer.edition, part)) for part in ("subject", "html", "text")}
        data.write_text(json.dumps({"edition": edition, "readers": [_fields(peer, each) for each in recipients]}))
        return cls(["node", str(script), str(data)])

    def seconds_each(self) -> float:
        """Processor seconds for one message, once V8 has warmed up."""
        return float(subprocess.run(self._words, check=True, capture_output=True, text=True).stdout)


def _fields(peer: Peer, recipient: Recipient) -> dict[str, Any]:
    values = peer.values(recipient)
    headers = peer.headers(recipient, values["links"])
    known = {key: headers.pop(name) for name, key in _OWN_FIELDS.items()}
    return {"values": values, "headers": headers, **known}


def _handlebars(source: str) -> str:
    """The edition's Jinja in the words of Handlebars: fallbacks and conditions."""
    source = re.sub(r'\{\{ ([\w.]+) or ["\']([^"\']*)["\'] \}\}', r"{{#if \1}}{{\1}}{{else}}\2{{/if}}", source)
    return re.sub(r"\{% if ([\w.]+) %\}", r"{{#if \1}}", source).replace("{% endif %}", "{{/if}}")
