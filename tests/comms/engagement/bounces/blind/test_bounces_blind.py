"""The figures on two sets of returned mail that were labelled before our rules were run on them."""

from __future__ import annotations

from collections.abc import Sequence

import blind_one_answers
import blind_one_letters
import blind_one_servers
import blind_two_answers
import blind_two_notices
import pytest
from blind_figures import figures, read
from blind_forms import Case

SETS = {
    "one": [*blind_one_answers.cases(), *blind_one_servers.cases(), *blind_one_letters.cases()],
    "two": [*blind_two_answers.cases(), *blind_two_notices.cases()],
}


@pytest.mark.parametrize("name", SETS)
def test_recipients_are_found_and_hard_is_hard_on_families_nobody_has_shown_us(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cases: Sequence[Case] = SETS[name]
    rows = list(read(cases))
    got = figures(cases, rows)
    with capsys.disabled():
        print(
            f"\nblind set {name}, {got.messages} messages: recipients {got.recall:.3f}, class {got.classes:.3f}, "
            f"hard is hard {got.precision:.3f}, of the hard {got.hard_found:.3f}"
        )
    wrong = [f"{row.case.family} {row.case.name}: {row.said}" for row in rows if row.got == "hard" and not row.right]

    assert got.recall >= 0.95
    assert got.classes >= 0.93
    assert got.hard_found >= 0.8
    assert got.precision >= 0.98, wrong


def test_the_sets_are_as_large_and_as_varied_as_they_claim() -> None:
    for name, messages, families in (("one", 238, 90), ("two", 116, 60)):
        cases = SETS[name]
        assert len(cases) == messages
        assert len({case.family for case in cases}) >= families
        assert len({(case.family, case.name) for case in cases}) == messages
