from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from audience_samples import open_people

from audiences.store import People


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    """An association's empty database."""
    people = open_people(tmp_path / "association.db")
    yield people
    people.db.close()


@pytest.fixture(scope="module")
def shared_people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """One database for all examples of a property test; each takes back what it wrote."""
    people = open_people(tmp_path_factory.mktemp("audience") / "association.db")
    yield people
    people.db.close()
