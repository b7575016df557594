"""How fast complete messages are made of a newsletter. Prints a table, and one line of JSON last.

    make bench-render

A campaign file is compiled as for sending: 40 KB of HTML, 12 merge fields, 25 tracked links. Each way of making the
messages then makes them for the same readers: ours, from the compiled edition to bytes; Jinja and `EmailMessage` from
the same edition; MJML compiled anew for each reader; Handlebars and nodemailer, where Node.js is here and npm can
install them. All ways take turns, so that all see the same neighbours on the machine. Figures are medians of
processor seconds of one core, without what is done once per edition; nothing is signed or sent.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from email import message_from_bytes, policy
from pathlib import Path
from statistics import median

from bench import newsletter
from bench.render_peers import Nodemailer, Peer, email_message, mjml_each
from bench.report import print_json, print_table
from comms.delivery.batches import Recipient
from comms.delivery.messages import MessageMaker
from comms.keys import WorkspaceKey
from comms.links import LinkMaker, LinkSigner
from comms.rendering.edition import Edition
from comms.rendering.render import Renderer

Make = Callable[[Recipient], object]
KEY = WorkspaceKey(bytes(range(32)))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--readers", type=int, default=2_000)
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="comms-bench-") as scratch:
        run(Path(scratch), chosen.readers, chosen.rounds)


def run(scratch: Path, readers: int, rounds: int) -> None:
    file = scratch / "spring-letter.md"
    newsletter.write_campaign(file)
    batch = newsletter.batch(file, readers)
    edition = Edition.from_json(batch.edition)
    links = LinkMaker(batch.site_url, LinkSigner(KEY))
    maker = MessageMaker(batch, Renderer(edition), links)
    peer = Peer(batch, edition, links)
    sample = maker.make(batch.recipients[0])[2]
    check(sample, edition)
    few = batch.recipients[: max(readers // 20, 1)]
    ways: dict[str, tuple[Make, Sequence[Recipient]]] = {
        "ours": (maker.make, batch.recipients),
        "emailmessage": (email_message(peer), few),
        "mjml_each": (mjml_each(peer, newsletter.mjml()), few),
    }
    node = Nodemailer.installed(scratch, peer, few)
    taken: dict[str, list[float]] = {name: [] for name in (*ways, "nodemailer")}
    for number in range(rounds + 1):
        for name, (make, recipients) in ways.items():
            seconds = timed(make, recipients)
            taken[name] += [seconds] if number else []  # the first warms up
        if node is not None and number:
            taken["nodemailer"].append(node.seconds_each())
    print(f"{len(edition.html):,} characters of HTML, {len(sample):,} bytes a message, medians of {rounds} rounds\n")
    report({name: median(times) for name, times in taken.items() if times})


def check(sample: bytes, edition: Edition) -> None:
    """Raises AssertionError unless the message is whole and made for its reader."""
    read = message_from_bytes(sample, policy=policy.default)
    html = read.get_body(("html",)).get_content()  # type: ignore[attr-defined]
    assert not read.defects
    assert len(edition.links) == newsletter.LINKS
    assert html.count(f"{newsletter.SITE}/c/m.coalition.1.") == newsletter.LINKS
    assert "{{" not in html


def timed(make: Make, recipients: Sequence[Recipient]) -> float:
    """Processor seconds for one message."""
    started = time.process_time()
    for recipient in recipients:
        make(recipient)
    return (time.process_time() - started) / len(recipients)


def report(seconds: dict[str, float]) -> None:
    titles = {
        "ours": "comms",
        "emailmessage": "Jinja, EmailMessage",
        "mjml_each": "Jinja, MJML each time, EmailMessage",
        "nodemailer": "Handlebars, nodemailer",
    }
    rows = [
        [titles[name], f"{1 / each:,.0f}", f"{each * 1e6:,.0f}", f"{each / seconds['ours']:.1f}"]
        for name, each in seconds.items()
    ]
    print_table(["made by", "messages/s and core", "us each", "ours is faster by"], rows)
    ratios = {
        f"ratio_{name}": round(seconds[name] / seconds["ours"], 1) if name in seconds else None
        for name in ("emailmessage", "mjml_each", "nodemailer")
    }
    print_json({"bench": "render", "per_second_core": round(1 / seconds["ours"]), **ratios})


if __name__ == "__main__":
    main()
