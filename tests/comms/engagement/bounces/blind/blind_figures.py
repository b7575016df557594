"""What the engine reads of a blind set, beside what a person said of it. Prints nothing, demands nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from blind_forms import CLASS_OF, Case

from comms.engagement.bounces import read_bounce


@dataclass(frozen=True)
class Row:
    """One label and what was read: `recipient` is empty for a message that names nobody, `got` where nothing was read."""

    case: Case
    recipient: str
    said: str
    got: str
    kind: str

    @property
    def right(self) -> bool:
        return self.got == CLASS_OF.get(self.said, "nobody")


@dataclass(frozen=True)
class Figures:
    """Shares between 0 and 1. `precision` is of what was called hard, whoever it was about."""

    messages: int
    rows: int
    recall: float
    classes: float
    precision: float
    hard_found: float


def read(cases: Sequence[Case]) -> Iterator[Row]:
    """One row for each label, and one for each recipient of a bounce whom nobody named."""
    for case in cases:
        verdict = read_bounce(case.data)
        found = {bounced.recipient.lower(): bounced for bounced in verdict.recipients}
        for recipient, said in case.recipients.items():
            bounced = found.pop(recipient, None)
            # A message of which nobody was read still has a class, which counts for the class, not for the recall.
            of = bounced or verdict
            yield Row(case, recipient if bounced else "", said, str(of.of_class), str(of.kind))
        if case.message:
            yield Row(case, "", case.message, str(verdict.of_class), str(verdict.kind))
            continue
        for bounced in found.values():
            yield Row(case, bounced.recipient, "nobody", str(bounced.of_class), str(bounced.kind))


def figures(cases: Sequence[Case], rows: Sequence[Row]) -> Figures:
    labelled = [row for row in rows if row.said != "nobody"]
    named = sum(len(case.recipients) for case in cases)
    hard = [row for row in rows if row.got == "hard"]
    dead = [row for row in labelled if row.said == "hard"]
    return Figures(
        messages=len(cases),
        rows=len(labelled),
        recall=sum(bool(row.recipient) for row in labelled) / named,
        classes=sum(row.right for row in labelled) / len(labelled),
        precision=sum(row.right for row in hard) / len(hard),
        hard_found=sum(row.got == "hard" for row in dead) / len(dead),
    )
