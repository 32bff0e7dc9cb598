"""How long the archive waits after a failure, and what it says of it meanwhile."""

import time
from collections.abc import Callable

from jobs.detect.retry import FIRST_PAUSE, LONGEST_PAUSE, SECONDS_BETWEEN_LINES


class Trouble:
    """Failures in a row, of whatever is away: a line at the first, one a minute, one when it is over.

    There is no end to them: records wait in the topic for as long as it keeps them.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._began: float | None = None
        self._said = 0.0
        self._pause = FIRST_PAUSE

    def failed(self, cause: str) -> float:
        """Note a failure; how many seconds to wait."""
        now = self._clock()
        if self._began is None:
            self._began, self._said, self._pause = now, now, FIRST_PAUSE
            self._say(f"{cause}; trying again until it works")
        elif now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            self._say(f"{cause}; has failed for {now - self._began:.0f} s, trying again")
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause

    def is_over(self) -> None:
        """Note that it worked."""
        if self._began is not None:
            self._say(f"works again after {self._clock() - self._began:.0f} s")
            self._began = None
