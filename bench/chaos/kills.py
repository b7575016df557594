"""`kill -9` of senders, of control and of everything: at random moments and at named ones.

No hook in the product says when: the receiver stops the conversation at the moment that is asked for, and the files
that control writes change at others.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.chaos.bed import Bed, Fault, Tried, finish
from bench.chaos.place import Place, kill, owner_of
from bench.chaos.receiver import MOMENTS

SENDERS, MORE_SENDERS, CONNECTIONS = 3, 5, 2
SHARES = {"sender": 0.88, "control": 0.08, "everything": 0.04}
RANDOM = "at random"
WAIT_S = 1.0
KILLS_A_SECOND = 4.0
"""About what two cores can start anew."""
PACE_EVERY = 8
LOOK_S = 0.0005
CONTROL_FILES = {
    "ledger written": "associations/coalition.db-wal",
    "queue written": "queue.db-wal",
    "host written": "host.db-wal",
    "journal named": "journal",
}
FEED_BELOW = 0.5
"""The next campaign is sent when less than this share of the last one is left."""


@dataclass
class Killer:
    """Kills what runs in a place until it was done so many times, while campaigns go out."""

    place: Place
    chance: random.Random
    kills: int
    campaigns: int
    tell: Callable[[str], None]
    done: Counter[str] = field(default_factory=Counter)
    """What was killed, and when -> how often."""
    open_transactions: int = 0
    """The most that the processes killed can have had open."""
    _delay_s: float = 0.0
    _paced: tuple[int, int] = (0, 0)

    def run(self) -> None:
        place = self.place
        a_kill = self.campaigns * place.people / self.kills
        self._take_time(4 * CONNECTIONS / (KILLS_A_SECOND * a_kill))
        place.send()
        place.start()
        while self.killed < self.kills:
            self._feed()
            self._pace()
            self._kill_one()
            place.keep()
        place.mailbox.take_time(0)
        while len(place.campaigns) < self.campaigns:
            place.send()

    @property
    def killed(self) -> int:
        return self.done.total()

    def _feed(self) -> None:
        """Let there always be somebody left to write to, and freezing fall among the kills too."""
        place = self.place
        begun = len(place.campaigns)
        if begun < self.campaigns and place.mailbox.count() > (begun - FEED_BELOW) * place.people:
            place.send()

    def _pace(self) -> None:
        """Let the receiver take as much time as spreads the kills over all messages."""
        count = self.place.mailbox.count()
        then, at = self._paced
        if self.killed - then < PACE_EVERY:
            return
        wanted = (self.campaigns * self.place.people - count) / max(self.kills - self.killed, 1) * (self.killed - then)
        self._take_time(self._delay_s * min(max((count - at) / max(wanted, 1), 0.5), 2.0))
        self._paced = self.killed, count
        self.tell(f"{self.killed:,} kills, {count:,} messages")

    def _take_time(self, seconds: float) -> None:
        self._delay_s = min(max(seconds, 0.001), 0.5)
        self.place.mailbox.take_time(self._delay_s)

    def _kill_one(self) -> None:
        what = self.chance.choices(list(SHARES), list(SHARES.values()))[0]
        if what == "sender":
            moment = self.chance.choice([*MOMENTS, RANDOM, RANDOM])
            hit = self._at_random() if moment == RANDOM else self._at_moment(moment)
        else:
            moment = self.chance.choice([*CONTROL_FILES, RANDOM, RANDOM])
            hit = self._wait_for_file(moment) and self._kill_these(what)
        if hit:
            self.done[f"{what}, {moment}"] += 1

    def _at_random(self) -> bool:
        time.sleep(self.chance.uniform(0, 0.1))
        senders = self.place.senders()
        return bool(senders) and self._kill_sender(self.chance.choice(senders))

    def _at_moment(self, moment: str) -> bool:
        mailbox = self.place.mailbox
        port = mailbox.wait_for(moment, after=self.chance.randint(0, 10), patience_s=WAIT_S)
        if port is None:
            return False
        try:
            pid = owner_of(port, self.place.senders())
            return pid is not None and self._kill_sender(pid)
        finally:
            mailbox.go_on(port)

    def _kill_sender(self, pid: int) -> bool:
        self.open_transactions += CONNECTIONS
        return kill(pid)

    def _wait_for_file(self, moment: str) -> bool:
        """Until a file changes that control writes; senders write some of them too."""
        if moment == RANDOM:
            time.sleep(self.chance.uniform(0, 0.3))
            return True
        path, deadline = self.place.folder / CONTROL_FILES[moment], time.monotonic() + WAIT_S
        before = _changed(path)
        while _changed(path) == before:
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_S)
        return True

    def _kill_these(self, what: str) -> bool:
        if what == "control":
            return self.place.kill_control()
        if self.place.control() is None:
            return False
        self.open_transactions += CONNECTIONS * self.place.kill_all()
        return True


def _changed(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _many_kills(bed: Bed) -> Tried:
    people, campaigns, kills = (1000, 2, 16) if bed.is_short else (20_000, 10, 1000)
    settings = {"COMMS_DELIVERY__BATCH_SIZE": 100 if bed.is_short else 500}
    with bed.place(people, senders=SENDERS, more_senders=MORE_SENDERS, settings=settings) as place:
        killer = Killer(place, bed.chance, kills, campaigns, bed.tell)
        killer.run()
        verdict = finish(place)
    if verdict.in_doubt > killer.open_transactions:
        text = f"{verdict.in_doubt} in doubt, and {killer.open_transactions} transactions open at the kills"
        verdict = replace(verdict, complaints=[text, *verdict.complaints])
    bed.tell(", ".join(f"{what}: {count}" for what, count in sorted(killer.done.items())))
    return Tried(killer.killed, verdict)


FAULTS = [Fault("kill -9 of senders, control and everything", _many_kills, is_short=True, is_alone=True)]
