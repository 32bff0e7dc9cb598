"""Through real Kafka and real Spark the alerts are the oracle's, in both sinks, through crash and restart."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from fraud.settings import DEFAULT_RULES
from local.native.findings import read_parquet
from scripts.oracle import Pair, read_rules
from tests.evidence import faults_of
from tests.faults.judgement import judged
from tests.integration.adversary import records
from tests.integration.lane import Lane, pairs_in


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

    verdict = judged(lane)
    assert verdict.differences == []
    assert verdict.alerts > 10_000
    assert len(lane.expected().late) > 100
    bucket = lane.bucket()
    by_duckdb = Counter(pairs_in(bucket))
    assert Counter(by_pandas(bucket / "alerts")) == by_duckdb
    assert Counter(by_spark(bucket / "alerts", lane)) == by_duckdb
    assert evidence_faults(bucket) == []


def committed_batches(lane: Lane) -> int:
    checkpoint = Path(lane.settings.detection.checkpoint)
    return len([path for path in checkpoint.glob("*/commits/*") if path.name.isdigit()])


def by_pandas(folder: Path) -> list[Pair]:
    frame = pd.read_parquet(folder)
    times = frame["transaction_timestamp"].astype("int64")
    columns = (frame["rule_id"], frame["user_id"], frame["transaction_id"], times)
    return [Pair(*row) for row in zip(*columns, strict=True)]


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
