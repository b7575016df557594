"""The figures on real bounces: recipients found, classes right, and how sure a hard one is."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audiences.addresses import fold_case, normalise_address
from audiences.errors import AddressError
from comms.engagement.bounces import BounceClass, Bounced, read_bounce
from comms.engagement.bounces.sources import Message, messages_in

pytestmark = pytest.mark.data

NOBODY = "undisclosed-recipient-in-headers@libsisimai.org.invalid"
"""What the expectations write where a message names nobody."""


@dataclass(frozen=True)
class Row:
    """One expected recipient, and what was read of it."""

    file: str
    recipient: str
    expected: str
    got: Bounced | None
    of_message: str


def expected_class(row: dict[str, str]) -> str:
    if row["reason"] in ("feedback", "delivered"):
        return {"feedback": "complaint", "delivered": "none"}[row["reason"]]
    return "hard" if row["hard_bounce"] == "1" else "soft"


def normalised(address: str) -> str:
    try:
        return fold_case(normalise_address(address))
    except AddressError:
        return fold_case(address)


@pytest.fixture
def bounces(data: Path) -> Path:
    folder = data / "bounces"
    if not (folder / "expected.csv").is_file():
        pytest.skip(f"the sample bounces are not here: {folder}")
    return folder


def read_rows(folder: Path) -> Iterator[Row]:
    expected: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            expected[row["file"]].append(row)
    for file, rows in expected.items():
        messages = [m for m in messages_in(str(folder / file)) if isinstance(m, Message)]
        verdicts = [read_bounce(message.data) for message in messages]
        found = {fold_case(bounced.recipient): bounced for verdict in verdicts for bounced in verdict.recipients}
        for row in rows:
            got = found.get(normalised(row["recipient"]))
            yield Row(file, row["recipient"], expected_class(row), got, str(verdicts[0].of_class))


def test_recipients_and_classes_of_real_bounces_are_read(bounces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(read_rows(bounces))
    named = [row for row in rows if row.recipient != NOBODY]
    recall = sum(row.got is not None for row in named) / len(named)
    right = sum(row.expected == (str(row.got.of_class) if row.got else row.of_message) for row in rows) / len(rows)
    hard = [row for row in rows if row.got and row.got.of_class is BounceClass.HARD]
    precision = sum(row.expected == "hard" for row in hard) / len(hard)
    with capsys.disabled():
        print(f"\n{len(rows)} rows: recipients {recall:.3f}, class {right:.3f}, hard is hard {precision:.3f}")

    assert recall >= 0.98
    assert right >= 0.97
    assert precision >= 0.97


def test_no_absence_and_no_ordinary_mail_is_taken_for_a_bounce(bounces: Path) -> None:
    files = [*bounces.glob("rfc3834-*.eml"), *bounces.glob("not-a-bounce-*.eml")]

    assert files
    for file in files:
        assert read_bounce(file.read_bytes()).of_class in (BounceClass.AUTO_REPLY, BounceClass.NONE), file.name
