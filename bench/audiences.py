"""How fast a large association is: import, segments, planning. Prints a table, and one line of JSON last.

    make bench-audiences

One million made-up members with 12 attributes, 5 topics, and 10 million events, the same in every run. The import
is timed beside `sqlite-utils insert --csv` on the same file, which checks nothing; each rule beside the same count
without an index. Takes some ten minutes and 6 GB of disk; `--members` makes it smaller.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from audiences.models import Association
from audiences.segments import parse, resolve, to_sql
from bench import people
from bench.report import print_json, print_table
from campaigns import definition
from comms.engine import segments, sending
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace

BIN = Path(sys.executable).parent
NOW = datetime.combine(people.TODAY, datetime.min.time(), UTC)
CAMPAIGNS = tuple(f"issue-{number}" for number in range(1, 26))
RULES = (
    'state = "WA"',
    "sector in (library, archives)",
    'sector in (library, archives) and state != "HI"',
    "state in (WA, OR, ID) and population_served > 10000",
    "state in region west and sector = museum",
    "joined > 2025-01-01",
    "renewal >= today and renewal < today + 30 days",
    "membership.status = lapsed and renewal < today - 90 days",
    "membership is current and branches >= 5",
    "first_name is missing",
    "has sector and not (sector = museum and population_served < 5000)",
    "population_served > 25000 and branches >= 5",
    "zip starts with 995",
    "city contains port",
    "organization contains archives",
    "state in (CA, TX, NY, FL) and sector = museum and branches > 10",
    'sector = "historical society" or state = VT',
    "membership_status = active and joined < today - 10 years",
    'city = "Port Cedarville"',
    "address ends with field.example.org and sector = archives",
)
ENGAGEMENT_RULES = (
    'clicked("issue-7")',
    'opened("issue-7", "issue-8")',
    "opened any in 90 days",
    "no click in 180 days",
    "state in (WA, OR, ID) and clicked any in 30 days",
    'sector = library and not opened("issue-25")',
)
TOPIC_RULES = (
    'state = "WA" and topic = grants',
    "topic = grants and opened any in 30 days",
    "topic = grants",
)
RECIPIENTS = 300_000
CAMPAIGN = """---
campaign: bench
language: en
title: A campaign
audience:
  segment: sample 40%
newsletter:
  subject: "Hello {{ member.first_name or 'you' }}"
---

A text.
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--members", type=int, default=1_000_000)
    options.add_argument("--events", type=int, default=10_000_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="comms-bench-") as scratch:
        run(Path(scratch), chosen.members, chosen.events)


def run(scratch: Path, members: int, events: int) -> None:
    figures: dict[str, object] = {"bench": "audiences", "members": members, "events": events}
    file = scratch / "members.csv"
    people.write_csv(file, members)
    print(f"{members:,} members, {file.stat().st_size / 1e6:,.0f} MB of CSV")
    folder = scratch / "workspace"
    create_workspace(folder, Association("bench", "Bench", "news@bench.example.org", "1 Main St")).close()
    figures |= measure_import(scratch, file, folder)
    with Workspace(folder, clock=lambda: NOW) as workspace:
        add_campaigns(workspace)
        seconds = add_events(workspace, events)
        print(f"{events:,} events in {seconds:,.0f} s\n")
        figures |= measure_rules(workspace)
        figures |= measure_plan(workspace)
    print_json(figures)


def measure_import(scratch: Path, file: Path, folder: Path) -> dict[str, object]:
    """Both imports twice, in turns; the better time of each counts."""
    plain: list[float] = []
    ours: list[float] = []
    peak = 0.0
    for attempt in range(2):
        bare = scratch / "bare.db"
        bare.unlink(missing_ok=True)
        seconds, _ = timed([str(BIN / "sqlite-utils"), "insert", str(bare), "member", str(file), "--csv", "--silent"])
        plain.append(seconds)
        bare.unlink()
        target = folder if attempt else scratch / "first"
        if target != folder:
            shutil.copytree(folder, target)
        command = [str(BIN / "comms"), "-w", str(target), "members", "import", str(file), "--json"]
        seconds, megabytes = timed(command)
        ours.append(seconds)
        peak = max(peak, megabytes)
        if target != folder:
            shutil.rmtree(target)
    rows = [
        ["sqlite-utils insert --csv", f"{min(plain):.1f}", "1.00", ""],
        ["comms members import", f"{min(ours):.1f}", f"{min(ours) / min(plain):.2f}", f"{peak:.0f}"],
    ]
    print_table(["import", "s", "ratio", "peak MB"], rows)
    return {"import_ratio": round(min(ours) / min(plain), 3), "import_peak_mb": round(peak)}


def timed(command: Sequence[str]) -> tuple[float, float]:
    """(seconds, most megabytes that the command and its children held together)."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"{command} ended with {code}")
    return time.monotonic() - started, peak


def resident(pid: int) -> float:
    """Megabytes that a process and its children hold; 0 once it is gone. Linux."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 + sum(resident(int(child)) for child in children)


def add_events(workspace: Workspace, events: int) -> float:
    """Twenty-five campaigns in the last year, to members who agreed to be tracked; opens and clicks of them."""
    db = workspace.association_db("bench")
    draw = random.Random(2)
    started = time.monotonic()
    db.execute("PRAGMA cache_size = -262144")
    known = [row[0] for row in db.execute("SELECT member_id FROM subscription WHERE topic = 'tracking' ORDER BY 1")]
    each = events // len(CAMPAIGNS)
    # The newest first: whoever is known to have opened it is not written down anew for each older one.
    for number, campaign in reversed(list(enumerate(CAMPAIGNS))):
        sent = NOW - timedelta(days=14 * (len(CAMPAIGNS) - number))
        with db.atomic():
            run = db.execute(
                "INSERT INTO run (campaign, channel, digest, state, doubt, planned, frozen_at)"
                " VALUES (?, 'newsletter', '', 'done', 'hold', ?, ?)",
                [campaign, len(known), sent.isoformat()],
            ).lastrowid
            first = db.execute("SELECT coalesce(max(id), 0) + 1 FROM delivery").fetchone()[0]
            db.conn.executemany(
                "INSERT INTO delivery (run_id, member_id, state) VALUES (?, ?, 'sent')",
                ((run, member) for member in known),
            )
            rows = (
                (
                    run,
                    "clicked" if draw.random() < 0.2 else "opened",
                    (sent + timedelta(seconds=int(draw.expovariate(1 / 90_000)))).isoformat(timespec="seconds"),
                    first + min(int(draw.paretovariate(1.2) * len(known) / 40), len(known) - 1),
                    1,
                )
                for _ in range(each)
            )
            db.conn.executemany("INSERT INTO event (run_id, kind, at, delivery_id, link) VALUES (?, ?, ?, ?, ?)", rows)
    return time.monotonic() - started


def add_campaigns(workspace: Workspace) -> None:
    """What the rules may name."""
    with workspace.host.db.atomic():
        for campaign in CAMPAIGNS:
            workspace.host.save_campaign(
                campaign, title=campaign, definition="", state="sent", senders=["bench"], due_at=None, now=NOW
            )


def measure_rules(workspace: Workspace) -> dict[str, object]:
    attributes = [measure_rule(workspace, rule) for rule in RULES]
    engagement = [measure_rule(workspace, rule) for rule in ENGAGEMENT_RULES]
    topics = [measure_rule(workspace, rule) for rule in TOPIC_RULES]
    for title, found in (("attribute rule", attributes), ("engagement rule", engagement), ("topic rule", topics)):
        rows = [[rule, f"{n:,}", f"{ms:.1f}", f"{scan:,.0f}", f"{scan / ms:,.0f}"] for rule, n, ms, scan in found]
        print_table([title, "members", "ms", "scan ms", "times faster"], rows)
    times = [ms for _, _, ms, _ in attributes]
    return {
        "slowest_rule_ms": round(max(times), 1),
        "median_rule_ms": round(median(times), 1),
        "slowest_engagement_ms": round(max(ms for _, _, ms, _ in engagement), 1),
        "slowest_topic_ms": round(max(ms for _, _, ms, _ in topics), 1),
    }


def measure_rule(workspace: Workspace, rule: str) -> tuple[str, int, float, float]:
    """(rule, members, milliseconds warm, milliseconds of a scan of the whole table)."""
    count = segments.count_members(workspace, rule, "bench")  # makes the index that the rule needs
    warm = best_of(7, lambda: segments.count_members(workspace, rule, "bench"))
    condition = to_sql(resolve(parse(rule), lambda name: None, {}), people.TODAY)
    db = workspace.association_db("bench")
    sql = f"SELECT count(*) FROM member NOT INDEXED WHERE {condition.sql}"
    scan = best_of(1, lambda: db.execute(sql, dict(condition.parameters)).fetchone())
    return rule, count, warm * 1e3, scan * 1e3


def best_of(times: int, work: Callable[[], object]) -> float:
    """Median seconds of so many calls."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)


def measure_plan(workspace: Workspace) -> dict[str, object]:
    """From the definition to a frozen run: counted, compiled, approved, and a row in the ledger for each."""
    started = time.perf_counter()
    campaign = definition.read(CAMPAIGN, path="bench.md")
    prepared = sending.prepare(workspace, campaign)
    sending.start(workspace, sending.approve(workspace, prepared, who="bench"))
    seconds = time.perf_counter() - started
    run = workspace.ledger("bench").run("bench", "newsletter")
    assert run is not None
    per_300k = seconds * RECIPIENTS / run.planned
    rows = [[f"{run.planned:,} planned and frozen", f"{seconds:.2f}", f"{per_300k:.2f}"]]
    print_table(["plan", "s", "s for 300,000"], rows)
    return {"plan_300k_s": round(per_300k, 2)}


if __name__ == "__main__":
    main()
