"""Steps through the different values of what an index begins with: SQLite's own DISTINCT reads every row."""

from __future__ import annotations


def each_value(value: str, source: str, *, begin: str = "", end: str = "", most: int | None = None) -> str:
    """The head of a query over `each(value)`: the different values of the expression `value` in `source`, in order.

    `begin` and `end` are conditions on `value` that bound it, `most` the number after which to stop. A NULL may
    stand last.
    """
    limit = "" if most is None else f" LIMIT {most}"
    first = " AND ".join(bound for bound in (begin, end) if bound)
    further = f" AND {end}" if end else ""
    return (
        f"WITH RECURSIVE each(value) AS (SELECT min({value}) FROM {source}{f' WHERE {first}' if first else ''}"  # noqa: S608
        f" UNION ALL SELECT (SELECT min({value}) FROM {source} WHERE {value} > each.value{further}) FROM each"
        f" WHERE each.value IS NOT NULL{limit})"
    )
