"""How far a hidden number of a table with sums can be from what it is, for all that the published ones say. Exact.

A table is a grid whose last row and last column are sums, and their corner is the sum of both. To change hidden numbers
so that every sum still holds is a circulation between its rows and its columns: each hidden number is an arc from its
row to its column, and a sum counts the other way round. So the furthest that one number can go is a largest flow
(L. H. Cox, Network models for complementary cell suppression, 1995), and since flows of whole numbers are whole,
there is a table of counts for each number in between.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import NamedTuple

Place = tuple[int, int]
"""Row and column."""


class Way(NamedTuple):
    """How far a number can go, and what stops it there."""

    far: int
    reached: frozenset[int]
    """The rows `i` and columns `~j` on this side of what stops it; empty where nothing did."""


class Intervals:
    """The hidden numbers of one table as one onlooker sees them.

    `falls` says of each hidden number by how much it could be less, for none is below nothing and nobody doubts what
    he knows. Numbers that are not in it are known. `corner` is the place of the sum of all.
    """

    def __init__(self, falls: Mapping[Place, int], corner: Place) -> None:
        self._falls = falls
        self._corner = corner
        self._arcs: dict[int, list[Place]] = defaultdict(list)
        for row, column in falls:
            self._arcs[row].append((row, column))
            self._arcs[~column].append((row, column))

    def up(self, place: Place, enough: int) -> Way:
        """By how much the number there could be more than it is; no further than `enough`."""
        return self._way(place, enough, rises=True)

    def down(self, place: Place, enough: int) -> Way:
        """By how much the number there could be less than it is; no further than `enough`."""
        return self._way(place, min(enough, self._falls[place]), rises=False)

    def _way(self, place: Place, enough: int, *, rises: bool) -> Way:
        """A largest flow that closes the circle through the number (Edmonds and Karp)."""
        row, column = place
        start, goal = (~column, row) if rises is self._adds(place) else (row, ~column)
        flow: dict[Place, int] = defaultdict(int)
        far = 0
        while far < enough:
            came_from = self._search(start, goal, place, flow)
            if goal not in came_from:
                return Way(far, frozenset(came_from))
            path, node = [], goal
            while node != start:
                arc, before = came_from[node]
                path.append((arc, 1 if before >= 0 else -1))
                node = before
            step = enough - far
            for arc, direction in path:
                left = self._left(arc, direction, flow)
                step = step if left is None else min(step, left)
            for arc, direction in path:
                flow[arc] += direction * step
            far += step
        return Way(far, frozenset())

    def _search(self, start: int, goal: int, closed: Place, flow: Mapping[Place, int]) -> dict[int, tuple[Place, int]]:
        """Each row and column that can be reached -> the number on the last step to it, and where that began."""
        came_from = {start: (closed, start)}
        waiting = deque([start])
        while waiting and goal not in came_from:
            node = waiting.popleft()
            for arc in self._arcs[node]:
                other = ~arc[1] if node >= 0 else arc[0]
                if arc != closed and other not in came_from and self._left(arc, 1 if node >= 0 else -1, flow) != 0:
                    came_from[other] = (arc, node)
                    waiting.append(other)
        return came_from

    def _left(self, arc: Place, direction: int, flow: Mapping[Place, int]) -> int | None:
        """What may still flow from row to column (1) or back (-1); None for any amount, as the number then rises."""
        sign = 1 if self._adds(arc) else -1
        if direction == sign:
            return None
        return self._falls[arc] + sign * flow.get(arc, 0)

    def _adds(self, place: Place) -> bool:
        """Is it a number within the grid, or the sum of all; else it is a sum of one row or column."""
        return (place[0] == self._corner[0]) == (place[1] == self._corner[1])
