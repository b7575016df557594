"""A run, as its row in the ledger says it. Reading and writing it is `store.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comms.delivery.sections import WHOLE, Sections

RUN_COLUMNS = "id, campaign, channel, topic, digest, state, doubt, planned, excluded, sections"


@dataclass(frozen=True, slots=True)
class Run:
    """One sending of an edition, frozen."""

    id: int
    campaign: str
    channel: str
    topic: str | None
    digest: str
    state: str
    doubt: str
    planned: int
    excluded: Mapping[str, int]
    """Why members in the segment were left out -> how many."""
    sections: Sections = WHOLE


def as_run(row: Sequence[object]) -> Run:
    """A run of the values of `RUN_COLUMNS`."""
    values: dict[str, Any] = dict(zip(RUN_COLUMNS.split(", "), row, strict=True))
    values["excluded"] = json.loads(values["excluded"])
    values["sections"] = Sections.from_text(values["sections"])
    return Run(**values)
