"""The runner of EMR with the real job: releases as Terraform renders them, the brokers of EC2, a real S3."""

import time
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from fraud.settings import DEFAULT_RULES
from local.native.drain import Backlog
from local.native.stack import Stack
from tests.integration.adversary import records
from tests.integration.ec2_brokers import Brokers, until
from tests.integration.emr_node import PrimaryNode
from tests.integration.lane import Lane, pairs_in

pytestmark = pytest.mark.timeout(400)


def test_alerts_are_exact_through_a_bad_release_other_rules_and_a_crash(
    stack: Stack, brokers: Brokers, tmp_path: Path
) -> None:
    node = PrimaryNode(brokers, stack, tmp_path / "node")
    lane = Lane(node.settings(), tmp_path)
    changed = tmp_path / "changed.toml"
    text = DEFAULT_RULES.read_text("utf-8").replace("threshold = 1000.00", "threshold = 50.00")
    changed.write_text(text.replace("version = 1", "version = 2"), "utf-8")
    # The bucket of checkpoints is Terraform's; the one of the data is made by init, where there is none.
    boto3.client("s3", **lane.settings.object_store.boto3()).create_bucket(Bucket="work")
    content = list(records(6_000, seed=8, now=time.time_ns() // 1_000_000))
    first, second, third = content[:2_000], content[2_000:4_000], content[4_000:]

    node.release("one", DEFAULT_RULES)
    with node.running() as runner, closing(Backlog(lane.settings.kafka)) as backlog:
        lane.produce(first)
        node.wait_for("Spark is up")
        until("the first payments judged", lambda: backlog.records() == 0, node.log)
        node.release("bad", DEFAULT_RULES, FRAUD_BUCKETS="none")
        node.wait_for("the one before it goes on")
        node.wait_for("stopped cleanly")
        assert "--metric-name ReleaseRefused" in node.calls()

        node.release("two", changed)
        node.wait_for("starting release two")
        read_first = {(each.partition, each.offset) for each in lane.sent()}
        lane.produce(second)
        until("the second payments judged", lambda: backlog.records() == 0, node.log)
        lane.produce(third)
        node.kill_job(runner)
        until("all payments judged", lambda: backlog.records() == 0, node.log)
    assert runner.returncode == 0
    assert "the job ended with exit code -9" in node.log()
    assert "Traceback" not in node.log()

    expected = lane.expected(
        DEFAULT_RULES, changed, read_by=lambda sent: 0 if (sent.partition, sent.offset) in read_first else 1
    )
    pairs = pairs_in(lane.bucket())
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected.alerts
    assert expected.alerts != lane.expected().alerts
