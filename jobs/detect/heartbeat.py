"""Beside the micro-batches: the group's offsets, a heartbeat in silence, the console's last lines."""

import time
from threading import Event, Thread

from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import KafkaException

from jobs.detect.batch import Batches, Surroundings
from jobs.detect.errors import JobError
from jobs.detect.metrics import Row
from jobs.detect.offsets import PlannedBatch
from jobs.detect.retry import one_line

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
        self.failure: JobError | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the last committed micro-batch's offsets have gone to the consumer group."""
        self._ended.set()
        self._thread.join()
        self._commit_offsets()
        self._around.console.show_waiting(now=True)

    def _run(self) -> None:
        while not self._ended.wait(BEAT):
            self._around.console.show_waiting()
            try:
                self._commit_offsets()
                self._beat()
            except JobError as error:  # another job has the lease
                self.failure = error
                return

    def _commit_offsets(self) -> None:
        """For display only: a failure is said once, and tried again at the next beat."""
        batch = self._batches.finished
        if batch is None or batch is self._shown:
            return
        if not self._around.files.exists(f"commits/{batch.batch_id}"):
            return
        try:
            self._around.topic.commit(batch.end)
        except KafkaException as error:
            self._complain(f"committing offsets of the consumer group failed: {one_line(error)}")
        else:
            self._shown, self._complained = batch, ""

    def _beat(self) -> None:
        now = time.monotonic()
        if now - max(self._last, self._batches.finished_at) < SILENCE or self._batches.running:
            return
        self._last = now
        try:
            row = self._row()
            self._around.metrics.put(row, self._around.lease.check)
        except (KafkaException, BotoCoreError, ClientError) as error:
            self._complain(f"the heartbeat was not written: {one_line(error)}")

    def _row(self) -> Row:
        batch = self._batches.finished
        latest = self._around.topic.latest()
        read = batch.end if batch else {}
        return {
            "kind": "heartbeat",
            "checkpoint_id": self._around.checkpoint_id,
            "batch_id": batch.batch_id if batch else None,
            "batch_time": time.time_ns() // 1_000_000,
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
