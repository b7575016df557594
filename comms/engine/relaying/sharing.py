"""What an association may learn of the others once an offer is closed: how many of its members they had reached."""

from __future__ import annotations

import json
from collections.abc import Mapping

from campaigns.relays import OfferRow
from comms.engagement.disclosure import SMALLEST


def tens(reached: int, left_out: int) -> int:
    """How many of its members others had reached, in tens rounded down; 0 stands for fewer than 10.

    An association sees in its own ledger whom it left out, `left_out` people, and not why: some want nothing relayed.
    So the number is never all of them, for then each of them would be known as a member of another association.
    """
    rounded = reached // SMALLEST * SMALLEST
    return rounded if rounded < left_out else max(0, rounded - SMALLEST)


def kept(already_reached: Mapping[str, int]) -> str:
    """For `OfferRow.figures`: association -> what `tens` made of it."""
    return json.dumps({"already_reached": dict(sorted(already_reached.items()))})


def already_reached(offer: OfferRow, association: str) -> int | None:
    """Undo `kept` for one association; None before the offer is closed, and for one that did not send from here."""
    if not offer.figures:
        return None
    found: int | None = json.loads(offer.figures)["already_reached"].get(association)
    return found
