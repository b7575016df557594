"""How fast a newsletter goes out, from the campaign file to the ledger. Prints a table, and one line of JSON last.

    make bench-send

50,000 personal messages of some 40 KB with tracked links, by `comms run` as it always works, to Postfix's smtp-sink
on this machine, three times; before and after each time what Postfix's smtp-source reaches (the wire): figures and
ratios are the medians. Beside it, in the same run, other ways to send the same mail. Then once more, signed (DKIM,
RSA-2048), beside what signing alone allows. The clock runs from the first batch claimed to the last one settled;
processor seconds are those of control and senders in that time. It needs Debian's package `postfix` (no service of
it); nodemailer, django-newsletter and Mailman take part where npm and pip can install
them. Takes some minutes; `--messages` makes it shorter.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median

from audiences.models import Association
from bench import django_newsletter, mailman, nodemailer, peers, processes, rsa
from bench.delay import delayed
from bench.report import print_json, print_table
from bench.sink import Sink, free_port, require, run_source, sink
from comms.engine.setup import create_workspace

CAMPAIGN, SIGNED = "bench", "bench-signed"
HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street")
ROUNDS = 3
SESSIONS = 10
KILOBYTES = 40
LINKS = 25
ROUND_TRIPS_S = (0.02, 0.08)
LOOK_S = 0.02
SLOW_SHARE = 10
"""The others are given so many times fewer messages; the slowest one gets that many fewer again."""
HEADER = f"""---
campaign: {CAMPAIGN}
title: A long newsletter
language: en
newsletter:
  subject: "{{{{ member.first_name }}}}, the news of this month"
  preview: What your neighbours did
---

Dear {{{{ member.first_name }}}} {{{{ member.last_name }}}} in {{{{ member.city }}}},
"""
SENTENCE = "The county library and the city museum opened their new reading room together, and everybody came. "


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--messages", type=int, default=50_000)
    chosen = options.parse_args()
    require()
    with tempfile.TemporaryDirectory(prefix="comms-bench-") as scratch:
        run(Path(scratch), chosen.messages)


def run(scratch: Path, messages: int) -> None:
    folder = scratch / "workspace"
    create_workspace(folder, HOST).close()
    write_people(scratch / "people.csv", messages)
    comms(folder, {}, "members", "import", str(scratch / "people.csv"))
    mail = write_campaign(scratch, folder)
    size = mail.stat().st_size
    print(f"{messages:,} messages of {size / 1000:.1f} KB, {SESSIONS} sessions\n")
    ours, wire, ratio, cpu_ratio = measure_ours(folder, scratch, messages, size)
    others = measure_others(scratch, mail, messages)
    signed, signatures = measure_signed(folder, scratch, messages)
    rows = [
        ["comms, file to ledger", f"{ours.per_second:,.0f}", "1.00", f"{ours.cpu_s_per_10k:.2f}"],
        ["smtp-source (the wire)", f"{wire.per_second:,.0f}", f"{ratio:.2f}", f"{wire.cpu_s_per_10k:.2f}"],
        *([name, f"{rate:,.0f}", f"{ours.per_second / rate:.1f}", ""] for name, rate in others.items()),
        ["comms, signed (DKIM)", f"{signed.per_second:,.0f}", "", f"{signed.cpu_s_per_10k:.2f}"],
        ["RSA-2048 signatures alone", f"{signatures:,.0f}", "", ""],
    ]
    print_table(["client", "messages/s", "comms is x", "CPU s/10,000"], rows)
    print(f"control held {ours.control_peak_mb:.0f} MB at most; {ours.lost} lost")
    lines = {round(trip * 1000): measure_long_line(mail, trip) for trip in ROUND_TRIPS_S}
    for trip, times in lines.items():
        print(f"a connection over a line of {trip} ms carries {times:.1f} times as much as aiosmtplib's")
    print()
    print_json(
        figures(ours, others)
        | {f"ratio_rtt{trip}_aiosmtplib": round(times, 2) for trip, times in lines.items()}
        | {
            "ratio_wire": round(ratio, 3),
            "ratio_cpu_wire": round(cpu_ratio, 2),
            "ratio_dkim_limit": round(signed.per_second / signatures, 3),
        }
    )


@dataclass(frozen=True, slots=True)
class Sending:
    """What was measured of one send of ours."""

    per_second: float
    cpu_s_per_10k: float
    control_cpu_s_per_10k: float
    control_peak_mb: float
    lost: int


@dataclass(frozen=True, slots=True)
class Wire:
    """What smtp-source reaches."""

    per_second: float
    cpu_s_per_10k: float


def measure_ours(folder: Path, scratch: Path, messages: int, size: int) -> tuple[Sending, Wire, float, float]:
    """Medians of all rounds: ours, the wire, and ours as a share of the wire around it, in speed and in CPU.

    The machine may have other work, and neighbours: what counts is what both sides reach side by side.
    """
    sendings, wires, ratios, cpu_ratios = [], [measure_wire(messages // 2, size)], [], []
    for number in range(ROUNDS):
        name = f"{CAMPAIGN}-{number}"
        copy_campaign(scratch, name)
        with sink() as server:
            sendings.append(send(folder, scratch, name, server, messages))
        wires.append(measure_wire(messages // 2, size))
        around = Wire(*(sum(pair) / 2 for pair in zip(*map(astuple, wires[-2:]), strict=True)))
        ratios.append(sendings[-1].per_second / around.per_second)
        cpu_ratios.append(sendings[-1].cpu_s_per_10k / around.cpu_s_per_10k)
    middle = Sending(
        *(median(values) for values in list(zip(*map(astuple, sendings), strict=True))[:3]),
        control_peak_mb=max(each.control_peak_mb for each in sendings),
        lost=sum(each.lost for each in sendings),
    )
    wire = Wire(*(median(values) for values in zip(*map(astuple, wires), strict=True)))
    return middle, wire, median(ratios), median(cpu_ratios)


def copy_campaign(scratch: Path, name: str) -> None:
    """The same campaign under another id."""
    text = (scratch / f"{CAMPAIGN}.md").read_text().replace(f"campaign: {CAMPAIGN}\n", f"campaign: {name}\n")
    (scratch / f"{name}.md").write_text(text)


def figures(ours: Sending, others: Mapping[str, float]) -> dict[str, object]:
    nodes, django = others.get("nodemailer, pooled"), others.get("django-newsletter")
    list_server = others.get("Mailman 3, personalised")
    return {
        "bench": "send",
        "per_second": round(ours.per_second),
        "cpu_s_per_10k": round(ours.cpu_s_per_10k, 2),
        "control_cpu_s_per_10k": round(ours.control_cpu_s_per_10k, 2),
        "ratio_smtplib_new": round(ours.per_second / others["smtplib, new connection each"], 1),
        "ratio_aiosmtplib": round(ours.per_second / others["aiosmtplib, kept connections"], 2),
        "ratio_nodemailer": round(ours.per_second / nodes, 2) if nodes else None,
        "ratio_django_newsletter": round(ours.per_second / django, 1) if django else None,
        "ratio_mailman": round(ours.per_second / list_server, 1) if list_server else None,
        "lost": ours.lost,
        "control_peak_mb": round(ours.control_peak_mb),
    }


def write_people(path: Path, count: int) -> None:
    lines = (f"reader{n}@example.org,First{n},Last{n},City {n % 997},yes,yes\n" for n in range(count))
    path.write_text("email,first_name,last_name,city,consent,tracking\n" + "".join(lines))


def write_campaign(scratch: Path, folder: Path) -> Path:
    """Write the definition with as much text as the size asks for; returns the file of one mail as it goes out."""
    path, out = scratch / f"{CAMPAIGN}.md", scratch / "preview"
    sentences, size = 0, 0
    for _ in range(4):  # each sentence stands in two parts, and markup around it: nearer with every turn
        sentences += round((KILOBYTES * 1000 - size) / (2.2 * len(SENTENCE)))
        each, more = divmod(sentences, LINKS)
        parts = (
            f"## Part {n}\n\n{SENTENCE * (each + (n < more))}[Read on](https://example.org/news/{n}?from=letter).\n"
            for n in range(LINKS)
        )
        path.write_text("\n".join([HEADER, *parts]))
        comms(folder, {}, "campaign", "preview", str(path), "--out", str(out))
        (mail,) = out.rglob("message.eml")
        size = mail.stat().st_size
    return mail


def comms(folder: Path, environment: Mapping[str, str], *words: str) -> None:
    command = words_of(folder, *words)
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"comms {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def words_of(folder: Path, *words: str) -> Sequence[str]:
    return [sys.executable, "-m", "comms", "-w", str(folder), *words]


def measure_signed(folder: Path, scratch: Path, messages: int) -> tuple[Sending, float]:
    """The same campaign signed, and how many signatures a second this machine makes."""
    comms(folder, {}, "dkim", "create", "--association", HOST.slug, "--selector", "bench")
    comms(folder, {}, "dkim", "use", "bench", "--association", HOST.slug)
    copy_campaign(scratch, SIGNED)
    with sink() as server:
        return send(folder, scratch, SIGNED, server, messages), rsa.per_second(os.cpu_count() or 1)


def send(folder: Path, scratch: Path, campaign: str, server: Sink, messages: int) -> Sending:
    """Have `comms run` send the campaign, and watch it."""
    senders = os.cpu_count() or 1
    environment = {
        "COMMS_SMTP__PORT": str(server.port),
        "COMMS_SMTP__CONNECTIONS": str(max(1, SESSIONS // senders)),
        "COMMS_DELIVERY__SENDERS": str(senders),
        "COMMS_SITE__PORT": str(free_port()),
    }
    with subprocess.Popen(
        words_of(folder, "run"), env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    ) as process:
        try:
            processes.wait_idle(process.pid, of=senders)
            comms(folder, environment, "campaign", "send", str(scratch / f"{campaign}.md"), "--yes")
            return watch(folder, process.pid, campaign, server, messages)
        finally:
            process.terminate()


def watch(folder: Path, pid: int, campaign: str, server: Sink, messages: int) -> Sending:
    begun = "SELECT EXISTS (SELECT 1 FROM batch JOIN run ON run.id = run_id WHERE campaign = ?)"
    done = "SELECT EXISTS (SELECT 1 FROM run WHERE campaign = ? AND done_at IS NOT NULL)"
    took = "SELECT count(*) FROM delivery JOIN run ON run.id = run_id WHERE campaign = ? AND delivery.state = 'sent'"
    with closing(sqlite3.connect(f"file:{folder}/associations/{HOST.slug}.db?mode=ro", uri=True)) as ledger:
        while not ledger.execute(begun, [campaign]).fetchone()[0]:
            time.sleep(LOOK_S)
        started, cpu, control = time.perf_counter(), processes.cpu_s(pid, tree=True), processes.cpu_s(pid)
        while not ledger.execute(done, [campaign]).fetchone()[0]:
            time.sleep(LOOK_S)
        seconds = time.perf_counter() - started
        tens = messages / 10_000
        used, controls = processes.cpu_s(pid, tree=True) - cpu, processes.cpu_s(pid) - control
        (sent,) = ledger.execute(took, [campaign]).fetchone()
    if sent != messages:
        raise SystemExit(f"the ledger says that {sent:,} of {messages:,} were sent")
    return Sending(messages / seconds, used / tens, controls / tens, processes.peak_mb(pid), sent - server.messages())


def measure_wire(messages: int, size: int) -> Wire:
    with sink() as server:
        seconds, used = run_source(server.port, messages, SESSIONS, size)
    return Wire(messages / seconds, used / messages * 10_000)


def measure_others(scratch: Path, mail: Path, messages: int) -> dict[str, float]:
    """Messages a second of each."""
    few = max(messages // SLOW_SHARE, 200)
    rates = {}
    for title, name, count in (
        ("aiosmtplib, kept connections", "aiosmtplib", few),
        ("smtplib, new connection each", "smtplib-new", max(few // SLOW_SHARE, 200)),
    ):
        with sink() as server:
            rates[title] = count / peers.run(name, server.port, count, SESSIONS, mail)[0]
    with sink() as server:
        if rate := nodemailer.rate(scratch, server.port, few, SESSIONS, mail):
            rates["nodemailer, pooled"] = rate
    slow = max(few // SLOW_SHARE, 200)
    with sink() as server:
        if rate := django_newsletter.rate(scratch, server, slow, mail.stat().st_size):
            rates["django-newsletter"] = rate
    with sink() as server:
        if rate := mailman.rate(scratch, server, slow, mail):
            rates["Mailman 3, personalised"] = rate
    return rates


def measure_long_line(mail: Path, round_trip_s: float) -> float:
    """How many times more one connection of ours carries than one of aiosmtplib, far away from the server."""
    rates = {}
    with sink() as server, delayed(server.port, round_trip_s) as port:
        for name, count in (("bulk", 400), ("aiosmtplib", 100)):
            rates[name] = count / peers.run(name, port, count, 1, mail)[0]
    return rates["bulk"] / rates["aiosmtplib"]


if __name__ == "__main__":
    main()
