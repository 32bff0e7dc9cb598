"""Which records are due by now, when the stream runs at some multiple of real time."""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable


class Pace:
    """`speed` is stream time per real time, None as fast as possible.

    `now` is where the stream's own clock (epoch milliseconds) stands as the run begins; None sets it to
    the first record's time. A run ends after `duration` seconds.
    """

    def __init__(
        self,
        speed: float | None,
        now: float | None = None,
        duration: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speed = speed
        self._origin = now
        self._duration = duration
        self._clock = clock
        self._began = clock()

    def ready(self, due: list[int], start: int) -> int:
        """The end of the rows from `start` on that are due by now; `due` never falls."""
        if self._speed is None:
            return len(due)
        if self._origin is None and start < len(due):
            self._origin = due[start]
        return bisect_right(due, self._position(self._elapsed()), lo=start)

    def wait(self, due: int) -> float:
        """Seconds until a record is due, 0 or less if it is."""
        if self._speed is None:
            return 0.0
        return (due - self._position(self._elapsed())) / 1000 / self._speed

    def end(self, due: list[int], start: int) -> int:
        """The end of the rows from `start` on that belong to the run: `start` itself when it is over.

        By their own times where there are any, so that the same run has the same end on any machine that
        keeps up, and at most a second later by the clock.
        """
        if self._duration is None:
            return len(due)
        if self.over():
            return start
        if self._speed is None or self._origin is None:
            return len(due)
        return max(start, bisect_left(due, self._position(self._duration), lo=start))

    def over(self) -> bool:
        """Whether the time is up."""
        grace = 0 if self._speed is None else 1
        return self._duration is not None and self._elapsed() >= self._duration + grace

    def _elapsed(self) -> float:
        return self._clock() - self._began

    def _position(self, elapsed: float) -> float:
        return (self._origin or 0) + elapsed * 1000 * (self._speed or 0)
