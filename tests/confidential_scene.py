"""Two associations that share some people, of whom one has secrets that nobody else may find anywhere."""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHARED = [f"shared{n}@example.org" for n in range(12)]
ACORN = [*(f"acorn{n}@example.org" for n in range(14)), *SHARED]
"""Members of the association that looks."""
BIRCH = [*(f"zqbirch{n}@zqdomain{n}.example" for n in range(14)), *SHARED]
"""Members of the association whose secrets these are."""
WORDS = ("Zqname", "Zqattribute", "zqtag", "zqsegment", "zqevidence", "zqbirch", "zqdomain")
"""Parts of everything that only Birch knows, as they would stand in any output."""
TOPIC = "zqtopic"
"""Of a topic: it is public, with its feed; but nothing of Acorn's own has to do with it."""
OFFER = """\
---
campaign: {id}
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
  preview: Proposals are welcome
feed:
  summary: The Coalition seeks a partner.
relay:
  associations: all
---

Dear {{{{ member.name or "colleague" }}}}, the Coalition seeks a partner. [Read the call](https://example.org/call)

::: slot near-you "What does this mean where you are?"
Ask us about it.
:::
"""


def needles() -> Iterator[bytes]:
    """Whatever must not be found: Birch's words, and its members' addresses under every hash that needs no key."""
    for word in WORDS:
        yield word.encode()
        yield word.encode("utf-16-le")
    for address in BIRCH:
        if address in SHARED:
            continue
        for text in (address, address.upper()):
            for name in ("md5", "sha1", "sha256"):
                digest = hashlib.new(name, text.encode(), usedforsecurity=False).digest()
                yield from (digest, digest.hex().encode(), digest.hex().upper().encode())
                yield from (base64.b64encode(digest).rstrip(b"="), base64.urlsafe_b64encode(digest).rstrip(b"="))
            yield base64.b64encode(text.encode()).rstrip(b"=")


@dataclass(frozen=True)
class Finder:
    """Looks for secrets in bytes."""

    needles: tuple[bytes, ...] = ()

    @classmethod
    def made(cls) -> Finder:
        return cls(tuple(dict.fromkeys(needles())))

    def found(self, data: bytes) -> list[bytes]:
        return [needle for needle in self.needles if needle in data]

    def check(self, data: bytes, where: str) -> None:
        assert not (found := self.found(data)), f"{where} tells {found[:3]}"


def lists(folder: Path) -> dict[str, Path]:
    """Files of members, to be imported: slug -> file."""
    files = {}
    for slug, addresses in (("acorn", ACORN), ("birch", BIRCH)):
        files[slug] = folder / f"{slug}.csv"
        with files[slug].open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["email", "name", "sector", "tags"])
            for n, address in enumerate(addresses):
                own = slug == "birch"
                rows.writerow(
                    [address, f"Zqname {n}", f"Zqattribute {n}", "zqtag"] if own else [address, f"Person {n}", "", ""]
                )
    return files
