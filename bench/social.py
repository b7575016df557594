"""Fifty posts on each network through cut lines and killed senders, beside a program that posts again after a time-out.

`make bench-social`. Mastodon is an instance in memory; Bluesky, X and LinkedIn are imitations that check what they get.
X and LinkedIn refuse the same text twice, as the real ones do for a while.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.report import print_json, print_table
from comms.channels.base import Posted, SocialChannel, SocialPost
from comms.engine import posts, social
from comms.events import PostState
from tests.comms.engine.post_scene import Scene, scene
from tests.support.networks import Line

NETWORKS = ("bluesky", "mastodon", "linkedin", "x")
FAULTS = ("cut", "kill-after", "kill-before")
POSTS = 50


@dataclass
class Count:
    """What became of the posts on one network."""

    cuts: int = 0
    """Lines cut and senders killed in the middle of a post."""
    posts_once: int = 0
    doubled: int = 0
    lost: int = 0
    """Not there, and nobody was told."""
    unconfirmed: int = 0
    """Left to a person, who is told by name."""
    doubled_by_retrying: int = 0
    """By the other program, with the same faults."""


def main() -> None:
    every = int(sys.argv[1]) if len(sys.argv) > 1 else POSTS
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder) / "workspace", with_mastodon=True) as here:
        found = {network: measure(here, network, every) for network in NETWORKS}
    header = ["", "posts", "cuts", "once", "twice", "lost", "for a person", "twice by retrying"]
    print_table(header, [[network, str(every), *map(str, asdict(count).values())] for network, count in found.items()])
    print_json(figures(found))


def measure(here: Scene, network: str, every: int) -> Count:
    """Post through the program's own ways, one fault after the other; then as the other program does."""
    count = Count()
    # Before a sender is forked, so that it need not load what the channel brings along.
    channel = social.channel(
        network, social.account(here.workspace, network), here.workspace.outbox_folder, here.workspace.sessions
    )
    for number in range(every):
        campaign = f"{network}-{number}"
        here.start(network, campaign, f"Post {number} on {network} {{{{ url }}}}")
        faults = [FAULTS[number % 3], (*FAULTS, "")[(number // 3) % 4]]
        for fault, later in zip([*faults, *[""] * len(posts.ASK_AFTER_S)], [0, *posts.ASK_AFTER_S, 60], strict=False):
            if here.post(campaign).state not in posts.OPEN:
                break
            here.later(later + 1)
            here.round(network, fault)
            count.cuts += bool(fault) and not here.lines[network].fault
    shown = " ".join(here.texts(network))
    for number in range(every):
        there, state = shown.count(f"Post {number} on {network} "), here.post(f"{network}-{number}").state
        count.posts_once += there == 1
        count.doubled += there > 1
        count.unconfirmed += state == PostState.UNCONFIRMED
        count.lost += there == 0 and state != PostState.UNCONFIRMED
    for number in range(every):
        retry(channel, here.lines[network], number, FAULTS[number % 3])
    shown = " ".join(here.texts(network))
    count.doubled_by_retrying = sum(shown.count(f"Retry {number} on {network} ") > 1 for number in range(every))
    return count


def retry(channel: SocialChannel, line: Line, number: int, fault: str) -> None:
    """What a program does that takes silence for a failure, and is started anew when it was killed."""
    for attempt in range(2):
        line.fault = "cut" if attempt == 0 and fault != "kill-before" else ""
        text, key = f"Retry {number} on {channel.name} .", f"{channel.name}-{number}-{attempt}"
        post = SocialPost(channel.name, text, "en", key, since=datetime.now(UTC))
        if isinstance(channel.publish(post), Posted):
            return


def figures(found: Mapping[str, Count]) -> dict[str, object]:
    """All networks together, and each."""
    counts = {network: asdict(count) for network, count in found.items()}
    together = {key: sum(count[key] for count in counts.values()) for key in asdict(Count())}
    return {"bench": "social", **together, "networks": counts}


if __name__ == "__main__":
    main()
