"""A whole relay, from the offer to the reports: did everyone entitled get exactly one copy, from whom it may come?

    make simulate-relay

A coalition of 22 associations and 60,000 invented people, of whom 35 % are in two lists or more. Its campaign is
offered, answered by the links in the mails and on the command line, corrected, sent by `comms run`, held up in one
place and taken up late in another; a second one is recalled in the middle. What the receiver took is then held against
who the people are (`bench/relay/oracle.py`). Prints a table, and one line of JSON last; exit code 1 when anyone was
missed, got two, or had stopped what is relayed. Takes some minutes; `--people 3000` is the short form.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.relay import oracle
from bench.relay.oracle import Verdict
from bench.relay.place import Place
from bench.relay.world import (
    ADAPTS,
    ASSOCIATIONS,
    BY_COMMAND,
    DECLINES,
    LATE,
    ON_TIME,
    PAUSED,
    SENDERS,
    Person,
    Stop,
    people,
    seats,
)
from bench.report import print_json, print_table

PILOT, PARTNER, SECOND = "pilot", "partner", "second"
CAMPAIGN = """---
campaign: {id}
title: {id}
language: en
{audience}newsletter:
  subject: {id}
  preview: Proposals are welcome
{schedule}relay:
  associations: all
---

Dear colleague, the Coalition seeks a partner. {words}

::: slot near-you "What does this mean where you are?"
Ask us about it.
:::
"""
BEFORE, AFTER = "Write to us until March.", "Write to us until April."
OWN_WORDS = "We meet in the **old reading room**."
UNHURRIED = 10_000
"""With fewer people than this the sending is slowed down, to take `SLOWLY_S`, so that there is a middle of it."""
SLOWLY_S = 20
QUIET_S = 5.0
"""Nothing came for so long: what was recalled has stopped."""


@dataclass
class Story:
    """What happens, in order. Whatever is published to others than the association itself is kept in `published`."""

    place: Place
    people: list[Person]
    started: float
    published: list[Any]
    answering_s: float = 0.0
    """How long it took until the earlier campaign was offered, and all associations had answered."""

    def tell(self, text: str) -> None:
        print(f"{time.monotonic() - self.started:5.0f} s  {text}", flush=True)

    # --- the earlier campaign -----------------------------------------------------------------

    def pilot(self) -> Verdict:
        """A small campaign that goes out at once, in which some people stop what is relayed, or choose."""
        started = time.monotonic()
        self.offer(PILOT, audience="audience:\n  segment: pilot = yes\n")
        for slug in ASSOCIATIONS:
            self.accept(PILOT, slug)
        self.answering_s = time.monotonic() - started
        self.wait_for(PILOT, ASSOCIATIONS)
        before = [
            replace(each, stop=Stop.NEVER if each.stop is Stop.ONE_CLICK else each.stop)
            for each in self.people
            if each.pilot
        ]
        verdict = self.judge(PILOT, before, ASSOCIATIONS, ASSOCIATIONS)
        sent = {mail.to: mail for mail in self.place.mails() if mail.subject == PILOT}
        for number, person in enumerate(self.people):
            if person.stop is Stop.ONE_CLICK:
                self.place.post(sent[person.address].unsubscribe, {"List-Unsubscribe": "One-Click"})
            elif person.chooses_by_link:
                mail = sent[person.address]
                self.place.post(f"{mail.unsubscribe}/through", {"this": "yes"})
                self.people[number] = replace(person, choice=mail.association)
        self.tell("some stopped what is relayed by one click, some chose through whom they get it")
        return verdict

    # --- the campaign -------------------------------------------------------------------------

    def partner(self) -> Verdict:
        """Offered, answered, corrected, sent; held up in one association, and taken up late by another."""
        hour = self.hour_to_come(answers=2)
        self.offer(PARTNER, at=hour)
        for slug in ASSOCIATIONS[: len(ASSOCIATIONS) // 2]:
            if slug in ON_TIME:
                self.accept(PARTNER, slug)
        self.page(PARTNER, DECLINES, seats(DECLINES)[0], "/decline", {"reason": "We print on paper only."})
        file = self.write(PARTNER, at=hour, words=AFTER)
        self.published.append(self.place.comms("relay", "correct", file, "--note", "The day was wrong", "--yes"))
        self.tell("corrected: who had accepted is asked again")
        for slug in SENDERS:
            if slug != LATE:
                self.accept(PARTNER, slug)
        self.in_time(hour)
        self.place.wait_until(lambda: self.came_from(PARTNER, PAUSED), f"{PAUSED} sends")
        self.place.comms("campaign", "pause", f"{PARTNER}.{PAUSED}")
        self.tell(f"{PAUSED} is paused after {self.came_from(PARTNER, PAUSED):,} copies")
        self.wait_for(PARTNER, ON_TIME)
        self.place.comms("campaign", "resume", f"{PARTNER}.{PAUSED}")
        self.wait_for(PARTNER, [PAUSED])
        self.accept(PARTNER, LATE)
        self.wait_for(PARTNER, [LATE])
        return self.judge(PARTNER, self.people, SENDERS, ON_TIME)

    def recalled(self) -> tuple[int, int]:
        """(copies of a second campaign, recalled in the middle; how many of these came after the recall)."""
        hour = self.hour_to_come(answers=1)
        self.offer(SECOND, at=hour)
        for slug in ON_TIME:
            self.accept(SECOND, slug)
        self.in_time(hour)
        self.place.wait_until(lambda: self.place.copies(SECOND), "it is being sent")
        self.published.append(self.place.comms("relay", "recall", SECOND, "--reason", "It was withdrawn", "--yes"))
        over = time.time()
        self.place.wait_until(lambda: time.time() - self.place.mails()[-1].at > QUIET_S, "no more mails come")
        mails = [mail for mail in self.place.mails() if mail.subject == SECOND]
        late = sum(mail.at > over for mail in mails)
        self.tell(f"{SECOND}: recalled, {len(mails):,} copies were out, {late:,} more that senders held came after it")
        return len(mails), late

    # --- steps --------------------------------------------------------------------------------

    def write(self, name: str, *, at: datetime | None, audience: str = "", words: str = BEFORE) -> str:
        schedule = f"schedule:\n  at: {at:%Y-%m-%d %H:%M}\n  timezone: UTC\n" if at else ""
        return self.place.write(name, CAMPAIGN.format(id=name, audience=audience, schedule=schedule, words=words))

    def offer(self, name: str, *, at: datetime | None = None, audience: str = "") -> None:
        file = self.write(name, at=at, audience=audience)
        self.published.append(self.place.comms("relay", "offer", file, "--yes"))
        everyone = {address for slug in ASSOCIATIONS for address in seats(slug)}
        self.place.wait_until(lambda: everyone <= self.links(name).keys(), f"everybody has the offer of {name}")
        self.tell(f"{name}: offered to {len(ASSOCIATIONS)} associations")

    def links(self, name: str) -> dict[str, str]:
        """Address of a seat -> its link to the offer, as the mail has it."""
        return {mail.to: mail.link for mail in self.place.mails() if mail.subject.endswith(f": {name}") and mail.link}

    def accept(self, name: str, slug: str) -> None:
        """As the people of an association do it: on the command line, or by their links."""
        if slug in BY_COMMAND:
            self.place.comms("relay", "accept", name, "-a", slug, "--as", seats(slug)[0])
            return
        if slug == ADAPTS:
            self.page(name, slug, seats(slug)[0], "", {"slot-near-you": OWN_WORDS, "do": "save"})
        for address in seats(slug):
            self.page(name, slug, address, "", {"do": "accept"})

    def page(self, name: str, slug: str, address: str, form: str, fields: dict[str, str]) -> None:
        """Open the page of an offer, and send one of its forms."""
        link = self.links(name)[address]
        came = self.place.post(f"{link}{form}", {**self.place.look(link), **fields})
        done = came.partition("?done=")[2]
        if not done:
            raise SystemExit(f"{slug} could not answer the offer of {name}: the page says no")

    def wait_for(self, name: str, slugs: Collection[str]) -> None:
        """Wait until associations have sent it, as the status of the relay says."""

        def are_through() -> bool:
            states = self.place.standings(name)
            return all(states[slug] == "sent" for slug in slugs)

        self.place.wait_until(are_through, f"all have sent {name}")
        self.tell(f"{name}: sent by {', '.join(slugs) if len(slugs) < 3 else f'{len(slugs)} associations'}")

    def hour_to_come(self, *, answers: int) -> datetime:
        """A full minute that leaves time for the offer and so many rounds of answers, on a machine with other work."""
        lead = timedelta(seconds=60 + 4 * answers * self.answering_s)
        return (datetime.now(UTC) + lead).replace(second=0, microsecond=0) + timedelta(minutes=1)

    def in_time(self, hour: datetime) -> None:
        if datetime.now(UTC) >= hour:
            raise SystemExit("the answers took too long: its hour had come before all had answered")

    def came_from(self, name: str, slug: str) -> int:
        return sum(mail.subject == name and mail.association == slug for mail in self.place.mails())

    # --- what it came to ----------------------------------------------------------------------

    def judge(self, name: str, meant: Sequence[Person], senders: Collection[str], on_time: Collection[str]) -> Verdict:
        verdict = oracle.judge(meant, self.place.copies(name), senders=senders, on_time=on_time)
        self.tell(f"{name}: {verdict.copies:,} copies for {verdict.entitled:,} people entitled")
        return verdict

    def disagreements(self, name: str, senders: Sequence[str]) -> list[str]:
        """Associations whose report does not say what the receiver took."""
        reports = self.place.reports([f"{name}.{slug}" for slug in senders])
        reported = {
            slug: {**each["deliveries"], "audience": each["audience"]}
            for slug, each in zip(senders, reports, strict=True)
        }
        self.published.append(self.place.comms("relay", "status", name))
        return [f"{name}: {slug}" for slug in oracle.unequal(self.place.copies(name), reported)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--people", type=int, default=60_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="comms-relay-") as scratch:
        good = run(Path(scratch), chosen.people, chosen.seed)
    if not good:
        raise SystemExit(1)


def run(scratch: Path, count: int, seed: int) -> bool:
    """Simulate it, and print what came of it; was all as promised."""
    started = time.monotonic()
    invented = people(count, seed)
    with Place(scratch, most_per_second=count // SLOWLY_S if count < UNHURRIED else 0) as place:
        story = Story(place, invented, started, [])
        place.found(invented)
        place.start()
        memberships = sum(len(each.lists) for each in invented)
        story.tell(f"{count:,} people, {memberships:,} members of {len(ASSOCIATIONS)} associations")
        pilot, partner = story.pilot(), story.partner()
        copies, late = story.recalled()
        second = place.copies(SECOND)
        unequal = [*story.disagreements(PARTNER, SENDERS), *story.disagreements(SECOND, ON_TIME)]
    smallest = oracle.smallest_cell(story.published)
    twice = pilot.twice + partner.twice + copies - len(second)
    rows = [[name.replace("_", " "), f"{number:,}"] for name, number in asdict(partner).items()]
    print()
    print_table([f"{PARTNER}", "people"], [*rows, ["smallest count shown to others", f"{smallest}"]])
    for each in unequal:
        print(f"the report and the receiver disagree: {each}")
    print_json(
        {
            "bench": "simulate-relay",
            "associations": len(ASSOCIATIONS),
            "people": count,
            "entitled": partner.entitled,
            "copies": partner.copies,
            "twice": twice,
            "missed": partner.missed + pilot.missed,
            "stopped_but_sent": partner.stopped_but_sent + pilot.stopped_but_sent,
            "smallest_cell": smallest,
            "after_recall": late,
            "seconds": round(time.monotonic() - started),
        }
    )
    return partner.good and pilot.good and not unequal and twice == 0 and (smallest is None or smallest >= 10)


if __name__ == "__main__":
    main()
