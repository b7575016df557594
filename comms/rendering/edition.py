"""A campaign as one association sends it by mail: compiled, frozen, the same on every machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Edition:
    """`subject`, `preview`, `html` and `text` are Jinja sources in which only names known per member are
    left: `member`, `links`, `url`, and `association` and `campaign`. `Renderer` renders them.
    """

    campaign: str
    """The campaign's id."""
    title: str
    language: str
    """BCP 47 tag."""
    association: str
    """Slug of the association that sends it."""
    subject: str
    preview: str
    html: str
    text: str
    links: tuple[str, ...] = ()
    """Tracked addresses; `{{ links.click }}/<index>` leads to them."""
    conditions: tuple[str, ...] = ()
    """On the reader, as `conditions.freeze` writes them; `member["when <index>"]` in the sources answers them."""

    def to_json(self) -> str:
        """Canonical JSON: the same edition gives the same ASCII text everywhere."""
        data = asdict(self)
        if not self.conditions:
            del data["conditions"]  # as in editions from before there were any, whose names are made from their text
        return json.dumps(data, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Edition:
        """The edition that `to_json` wrote. Raises ValueError for any other text."""
        data: Any = json.loads(text)
        names = {field.name for field in fields(cls)}
        if not isinstance(data, dict) or set(data) | {"conditions"} != names:
            raise ValueError("this is no edition")
        lists = (data.pop("links"), data.pop("conditions", []))
        if not all(isinstance(values, list) for values in lists):
            raise ValueError("this is no edition: a value has the wrong type")
        links, conditions = lists
        if not all(isinstance(value, str) for value in (*links, *conditions, *data.values())):
            raise ValueError("this is no edition: a value has the wrong type")
        return cls(**data, links=tuple(links), conditions=tuple(conditions))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `to_json()`, in hexadecimal: the edition's name in a run."""
        return hashlib.sha256(self.to_json().encode("ascii")).hexdigest()
