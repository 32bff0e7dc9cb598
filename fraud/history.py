"""The payments of some users in order of event time, and what the rules ask of them, vectorised."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from fraud.alert import MAX_EVIDENCE
from fraud.arrays import Integers


@dataclass(frozen=True)
class History:
    """One entry a payment, sorted by user, then event time, then arrival; no duplicates.

    All arrays have the same length; positions below are indices into them.
    """

    user: Integers  # a number a user, ascending
    timestamp: Integers  # event time, milliseconds
    amount: Integers  # cents
    rate: Integers  # millionths of a euro for one unit of the payment's currency
    location: Integers  # a number a location
    _windows: dict[int, tuple[Integers, Integers]] = field(default_factory=dict, repr=False)

    def window(self, length: int) -> tuple[Integers, Integers]:
        """For each payment at t the positions [start, end) of its user's payments in (t - length, t].

        Payments at the same millisecond are in each other's window. Both arrays never fall.
        """
        if length not in self._windows:
            key = self._key(length)
            self._windows[length] = (np.searchsorted(key, key - length, side="right"), self._end)
        return self._windows[length]

    def distinct_locations(self, length: int) -> Integers:
        """For each payment the number of distinct locations in its window.

        That is the window's payments less those whose user pays at the same location once more in it.
        A pair (i, next i) lies in the windows that end behind next i and start at or before i. As
        windows move forward only, these windows are a range: +1 where it begins, -1 behind its end.
        """
        start, end = self.window(length)
        again = np.flatnonzero(self._next_at_location < len(self.user))
        first = np.searchsorted(end, self._next_at_location[again], side="right")
        last = np.searchsorted(start, again, side="right")  # behind the last window that holds `again`
        inside = first < last
        steps = np.bincount(first[inside], minlength=len(self.user) + 1)
        steps -= np.bincount(last[inside], minlength=len(self.user) + 1)
        repeated = np.cumsum(steps)[: len(self.user)]
        return end - start - repeated

    def newest(self, positions: Integers, count: int) -> list[Integers]:
        """For each position itself and the newest others up to its time: `count`, at most MAX_EVIDENCE.

        The caller knows that each position's user has that many payments up to its time.
        """
        count = min(count, MAX_EVIDENCE)
        newest = self._end[positions][:, None] - 1 - np.arange(count)
        # The payment itself comes first: in the place of its own entry, or of the oldest one.
        own = newest == positions[:, None]
        place = np.where(own.any(axis=1), own.argmax(axis=1), count - 1)
        rows = np.arange(len(positions))
        newest[rows, place] = newest[rows, 0]
        newest[:, 0] = positions
        # With the place swapped, the others may be out of order: newest first again.
        newest[:, 1:] = -np.sort(-newest[:, 1:], axis=1)
        return list(newest)

    def newest_by_location(self, positions: Integers, length: int) -> list[Integers]:
        """For each position itself and the newest at each other location of its window, newest first."""
        start, end = self.window(length)
        found: list[Integers] = []
        seen: OrderedDict[int, int] = OrderedDict()  # location -> its newest position, oldest first
        read = 0
        for position in positions.tolist():  # ascending
            read = max(read, int(start[position]))
            for index in range(read, int(end[position])):
                seen[int(self.location[index])] = index
                seen.move_to_end(int(self.location[index]))
            read = max(read, int(end[position]))
            own = int(self.location[position])
            evidence = [position]
            for location, index in reversed(seen.items()):
                if index < start[position] or len(evidence) == MAX_EVIDENCE:
                    break
                if location != own:
                    evidence.append(index)
            found.append(np.array(evidence, dtype=np.int64))
        return found

    def _key(self, length: int) -> Integers:
        """User and time as one rising number, with room for a window between two users."""
        if not len(self.timestamp):
            return self.timestamp
        first = int(self.timestamp.min())
        stride = int(self.timestamp.max()) - first + length + 1
        if stride * (int(self.user[-1]) + 1) >= 2**63:
            raise OverflowError(f"event times spread over {stride} ms for {int(self.user[-1]) + 1} users")
        return self.user * stride + (self.timestamp - first)

    @cached_property
    def _end(self) -> Integers:
        key = self._key(0)
        return np.searchsorted(key, key, side="right")

    @cached_property
    def _next_at_location(self) -> Integers:
        """Position of the user's next payment at the same location; the length when there is none."""
        size = len(self.user)
        order = np.lexsort((self.location, self.user))  # stable: positions ascend within a pair
        following = np.full(size, size, dtype=np.int64)
        same = (self.user[order[1:]] == self.user[order[:-1]]) & (
            self.location[order[1:]] == self.location[order[:-1]]
        )
        following[order[:-1][same]] = order[1:][same]
        return following


def range_maximum(values: Integers, start: Integers, end: Integers) -> Integers:
    """The largest of values[start:end] for each pair; no range is empty. O(n log longest range).

    Two overlapping blocks of a power of two cover each range (a sparse table, one level at a time).
    """
    result = np.empty(len(start), dtype=np.int64)
    level = np.frexp((end - start).astype(np.float64))[1] - 1
    block = values
    for power in range(int(level.max(initial=-1)) + 1):
        now = level == power
        result[now] = np.maximum(block[start[now]], block[end[now] - 2**power])
        block = np.maximum(block[: -(2**power)], block[2**power :])
    return result
