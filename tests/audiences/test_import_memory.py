"""The memory an import takes does not grow with the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 200_000
MOST_GROWTH_MIB = 60

IMPORT = """
import resource, sys
from pathlib import Path
from audience_samples import NOW, open_people
from audiences.importing import base, plain
from audiences.importing.base import ImportResult

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MiB

people = open_people(Path(sys.argv[2]))
result = ImportResult()
before = None
with people.db.atomic():
    for state in base.apply(people, plain.read(Path(sys.argv[1]), NOW), NOW, result):
        before = before or peak()  # after the first chunk: everything is imported and warm
print(result.added, round(peak() - before))
"""


@pytest.mark.slow
def test_a_list_of_two_hundred_thousand_is_imported_in_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "members.csv").open("w", encoding="utf-8") as file:
        file.write("email,name,city,population,consent\n")
        file.writelines(f"member{n}@example.org,Member number {n},Springfield,{n},yes\n" for n in range(ROWS))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(tmp_path / "members.csv"), str(tmp_path / "association.db")],
        env={"PYTHONPATH": f"{Path(__file__).parents[2]}:{Path(__file__).parent}"},
        capture_output=True,
        text=True,
        check=True,
    )
    added, growth = map(int, done.stdout.split())
    assert added == ROWS
    assert growth < MOST_GROWTH_MIB
