"""Asks the DNS what it says of a sender's domain: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 9989), MX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

SECONDS = 10.0
"""For one question, repeated ones included."""
MOST_LABELS = 8
"""Names asked on the way up to a DMARC record (RFC 9989 section 4.10)."""


class NoAnswerError(Exception):
    """The DNS could not be reached, or did not answer."""


@dataclass(frozen=True, slots=True)
class SenderRecords:
    """What the DNS says of one domain."""

    domain: str
    exists: bool
    mail_servers: tuple[str, ...]
    spf: tuple[str, ...]
    """Every record that begins with `v=spf1`; there should be one."""
    dmarc: str
    """The policy that holds for the domain, its own or that of a domain above; empty for none."""
    dkim: Mapping[str, str]
    """Name of a key -> its record; empty for none."""


def resolver() -> dns.resolver.Resolver:
    """One that asks as this machine does; where that says nobody, it asks nobody."""
    try:
        return dns.resolver.Resolver()
    except dns.exception.DNSException:
        return dns.resolver.Resolver(configure=False)


def ask(domain: str, keys: Iterable[str], asked: dns.resolver.Resolver) -> SenderRecords:
    """The records of `domain`, in A-labels, and of the DKIM keys of these names. Raises NoAnswerError."""
    exists, text = _records(asked, domain, "TXT")
    has_mail, servers = _records(asked, domain, "MX")
    return SenderRecords(
        domain=domain,
        exists=exists or has_mail,
        mail_servers=tuple(server for server in servers if not server.endswith(" .")),
        spf=tuple(record for record in text if record.lower().split(" ")[0] == "v=spf1"),
        dmarc=_dmarc(asked, domain),
        dkim={name: next(iter(_records(asked, name, "TXT")[1]), "") for name in keys},
    )


def _dmarc(asked: dns.resolver.Resolver, domain: str) -> str:
    labels = domain.split(".")
    while len(labels) > 1:
        _, records = _records(asked, f"_dmarc.{'.'.join(labels)}", "TXT")
        found = [record for record in records if record.replace(" ", "").lower().startswith("v=dmarc1")]
        if len(found) == 1:  # several count as none
            return found[0]
        labels = labels[-(MOST_LABELS - 1) :] if len(labels) > MOST_LABELS else labels[1:]
    return ""


def _records(asked: dns.resolver.Resolver, name: str, kind: str) -> tuple[bool, list[str]]:
    """Does the name exist, and its records of a kind as text."""
    try:
        answer = asked.resolve(dns.name.from_text(name), kind, lifetime=SECONDS, search=False)
    except dns.resolver.NXDOMAIN:
        return False, []
    except dns.resolver.NoAnswer:
        return True, []
    except (dns.exception.DNSException, OSError, UnicodeError) as error:
        raise NoAnswerError from error
    if answer.rdtype == dns.rdatatype.TXT:
        return True, [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
    return True, [record.to_text() for record in answer]
