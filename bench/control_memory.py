"""How much memory control needs for few and for many. Prints a table, and one line of JSON last.

    make bench-memory

A short newsletter goes to 50,000 members and to a million, by `comms run` to Postfix's smtp-sink; the figure is the
most memory that the control process held. Takes some ten minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.report import print_json, print_table
from bench.send import HOST, Sending, comms, send, write_people
from bench.sink import require, sink
from comms.engine.setup import create_workspace

NAME = "short"
CAMPAIGN = f"""---
campaign: {NAME}
title: A short newsletter
language: en
newsletter:
  subject: "{{{{ member.first_name }}}}, the news of this month"
---

Dear {{{{ member.first_name }}}}, [read on](https://example.org/news).
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--few", type=int, default=50_000)
    options.add_argument("--many", type=int, default=1_000_000)
    chosen = options.parse_args()
    require()
    few, many = (measure(messages) for messages in (chosen.few, chosen.many))
    rows = [
        [f"{messages:,} members", f"{each.control_peak_mb:.0f}", f"{each.per_second:,.0f}", str(each.lost)]
        for messages, each in ((chosen.few, few), (chosen.many, many))
    ]
    print_table(["", "control, MB", "messages/s", "lost"], rows)
    figures = {"few_mb": round(few.control_peak_mb), "many_mb": round(many.control_peak_mb)}
    print_json({"bench": "control_memory", **figures, "ratio": round(many.control_peak_mb / few.control_peak_mb, 2)})


def measure(messages: int) -> Sending:
    with tempfile.TemporaryDirectory(prefix="comms-bench-") as scratch:
        folder = Path(scratch) / "workspace"
        create_workspace(folder, HOST).close()
        write_people(Path(scratch) / "people.csv", messages)
        comms(folder, {}, "members", "import", str(Path(scratch) / "people.csv"))
        (Path(scratch) / f"{NAME}.md").write_text(CAMPAIGN)
        with sink() as server:
            return send(folder, Path(scratch), NAME, server, messages)


if __name__ == "__main__":
    main()
