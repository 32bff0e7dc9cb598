"""Who pays, where and how much: a population of any size whose people keep their home, purse and habits.

A person is a pure function of their number, whatever the seed of a run: two runs agree on where somebody
lives, so one run after another moves nobody from Lisboa to Oslo within a minute.
"""

from functools import cache
from math import gcd

import numpy as np
from faker import Faker
from numpy.typing import NDArray

from producer.cities import CITIES
from producer.schedule import Integers

LARGEST_ORDINARY = 700.0
"""No ordinary payment is worth more euros than this: well below the usual limit of 1,000."""

_NAMES_PER_CITY = 60
_PROVIDERS = ["faker.providers.person", "faker.providers.internet"]  # all of them take a second to load
_TRIP = 12 * 3_600_000  # milliseconds for which somebody stays where they are
_TRAVELLERS = 12  # one in this many trips leads away from home
_ORDERS = 64  # different orders in which the population takes its turns
_Hashes = NDArray[np.uint64]


class Population:
    """`size` people, numbered from 0, who take turns: one payment each a round, in an order of its own.

    Taking turns keeps ordinary traffic clear of the velocity rule: three rounds have at most three
    payments of anybody, however close.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self._seed = np.uint64(seed)
        self._names = _names()
        coprime = (n for n in range(size // 3 + 1, 2 * size + 2) if gcd(n, size) == 1)
        found = [n for n, _ in zip(coprime, range(_ORDERS), strict=False)]
        self._steps = np.array(found, dtype=np.int64)
        self._prices = np.array([city.price_level for city in CITIES])

    def take_turns(self, numbers: Integers) -> Integers:
        """The people who make the payments `numbers`: each of `size` consecutive ones another."""
        rounds, places = np.divmod(numbers, self.size)
        chance = _hash(rounds.astype(np.uint64) ^ _hash(self._seed))
        steps = self._steps[(chance % np.uint64(len(self._steps))).astype(np.int64)]
        offsets = (chance >> np.uint64(20)) % np.uint64(self.size)
        people: Integers = (places * steps + offsets.astype(np.int64)) % self.size
        return people

    def user_ids(self, people: Integers) -> list[str]:
        """Such as `anna.nowak-1207`; unique, ASCII, the same in every run."""
        homes = self.homes(people).tolist()
        names = _choice(people, 2, _NAMES_PER_CITY).tolist()
        return [
            f"{self._names[home][name]}-{person}"
            for home, name, person in zip(homes, names, people.tolist(), strict=True)
        ]

    def homes(self, people: Integers) -> Integers:
        """Row in CITIES of each one's home."""
        return _choice(people, 1, len(CITIES))

    def whereabouts(self, people: Integers, times: Integers) -> Integers:
        """Row in CITIES of where each one is at event time `times`: at home, but for a trip now and then."""
        shift = _choice(people, 3, _TRIP)  # people do not all leave at midnight
        trips = (times + shift) // _TRIP
        chance = _hash(_mix(people, 4) ^ _hash(trips.astype(np.uint64)))
        away = chance % np.uint64(_TRAVELLERS) == 0
        abroad = ((chance >> np.uint64(32)) % np.uint64(len(CITIES))).astype(np.int64)
        return np.where(away, abroad, self.homes(people))

    def amounts(self, people: Integers, cities: Integers, rng: np.random.Generator) -> Integers:
        """What each one pays, in cents of the city's currency: around the sum usual for them."""
        usual = 8.0 * 1.6 ** _choice(people, 5, 7)  # euros: 8 to 134
        euros = np.clip(usual * rng.lognormal(0.0, 0.6, len(people)), 0.5, LARGEST_ORDINARY)
        cents: Integers = np.rint(euros * self._prices[cities] * 100).astype(np.int64)
        return cents


@cache
def _names() -> list[list[str]]:
    names = []
    for city in CITIES:
        people = Faker(city.locale, providers=_PROVIDERS)
        people.seed_instance(city.name)
        names.append([people.user_name() for _ in range(_NAMES_PER_CITY)])
    return names


def _choice(people: Integers, salt: int, among: int) -> Integers:
    chosen: Integers = (_mix(people, salt) % np.uint64(among)).astype(np.int64)
    return chosen


def _mix(people: Integers, salt: int) -> _Hashes:
    return _hash(people.astype(np.uint64) * np.uint64(8) + np.uint64(salt))


def _hash(numbers: _Hashes | np.uint64) -> _Hashes:
    """SplitMix64: every bit of the result depends on every bit of the number. Wraps around by design."""
    with np.errstate(over="ignore"):
        mixed = np.asarray(numbers, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        result: _Hashes = mixed ^ (mixed >> np.uint64(31))
    return result
