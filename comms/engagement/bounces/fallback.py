"""Asks flufl.bounce where our own reading found nobody: it knows some forms that no rule of ours covers."""

from __future__ import annotations

import email
import logging

from comms.engagement.bounces.addresses import clean_address

_LONGEST = 100_000
"""Bytes; its detectors read line by line, and what they look for stands at the beginning."""

logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


def found_by_flufl(data: bytes) -> tuple[list[str], list[str]]:
    """The addresses that it takes for passing failures, and for lasting ones."""
    # Here, because every command would pay for it, and few messages come to this.
    from flufl.bounce import all_failures

    try:
        passing, lasting = all_failures(email.message_from_bytes(data[:_LONGEST]))
    except Exception:  # noqa: BLE001 - it promises nothing for broken messages, and neither does the parser below it
        return [], []
    return _clean(passing), _clean(lasting)


def _clean(found: frozenset[bytes]) -> list[str]:
    addresses = (clean_address(address.decode("utf-8", "replace")) for address in found)
    return sorted({address for address in addresses if address})
