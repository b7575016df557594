"""What the DNS records of a sender mean for its mail. It asks nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from comms.preflight import hosts
from comms.preflight.facts import Facts
from comms.preflight.online.dns import SenderRecords
from comms.preflight.report import Finding, must, should

NO_DOMAIN = must("online-no-domain", "a sender's domain that does not exist", "No server takes mail from it.")
BAD_DKIM = must(
    "online-dkim-record",
    "a key that signs here and is not in the DNS, or another one there",
    "Receivers take the signature for forged.",
)
NO_DKIM = should(
    "online-no-dkim",
    "mail that is not signed here (DKIM)",
    "Gmail, Yahoo and Outlook refuse or hide unsigned newsletters, unless the mail server signs them on the way.",
)
SPF = should(
    "online-spf",
    "a domain without SPF, with two records of it, or with one that lets everyone send",
    "Receivers can not tell your mail server from a forger's.",
)
DMARC = should(
    "online-no-dmarc",
    "a domain without DMARC",
    "Gmail, Yahoo and Outlook ask for it from whoever sends thousands of mails a day.",
)
UNALIGNED = should(
    "online-unaligned",
    "a strict DMARC policy, and neither a signature nor a return address of the domain",
    "Receivers do with the mail what the policy says: refuse it, or put it with the spam.",
)
NO_MX = should("online-no-mx", "a domain that takes no mail (MX)", "Answers and returned mail reach nobody.")
UNSEEN = should(
    "online-dns-unseen", "a DNS that does not answer", "What receivers will find there could not be looked at."
)
RULES = (NO_DOMAIN, BAD_DKIM, NO_DKIM, SPF, DMARC, UNALIGNED, NO_MX, UNSEEN)


def find(facts: Facts, records: SenderRecords, keys: Mapping[str, str], returns_to: str) -> Iterator[Finding]:
    """Findings on a sender. `keys` are those that sign: name -> record as it should be. `returns_to` is the domain
    that returned mail goes to."""
    slug, domain = facts.association.slug, records.domain
    if not records.exists:
        hint = f"correct the address: comms association edit {slug} --from news@your-domain"
        yield NO_DOMAIN.at(0, "association", f"there is no domain {domain}", hint)
        return
    yield from _of_signatures(slug, domain, records, keys)
    yield from _of_policies(domain, records)
    policy = re.search(r";\s*p\s*=\s*(quarantine|reject)\b", records.dmarc, re.IGNORECASE)
    if policy and not keys and not hosts.same_site(returns_to, domain):
        message = (
            f"the DMARC policy of {domain} is {policy[1].lower()}, and nothing here shows that the mail is its own"
        )
        yield UNALIGNED.at(0, "association", message, f"sign it: comms dkim create --association {slug}")
    if not records.mail_servers:
        hint = "ask whoever keeps the domain for an MX record"
        yield NO_MX.at(0, "association", f"{domain} takes no mail", hint)


def unseen(facts: Facts, domain: str) -> Finding:
    """For a DNS that did not answer."""
    message = f"the DNS did not answer for {domain}, sender of {facts.association.slug}"
    return UNSEEN.at(0, "association", message, "connect this machine, and try again")


def _of_signatures(slug: str, domain: str, records: SenderRecords, keys: Mapping[str, str]) -> Iterator[Finding]:
    if not keys:
        yield NO_DKIM.at(
            0, "association", f"mail of {slug} is not signed here", f"comms dkim create --association {slug}"
        )
    for name, wanted in keys.items():
        found = records.dkim.get(name, "")
        if _public_key(found) != _public_key(wanted):
            message = f"there is {'another record' if found else 'no record'} at {name}"
            yield BAD_DKIM.at(
                0, "association", message, f"put the one there that this prints: comms dkim show --association {slug}"
            )


def _of_policies(domain: str, records: SenderRecords) -> Iterator[Finding]:
    if len(records.spf) != 1:
        many = "several SPF records, which count as none" if records.spf else "no SPF record"
        hint = 'one TXT record such as "v=spf1 include:your-mail-provider -all"'
        yield SPF.at(0, "association", f"{domain} has {many}", hint)
    elif re.search(r"(?:^|\s)\+?all\b", records.spf[0], re.IGNORECASE):
        yield SPF.at(0, "association", f"the SPF record of {domain} lets everyone send", "end it with -all")
    if not records.dmarc:
        hint = f'a TXT record at _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:postmaster@{domain}"'
        yield DMARC.at(0, "association", f"{domain} has no DMARC policy", hint)


def _public_key(record: str) -> str:
    """The `p=` of a DKIM record without white space (RFC 6376 section 3.6.1); empty when revoked or absent."""
    found = re.search(r"(?:^|;)\s*p\s*=([^;]*)", record)
    return "".join(found[1].split()) if found else ""
