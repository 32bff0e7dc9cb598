"""The accounts of a micro-batch: every offset read is evaluated, duplicate, rejected, a gap, or lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from jobs.detect.errors import JobError
from jobs.detect.offsets import PlannedBatch


class Counted(Protocol):
    """What one task says of its part of a micro-batch."""

    @property
    def batch_id(self) -> int:
        """Of the micro-batch."""

    @property
    def batch_time(self) -> int:
        """Of the micro-batch, in epoch milliseconds."""

    @property
    def counts(self) -> Sequence[tuple[int, str, int]]:
        """(Kafka partition, outcome, records)."""


@dataclass(frozen=True)
class Existing:
    """What a partition of the topic holds of a range of offsets."""

    earliest: int  # the partition's first offset
    records: int  # records in the range
    earliest_before: int | None = None  # the first offset before Spark read the range; None: not known


@dataclass(frozen=True)
class Accounts:
    """Where the offsets of a micro-batch went, in all partitions together."""

    read: int
    outcomes: dict[str, int]  # evaluated, duplicate, or a reason -> records
    gaps: int  # offsets without a record: transaction markers, compaction
    lost: int  # offsets whose records had gone before they were read


def settle(
    batch: PlannedBatch,
    reports: Sequence[Counted],
    look_up: Callable[[int, int, int], Existing],
    accept_loss: bool,
) -> Accounts:
    """The accounts of a micro-batch.

    `look_up(partition, start, end)` asks the topic, only where fewer records were counted than offsets
    read. Raises JobError with the difference of each partition when the accounts do not add up.
    """
    counted: dict[int, int] = {}
    outcomes: dict[str, int] = {}
    for report in reports:
        if (report.batch_id, report.batch_time) != (batch.batch_id, batch.time):
            raise JobError(
                f"micro-batch {batch.batch_id} of {batch.time} got a report for {report.batch_id} "
                f"of {report.batch_time}"
            )
        for partition, outcome, count in report.counts:
            counted[partition] = counted.get(partition, 0) + count
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    read = batch.read()
    gaps, lost, problems = 0, 0, []
    for partition in sorted(read.keys() | counted.keys()):
        missing = read.get(partition, 0) - counted.get(partition, 0)
        if missing == 0:
            continue
        start, end = batch.start.get(partition, 0), batch.end.get(partition, 0)
        existing = look_up(partition, start, end) if missing > 0 else Existing(start, end - start)
        gone = min(max(existing.earliest - start, 0), end - start)
        among_gone = missing - (end - start - gone - existing.records)  # the rest are gaps in what is left
        lost_here = min(among_gone, _lost_at_most(existing, start, gone, accept_loss))
        where = f"partition {partition}, offsets {start} to {end - 1}"
        if not 0 <= among_gone <= gone:
            problems.append(
                f"{where}: {read.get(partition, 0)} offsets read, {counted.get(partition, 0)} records "
                f"counted, the topic has {existing.records} of them"
            )
        elif lost_here and not accept_loss:
            problems.append(loss(partition, start, existing.earliest_before or existing.earliest))
        gaps += missing - lost_here
        lost += lost_here
    if problems:
        raise JobError(f"the accounts of micro-batch {batch.batch_id} do not add up: {'; '.join(problems)}")
    return Accounts(sum(read.values()), outcomes, gaps, lost)


def _lost_at_most(existing: Existing, start: int, gone: int, accept_loss: bool) -> int:
    """Of the `gone` offsets, those that Spark may not have seen; where it has, one without a record is a gap.

    What went while the micro-batch ran cannot be looked up any more. Spark read all of it, or it would have
    failed (failOnDataLoss), unless losses are accepted.
    """
    if accept_loss or existing.earliest_before is None:
        return gone
    return min(max(existing.earliest_before - start, 0), gone)


def loss(partition: int, start: int, earliest: int) -> str:
    """One sentence on records that vanished before they were read."""
    return (
        f"partition {partition}: offsets {start} to {earliest - 1} have gone from the topic before they "
        "were read (its retention passed); --accept-loss goes on without them"
    )
