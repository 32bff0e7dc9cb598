"""Parquet files of any release into tables of the columns that this one knows. Pure."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fraud.alert import ALERTS
from fraud.transaction import Reason

_COUNT = pa.int64()

METRICS = pa.schema(
    [
        ("kind", pa.string()),  # `batch` or `heartbeat`
        ("checkpoint_id", pa.string()),
        ("batch_id", _COUNT),
        ("batch_time", pa.timestamp("ms", "UTC")),
        *((name, _COUNT) for name in ("read", "evaluated", "duplicate", "rejected")),
        *((f"rejected_{reason.value}", _COUNT) for reason in Reason),
        *((name, _COUNT) for name in ("gaps", "lost", "alerts", "memory_rows", "state_bytes")),
        *((name, _COUNT) for name in ("duration_ms", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms")),
        ("partitions", pa.list_(pa.struct([("partition", pa.int32()), ("lag", _COUNT)]))),
    ]
)
"""What is used of a metrics file. One row a micro-batch or heartbeat."""

EUROS = pa.field("euros", pa.decimal128(18, 2))

ALERTS_IN_EUROS = ALERTS.append(EUROS)
"""ALERTS, and the amount in euros, rounded half up to the cent."""

Parse = Callable[[bytes], pa.Table]


class UnreadableError(Exception):
    """These bytes are no Parquet file of the expected kind: half-written, damaged or something else."""


def alerts(content: bytes) -> pa.Table:
    """ALERTS_IN_EUROS of one file. Raises UnreadableError."""
    table = _conform(_read(content), ALERTS, ("alert_id", "rule_id", "user_id", "detected_at"))
    exact = pc.multiply(table["amount"], table["rate"])
    euros = pc.round(exact, 2, "half_towards_infinity").cast(EUROS.type)
    return table.append_column(EUROS, euros)


def metrics(content: bytes) -> pa.Table:
    """METRICS of one file. Raises UnreadableError."""
    return _conform(_read(content), METRICS, ("kind", "batch_time"))


def _read(content: bytes) -> pa.Table:
    try:
        # Not `read_table`: its machinery for folders takes three times as long for a small file.
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        table.validate(full=True)  # text that is no UTF-8 would fail later, far from here
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError(str(error)) from error
    return table


def _conform(table: pa.Table, schema: pa.Schema, needed: tuple[str, ...]) -> pa.Table:
    """`table` with exactly the columns of `schema`: others are dropped, missing ones are null."""
    conformed = table if table.schema.equals(schema) else _converted(table, schema)
    for name in needed:
        if conformed[name].null_count:
            raise UnreadableError(f"there are rows without {name}")
    return conformed


def _converted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    try:
        columns = [
            table[field.name].cast(field.type)
            if field.name in table.column_names
            else pa.nulls(table.num_rows, field.type)
            for field in schema
        ]
    except (pa.ArrowException, KeyError) as error:
        raise UnreadableError(str(error)) from error
    return pa.table(columns, schema=schema)
