"""An object store in memory for the dashboard's tests, filled under the job's own keys and schemas."""

import io
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from dashboard.store import Listed, Place, StoreError
from fraud.alert import ALERTS
from fraud.transaction import Reason
from jobs.compact.hours import compacted_key
from jobs.compact.merge import alerts_of, merge
from jobs.detect.alerts_sink import alerts_key, hour_folder
from jobs.detect.alerts_sink import to_parquet as alerts_to_parquet
from jobs.detect.metrics import METRICS, metrics_key
from jobs.detect.metrics import to_parquet as metrics_to_parquet

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)

_numbers = itertools.count()


class MemoryStore:
    """A Store. `trouble` makes every request fail; `reads` counts how often each version was read."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.reads: Counter[tuple[str, str]] = Counter()
        self.found: list[Place] = []  # places asked for
        self.trouble: StoreError | None = None

    def put(self, key: str, content: bytes) -> None:
        """Write one object: a new version."""
        self.objects[key] = (content, f"version {next(_numbers)}")

    def find(self, places: Sequence[Place]) -> list[list[Listed]]:
        """See dashboard.store.Store."""
        if self.trouble:
            raise self.trouble
        self.found += places
        return [
            [
                Listed(key, version)
                for key, (_, version) in self.objects.items()
                if key.startswith(place.prefix) and key > place.after
            ]
            for place in places
        ]

    def read(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """See dashboard.store.Store."""
        if self.trouble:
            raise self.trouble
        there = [key for key in keys if key in self.objects]
        self.reads.update((key, self.objects[key][1]) for key in there)
        return {key: self.objects[key][0] for key in there}

    def put_alerts(
        self, rows: Sequence[Mapping[str, Any]], batch: int, at: datetime = NOW, checkpoint: str = "0123abcd"
    ) -> str:
        """One micro-batch's alerts, as the job writes them; the key."""
        key = alerts_key(checkpoint, batch, epoch(at))
        self.put(key, alerts_to_parquet([pa.Table.from_pylist(list(rows), ALERTS)]))
        return key

    def put_compacted(self, at: datetime) -> str:
        """The hour of `at` as `jobs.compact` writes it, from what lies in `alerts/`; the key."""
        hour = epoch(at.replace(minute=0, second=0, microsecond=0))
        parts = sorted(key for key in self.objects if key.startswith(hour_folder(hour)))
        content = io.BytesIO()
        merge((alerts_of(self.objects[key][0]) for key in parts), content)
        self.put(compacted_key(hour), content.getvalue())
        return compacted_key(hour)

    def put_metrics(self, rows: Sequence[Mapping[str, Any]], at: datetime = NOW) -> str:
        """The metrics of one minute, as the job writes them; the key."""
        key = metrics_key(epoch(at))
        self.put(key, metrics_to_parquet([dict(row) for row in rows]))
        return key


def alert(**changes: Any) -> dict[str, Any]:
    """A row of ALERTS: a payment of 1,000.01 EUR, detected at NOW unless changed."""
    at = changes.get("detected_at", NOW)
    paid = at - timedelta(seconds=2)
    row: dict[str, Any] = {
        "alert_id": f"{next(_numbers):032x}",
        "rule_id": "high_amount",
        "rule_version": 1,
        "severity": "medium",
        "user_id": "ann",
        "transaction_id": "t-1",
        "transaction_timestamp": paid,
        "amount": Decimal("1000.01"),
        "currency": "EUR",
        "rate": Decimal(1),
        "location": "Zürich",
        "observed": Decimal("1000.01"),
        "threshold": Decimal(1000),
        "window_start": None,
        "window_end": None,
        "evidence": [payment()],
        "evidence_count": 1,
        "detected_at": at,
        "ingested_at": paid + timedelta(seconds=1),
        "reconciled_at": None,
    }
    return {**row, **changes}


def velocity(**changes: Any) -> dict[str, Any]:
    """A row of ALERTS: four payments within a minute."""
    at = changes.get("detected_at", NOW)
    times = [at - timedelta(seconds=2 + 10 * number) for number in range(4)]
    row = alert(
        rule_id="velocity", severity="high", amount=Decimal("25.30"), observed=Decimal(4),
        threshold=Decimal(3), window_start=times[0] - timedelta(seconds=60), window_end=times[0],
        transaction_timestamp=times[0], transaction_id="t-0", evidence_count=4,
        evidence=[payment(transaction_id=f"t-{i}", timestamp=time) for i, time in enumerate(times)],
    )  # fmt: skip
    return {**row, **changes}


def payment(**changes: Any) -> dict[str, Any]:
    """One contributing payment of an alert."""
    row = {
        "transaction_id": "t-1",
        "timestamp": NOW - timedelta(seconds=2),
        "amount": Decimal("1000.01"),
        "currency": "EUR",
        "location": "Zürich",
    }
    return {**row, **changes}


def batch(**changes: Any) -> dict[str, Any]:
    """A row of METRICS: 100 records of two partitions, counted in full."""
    at = changes.pop("batch_time", NOW)
    row: dict[str, Any] = {field.name: 0 for field in METRICS}
    row |= {f"rejected_{reason.value}": 0 for reason in Reason}
    row |= {
        "kind": "batch",
        "checkpoint_id": "0123abcd",
        "batch_id": next(_numbers),
        "batch_time": epoch(at),
        "read": 100,
        "evaluated": 95,
        "duplicate": 2,
        "rejected": 3,
        "rejected_late": 2,
        "rejected_not_json": 1,
        "alerts": 1,
        "alerts_by_rule": [("high_amount", 1)],
        "memory_rows": 500,
        "state_bytes": 20_000,
        "duration_ms": 400,
        "latency_p50_ms": 800,
        "latency_p95_ms": 900,
        "latency_p99_ms": 950,
        "latency_max_ms": 950,
        "partitions": [
            {"partition": number, "start_offset": 0, "end_offset": 50, "lag": 7} for number in range(2)
        ],
    }
    return {**row, **changes}


def heartbeat(at: datetime) -> dict[str, Any]:
    """A row of METRICS in silence."""
    lags = [{"partition": 0, "start_offset": None, "end_offset": 50, "lag": 0}]
    return {"kind": "heartbeat", "checkpoint_id": "0123abcd", "batch_time": epoch(at), "partitions": lags}


def epoch(time: datetime) -> int:
    """Epoch milliseconds."""
    return round(time.timestamp() * 1000)
