"""Which members are in a stable sample: the same question, asked of Python and of SQLite."""

from __future__ import annotations

_MASK, _FACTOR, _RANGE = 0x7FFFFFFF, 2_654_435_761, 1 << 32
"""Knuth's multiplicative hash (The Art of Computer Programming, volume 3, section 6.4): the golden ratio of 2^32
spreads ids that follow one another evenly. 31 bits times 32 stay within the 64 of an SQLite integer."""


def in_sample(member_id: int | None, hundredths: int) -> bool:
    """Is the member in the sample of so many hundredths of a per cent. One without an id is in the full one alone."""
    if member_id is None:
        return hundredths == 10_000
    return (member_id & _MASK) * _FACTOR % _RANGE < threshold(hundredths)


def sample_sql(limit: str) -> str:
    """The same as an SQL expression over `member`; `limit` stands for the `threshold`."""
    return f"(member.id & {_MASK}) * {_FACTOR} & {_RANGE - 1} < {limit}"


def threshold(hundredths: int) -> int:
    """Hashes below it are in the sample."""
    return _RANGE * hundredths // 10_000
