"""Metrics on the object store: one row a micro-batch or heartbeat, one Parquet object a minute."""

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fraud.transaction import Reason
from jobs.detect.offsets import NO_BATCH
from jobs.objects import Objects

FOLDER = "metrics/"

LAG = pa.struct(
    [
        ("partition", pa.int32()),
        ("start_offset", pa.int64()),  # of the micro-batch; null in a heartbeat
        ("end_offset", pa.int64()),  # read so far (exclusive)
        ("lag", pa.int64()),  # records not read yet; null when Kafka did not say
    ]
)

METRICS = pa.schema(
    [
        ("kind", pa.string()),  # `batch` or `heartbeat`
        ("checkpoint_id", pa.string()),
        ("batch_id", pa.int64()),  # of a heartbeat: the last micro-batch, null before the first
        ("batch_time", pa.timestamp("ms", "UTC")),  # from the offset log; of a heartbeat: now
        ("generation", pa.int32()),  # of the rules that judged it
        ("read", pa.int64()),  # offsets; the sum of the next four and `gaps` and `lost`
        ("evaluated", pa.int64()),
        ("duplicate", pa.int64()),
        ("rejected", pa.int64()),  # the sum of the columns by reason
        *((f"rejected_{reason.value}", pa.int64()) for reason in Reason),
        ("gaps", pa.int64()),  # offsets without a record: transaction markers, compaction
        ("lost", pa.int64()),  # offsets whose records had gone before they were read
        ("alerts", pa.int64()),
        ("alerts_by_rule", pa.map_(pa.string(), pa.int64())),
        ("reused_id", pa.int64()),  # transaction ids met again at another time
        ("user_moved", pa.int64()),  # payments of users that came from another partition before
        ("memory_rows", pa.int64()),  # payments remembered, in the buckets of this micro-batch
        ("state_bytes", pa.int64()),  # their state, compressed
        ("duration_ms", pa.int64()),  # of the micro-batch, until its metrics were written
        ("latency_p50_ms", pa.int64()),  # alert acknowledged by Kafka minus `ingested_at`
        ("latency_p95_ms", pa.int64()),
        ("latency_p99_ms", pa.int64()),
        ("latency_max_ms", pa.int64()),
        ("partitions", pa.list_(LAG)),
    ]
)
"""One row a micro-batch or heartbeat. A heartbeat has nulls where there was nothing to measure."""

Row = dict[str, Any]


def metrics_key(time: int) -> str:
    """The key of the minute that holds `time` (epoch milliseconds)."""
    at = datetime.fromtimestamp(time / 1000, UTC)
    return f"{FOLDER}date={at:%Y-%m-%d}/minute={at:%H%M}.parquet"


def with_row(rows: Sequence[Row], row: Row) -> list[Row]:
    """`rows` with `row` at the end, in place of an earlier row of the same micro-batch or heartbeat."""
    return [each for each in rows if _identity(each) != _identity(row)] + [row]


def _identity(row: Row) -> tuple[Any, ...]:
    time = row["batch_time"] if row["kind"] == "heartbeat" else None
    return row["checkpoint_id"], row["batch_id"], row["kind"], time


class MetricsSink:
    """The folder `metrics/`; threads may share it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._lock = Lock()
        self._minutes: dict[str, list[Row]] = {}

    def put(self, row: Row, still_allowed: Callable[[], None]) -> None:
        """Add a row (a value for each column of METRICS, or none) to its minute's object."""
        key = metrics_key(row["batch_time"])
        with self._lock:
            if key not in self._minutes:  # the minute may have rows from before a restart
                self._minutes[key] = self._stored(key)
            rows = with_row(self._minutes[key], row)
            still_allowed()
            self._objects.put(key, to_parquet(rows))
            self._minutes[key] = rows
            for old in sorted(self._minutes)[:-2]:
                del self._minutes[old]

    def newest_batch(self, checkpoint_id: str, since: int) -> int:
        """The newest micro-batch of that checkpoint in the metrics from the minute of `since` (epoch
        milliseconds) on; NO_BATCH when there is none.

        Rows are read from the newest minute back to the first one with a row of that checkpoint.
        """
        before = metrics_key(since).removesuffix(".parquet")
        for key in reversed(self._objects.keys(FOLDER, before)):
            own = [row["batch_id"] for row in self._stored(key) if row["checkpoint_id"] == checkpoint_id]
            if own:
                return max(NO_BATCH if batch_id is None else batch_id for batch_id in own)
        return NO_BATCH

    def _stored(self, key: str) -> list[Row]:
        content = self._objects.read(key)
        return [] if content is None else from_parquet(content)


def to_parquet(rows: Sequence[Row]) -> bytes:
    """Rows as one Parquet file of schema METRICS."""
    columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in METRICS]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=METRICS), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_parquet(content: bytes) -> list[Row]:
    """The inverse of `to_parquet`."""
    return as_rows(pq.read_table(io.BytesIO(content), schema=METRICS))


def as_rows(table: pa.Table) -> list[Row]:
    """The rows of a table of schema METRICS."""
    index = METRICS.get_field_index("batch_time")
    rows: list[Row] = table.set_column(index, "batch_time", table["batch_time"].cast(pa.int64())).to_pylist()
    return rows
