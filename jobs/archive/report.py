"""What the tasks of the archive tell the driver, and whether a micro-batch's reports can be true. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from jobs.detect.errors import JobError
from jobs.detect.offsets import PlannedBatch

OUTPUT_COLUMN = "report"
OUTPUT = f"{OUTPUT_COLUMN} binary"


@dataclass(frozen=True)
class Report:
    """What one task says of the records of one Kafka partition in one micro-batch."""

    batch_id: int
    batch_time: int  # epoch milliseconds
    partition: int
    first_offset: int  # of its records
    last_offset: int  # inclusive
    records: int
    valid: int  # of them, in the archive now
    problem: str | None = None  # why the object could not be written
    passing: bool = False  # whether that may be gone the next time

    @property
    def counts(self) -> list[tuple[int, str, int]]:
        """(Kafka partition, outcome, records)."""
        return [
            (self.partition, "archived", self.valid),
            (self.partition, "rejected", self.records - self.valid),
        ]

    def to_bytes(self) -> bytes:
        """As JSON."""
        return orjson.dumps(self)

    @classmethod
    def from_bytes(cls, text: bytes) -> "Report":
        """The inverse of `to_bytes`."""
        return cls(**orjson.loads(text))


def check_reports(batch: PlannedBatch, reports: Sequence[Report]) -> None:
    """Raises JobError unless each partition was one task's, which read what was planned and nothing else.

    Two tasks would write the same object, one over the other.
    """
    seen: set[int] = set()
    for report in reports:
        partition = report.partition
        if partition in seen:
            raise JobError(f"micro-batch {batch.batch_id}: two tasks archived partition {partition}")
        seen.add(partition)
        start, end = batch.start.get(partition, 0), batch.end.get(partition, 0)
        span = report.last_offset - report.first_offset + 1
        if not (start <= report.first_offset and report.last_offset < end and report.records <= span):
            raise JobError(
                f"micro-batch {batch.batch_id}: {report.records} records of partition {partition} at offsets "
                f"{report.first_offset} to {report.last_offset} were archived, planned were {start} to "
                f"{end - 1}"
            )
