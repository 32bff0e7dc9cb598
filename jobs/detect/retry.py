"""Retries for Kafka and the object store: with back-off, for as long as an outage may last."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from confluent_kafka import KafkaException

from jobs.detect.errors import OUTAGE, JobError, Stopped

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

    def call(self, what: str, attempt: Callable[[], Result], passing: tuple[type[Exception], ...]) -> Result:
        """The result of `attempt`, called again while it raises `passing` exceptions.

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
            except passing as error:
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


def one_line(error: BaseException) -> str:
    """An exception as one short line."""
    kafka = error.args[0] if isinstance(error, KafkaException) else None
    text = " ".join((kafka.str() if kafka else str(error)).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:297] + "..."
