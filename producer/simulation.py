"""The simulated stream: which record has which bytes, for any number, from its options alone.

It is made in blocks of 1,000 numbers, each from a random generator of its own, so it can go on from any
number and is the same again. A pattern or a repeated record never reaches over a block's end.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from fraud.transaction import Transaction
from producer.block import Block
from producer.cities import CITIES
from producer.encoding import money, text, times_as_json
from producer.injections import Draft, Shares, inject
from producer.population import Population
from producer.schedule import Integers, schedule

BLOCK = 1_000
"""Records made at a time."""


@dataclass(frozen=True)
class Options:
    """All that determines the stream. `start` is in epoch milliseconds, `rate` in events a second."""

    seed: int
    start: int
    rate: Fraction | None  # None varies between 10 and 100
    users: int
    shares: Shares = field(default_factory=Shares)
    late_by: int = 900_000  # milliseconds that a late record is behind its user's newest
    iso: bool = False


class Simulation:
    """A `Source` of simulated card payments."""

    unkeyed = 0  # those without a key are meant to have none

    def __init__(self, options: Options) -> None:
        self._options = options
        self._population = Population(options.users, options.seed)
        self._due = schedule(options.rate)
        self._places = [f'"currency":{text(c.currency)},"location":{text(c.name)}' for c in CITIES]

    @property
    def identity(self) -> dict[str, object]:
        """The options, as JSON."""
        rate = None if self._options.rate is None else str(self._options.rate)
        return asdict(self._options) | {"rate": rate}

    @cached_property
    def run_id(self) -> str:
        """8 hex digits that differ for any other options; part of every transaction id."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()[:8]

    def blocks(self, first: int) -> Iterator[Block]:
        """The stream from record `first` on, without end."""
        number, skip = divmod(first, BLOCK)
        yield _without_the_first(self._block(number), skip)
        while True:
            number += 1
            yield self._block(number)

    def _block(self, number: int) -> Block:
        options = self._options
        rng = np.random.Generator(np.random.Philox(key=[options.seed, number]))
        numbers = np.arange(number * BLOCK, (number + 1) * BLOCK)
        due = options.start + self._due(numbers)
        payments = self._ordinary(numbers, due, rng)
        block = Block(
            first=number * BLOCK,
            keys=[user.encode() for user in payments.user_ids],
            values=self._encode(payments),
            due=due.tolist(),
        )
        draft = Draft(block, self.run_id, options.iso, options.late_by, payments.transaction)
        inject(draft, options.shares, rng)
        return block

    def _ordinary(self, numbers: Integers, due: Integers, rng: np.random.Generator) -> "_Payments":
        run_id = self.run_id
        people = self._population.take_turns(numbers)
        times = due - _delays(len(numbers), rng)
        cities = self._population.whereabouts(people, times)
        return _Payments(
            ids=[f"{run_id}-{number}" for number in numbers.tolist()],
            user_ids=self._population.user_ids(people),
            cents=self._population.amounts(people, cities, rng).tolist(),
            cities=cities.tolist(),
            times=times,
        )

    def _encode(self, payments: "_Payments") -> list[bytes | None]:
        """What `encoding.encode` gives one by one, several times as fast: ids need no escapes here."""
        places = self._places
        return [
            f'{{"transaction_id":"{transaction_id}","user_id":"{user}","amount":{money(cents)},'
            f'{places[city]},"timestamp":{time}}}'.encode()
            for transaction_id, user, cents, city, time in zip(
                payments.ids,
                payments.user_ids,
                payments.cents,
                payments.cities,
                times_as_json(payments.times, self._options.iso),
                strict=True,
            )
        ]


@dataclass(frozen=True)
class _Payments:
    """Ordinary payments as columns."""

    ids: list[str]
    user_ids: list[str]
    cents: list[int]
    cities: list[int]  # rows of CITIES
    times: Integers

    def transaction(self, row: int) -> Transaction:
        city = CITIES[self.cities[row]]
        return Transaction(
            self.ids[row],
            self.user_ids[row],
            self.cents[row],
            city.currency,
            city.name,
            int(self.times[row]),
        )


def _delays(size: int, rng: np.random.Generator) -> Integers:
    """Milliseconds from payment to record: most under a second, one in fifty up to four minutes."""
    longest = rng.choice(np.array([1_000, 20_000, 240_000]), size, p=[0.9, 0.08, 0.02])
    delays: Integers = (rng.random(size) * longest).astype(np.int64)
    return delays


def _without_the_first(block: Block, skip: int) -> Block:
    """The block from its record `skip` on; a pattern that is partly sent keeps its numbers."""
    first = block.first + skip
    return Block(
        first=first,
        keys=block.keys[skip:],
        values=block.values[skip:],
        due=block.due[skip:],
        notes={number: note for number, note in block.notes.items() if number >= first},
        injections=[injection for injection in block.injections if injection.numbers[-1] >= first],
    )
