"""Through real Kafka and real Spark the alerts are the oracle's, in both sinks, through crash and restart."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from fraud.settings import DEFAULT_RULES
from local.native.findings import alerts_of, read_parquet, read_topic
from scripts.oracle import Pair, read_rules
from tests.evidence import faults_of
from tests.integration.adversary import records
from tests.integration.lane import Lane, pairs_in

CONTRACT = ("alerts/date=", "metrics/date=")


@pytest.mark.timeout(400)
def test_alerts_are_exact_in_every_sink_through_a_kill_and_a_restart(lane: Lane) -> None:
    lane.produce(records(200_000, seed=11, now=time.time_ns() // 1_000_000))
    # Small micro-batches, so that the kill comes in the middle of the work.
    small = {"FRAUD_MAX_OFFSETS_PER_TRIGGER": "30000"}
    job = lane.start_job(**small)
    lane.wait(job, "second micro-batch", lambda: committed_batches(lane) >= 2)
    assert job.end(signal.SIGKILL) == -signal.SIGKILL
    job = lane.start_job(**small)
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()

    sent = lane.sent()
    expected = lane.expected()
    bucket = lane.bucket()
    wanted = expected.alerts
    assert len(wanted) > 10_000
    assert len(expected.late) > 100

    by_duckdb = pairs_in(bucket)
    assert len(by_duckdb) == len(set(by_duckdb))
    assert set(by_duckdb) == wanted
    assert Counter(by_pandas(bucket / "alerts")) == Counter(by_duckdb)
    assert Counter(by_pyarrow(bucket / "alerts")) == Counter(by_duckdb)
    assert Counter(by_spark(bucket / "alerts", lane)) == Counter(by_duckdb)
    ids = ds.dataset(bucket / "alerts", partitioning="hive").to_table(columns=["alert_id"])["alert_id"]
    kafka = lane.settings.kafka
    assert {alert.alert_id for alert in alerts_of(kafka, kafka.alerts_topic)} == set(ids.to_pylist())
    assert evidence_faults(bucket) == []

    raw = {(record.partition, record.offset): record.value for record in sent}
    rejected = {}
    for record in read_topic(kafka, kafka.rejected_topic):
        headers = record.headers
        source = (int(headers["source_partition"]), int(headers["source_offset"]))
        value = raw[source]
        rejected[source] = headers["reason"]
        assert record.sent.key == f"{kafka.transactions_topic}/{source[0]}/{source[1]}".encode()
        assert headers["source_topic"] == kafka.transactions_topic
        assert record.sent.value == (None if value is None else value[:65_536])
        assert headers["original_size"] == str(len(value or b""))
        assert headers["sha256"] == hashlib.sha256(value or b"").hexdigest()
        assert headers["detail"]
    assert rejected == expected.rejected

    metrics = read_parquet(bucket / "metrics")
    assert metrics is not None
    batches = metrics.filter(ds.field("kind") == "batch").to_pandas()
    assert not batches.duplicated(["checkpoint_id", "batch_id"]).any()
    totals = batches[["read", "evaluated", "duplicate", "rejected", "gaps", "lost"]].sum().to_dict()
    assert totals == {
        "read": len(sent),
        "evaluated": expected.evaluated,
        "duplicate": len(expected.duplicate),
        "rejected": len(expected.rejected),
        "gaps": 0,
        "lost": 0,
    }
    assert [key for key in lane.object_keys() if not key.startswith(CONTRACT)] == []


def committed_batches(lane: Lane) -> int:
    checkpoint = Path(lane.settings.detection.checkpoint)
    return len([path for path in checkpoint.glob("*/commits/*") if path.name.isdigit()])


def by_pandas(folder: Path) -> list[Pair]:
    frame = pd.read_parquet(folder)
    times = frame["transaction_timestamp"].astype("int64")
    columns = (frame["rule_id"], frame["user_id"], frame["transaction_id"], times)
    return [Pair(*row) for row in zip(*columns, strict=True)]


def by_pyarrow(folder: Path) -> list[Pair]:
    table = ds.dataset(folder, partitioning="hive").to_table()
    times = table["transaction_timestamp"].cast(pa.int64())
    columns = (table["rule_id"], table["user_id"], table["transaction_id"], times)
    return [Pair(*row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]


READ_WITH_SPARK = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.conf.set("spark.sql.session.timeZone", "UTC")
columns = ["rule_id", "user_id", "transaction_id", "unix_millis(transaction_timestamp) AS timestamp"]
spark.read.parquet(sys.argv[1]).selectExpr(*columns).coalesce(1).write.json(sys.argv[2])
"""


def by_spark(folder: Path, lane: Lane) -> list[Pair]:
    target = lane.folder / "read-by-spark"
    command = [sys.executable, "-c", READ_WITH_SPARK, str(folder), str(target)]
    subprocess.run(command, env=lane.environment, check=True, capture_output=True, timeout=120)
    (lines,) = target.glob("part-*.json")
    return [Pair(**json.loads(line)) for line in lines.read_text("utf-8").splitlines()]


def evidence_faults(bucket: Path) -> list[str]:
    """What an independent function finds wrong with every tenth alert's evidence."""
    content = read_rules(DEFAULT_RULES)
    rules = {rule["id"]: dict(rule) for rule in content["rules"]}
    for rule in rules.values():
        if "window" in rule:
            rule["window"] = int(rule["window"].removesuffix("s")) * 1000
    rates = {currency: Decimal(rate) for currency, rate in content["rates"].items()}
    alerts = read_parquet(bucket / "alerts")
    assert alerts is not None
    sample = alerts.take(list(range(0, len(alerts), 10))).to_pylist()
    return [fault for alert in sample for fault in faults_of(alert, rules[alert["rule_id"]], rates)]
