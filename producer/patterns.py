"""What each rule must catch, and what comes so near its limit that it just must not.

They are made for the rules as delivered: more than 1000.00 euros, more than 3 payments in (t - 60 s, t],
more than 1 place in (t - 300 s, t]. Each one has a user of its own, so nothing else disturbs it.
"""

from dataclasses import dataclass

MAX_AGE = 540_000
"""Milliseconds that a pattern's payments may lie behind the newest: within the allowed lateness."""


@dataclass(frozen=True)
class Payment:
    """`age` is in milliseconds before the pattern's newest payment; `cents` None is an everyday sum.

    `city` is 0 or 1, two different ones drawn each time; `respelled` writes its name in decomposed
    Unicode with blanks around it, which is the same place all the same.
    """

    age: int = 0
    cents: int | None = None
    city: int = 0
    currency: str = "EUR"
    respelled: bool = False


@dataclass(frozen=True)
class Pattern:
    """Payments of one user in the order they are sent; the rule must flag exactly those in `flagged`."""

    name: str
    rule_id: str
    payments: tuple[Payment, ...]
    flagged: frozenset[int] = frozenset()


def _high(name: str, cents: int, flagged: bool, currency: str = "EUR") -> Pattern:
    only = Payment(cents=cents, currency=currency)
    return Pattern(name, "high_amount", (only,), frozenset([0] if flagged else []))


def _velocity(name: str, ages: list[int], flagged: list[int]) -> Pattern:
    return Pattern(name, "velocity", tuple(Payment(age) for age in ages), frozenset(flagged))


def _places(name: str, payments: list[Payment], flagged: list[int]) -> Pattern:
    return Pattern(name, "multiple_locations", tuple(payments), frozenset(flagged))


FRAUD = (
    _high("high-amount-1000.01", 100_001, flagged=True),
    _velocity("velocity-4-in-59.999s", [59_999, 40_000, 20_000, 0], [3]),
    _places("cities-299.999s-apart", [Payment(299_999), Payment(city=1)], [1]),
    _high("high-amount-large", 487_250, flagged=True),
    _velocity("velocity-6-in-9s", [9_000, 7_100, 5_300, 3_600, 1_700, 0], [3, 4, 5]),
    _places("cities-30s-apart", [Payment(30_000), Payment(city=1)], [1]),
    _high("high-amount-pounds", 900_000, flagged=True, currency="GBP"),
    # the first to arrive is the newest: the rule decides by event time
    _velocity("velocity-4-backwards", [0, 15_000, 30_000, 45_000], [0]),
    _places("cities-there-and-back", [Payment(240_000), Payment(120_000, city=1), Payment()], [1, 2]),
    _high("high-amount-largest", 1_000_000_000, flagged=True),
    # payments in one millisecond are in each other's window
    _velocity("velocity-4-at-once", [0, 0, 0, 0], [0, 1, 2, 3]),
    # arrives after the payment that it flags
    _places("cities-backwards", [Payment(), Payment(180_000, city=1)], [0]),
)
"""Each has payments that its rule must flag."""

NEAR_MISSES = (
    _high("near-amount-1000.00", 100_000, flagged=False),
    _velocity("near-velocity-4-in-60.000s", [60_000, 40_000, 20_000, 0], []),
    _places("near-cities-300.000s-apart", [Payment(300_000), Payment(city=1)], []),
    _high("near-amount-999.99", 99_999, flagged=False),
    _velocity("near-velocity-3-in-a-minute", [20_000, 10_000, 0], []),
    _places("near-one-city-spelled-twice", [Payment(30_000), Payment(respelled=True)], []),
    _velocity("near-velocity-3-at-once", [0, 0, 0], []),
    _places("near-cities-after-9-minutes", [Payment(MAX_AGE), Payment(city=1)], []),
)
"""None has a payment that any rule may flag."""
