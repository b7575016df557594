"""What an association may learn of the others: in tens, how many of its members it left out because of them, and once
an offer is closed, how many they had reached."""

from __future__ import annotations

import json
from collections.abc import Mapping

from audiences.consent import Exclusion
from campaigns.relays import OfferRow
from comms.engagement.disclosure import SMALLEST
from comms.events import DeliveryState

LEFT_OUT = Exclusion.NOT_RELAYED.value


def in_tens(deliveries: Mapping[str, int], left_out: int) -> dict[str, int]:
    """Counts by state as they may be told, where `left_out` of those skipped may have it from another association.

    Whole tens of these stay skipped, the others count as sent. Everybody knows how many there are together, so a number
    of those sent that is rounded by itself would give away the other one: there is one number only, told twice.
    """
    rest = left_out % SMALLEST
    sent, skipped = DeliveryState.SENT.value, DeliveryState.SKIPPED.value
    return {**deliveries, sent: deliveries.get(sent, 0) + rest, skipped: deliveries.get(skipped, 0) - rest}


def skips_in_tens(skips: Mapping[str, int]) -> dict[str, int]:
    """Why members were skipped -> how many, as it goes with `in_tens`."""
    told = {reason: count - count % SMALLEST if reason == LEFT_OUT else count for reason, count in skips.items()}
    return {reason: count for reason, count in told.items() if count}


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
