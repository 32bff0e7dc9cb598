"""The alerts of an hour as one Parquet file: the same bytes whenever the same objects go in."""

from collections.abc import Iterable
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from fraud.alert import ALERTS

ROWS = 20_000
"""Rows of a row group: what is in memory at once, beside one object of `alerts/`."""

TABLES = 256
"""Tables that wait to be joined: one of few rows takes many times its rows' size."""


def merge(tables: Iterable[pa.Table], sink: IO[bytes]) -> int:
    """Write the `tables` of schema ALERTS, in their order, into `sink`; how many alerts."""
    waiting: list[pa.Table] = []
    held = rows = 0
    with pq.ParquetWriter(sink, ALERTS, compression="zstd") as writer:
        for table in tables:
            waiting.append(table)
            held += table.num_rows
            rows += table.num_rows
            if held < ROWS and len(waiting) < TABLES:
                continue
            together = pa.concat_tables(waiting).combine_chunks()
            whole = held - held % ROWS
            if whole:
                writer.write_table(together.slice(0, whole), row_group_size=ROWS)
            waiting, held = [together.slice(whole)], held - whole
        if held:
            writer.write_table(pa.concat_tables(waiting).combine_chunks(), row_group_size=ROWS)
    return rows


def alerts_of(content: bytes) -> pa.Table:
    """The table (schema ALERTS) in one object of `alerts/`; columns that an older release did not write are
    null. Raises ArrowException or OSError for what is no Parquet file, or not of alerts that this release
    knows."""
    table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    if table.schema.equals(ALERTS):
        return table
    unknown = set(table.column_names) - set(ALERTS.names)
    if unknown:
        raise pa.ArrowInvalid(f"columns of a newer release: {', '.join(sorted(unknown))}")
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in ALERTS
    ]  # fmt: skip
    return pa.table(columns, schema=ALERTS)
