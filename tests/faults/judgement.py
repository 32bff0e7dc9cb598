"""The final verdict on a lane, once everything has recovered: all that is not exact, in words."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.dataset as ds

from fraud.alert import ALERTS
from fraud.settings import CONSUMER_GROUP
from jobs.detect.topic import Topic
from local.native.archived import archive_differences
from local.native.findings import Record, download, pairs_of, read_parquet, read_topic
from scripts.oracle import Pair
from scripts.oracle_records import Sent
from tests.evidence import id_of
from tests.faults.accounts import account_differences
from tests.faults.contract import strangers
from tests.integration.lane import Lane, pairs_in

MOST_COMPARED = 20_000
"""Alerts whose content in Parquet and in Kafka is compared field by field; of more, every n-th one."""


@dataclass(frozen=True)
class Verdict:
    """`differences` is empty when everything is exact."""

    records: int  # that the job could read
    alerts: int  # that the oracle demands
    differences: list[str]


def judged(
    lane: Lane,
    *rules: Path,
    read_by: Callable[[Sent], int] = lambda _: 0,
    sent: list[Sent] | None = None,
    lost: int = 0,
) -> Verdict:
    """Everything the lane left behind against the oracle. Its jobs have caught up (the archive too, where it
    is on).

    `rules` and `read_by` as for `Lane.expected`. `sent` are the records that the job could read, where the
    topic does not hold them any more; `lost` is how many offsets went before they were read.
    """
    records = lane.sent() if sent is None else sent
    expected = lane.expected(*rules, read_by=read_by, sent=records)
    settings, bucket = lane.settings, lane.bucket()
    kafka, archive = settings.kafka, settings.detection.archive
    rejections = list(read_topic(kafka, kafka.rejected_topic))
    late = {source(record) for record in rejections if record.headers["reason"] == "late"}
    problems = differing("late records", late, expected.late)
    problems += alert_differences(bucket, read_topic(kafka, kafka.alerts_topic), expected.alerts)
    problems += rejection_differences(rejections, records, expected.rejected, kafka.transactions_topic)
    ends = Topic(kafka, CONSUMER_GROUP).latest()
    problems += account_differences(read_parquet(bucket / "metrics"), records, expected, ends, lost)
    if archive:
        download(settings.object_store, "transactions/", bucket)
        problems += archive_differences(read_parquet(bucket / "transactions"), records)[1]
    problems += [f"{key} is in the bucket" for key in strangers(lane.object_keys(), archive=archive)]
    return Verdict(len(records), len(expected.alerts), problems)


def differing(what: str, found: Set[Any], wanted: Set[Any]) -> list[str]:
    """Words on what is missing from `found` and what is too much."""
    both = ((wanted - found, "missing"), (found - wanted, "too many"))
    return [f"{what}: {len(rest)} {kind}, such as {min(rest)}" for rest, kind in both if rest]


# --- alerts ------------------------------------------------------------------------------------------------


def alert_differences(bucket: Path, topic: Iterable[Record], wanted: set[Pair]) -> list[str]:
    """Parquet, for two readers, and the topic `fraud-alerts`, where repeats must be equal."""
    folder = bucket / "alerts"
    table = ALERTS.empty_table()
    by_duckdb: list[Pair] = []
    if folder.exists():
        table = ds.dataset(folder, partitioning="hive").to_table().drop_columns(["date", "hour"])
        by_duckdb = pairs_in(bucket)
    by_pyarrow, ids = pairs_of(table), table["alert_id"].to_pylist()
    problems = differing("alerts in Parquet", set(by_pyarrow), wanted)
    if Counter(by_duckdb) != Counter(by_pyarrow):
        problems.append("DuckDB and pyarrow do not read the same alerts")
    for reader, rows in (("pyarrow", ids), ("DuckDB", by_duckdb)):
        if len(set(rows)) != len(rows):
            problems.append(
                f"{len(rows) - len(set(rows))} alerts are in Parquet more than once, for {reader}"
            )
    problems += differing("ids in Parquet", set(ids), {id_of(*pair) for pair in wanted})

    in_topic: dict[str, bytes] = {}
    for record in topic:
        alert_id, value = (record.sent.key or b"").decode(), record.sent.value or b""
        if in_topic.setdefault(alert_id, value) != value:
            problems.append(f"alert {alert_id} is in fraud-alerts with two contents")
    alerts = {alert_id: orjson.loads(value) for alert_id, value in in_topic.items()}
    names = ("rule_id", "user_id", "transaction_id", "transaction_timestamp")
    pairs = {Pair(*(alert[name] for name in names)) for alert in alerts.values()}
    problems += differing("alerts in fraud-alerts", pairs, wanted)
    problems += differing("keys in fraud-alerts", alerts.keys(), {id_of(*pair) for pair in pairs})
    every = range(0, len(table), 1 + len(table) // MOST_COMPARED)
    sample = table.take(pa.array(every, pa.int64()))
    for row in sample.to_pylist():
        alert = alerts.get(row["alert_id"])
        if alert is not None and _known(alert) != _known(plain(row)):
            problems.append(f"alert {row['alert_id']} differs between Parquet and fraud-alerts")
    return problems


def plain(value: Any) -> Any:
    """What Parquet has, as JSON has it: plain numbers and epoch milliseconds."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return float(value) if isinstance(value, Decimal) else value


# --- rejected records --------------------------------------------------------------------------------------


def source(rejection: Record) -> tuple[int, int]:
    """(partition, offset) of where a rejected record came from."""
    return int(rejection.headers["source_partition"]), int(rejection.headers["source_offset"])


def rejection_differences(
    rejections: Iterable[Record], sent: Iterable[Sent], wanted: dict[tuple[int, int], str], topic: str
) -> list[str]:
    """Each record of `wanted` must be there with its reason, origin and bytes, and no other. `topic`: where
    they came from."""
    values = {(record.partition, record.offset): record.value for record in sent}
    found, problems = dict[tuple[int, int], str](), []
    for each in rejections:
        place, headers = source(each), each.headers
        found[place] = headers["reason"]
        value = values.get(place)
        own = {
            "reason": wanted.get(place),
            "source_topic": topic,
            "original_size": str(len(value or b"")),
            "sha256": hashlib.sha256(value or b"").hexdigest(),
        }
        wrong = [name for name, content in own.items() if headers[name] != content]
        wrong += ["value"] if each.sent.value != (None if value is None else value[:65_536]) else []
        wrong += ["key"] if each.sent.key != f"{topic}/{place[0]}/{place[1]}".encode() else []
        wrong += [] if headers["detail"] else ["detail"]
        if wrong:
            problems.append(f"rejected record of partition {place[0]}, offset {place[1]}: wrong {wrong}")
    return problems + differing("rejected records", found.keys(), wanted.keys())


def _known(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Its fields without nulls: an alert of an earlier release lacks those that were added since."""
    return {name: value for name, value in alert.items() if value is not None}
