"""The three rules for the payments of one user, one at a time, in plain Python.

For the contestants with state a user: exact although payments come up to 30 s late and ids are sent twice.
A history is a list of [timestamp, transaction_id, location, flags], sorted, so that it can be kept as JSON.
"""

from bisect import bisect_left
from typing import Any

HIGH_AMOUNT = 1000
VELOCITY, VELOCITY_WINDOW = 3, 60_000
LOCATIONS_WINDOW = 300_000
LATEST = 30_000
"""Milliseconds that a payment may come behind a later one."""

_IS_FAST, _HAS_MOVED = 1, 2


def judge(
    history: list[list[Any]], transaction_id: str, timestamp: int, amount: float, location: str
) -> list[tuple[str, str]]:
    """Take a payment into `history`: the pairs of (rule, transaction) that it flags, each once.

    It can flag payments that came before it and happened after it.
    """
    place = bisect_left(history, [timestamp, transaction_id])
    if place < len(history) and history[place][:2] == [timestamp, transaction_id]:
        return []  # sent again
    history.insert(place, [timestamp, transaction_id, location, 0])
    alerts = [("high_amount", transaction_id)] if amount > HIGH_AMOUNT else []
    if len(history) == 1:
        return alerts
    del history[: bisect_left(history, [history[-1][0] - LOCATIONS_WINDOW - LATEST])]
    since, until = (bisect_left(history, [edge]) for edge in (timestamp, timestamp + LOCATIONS_WINDOW))
    for row in history[since:until]:
        alerts += _new_flags(history, row)
    return alerts


def _new_flags(history: list[list[Any]], row: list[Any]) -> list[tuple[str, str]]:
    timestamp, transaction_id, location, flags = row
    found = []
    end = bisect_left(history, [timestamp + 1])
    if not flags & _IS_FAST and end - bisect_left(history, [timestamp - VELOCITY_WINDOW + 1]) > VELOCITY:
        row[3] |= _IS_FAST
        found.append(("velocity", transaction_id))
    if not flags & _HAS_MOVED:
        begin = bisect_left(history, [timestamp - LOCATIONS_WINDOW + 1])
        if any(other[2] != location for other in history[begin:end]):
            row[3] |= _HAS_MOVED
            found.append(("multiple_locations", transaction_id))
    return found
