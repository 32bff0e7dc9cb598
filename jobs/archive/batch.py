"""One micro-batch of the archive on the driver: executors write it, here it is checked and noted."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame

from fraud.settings import Settings
from jobs.archive.keys import object_key
from jobs.archive.opening import NAME, ArchiveOpening
from jobs.archive.progress import Progress, ProgressStore
from jobs.archive.report import OUTPUT, OUTPUT_COLUMN, Report, check_reports
from jobs.archive.task import Assignment, task_of
from jobs.detect.accounting import Existing, settle
from jobs.detect.errors import OUTAGE, SETTINGS, JobError
from jobs.detect.lease import Lease
from jobs.detect.offsets import Files, PlannedBatch, planned_batch
from jobs.detect.seal import Seal
from jobs.detect.topic import EARLIEST, Topic
from jobs.detect.watch import QueryBatches
from jobs.objects import Objects


@dataclass(frozen=True)
class ArchiveSurroundings:
    """What the archive needs of the world."""

    settings: Settings
    ids: tuple[str, str]  # of cluster and topic
    accept_loss: bool
    files: Files  # of its own checkpoint
    topic: Topic
    objects: Objects
    progress: ProgressStore
    lease: Lease  # of the job
    say: Callable[[str], None]


class ArchiveBatches(QueryBatches):
    """Writes the micro-batches of the archive."""

    def __init__(
        self, around: ArchiveSurroundings, opening: ArchiveOpening, succeeded: Callable[[], None]
    ) -> None:
        """`succeeded` is called after each micro-batch that is complete."""
        super().__init__(finished=None)
        self._around = around
        self._archive_id = opening.identity.archive_id
        self._last_planned = opening.last_planned
        self._seal = Seal(around.files, NAME)
        self._succeeded = succeeded

    def _write(self, frame: DataFrame, batch_id: int) -> None:
        around, is_replay = self._around, batch_id <= self._last_planned
        batch = planned_batch(around.files, batch_id)
        self._check_right_to_write()
        self._seal.put(batch_id)
        earliest = around.topic.ask(sorted(batch.end), EARLIEST)
        kept = self._existing_objects(batch) if is_replay and around.accept_loss else frozenset[int]()
        assignment = Assignment(
            around.settings.object_store, self._archive_id, batch.batch_id, batch.time, kept
        )
        answer = frame.mapInArrow(task_of(assignment), OUTPUT).toArrow()
        reports = [Report.from_bytes(payload) for payload in answer[OUTPUT_COLUMN].to_pylist()]
        _raise_problem(reports)
        check_reports(batch, reports)

        def existing(partition: int, start: int, end: int) -> Existing:
            found = around.topic.existing(partition, start, end)
            return replace(found, earliest_before=earliest().get(partition))

        accounts = settle(batch, reports, existing, around.accept_loss)
        if is_replay:
            written = {report.partition for report in reports if report.valid}
            self._delete(batch, batch.end.keys() - written - kept)
        self._check_right_to_write(batch)
        around.progress.put(self._progress(batch))
        if accounts.lost:
            around.say(f"micro-batch {batch_id}: LOST {accounts.lost}")
        self.finished = batch
        self._succeeded()

    def _check_right_to_write(self, written: PlannedBatch | None = None) -> None:
        """Raises JobError when another job has this checkpoint, or archives this topic with another one.

        That one archives `written` again, under names of its own: what was written here is taken back.
        """
        self._around.lease.check()
        progress = self._around.progress.get()
        if progress is not None and progress.archive_id != self._archive_id:
            if written is not None:
                self._delete(written, set(written.end))
            raise JobError(
                f"another job archives topic {progress.topic!r} (archive {progress.archive_id}, this one is "
                f"{self._archive_id}): this job has stopped"
            )

    def _existing_objects(self, batch: PlannedBatch) -> frozenset[int]:
        """Partitions that an earlier attempt has archived. Where records have gone since, what it wrote is
        more than what can be written now."""
        objects = self._around.objects
        return frozenset(
            partition for partition in batch.end if objects.metadata(self._key(batch, partition)) is not None
        )

    def _delete(self, batch: PlannedBatch, partitions: set[int]) -> None:
        """Delete what may have been written of these partitions."""
        for partition in sorted(partitions):
            self._around.objects.delete(self._key(batch, partition))

    def _key(self, batch: PlannedBatch, partition: int) -> str:
        return object_key(self._archive_id, batch.batch_id, batch.time, partition)

    def _progress(self, batch: PlannedBatch) -> Progress:
        cluster_id, topic_id = self._around.ids
        return Progress(
            cluster_id=cluster_id,
            topic=self._around.topic.name,
            topic_id=topic_id,
            archive_id=self._archive_id,
            batch_id=batch.batch_id,
            batch_time=batch.time,
            offsets=dict(batch.end),
        )


def _raise_problem(reports: list[Report]) -> None:
    """Raises JobError for what kept tasks from writing, the worse kind first."""
    for report in sorted(reports, key=lambda each: each.passing):
        if report.problem is not None:
            raise JobError(report.problem, OUTAGE if report.passing else SETTINGS)
