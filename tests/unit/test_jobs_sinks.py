"""What leaves the job: alerts as JSON and Parquet, metrics, records to Kafka, and retries of all that."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from threading import Event
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from fraud.alert import ALERTS
from jobs.detect.alert_json import alerts_as_json
from jobs.detect.alerts_sink import alerts_key, to_parquet
from jobs.detect.errors import JobError, Stopped
from jobs.detect.metrics import METRICS, MetricsSink, metrics_key, with_row
from jobs.detect.retry import Retries
from jobs.detect.topic import MOST_RECORDS, batch_limit
from tests.bucket import Bucket

AT = datetime(2026, 3, 4, 5, 6, 7, 891_000, UTC)
AT_MS = 1_772_600_767_891


def alert(evidence: int = 1, cents: int = 250_010, window: bool = False, name: str = "a") -> dict[str, Any]:
    amount = Decimal(cents).scaleb(-2)
    payment = {
        "transaction_id": "t",
        "timestamp": AT,
        "amount": amount,
        "currency": "EUR",
        "location": "Zürich",
    }
    return {
        "alert_id": name,
        "rule_id": "high_amount",
        "rule_version": 1,
        "severity": "medium",
        "user_id": "u",
        "transaction_id": "t",
        "transaction_timestamp": AT,
        "amount": amount,
        "currency": "EUR",
        "rate": Decimal("0.511292"),
        "location": "Zürich",
        "observed": amount,
        "threshold": Decimal("1000.00"),
        "window_start": AT if window else None,
        "window_end": AT if window else None,
        "evidence": [payment] * evidence,
        "evidence_count": evidence,
        "detected_at": AT,
        "ingested_at": AT,
    }


def table(*alerts: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(alerts), ALERTS)


def test_an_alert_as_json_has_plain_numbers_and_epoch_milliseconds() -> None:
    ((name, text),) = alerts_as_json(table(alert()))
    found = json.loads(text)
    assert name == found["alert_id"] == "a"
    assert list(found) == ALERTS.names
    assert (found["amount"], found["rate"], found["threshold"]) == (2500.1, 0.511292, 1000)
    assert found["transaction_timestamp"] == found["detected_at"] == found["ingested_at"] == AT_MS
    assert found["window_start"] is None
    assert found["evidence"] == [
        {"transaction_id": "t", "timestamp": AT_MS, "amount": 2500.1, "currency": "EUR", "location": "Zürich"}
    ]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 10**9), st.booleans()), max_size=8))
def test_every_alert_keeps_its_own_evidence_amount_and_window(shapes: list[tuple[int, int, bool]]) -> None:
    rows = [alert(e, cents, window, str(i)) for i, (e, cents, window) in enumerate(shapes)]
    found = [json.loads(text) for _, text in alerts_as_json(table(*rows))]
    assert [len(each["evidence"]) for each in found] == [e for e, _, _ in shapes]
    assert [Decimal(str(each["amount"])) for each in found] == [Decimal(c).scaleb(-2) for _, c, _ in shapes]
    assert [each["window_start"] for each in found] == [AT_MS if window else None for *_, window in shapes]


def test_alerts_of_a_slice_keep_their_evidence() -> None:
    rows = table(alert(1, name="x"), alert(3, name="y"), alert(2, name="z"))
    found = {name: len(json.loads(text)["evidence"]) for name, text in alerts_as_json(rows.slice(1))}
    assert found == {"y": 3, "z": 2}


def test_the_key_of_a_batchs_alerts_comes_from_the_offset_logs_time() -> None:
    key = alerts_key("0123abcd", 42, AT_MS)
    assert key == "alerts/date=2026-03-04/hour=05/batch=0123abcd-000000000042.parquet"


def test_alerts_in_parquet_have_the_contracts_schema() -> None:
    read = pq.read_table(io.BytesIO(to_parquet([table(alert(name="a")), table(alert(name="b"))])))
    assert read.schema.equals(ALERTS)
    assert read["alert_id"].to_pylist() == ["a", "b"]


def row(batch_id: int, time: int = AT_MS, **more: Any) -> dict[str, Any]:
    return {
        "kind": "batch",
        "checkpoint_id": "c",
        "batch_id": batch_id,
        "batch_time": time,
        "alerts_by_rule": [("velocity", 2)],
        "partitions": [{"partition": 0, "start_offset": 1, "end_offset": 2, "lag": None}],
        **more,
    }


def allowed() -> None:
    """The lease is ours."""


def stored(s3: Bucket, time: int = AT_MS) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(
        io.BytesIO(s3.objects[metrics_key(time)][0]), schema=METRICS
    ).to_pylist()
    return found


def test_the_rows_of_a_minute_are_one_object() -> None:
    s3 = Bucket()
    sink = MetricsSink(s3.under(""))
    sink.put(row(1), allowed)
    sink.put(row(2, AT_MS + 1000), allowed)
    sink.put(row(3, AT_MS + 60_000), allowed)
    assert list(s3.objects) == [
        "metrics/date=2026-03-04/minute=0506.parquet",
        "metrics/date=2026-03-04/minute=0507.parquet",
    ]
    assert [each["batch_id"] for each in stored(s3)] == [1, 2]


def test_after_a_restart_a_replayed_batch_replaces_its_row_and_keeps_the_others() -> None:
    s3 = Bucket()
    before = MetricsSink(s3.under(""))
    before.put(row(1, read=10), allowed)
    before.put(row(2, read=20), allowed)
    MetricsSink(s3.under("")).put(row(2, read=20, alerts=5), allowed)
    assert [(each["batch_id"], each["alerts"]) for each in stored(s3)] == [(1, None), (2, 5)]
    assert stored(s3)[0]["batch_time"] == AT
    assert stored(s3)[0]["alerts_by_rule"] == [("velocity", 2)]


def test_without_the_lease_no_metrics_are_written() -> None:
    def refused() -> None:
        raise JobError("another job took over")

    s3 = Bucket()
    with pytest.raises(JobError):
        MetricsSink(s3.under("")).put(row(1), refused)
    assert s3.objects == {}


def test_heartbeats_do_not_replace_each_other() -> None:
    rows = with_row([row(1, AT_MS, kind="heartbeat")], row(1, AT_MS + 30_000, kind="heartbeat"))
    assert len(rows) == 2


AWAY = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


class Fails:
    """Raises `error` `times` times, then gives `done`."""

    def __init__(self, times: int, error: Exception = AWAY) -> None:
        self.left = times
        self.error = error

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise self.error
        return "done"


class Time(Event):
    """A clock that only `wait` moves."""

    now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return self.is_set()


def retries(outage: int) -> tuple[Retries, Time, list[str]]:
    time = Time()
    said: list[str] = []
    clock: Callable[[], float] = lambda: time.now  # noqa: E731
    return Retries(outage, time, said.append, clock), time, said


def test_a_short_outage_is_waited_for_and_said_at_its_begin_and_end() -> None:
    again, _, said = retries(300_000)
    assert again.call("writing alerts", Fails(5)) == "done"
    assert len(said) == 2
    assert "Could not connect" in said[0]
    assert "works again" in said[1]


def test_a_long_outage_is_said_once_a_minute_and_ends_with_code_75() -> None:
    again, time, said = retries(300_000)
    with pytest.raises(JobError, match="FRAUD_OUTAGE is 300 s") as ended:
        again.call("writing alerts", Fails(10_000))
    assert ended.value.exit_code == 75
    assert 280 <= time.now <= 300
    assert len(said) == 5


def test_what_is_not_passing_is_not_tried_again() -> None:
    again, time, _ = retries(300_000)
    with pytest.raises(ValueError, match="odd"):
        again.call("writing alerts", Fails(1, ValueError("odd")))
    assert time.now == 0


def test_who_asks_to_stop_does_not_wait_for_the_end_of_an_outage() -> None:
    again, time, _ = retries(300_000)
    time.set()
    with pytest.raises(Stopped):
        again.call("writing alerts", Fails(10_000))


@given(st.floats(1, 10_000_000))
def test_a_batch_has_at_most_about_256_mib_of_records(mean: float) -> None:
    limit = batch_limit(mean)
    assert 1_000 <= limit <= MOST_RECORDS
    assert limit * mean <= 256 * 1024 * 1024 or limit == 1_000
