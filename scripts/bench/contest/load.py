"""The load of the contest: payments that depend on nothing but a seed, in the order in which they arrive."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

CITIES = (
    "Amsterdam", "Athens", "Berlin", "Brussels", "Bucharest", "Budapest", "Copenhagen", "Dublin",
    "Helsinki", "Lisbon", "London", "Madrid", "Oslo", "Paris", "Prague", "Rome", "Stockholm", "Vienna",
    "Warsaw", "Zurich",
)  # fmt: skip

START = 1_767_225_600_000
"""2026-01-01T00:00:00Z: no payment, the last ones of the load neither, happens after it is sent."""

_BURST_SECONDS = 20
_PROMPT = 200.0
"""Milliseconds that a payment takes at most when it is not late."""


@dataclass(frozen=True)
class Load:
    """What to generate. Shares are of the events; times in milliseconds."""

    events: int
    users: int = 100_000
    rate: float = 1_000
    """Payments a second of event time."""
    start: int = START
    late: float = 0.10
    latest: float = 30_000
    repeated: float = 0.005
    high: float = 0.008
    elsewhere: float = 0.002
    bursts: float = 0.001
    seed: int = 20260101

    def live(self) -> "Load":
        """The same for a latency run: nothing late or sent twice, and more of what raises an alert."""
        return replace(self, late=0.0, repeated=0.0, high=0.10, elsewhere=0.02, bursts=0.0)


class Payments(NamedTuple):
    """A column each, in order of arrival; one length. `user` and `city` are numbers."""

    user: np.ndarray
    time: np.ndarray  # epoch milliseconds
    cents: np.ndarray
    city: np.ndarray
    number: np.ndarray  # 64 bits of chance: the transaction's id

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of each record."""
        for user, time, cents, city, number in zip(*(column.tolist() for column in self), strict=True):
            yield record(user_id(user), time, cents, CITIES[city], f"{number:016x}")


def user_id(number: int) -> str:
    """The id of a user."""
    return f"u{number:07d}"


def record(user: str, time: int, cents: int, city: str, transaction_id: str) -> tuple[bytes, bytes]:
    """A payment as a record's key and value."""
    value = (
        f'{{"transaction_id":"{transaction_id}","user_id":"{user}","amount":{cents // 100}.{cents % 100:02d},'
        f'"currency":"EUR","location":"{city}","timestamp":{time}}}'
    )
    return user.encode(), value.encode()


def generate(load: Load) -> Payments:
    """The payments of a load: the same for the same load."""
    chance, n = np.random.default_rng(load.seed), load.events
    step = 1000 / load.rate
    time = load.start + (np.arange(n) * step + chance.uniform(0, step, n)).astype(np.int64)
    user = chance.integers(0, load.users, n)
    home = chance.integers(0, len(CITIES), load.users)
    _add_bursts(chance, user, load)
    city = home[user]
    elsewhere = chance.random(n) < load.elsewhere
    city[elsewhere] = (city[elsewhere] + chance.integers(1, len(CITIES), int(elsewhere.sum()))) % len(CITIES)
    cents = np.minimum(chance.lognormal(8.2, 0.8, n), 99_000).astype(np.int64) + 1
    high = chance.random(n) < load.high
    cents[high] = chance.integers(100_001, 500_000, int(high.sum()))
    number = chance.integers(0, 2**63, n)
    is_late = chance.random(n) < load.late
    delay = np.where(is_late, chance.uniform(0, load.latest, n), chance.uniform(0, _PROMPT, n))
    again = np.flatnonzero(chance.random(n) < load.repeated)
    source = np.concatenate([np.arange(n), again])
    arrival = np.concatenate([time + delay, time[again] + chance.uniform(delay[again], load.latest)])
    if not load.late:
        arrival = time.astype(float)  # in order, to the millisecond
    order = source[np.argsort(arrival, kind="stable")]
    return Payments(*(column[order] for column in (user, time, cents, city, number)))


def _add_bursts(chance: np.random.Generator, user: np.ndarray, load: Load) -> None:
    """Give some payments of the next 20 seconds to the user of one before: 3 to 5 each time."""
    n, span = len(user), max(8, int(_BURST_SECONDS * load.rate))
    first = np.flatnonzero(chance.random(n) < load.bursts)
    for more in range(5):
        some = first if more < 3 else first[chance.random(len(first)) < 0.5]
        at = some + chance.integers(1, span, len(some))
        user[at[at < n]] = user[some[at < n]]


def last_records(load: Load, partitions: int) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, value) of records that end a load, for each partition.

    An hour after the load a user of the partition's own makes four payments in three seconds, the last of a
    high amount: its two alerts say that a contestant has come to the end. Another hour later a small one
    pushes every watermark beyond them.
    """
    last = load.start + int(load.events * 1000 / load.rate)
    for later, count in ((3_600_000, 4), (7_200_000, 1)):
        for partition in range(partitions):
            for number in range(count):
                cents = 999_900 if number == 3 else 100
                name = f"end-{partition}-{later}-{number}"
                time = last + later + number * 1000
                yield partition, *record(last_user(partition), time, cents, CITIES[0], name)


def last_user(partition: int) -> str:
    """The user of a partition's last records."""
    return f"end-{partition}"


def last_alerts(partitions: int) -> set[tuple[str, str]]:
    """The alerts of `last_records`."""
    return {
        (rule, f"end-{partition}-3600000-3")
        for partition in range(partitions)
        for rule in ("high_amount", "velocity")
    }
