"""A running query: watched until it fails or is asked to stop, and stopped between micro-batches."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from threading import Event, Lock
from typing import Protocol

from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery

from jobs.detect.checkpoint import CheckpointFiles
from jobs.detect.errors import JobError, Stopped
from jobs.detect.offsets import PlannedBatch

REPLAYED = '"scala.Option.get()" is null'
"""What a query says that dies of SPARK-57438."""


class QueryBatches(ABC):
    """The body of a query's foreachBatch, and how far it has come, for other threads."""

    def __init__(self, finished: PlannedBatch | None) -> None:
        """`finished`: the last micro-batch that was written before, where that matters."""
        self._lock = Lock()
        self.failure: BaseException | None = None
        """What made a micro-batch fail."""
        self.finished = finished
        """The last micro-batch that is written."""

    @property
    def running(self) -> bool:
        """Whether a micro-batch is being written at this moment."""
        return self._lock.locked()

    def __call__(self, frame: DataFrame, batch_id: int) -> None:
        """Write the micro-batch. A failure is kept in `failure` and ends the query."""
        with self._lock:
            try:
                self._write(frame, batch_id)
            except BaseException as error:
                self.failure = error
                raise

    @abstractmethod
    def _write(self, frame: DataFrame, batch_id: int) -> None:
        """Write it, and note in `finished` that it is written."""


class Companion(Protocol):
    """A thread beside the query, whose failure ends it."""

    @property
    def failure(self) -> BaseException | None:
        """What made it fail."""


def watch(
    query: StreamingQuery,
    batches: QueryBatches,
    stopping: Event,
    files: CheckpointFiles,
    companions: Sequence[Companion] = (),
) -> bool:
    """True when the query was asked to stop and has, False when it must be started again; raises what
    made it, or one of its companions, fail."""
    while not stopping.wait(0.2) and query.isActive and not _failures(companions):
        pass
    if not query.isActive and not stopping.is_set():
        failure = batches.failure or query.exception() or JobError("the query ended by itself")
        if _once_more_is_enough(query, batches, failure):
            return False
        raise failure
    while query.isActive and _in_a_batch(batches, files):
        time.sleep(0.05)
    ended = query.exception()  # by itself: what the stop itself leads to is no failure
    query.stop()
    cause = next(iter(_failures(companions)), None) or batches.failure or ended
    if cause is None or isinstance(cause, Stopped) or _once_more_is_enough(query, batches, cause):
        return True
    raise cause


def _failures(companions: Sequence[Companion]) -> list[BaseException]:
    return [each.failure for each in companions if each.failure is not None]


def _once_more_is_enough(query: StreamingQuery, batches: QueryBatches, failure: BaseException) -> bool:
    """Whether the query failed beside a micro-batch, in one of two ways.

    SPARK-57438: Spark 4.1.1's Kafka source has no metrics of a replayed micro-batch, and the query dies of it
    after the commit, before it has reported anything. The next micro-batch is a new one. (Only Spark knows
    that it was a replay: another job may have planned it while this one started.)

    Another job on the same checkpoint planned the micro-batch at the same moment. A query that starts again
    replays it, and whoever does not hold the lease any more ends when it wants to write.
    """
    if batches.failure is not None:
        return False
    text = str(failure)
    replay = REPLAYED in text and query.lastProgress is None
    return replay or "CONCURRENT_STREAM_LOG_UPDATE" in text


def _in_a_batch(batches: QueryBatches, files: CheckpointFiles) -> bool:
    """Whether a micro-batch is being written, or is written and not committed yet."""
    done = batches.finished
    return batches.running or (done is not None and not files.exists(f"commits/{done.batch_id}"))
