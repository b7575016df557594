"""Which sections of an edition a member gets, by the topics they follow: asked of the database for many at once."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from audiences.choices import weekly_sql
from audiences.consent import Exclusion
from audiences.mailable import follows_sql
from audiences.segments import Condition


@dataclass(frozen=True, slots=True)
class Sections:
    """The sections of one edition that are for the subscribers of a topic alone."""

    topics: tuple[str, ...] = ()
    """Whose they are, in the order of the edition's own `topics`."""
    new: tuple[str, ...] = ()
    """Those with something for every subscriber."""
    missed: tuple[str, ...] = ()
    """Those with something for subscribers who want the topic weekly, beside what is new."""
    for_all: bool = True
    """Everyone gets a mail; else it is only for who sees one of the sections."""

    def flags(self, now: datetime) -> Condition:
        """A digit for each of `topics`, as SQL over `member`: 0 where they see nothing of it, 1 what is new, 2 also
        what they missed in the week. Text, empty without topics."""
        digits = [Condition("''", {})]
        for number, topic in enumerate(self.topics):
            name = f"section_{number}"
            sees, weekly = self.sees(topic, now, name=name), weekly_sql(topic, name=name)
            digit = f"({sees.sql} * (1 + {weekly.sql}))" if topic in self.missed else sees.sql
            digits.append(Condition(digit, {**sees.parameters, **weekly.parameters}))
        return _joined(" || ", digits)

    def reason(self, now: datetime, further: Condition | None = None) -> Condition | None:
        """Why `member` gets no mail of the edition, as `exclusion_sql` takes it: SQL with the name of a reason, or
        what `further` says."""
        if self.for_all:
            return further
        seen = (self.sees(topic, now, name=f"awaited_{number}") for number, topic in enumerate(self.topics))
        some, otherwise = _joined(" OR ", [Condition("0", {}), *seen]), further or Condition("NULL", {})
        return Condition(
            f"CASE WHEN NOT ({some.sql}) THEN '{Exclusion.NOTHING_NEW}' ELSE {otherwise.sql} END",
            {**some.parameters, **otherwise.parameters},
        )

    def sees(self, topic: str, now: datetime, *, name: str = "topic") -> Condition:
        """Does `member` see anything of a topic's sections: boolean SQL. `name` is that of the parameter for it."""
        follows, weekly = follows_sql(topic, now, name=name), weekly_sql(topic, name=name)
        if topic in self.new:
            return follows
        return Condition(f"({follows.sql} AND {weekly.sql})", {**follows.parameters, **weekly.parameters})

    def to_text(self) -> str:
        """For the run's row; empty for an edition without such sections."""
        return json.dumps(asdict(self)) if self != WHOLE else ""

    @classmethod
    def from_text(cls, text: str) -> Sections:
        """Undo `to_text`."""
        if not text:
            return WHOLE
        data = json.loads(text)
        return cls(tuple(data["topics"]), tuple(data["new"]), tuple(data["missed"]), data["for_all"])


WHOLE = Sections()
"""An edition of which everyone gets every part."""


def _joined(operator: str, conditions: list[Condition]) -> Condition:
    parameters = {name: value for each in conditions for name, value in each.parameters.items()}
    return Condition(operator.join(each.sql for each in conditions), parameters)
