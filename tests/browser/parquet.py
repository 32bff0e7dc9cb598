"""What the pages must show: asked of the Parquet files by DuckDB, which shares nothing with the dashboard."""

from pathlib import Path
from typing import Any

import duckdb

# Times as plain UTC ones: what DuckDB does with zones needs an extension that it would download.
_ALERTS = """
    CREATE TABLE alerts AS SELECT
        alert_id, rule_id, rule_version, severity, user_id, transaction_id, amount, currency, rate, location,
        observed, threshold, evidence_count,
        upper(rule_id[1]) || replace(rule_id[2:], '_', ' ') AS rule,
        round(amount * rate, 2)::DECIMAL(18, 2) AS euros,
        make_timestamp(epoch_us(transaction_timestamp)) AS paid,
        make_timestamp(epoch_us(detected_at)) AS detected_at,
        make_timestamp(epoch_us(ingested_at)) AS ingested_at,
        list_transform(evidence, lambda each: (
            make_timestamp(epoch_us(each.timestamp)), each.transaction_id, each.location, each.amount,
            each.currency
        )) AS evidence
    FROM read_parquet(?)"""
_BATCHES = """
    CREATE TABLE batches AS SELECT * REPLACE (make_timestamp(epoch_us(batch_time)) AS batch_time)
    FROM read_parquet(?) WHERE kind = 'batch'"""


class Parquet:
    """The objects of a bucket as the tables `alerts` and `batches`."""

    def __init__(self, bucket: Path) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(_ALERTS, [f"{bucket}/alerts/**/*.parquet"])
        self._connection.execute(_BATCHES, [f"{bucket}/metrics/**/*.parquet"])

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """The answer to a query."""
        return self._connection.execute(query, values).fetchall()

    def value(self, query: str, *values: object) -> Any:
        """The answer to a query for one value."""
        ((value,),) = self.rows(query, *values)
        return value
