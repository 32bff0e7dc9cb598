"""The accounts of all micro-batches against the oracle: each offset once, under the outcome it must have."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scripts.oracle import Expected
from scripts.oracle_records import Sent


@dataclass(frozen=True, order=True)
class Span:
    """Offsets of one partition that one micro-batch has read: from `start` to `end` (exclusive)."""

    start: int
    end: int
    row: int  # of the micro-batch


def account_differences(
    metrics: pa.Table | None,
    sent: Iterable[Sent],
    expected: Expected,
    ends: Mapping[int, int],
    lost: int = 0,
) -> list[str]:
    """What is wrong with the rows of metrics (schema METRICS); nothing when they are exact.

    `sent` are all records that could be read, `ends` has the offset behind the last record of each partition,
    `lost` is how many offsets had gone before anybody read them.
    """
    if metrics is None:
        return ["there are no metrics"]
    rows = metrics.filter(pc.equal(metrics["kind"], "batch")).to_pylist()
    names = Counter((row["checkpoint_id"], row["batch_id"]) for row in rows)
    problems = [f"micro-batch {name} has {count} rows" for name, count in names.items() if count > 1]
    spans = spans_of(rows)
    for partition in sorted(spans.keys() | ends.keys()):
        problems += untiled(partition, spans.get(partition, []), ends.get(partition, 0))
    wanted: list[Counter[str]] = [Counter() for _ in rows]
    for record in sent:
        own = spans.get(record.partition, [])
        place = bisect_right(own, record.offset, key=lambda span: span.start) - 1
        if place >= 0 and record.offset < own[place].end:
            wanted[own[place].row][outcome_of(record, expected)] += 1
    for row, counts in zip(rows, wanted, strict=True):
        problems += row_differences(row, counts)
    if sum(row["lost"] for row in rows) != lost:
        problems.append(f"lost is {sum(row['lost'] for row in rows)} in all, not {lost}")
    return problems


def spans_of(rows: list[dict[str, Any]]) -> dict[int, list[Span]]:
    """Partition -> what was read of it, in order."""
    spans: dict[int, list[Span]] = {}
    for number, row in enumerate(rows):
        for each in row["partitions"]:
            if each["start_offset"] != each["end_offset"]:
                span = Span(each["start_offset"], each["end_offset"], number)
                spans.setdefault(each["partition"], []).append(span)
    return {partition: sorted(own) for partition, own in spans.items()}


def untiled(partition: int, spans: list[Span], end: int) -> list[str]:
    """Where the spans of a partition overlap or leave something out of 0 to `end`."""
    edges = [Span(0, 0, -1), *spans, Span(end, end, -1)]
    return [
        f"partition {partition}: read up to offset {one.end}, then from offset {other.start} on"
        for one, other in pairwise(edges)
        if one.end != other.start
    ]


def outcome_of(record: Sent, expected: Expected) -> str:
    """What must have become of a record: `evaluated`, `duplicate`, or the reason of its rejection."""
    place = (record.partition, record.offset)
    return expected.rejected.get(place) or ("duplicate" if place in expected.duplicate else "evaluated")


def row_differences(row: dict[str, Any], wanted: Counter[str]) -> list[str]:
    """What is wrong with one row; `wanted` counts the outcomes of the records that it has read."""
    where = f"micro-batch {row['batch_id']} of checkpoint {row['checkpoint_id']}"
    reasons = {
        name.removeprefix("rejected_"): count for name, count in row.items() if name.startswith("rejected_")
    }
    counted = Counter({"evaluated": row["evaluated"], "duplicate": row["duplicate"], **reasons})
    read = sum(each["end_offset"] - each["start_offset"] for each in row["partitions"])
    claims = {
        f"counts {dict(+counted)}, the oracle {dict(wanted)}": +counted == wanted,
        f"says it read {row['read']} offsets, its partitions {read}": row["read"] == read,
        f"says {row['rejected']} rejected, by reason {sum(reasons.values())}": row["rejected"]
        == sum(reasons.values()),
        f"has {row['gaps']} gaps and {row['lost']} lost, but {read} offsets and {wanted.total()} records": (
            row["gaps"] + row["lost"] == read - wanted.total()
        ),
    }
    return [f"{where} {claim}" for claim, holds in claims.items() if not holds]
