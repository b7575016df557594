"""Whatever the order in which an association's old files come in: who is out in one of them can not be mailed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.importing import base, detect
from audiences.importing.base import ImportResult
from audiences.migrations import AUDIENCES
from audiences.store import People
from comms.db import Database

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
OWN = Path(__file__).resolve().parents[4] / "shared" / "data" / "imports" / "own"


@pytest.mark.data
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_opted_out_person_is_not_mailable_after_all_files_in_any_order(data: st.DataObject) -> None:
    if not OWN.is_dir():
        pytest.skip(f"the sample data is not here: {OWN}")
    files = data.draw(st.permutations(sorted(OWN.iterdir())))
    db = Database(memory=True)
    AUDIENCES.apply(db)
    people = People(db, b"k" * 32)
    for file in files:
        with db.atomic():
            list(base.apply(people, detect.read(file, NOW), NOW, ImportResult(), file=file.name))
    assert not mailable(people, "lee.park@example.net")
    assert mailable(people, "ana.reyes@example.org")
    db.close()


def mailable(people: People, address: str) -> bool:
    member = people.find(address)
    assert member is not None
    assert member.id is not None
    return people.standings({member.id: member.address})[member.id].agrees_to(None)
