"""Which generation judged a record, by the metrics rows: each has a micro-batch's offsets and generation."""

from collections.abc import Iterable

import numpy as np

from fraud.arrays import Integers
from jobs.detect.metrics import Row

UNKNOWN = 0
"""No metrics row of the checkpoint says who judged it: another checkpoint did, or nobody yet."""


class Judges:
    """The micro-batches of one checkpoint."""

    def __init__(self, checkpoint_id: str) -> None:
        self._checkpoint_id = checkpoint_id
        # partition -> [first offset, end, generation]; a micro-batch extends the one before it if it can
        self._ranges: dict[int, list[list[int]]] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows of METRICS, later ones last or nearly so; of others than the checkpoint's none."""
        own = [row for row in rows if row["kind"] == "batch" and row["checkpoint_id"] == self._checkpoint_id]
        for row in sorted(own, key=lambda row: int(row["batch_id"])):
            for each in row["partitions"]:
                start, end = each["start_offset"], each["end_offset"]
                ranges = self._ranges.setdefault(each["partition"], [])
                if ranges and ranges[-1][1:] == [start, row["generation"]]:
                    ranges[-1][1] = end
                elif end > start:
                    ranges.append([start, end, row["generation"]])

    def generation(self, partition: int, offsets: Integers) -> Integers:
        """The number of the generation of each of these offsets, or UNKNOWN."""
        ranges = sorted(self._ranges.get(partition, []))
        if not ranges:
            return np.full(len(offsets), UNKNOWN, dtype=np.int64)
        starts, ends, numbers = (np.array(column, dtype=np.int64) for column in zip(*ranges, strict=True))
        place = np.maximum(np.searchsorted(starts, offsets, side="right") - 1, 0)
        known = (offsets >= starts[place]) & (offsets < ends[place])
        found: Integers = np.where(known, numbers[place], UNKNOWN)
        return found
