"""The archive's query, kept running beside detection, which never waits for it."""

import dataclasses
from dataclasses import dataclass
from threading import Event, Thread

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from fraud.settings import SettingsError
from jobs.archive.batch import ArchiveBatches, ArchiveSurroundings
from jobs.archive.opening import ArchiveOpening, open_archive
from jobs.archive.trouble import Trouble
from jobs.detect.checkpoint import CheckpointFiles
from jobs.detect.errors import OUTAGE, JobError
from jobs.detect.failures import explain, jvm_ended
from jobs.detect.watch import watch
from jobs.kafka_source import kafka_stream, record_columns

MOST_RECORDS = 100_000
"""Records a micro-batch at most: detection's tasks wait no longer than one task of the archive takes."""

POOL = "archive"
"""Of Spark's scheduler; see jobs/detect/pools.xml."""

_GROUP = "fraud-archive-spark"
_POLL = "500 milliseconds"
_PATIENCE = 10.0  # seconds for the micro-batch that is running when detection has stopped


@dataclass(frozen=True)
class ArchiveCheckpoint:
    """The archive's own checkpoint: its files, and where they are."""

    files: CheckpointFiles
    where: str


class ArchiveQuery:
    """A thread of the driver, from `start` to `finish`. What is away only delays it: payments wait in the
    topic. Anything else is kept in `failure`, for the job to end with."""

    def __init__(
        self, spark: SparkSession, around: ArchiveSurroundings, checkpoint: ArchiveCheckpoint, stopping: Event
    ) -> None:
        """When `stopping` is set, it ends after the micro-batch that is running."""
        say = around.say
        self._spark = spark
        self._around = dataclasses.replace(around, say=lambda line: say(f"archive: {line}"))
        self._checkpoint = checkpoint
        self._trouble = Trouble(self._around.say)
        self._stopping = stopping
        self._thread = Thread(target=self._run, name="archive", daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """Return when it has ended, or after some patience: a micro-batch that is cut off is written again
        by the next start, under the same names. Raises `failure`."""
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            self._around.say("a micro-batch is cut off; the next start writes it again")
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        self._spark.sparkContext.setLocalProperty("spark.scheduler.pool", POOL)
        while not self._stopping.is_set():
            try:
                self._archive()
            except Exception as error:  # noqa: BLE001  (each is said, or kept for the job to end with)
                end = explain(error, self._around.settings)
                if isinstance(error, SettingsError) or jvm_ended(error):
                    self.failure = error
                    return
                if end.exit_code != OUTAGE:
                    self.failure = JobError(f"archive: {end}", end.exit_code)
                    return
                self._stopping.wait(self._trouble.failed(str(end)))

    def _archive(self) -> None:
        """Open the checkpoint and run the query until somebody asks to stop."""
        around, files, where = self._around, self._checkpoint.files, self._checkpoint.where
        opening = open_archive(
            files, where, around.ids, around.topic, around.progress, around.accept_loss, around.say
        )
        batches = ArchiveBatches(around, opening, self._trouble.is_over)
        while not watch(self._query(opening, batches), batches, self._stopping, files):
            pass

    def _query(self, opening: ArchiveOpening, batches: ArchiveBatches) -> StreamingQuery:
        around = self._around
        records = kafka_stream(
            self._spark,
            around.settings.kafka,
            group=_GROUP,
            starting_offsets=opening.identity.starting_offsets,
            records_in_a_batch=MOST_RECORDS,
            accept_loss=around.accept_loss,
            # as soon as a full micro-batch has come, or after that time
            minOffsetsPerTrigger=str(MOST_RECORDS),
            maxTriggerDelay=f"{around.settings.detection.archive_trigger}ms",
        )
        writer = records.select(*record_columns()).writeStream.foreachBatch(batches)
        writer = writer.option("checkpointLocation", self._checkpoint.where)
        return writer.trigger(processingTime=_POLL).start()
