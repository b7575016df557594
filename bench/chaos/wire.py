"""Mail servers that misbehave: too busy, full, gone in the middle, mute, slow, or talking nonsense."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.chaos.bed import Bed, Fault, Tried, finish

STORM_S = 6.0
"""What is told to come again later waits a minute: such a storm is over before that."""
SETTINGS = {"COMMS_SMTP__TIMEOUT": 0.4}
"""Ten times as long for the answer to a message."""


def _served_badly(is_storm: bool = False, **shares: float) -> Callable[[Bed], Tried]:
    """A campaign to a server that does these things all the time, or at first."""

    def run(bed: Bed) -> Tried:
        people = 150 if bed.is_short else 2000
        with bed.place(people, settings=SETTINGS) as place:
            place.send()
            place.mailbox.take_time(0.005)
            place.mailbox.misbehave(**shares)
            place.start()
            if is_storm:
                place.wait_until(lambda: place.mailbox.count() > 0, patience_s=20)
                time.sleep(STORM_S)
                place.mailbox.misbehave()
            verdict = finish(place)
            return Tried(place.mailbox.misdeeds(), verdict)

    return run


FAULTS = [
    Fault("421 storm", _served_badly(is_storm=True, busy=0.3)),
    Fault("452 storm", _served_badly(is_storm=True, full=0.3)),
    Fault("dropped inside DATA", _served_badly(drop_in_data=0.05)),
    Fault("dropped after the final dot, the answer lost", _served_badly(drop_after_dot=0.05), is_short=True),
    Fault("half-open after the final dot", _served_badly(mute=0.01)),
    Fault("half-open from the start", _served_badly(deaf=0.3)),
    Fault("connections reset", _served_badly(reset=0.5)),
    Fault("answers an octet at a time", _served_badly(slow=0.1)),
    Fault("answers that are garbage", _served_badly(garbage=0.01), is_short=True),
]
