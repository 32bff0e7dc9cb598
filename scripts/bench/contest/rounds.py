"""Which runs count: repeats those that a busy machine spoiled, takes the one in the middle. Pure."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

BUSY = 0.15
"""Share of the machine that others may take during a run."""

TRIES = 3


class Timed(Protocol):
    """A run: what it cost, and how much of the machine others took meanwhile."""

    @property
    def whole_cpu_us_per_event(self) -> float: ...

    @property
    def others(self) -> float: ...


R = TypeVar("R", bound=Timed)


def undisturbed(run: Callable[[], R], say: Callable[[str], None]) -> R:
    """The quietest of at most TRIES runs: it is run again when others took more than BUSY of the machine."""
    runs: list[R] = []
    while len(runs) < TRIES:
        runs.append(run())
        if runs[-1].others <= BUSY:
            break
        again = ", again" if len(runs) < TRIES else ""
        say(f"  others took {runs[-1].others:.0%} of the machine{again}")
    return min(runs, key=lambda each: each.others)


def median(runs: Sequence[R]) -> R:
    """The run in the middle by CPU an event, whole: its figures belong together. Of an even number the
    cheaper.
    """
    return sorted(runs, key=lambda each: each.whole_cpu_us_per_event)[(len(runs) - 1) // 2]
