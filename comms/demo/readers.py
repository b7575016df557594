"""Fictional readers: they open what they received and click, or leave, through the real addresses."""

from __future__ import annotations

import email
import email.policy
import random
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from html import unescape
from pathlib import Path

OPEN_SHARE, CLICK_SHARE, LEAVE_SHARE = 0.62, 0.34, 0.025
_CLICK = re.compile(r'href="([^"]*/c/[^"]+)"')
_PIXEL = re.compile(r'src="([^"]*/o/[^"]+)"')


@dataclass(slots=True)
class Deeds:
    """What the readers did."""

    readers: int = 0
    opened: int = 0
    """Mails with a pixel whose pixel was asked for; most mails have none."""
    clicked: int = 0
    left: int = 0


def read_all(files: Sequence[Path], seed: int, progress: Callable[[int], None]) -> Deeds:
    """Let one reader per mail do what readers do. `progress` gets the number of mails read."""
    chance = random.Random(seed)  # noqa: S311 - invented behaviour, not secrets
    deeds = Deeds()
    for number, file in enumerate(files, 1):
        with file.open("rb") as source:
            message = email.message_from_binary_file(source, policy=email.policy.default)
        _read(message, chance, deeds)
        progress(number)
    return deeds


def _read(message: EmailMessage, chance: random.Random, deeds: Deeds) -> None:
    deeds.readers += 1
    part = message.get_body(("html",))
    html = part.get_content() if part else ""
    if chance.random() < OPEN_SHARE:
        for url in _PIXEL.findall(html):
            _get(unescape(url))
            deeds.opened += 1
    if chance.random() < CLICK_SHARE:
        links = list(dict.fromkeys(unescape(url) for url in _CLICK.findall(html)))
        # Few follow the name in the head of the mail; of the others, the button on top is followed most.
        weights = [0.2, *(1 / position for position in range(1, len(links)))]
        for url in set(chance.choices(links, weights, k=chance.choice((1, 1, 1, 2)))):
            _get(url)
            deeds.clicked += 1
    if chance.random() < LEAVE_SHARE:
        _leave(str(message["List-Unsubscribe"]).strip().removeprefix("<").removesuffix(">"))
        deeds.left += 1


def _leave(url: str) -> None:
    """One click, as a mail program does it (RFC 8058 section 3.2)."""
    body = b"List-Unsubscribe=One-Click"
    request = urllib.request.Request(url, data=body, method="POST")  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        response.read()


class _StayHere(urllib.request.HTTPRedirectHandler):
    """The click counts at our door; where it leads to does not exist."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_opener = urllib.request.build_opener(_StayHere)


def _get(url: str) -> None:
    try:
        with _opener.open(url, timeout=10) as response:
            response.read()
    except urllib.error.HTTPError as error:
        if error.code not in (301, 302, 303, 307, 308):
            raise
