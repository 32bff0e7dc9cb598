"""Spark's offset log: which records a micro-batch reads, and the micro-batch's own time."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

Offsets = Mapping[int, int]
"""Kafka partition -> offset."""

NO_BATCH = -1
"""The number before that of the first micro-batch."""

_EARLIEST_OFFSET = -2  # as Spark's Kafka source writes it


class ReadableFiles(Protocol):
    """The files of a checkpoint, by name relative to it."""

    def read(self, name: str) -> str | None:
        """The text of a file; None when there is none."""

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder; none when there is no such folder."""


class Files(ReadableFiles, Protocol):
    """The same, for the job whose checkpoint it is."""

    def write(self, name: str, text: str) -> None:
        """Write a file at once: a reader sees the old text or the new one."""


@dataclass(frozen=True)
class PlannedBatch:
    """What a micro-batch reads: offsets from `start` (inclusive) to `end` (exclusive)."""

    batch_id: int
    time: int  # epoch milliseconds, the same on replay
    start: Offsets
    end: Offsets

    def read(self) -> dict[int, int]:
        """Partition -> offsets read."""
        return {partition: end - self.start[partition] for partition, end in self.end.items()}


def planned_batch(files: Files, batch_id: int) -> PlannedBatch:
    """What the offset log says of a planned micro-batch. Raises LookupError when it says nothing."""
    time, end = _entry(_text(files, f"offsets/{batch_id}"))
    before = _offsets_at(_text(files, origin_of(batch_id)))
    # a partition that was added since is read from its first record on
    start = {partition: before.get(partition, 0) for partition in end}
    return PlannedBatch(batch_id, time, start, end)


def origin_of(batch_id: int) -> str:
    """The file that says where a micro-batch begins: the entry before its own, at first the source's own."""
    return f"offsets/{batch_id - 1}" if batch_id else "sources/0/0"


def last_planned(files: Files) -> int:
    """The newest micro-batch with an entry in the offset log, committed or not; NO_BATCH without any."""
    newest = _newest(files, "offsets")
    return NO_BATCH if newest is None else newest


def last_committed(files: Files) -> PlannedBatch | None:
    """The newest micro-batch that needs no replay."""
    newest = last_committed_id(files)
    return None if newest is None else planned_batch(files, newest)


def last_committed_id(files: Files) -> int | None:
    """Its number."""
    return _newest(files, "commits")


def starting_offsets(topic: str, partitions: Iterable[int], offsets: Offsets) -> str:
    """Where a query is to begin, as Spark's Kafka source reads it: a partition without an offset at its first
    record."""
    return json.dumps({topic: {str(number): offsets.get(number, _EARLIEST_OFFSET) for number in partitions}})


def known_offsets(starting: str) -> Offsets:
    """The offsets that `starting_offsets` has put down; none of a query that begins at the first records."""
    if not starting.startswith("{"):
        return {}
    return {number: offset for number, offset in _offsets(starting).items() if offset >= 0}


def _newest(files: Files, folder: str) -> int | None:
    return max((int(name) for name in files.names(folder) if name.isdecimal()), default=None)


def _text(files: Files, name: str) -> str:
    text = files.read(name)
    if text is None:
        raise LookupError(f"the checkpoint has no {name}")
    return text


def _entry(text: str) -> tuple[int, Offsets]:
    # `v1`, a line of metadata, a line for each source; ours has one source
    _, metadata, _ = text.strip().split("\n")
    return int(json.loads(metadata)["batchTimestampMs"]), _offsets_at(text)


def _offsets_at(text: str) -> Offsets:
    # the last line, of the source's own file too
    return _offsets(text.strip().split("\n")[-1])


def _offsets(text: str) -> Offsets:
    (partitions,) = json.loads(text).values()  # one topic
    return {int(partition): int(offset) for partition, offset in partitions.items()}
