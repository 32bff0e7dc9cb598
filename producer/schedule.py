"""When, on the stream's own clock, each record of the simulation is due: a pure function of its number."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

MAX_RATE = 100_000
"""Events a second of `--rate max`. Event time then never runs ahead of the clock on any machine."""

_PERIOD = 300  # seconds after which the varying rate repeats


def schedule(rate: Fraction | None) -> Callable[[Integers], Integers]:
    """Milliseconds after the stream's start at which records are due, from their numbers (0, 1, ...).

    `rate` is in events a second; None varies between 10 and 100 like traffic with its ups and downs.
    Integer arithmetic only, so that every machine gets the same times.
    """
    return _varying if rate is None else _steady(rate)


def _steady(rate: Fraction) -> Callable[[Integers], Integers]:
    return lambda numbers: numbers * (1000 * rate.denominator) // rate.numerator


def _varying(numbers: Integers) -> Integers:
    periods, places = np.divmod(numbers, len(_ONE_PERIOD))
    times: Integers = periods * (_PERIOD * 1000) + _ONE_PERIOD[places]
    return times


def _one_period() -> Integers:
    """The due times, in milliseconds, of one period's records: `rates[s]` of them in second s."""
    turn = 2 * np.pi * np.arange(_PERIOD) / _PERIOD
    rates = np.rint(55 + 32 * np.sin(turn) + 13 * np.sin(7 * turn)).astype(np.int64)
    first = np.repeat(np.cumsum(rates) - rates, rates)
    seconds = np.repeat(np.arange(_PERIOD), rates)
    times: Integers = seconds * 1000 + (np.arange(rates.sum()) - first) * 1000 // np.repeat(rates, rates)
    return times


_ONE_PERIOD = _one_period()
