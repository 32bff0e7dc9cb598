"""The volume of Kafka is lost, the others are not: the job says what to do, and goes on when told."""

from collections import Counter
from pathlib import Path

import pytest

from tests.compose.judging import wait_for_more
from tests.compose.stack import ComposeStack, docker, well
from tests.faults.alert_readers import Bucket

pytestmark = [pytest.mark.timeout(600), pytest.mark.whole_matrix]


def test_the_job_refuses_the_new_topic_until_told_how_to_go_on_and_keeps_the_alerts_of_before(
    stack: ComposeStack, tmp_path: Path
) -> None:
    lane, bucket = stack.lane(tmp_path), Bucket(stack.lane(tmp_path))
    before = bucket.of_alerts()
    assert before
    stack.compose("stop")
    stack.compose("rm", "--force", "--volumes", "kafka")  # the anonymous ones; the named one is next
    well(docker("volume", "rm", f"{stack.project}_kafka-data"))

    stack.compose("up", "--detach")
    stack.wait("refusal", lambda: "Kafka's disk was lost" in stack.logs("detect"))
    assert "set FRAUD_CHECKPOINT to a new folder and start once with --take-over keep" in stack.logs("detect")
    assert bucket.of_alerts() == before

    told = stack.with_variables(FRAUD_CHECKPOINT="/state/another")
    once = told.with_variables(DETECT_OPTIONS="--take-over keep")
    once.compose("up", "--detach", "--wait")
    told.compose("up", "--detach", "--wait")
    wait_for_more(told)
    told.compose("stop", "producer")
    told.wait_until_caught_up()
    assert bucket.of_alerts() == before + Counter(lane.expected().alerts)
