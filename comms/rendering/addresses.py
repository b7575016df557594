"""The web addresses of one edition: which are tracked, and how a member's values go into the others.

Follows no link and knows nothing of what tracking does with a click.
"""

from __future__ import annotations

import html
import re

from comms.rendering.carriers import Carrier, Carriers
from comms.rendering.errors import TemplateError
from comms.rendering.markup import Attribute, edited, scan

_ATTRIBUTES = frozenset({"href", "src", "action", "formaction", "background", "poster"})
_CLICKABLE = frozenset({"a", "area"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_ALLOWED = frozenset({"http", "https", "mailto", "tel", "cid", "sms"})
_OURS = re.compile(r"\{\{[-+]?\s*(?:links\.\w+|url)\s*[-+]?\}\}")
_CLICK = "{{ links.click }}"


class Addresses:
    """Collects the addresses that are followed through us; the same address has one index."""

    def __init__(self, carriers: Carriers) -> None:
        self._carriers = carriers
        self._index: dict[str, int] = {}

    @property
    def tracked(self) -> tuple[str, ...]:
        """The addresses by index."""
        return tuple(self._index)

    def clickable(self, address: str) -> str:
        """What a reader is given for an address that may hold tokens. Raises TemplateError."""
        if next(self._carriers.find(address), None) is not None:
            return self._with_values(address)
        scheme = _SCHEME.match(address.strip())
        if scheme and scheme[1].lower() not in _ALLOWED:
            raise TemplateError(
                "the newsletter",
                0,
                f"a link to {address[:60]!r}: {scheme[0].lower()} addresses are not allowed",
                hint="start with https://",
            )
        if not scheme or scheme[1].lower() not in ("http", "https"):
            return address
        index = self._index.setdefault(address.strip(), len(self._index))
        return f"{self._carriers.add(Carrier(_CLICK, 'links', 0))}/{index}"

    def in_document(self, document: str) -> str:
        """The HTML with every address in it as its reader gets it."""
        edits = []
        for piece in scan(document, into_conditions=True):
            for attribute in piece.attributes:
                if attribute.name in _ATTRIBUTES:
                    value = self._attribute(piece.name, attribute)
                    if value != attribute.value:
                        edits.append((attribute.start, attribute.end, f'"{value}"'))
        return edited(document, edits)

    def _attribute(self, element: str, attribute: Attribute) -> str:
        if next(self._carriers.find(attribute.value), None) is not None:
            return self._with_values(attribute.value)
        if element not in _CLICKABLE:
            return attribute.value
        address = html.unescape(attribute.value)
        followed = self.clickable(address)
        return attribute.value if followed == address else followed

    def _with_values(self, address: str) -> str:
        """The address with expressions fit for it: our own links as they are, an address at the start
        checked, anything else percent-encoded."""
        edits = []
        for start, end, carrier in self._carriers.find(address):
            if carrier.keyword or _OURS.fullmatch(carrier.source):
                continue
            opens = not address[:start].strip()
            fitted = carrier.filtered("link_target" if opens else "urlencode")
            edits.append((start, end, self._carriers.add(fitted)))
        return edited(address, edits)
