"""A campaign as one association sends it by mail: compiled, frozen, the same on every machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from itertools import chain
from typing import Any

from comms.message import MailFile

_LATER = frozenset({"conditions", "files", "topics"})
"""What editions may have, and are written without where they have it not."""


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
    files: tuple[MailFile, ...] = ()
    """What goes with each mail. The sources link to images; only mails show those that go with them."""
    topics: tuple[str, ...] = ()
    """Whose subscribers alone see some section; `member["topic <index>"]` in the sources answers it."""

    def to_json(self) -> str:
        """Canonical JSON: the same edition gives the same ASCII text everywhere."""
        data = asdict(self)
        for name in _LATER:
            if not data[name]:
                del data[name]  # as in editions from before there were any, whose names are made from their text
        return json.dumps(data, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Edition:
        """The edition that `to_json` wrote. Raises ValueError for any other text."""
        data: Any = json.loads(text)
        names = {field.name for field in fields(cls)}
        if not isinstance(data, dict) or set(data) | _LATER != names:
            raise ValueError("this is no edition")
        try:
            files = tuple(MailFile(**file) for file in data.pop("files", ()))
        except TypeError as error:
            raise ValueError("this is no edition: a file has the wrong keys") from error
        lists = (data.pop("links"), data.pop("conditions", []), data.pop("topics", []))
        if not all(isinstance(values, list) for values in lists):
            raise ValueError("this is no edition: a value has the wrong type")
        if not all(isinstance(value, str) for value in (*chain(*lists), *data.values())):
            raise ValueError("this is no edition: a value has the wrong type")
        links, conditions, topics = map(tuple, lists)
        return cls(**data, links=links, conditions=conditions, files=files, topics=topics)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `to_json()`, in hexadecimal: the edition's name in a run."""
        return hashlib.sha256(self.to_json().encode("ascii")).hexdigest()
