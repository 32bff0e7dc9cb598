"""Beside the micro-batches: the group's offsets, a heartbeat in silence, the console's last lines."""

import time
from collections.abc import Callable
from threading import Event, Thread

from jobs.detect.batch import Batches, Surroundings
from jobs.detect.failures import OUTSIDE, jvm_ended, one_line
from jobs.detect.metrics import Row
from jobs.detect.offsets import PlannedBatch

SILENCE = 30.0
"""Seconds without a micro-batch after which a heartbeat is written."""

BEAT = 0.5


class Heartbeat:
    """A thread of the driver, from `start` to `stop`."""

    def __init__(self, around: Surroundings, batches: Batches) -> None:
        self._around = around
        self._batches = batches
        self._ended = Event()
        self._last = time.monotonic()
        self._shown: PlannedBatch | None = None
        self._complained = ""
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End. The job's last micro-batch may not be in the consumer group then; see `finish`."""
        self._ended.set()
        self._thread.join()
        self._around.console.show_waiting(now=True)

    def finish(self) -> None:
        """End as it should be: with the last micro-batch's offsets in the consumer group."""
        self.stop()
        self._attempt("committing offsets of the consumer group", self._commit_offsets)
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        while not self._ended.wait(BEAT) and self.failure is None:
            self._around.console.show_waiting()
            self._attempt("committing offsets of the consumer group", self._commit_offsets)
            self._attempt("writing a heartbeat", self._beat)

    def _attempt(self, what: str, step: Callable[[], None]) -> None:
        """Not worth ending the job for: what Kafka, the object store or the checkpoint's file system refuse
        is said once, and tried again at the next beat. All else ends it: another job has the lease, Spark's
        JVM is gone, or this program is wrong."""
        if self.failure is not None:
            return
        try:
            step()
        except OUTSIDE as error:
            if jvm_ended(error):
                self.failure = error
            else:
                self._complain(f"{what} failed: {one_line(error)}")
        except BaseException as error:  # noqa: BLE001  (`watch` raises it)
            self.failure = error

    def _commit_offsets(self) -> None:
        batch = self._batches.finished
        if batch is None or batch is self._shown:
            return
        if not self._around.files.exists(f"commits/{batch.batch_id}"):
            return
        self._around.lease.check()
        self._around.topic.commit(batch.end)
        self._shown, self._complained = batch, ""

    def _beat(self) -> None:
        now = time.monotonic()
        if now - max(self._last, self._batches.finished_at) < SILENCE or self._batches.running:
            return
        self._last = now
        self._around.metrics.put(self._row(), self._around.lease.check)

    def _row(self) -> Row:
        # in this order: without a lag, no micro-batch behind `batch` was planned before `now`
        batch = self._batches.finished
        now = time.time_ns() // 1_000_000
        latest = self._around.topic.latest()
        read = batch.end if batch else {}
        return {
            "kind": "heartbeat",
            "checkpoint_id": self._around.checkpoint_id,
            "batch_id": batch.batch_id if batch else None,
            "batch_time": now,
            "partitions": [
                {
                    "partition": partition,
                    "start_offset": None,
                    "end_offset": read.get(partition),
                    "lag": max(0, end - read[partition]) if partition in read else None,
                }
                for partition, end in sorted(latest.items())
            ],
        }

    def _complain(self, line: str) -> None:
        if line != self._complained:
            self._complained = line
            self._around.console.say(line)
