"""Retries for Kafka and the object store: with back-off, for as long as an outage may last."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from jobs.detect.errors import OUTAGE, JobError, Stopped
from jobs.detect.failures import is_passing, one_line

Result = TypeVar("Result")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
SECONDS_BETWEEN_LINES = 60.0


class Retries:
    """Calls again what failed for a passing reason, until `outage` milliseconds have gone by.

    `say` gets one line when an outage begins, one a minute while it lasts, one when it is over.
    """

    def __init__(
        self,
        outage: int,
        stopping: Event,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = outage / 1000
        self._stopping = stopping
        self._say = say
        self._clock = clock

    def call(self, what: str, attempt: Callable[[], Result]) -> Result:
        """The result of `attempt`, called again while it fails for a passing reason.

        Raises JobError (exit code 75) when the outage lasts too long, Stopped when somebody asks the
        job to stop in the meantime; other exceptions go through.
        """
        began = self._clock()
        said = -SECONDS_BETWEEN_LINES
        pause = FIRST_PAUSE
        failed = False
        while True:
            try:
                result = attempt()
            except Exception as error:
                if not is_passing(error):
                    raise
                failed = True
                cause = one_line(error)
            else:
                if failed:
                    self._say(f"{what}: works again after {self._clock() - began:.0f} s")
                return result
            away = self._clock() - began
            if away + pause > self._limit:
                raise JobError(
                    f"{what} failed for {away:.0f} s (FRAUD_OUTAGE is {self._limit:.0f} s): {cause}", OUTAGE
                )
            if away - said >= SECONDS_BETWEEN_LINES:
                said = away
                self._say(f"{what} failed, trying again for {self._limit - away:.0f} s more: {cause}")
            if self._stopping.wait(pause):
                raise Stopped(f"stopped while trying again: {what}")
            pause = min(2 * pause, LONGEST_PAUSE)
