"""What the sections of comms.toml are made of: the base of all, and kinds of value that several have."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    """A table of comms.toml; a key it does not know is an error, for it is most likely a typing slip."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _split(value: object) -> object:
    """The environment has only text: a list is parted by commas there."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


def _is_long(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9_-]{20,200}", value):
        raise ValueError("must be 20 to 200 letters, digits, hyphens and underscores")
    return value


Listed = Annotated[list[str], BeforeValidator(_split)]
"""Several values, in the environment as `2026-12-24..2026-12-26,2027-01-01`."""
Unguessable = Annotated[str, AfterValidator(_is_long)]
"""A secret that stands in an address or a header, or nothing."""
