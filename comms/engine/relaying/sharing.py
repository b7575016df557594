"""What an association may learn of the others: in tens, how many of its members it left out because of them, and once
an offer is closed, how many they had reached."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from audiences.consent import Exclusion
from campaigns.relays import OfferRow
from campaigns.store import CampaignRow
from comms.engagement.disclosure import SMALLEST
from comms.engine.workspace import Workspace
from comms.events import DeliveryState

LEFT_OUT = Exclusion.NOT_RELAYED.value


def is_shared(workspace: Workspace, row: CampaignRow) -> bool:
    """Do several associations send this, so that somebody may be left out because another one has reached them."""
    return bool(row.relay_of) or workspace.relays.offer(row.id) is not None


def in_tens(deliveries: Mapping[str, int], left_out: int) -> dict[str, int]:
    """Counts by state as they may be told, where `left_out` of those skipped may have it from another association, and
    those that are ready may wait for another one that is to reach them, or did until all was cancelled.

    Whole tens of those left out stay skipped, the others count as sent. Those that wait are filled up to a whole ten
    from those sent, and to all of them where what is left of these is less than a ten; none are told to wait only when
    none do. Everybody knows how many there are together: a number of those sent that is rounded by itself would give
    away another one.
    """
    counts = Counter(deliveries)
    rest = left_out % SMALLEST
    waiting = counts[DeliveryState.READY] + counts[DeliveryState.CANCELLED]
    both = counts[DeliveryState.SENT] + rest + waiting
    told = waiting + -waiting % SMALLEST
    if told and told > both - SMALLEST:
        told = both
    counts[DeliveryState.SENT] = both - told
    counts[DeliveryState.SKIPPED] -= rest
    counts[DeliveryState.CANCELLED if counts[DeliveryState.CANCELLED] else DeliveryState.READY] += told - waiting
    return dict(counts)


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
