"""Stopping, starting again, other rules, several executors: what changes and what must not."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fraud.settings import DEFAULT_RULES
from local.native.findings import read_parquet
from tests.integration.adversary import records
from tests.integration.lane import Lane, pairs_in


@pytest.mark.timeout(300)
def test_after_a_restart_with_other_thresholds_each_payment_keeps_its_first_rules(
    lane: Lane, tmp_path: Path
) -> None:
    text = DEFAULT_RULES.read_text("utf-8")
    changed = tmp_path / "rules.toml"
    changed.write_text(
        text.replace("threshold = 1000.00", "threshold = 50.00")
        .replace("threshold = 3\n", "threshold = 5\n")
        .replace("version = 1", "version = 2"),
        "utf-8",
    )
    now = time.time_ns() // 1_000_000
    content = list(records(20_000, seed=3, now=now))
    half = len(content) // 2

    lane.produce(content[:half])
    job = lane.start_job()
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    read_first = {(each.partition, each.offset) for each in lane.sent()}

    lane.produce(content[half:])
    job = lane.start_job(FRAUD_RULES_FILE=str(changed))
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGINT) == 0, job.text()
    assert "generation 2" in job.text()

    expected = lane.expected(
        DEFAULT_RULES, changed, read_by=lambda s: 0 if (s.partition, s.offset) in read_first else 1
    )
    bucket = lane.bucket()
    pairs = pairs_in(bucket)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected.alerts
    assert expected.alerts != lane.expected().alerts
    alerts = read_parquet(bucket / "alerts")
    assert alerts is not None
    assert set(alerts["rule_version"].to_pylist()) == {1, 2}


@pytest.mark.timeout(300)
def test_a_new_checkpoint_judges_what_came_since_a_time_and_nothing_before(lane: Lane) -> None:
    now = time.time_ns() // 1_000_000
    lane.produce(records(4_000, seed=4, now=now))
    before = {(each.partition, each.offset) for each in lane.sent()}
    written = max(each.timestamp for each in lane.sent())
    while time.time_ns() // 1_000_000 <= written:
        time.sleep(0.001)
    since = datetime.fromtimestamp((written + 1) / 1000, UTC).isoformat()
    lane.produce(records(4_000, seed=6, now=now))

    job = lane.start_job("--since", since)
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    assert "--since: begins at offsets {" in job.text()

    after = [each for each in lane.sent() if (each.partition, each.offset) not in before]
    pairs = pairs_in(lane.bucket())
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == lane.expected(sent=after).alerts


@pytest.mark.timeout(300)
def test_several_executor_processes_give_the_same_alerts(lane: Lane) -> None:
    lane.produce(records(20_000, seed=5, now=time.time_ns() // 1_000_000))
    job = lane.start_job(FRAUD_SPARK_MASTER="local-cluster[2,1,1024]")
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    pairs = pairs_in(lane.bucket())
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == lane.expected().alerts
