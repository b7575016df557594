"""Power cuts: every write and sync of a send is recorded, and the disk built as it could be at moments of it.

strace records; `disk_log` says what a cut leaves. The machine that "comes back" is the same one under another boot id,
which `comms` reads to know that it did.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path

from bench.chaos import oracle
from bench.chaos.bed import Bed, Fault, SkippedError, Tried, finish
from bench.chaos.disk_log import CALLS, Disk, Kept, read
from bench.chaos.mailbox import Taken
from bench.chaos.oracle import Verdict

PEOPLE = 600
CUTS = 18
BOOT_ID = "/proc/sys/kernel/random/boot_id"
OTHER_BOOT = f'mount --bind "$0" {BOOT_ID} && exec "$@"'


def _power_cuts(bed: Bed) -> Tried:
    require(bed)
    log, workspace = bed.folder / "trace", bed.folder / "before-the-cut"
    around = ["strace", "-f", "-ttt", "-y", "-xx", "-s", "10000000", "-e", f"trace={CALLS}", "-o", str(log), "--"]
    with bed.place(PEOPLE, folder=workspace, around=around) as place:
        place.mailbox.take_time(0.02)
        place.send()
        files = contents(workspace)
        place.start()
        place.wait_until(place.is_done, patience_s=240)
        taken = place.mailbox.taken()
        place.stop()
    with log.open(encoding="ascii", errors="replace") as lines:
        changes = sorted(read(lines), key=lambda change: change.at)
    verdicts = []
    for number in range(CUTS):
        at = bed.chance.uniform(taken[0].at, taken[-1].at)
        disk = Disk(str(workspace), files)
        for change in changes:
            if change.at <= at:
                disk.apply(change)
        left = disk.after_power_cut(list(Kept)[number % 3], bed.chance)
        verdicts.append(_come_back(bed, number, left, [each for each in taken if each.at <= at]))
        bed.tell(f"{number + 1} power cuts")
    return Tried(CUTS, oracle.total(verdicts))


def _come_back(bed: Bed, number: int, left: dict[str, bytes], taken: list[Taken]) -> Verdict:
    """Start on what the cut has left, and see everybody served."""
    folder, boot = bed.folder / f"after-{number}", bed.folder / f"boot-{number}"
    boot.write_text(str(uuid.UUID(int=bed.chance.getrandbits(128))) + "\n")
    around = ["unshare", "--mount", "sh", "-c", OTHER_BOOT, str(boot)]
    with bed.place(PEOPLE, folder=folder, around=around, files=left, taken=taken, campaigns=("c0",)) as place:
        place.start()
        return finish(place)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def require(bed: Bed) -> None:
    """Raises SkippedError where a send can not be recorded, or another boot not be played."""
    if missing := [tool for tool in ("strace", "unshare") if shutil.which(tool) is None]:
        raise SkippedError(f"not found: {', '.join(missing)}")
    boot = bed.folder / "boot"
    boot.write_text("x\n")
    words = ["unshare", "--mount", "sh", "-c", OTHER_BOOT, str(boot), "strace", "-o", os.devnull, "true"]
    if done := subprocess.run(words, capture_output=True, text=True).returncode:
        raise SkippedError(f"strace or unshare is not allowed here ({done})")


FAULTS = [Fault("power cut: what was not synced dropped, kept or torn", _power_cuts)]
