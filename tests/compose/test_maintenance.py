"""The rounds of the maintenance: late payments are judged, and closed hours become one object each."""

import re
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.compose.stack import ComposeStack
from tests.faults.alert_readers import HOURS, Bucket
from tests.faults.test_companions import additions, without_lateness
from tests.integration.adversary import records

pytestmark = pytest.mark.timeout(600)


def test_its_rounds_add_what_came_late_once_and_compact_each_closed_hour_once(
    stack: ComposeStack, tmp_path: Path
) -> None:
    stack.compose("up", "--detach", "--wait", "--remove-orphans")
    stack.compose("stop", "producer", "maintenance")
    lane, bucket = stack.lane(tmp_path), Bucket(stack.lane(tmp_path))
    lane.produce(records(6_000, seed=12, now=time.time_ns() // 1_000_000))
    stack.wait_until_caught_up()
    streamed = Counter(lane.expected().alerts)
    assert bucket.of_alerts() == streamed

    often = stack.with_variables(MAINTENANCE_SECONDS="2")
    often.compose("up", "--detach", "--wait", "--no-deps", "maintenance")
    stack.wait("second round", lambda: " 0 alerts were missing" in stack.logs("maintenance"))
    said = stack.logs("maintenance")
    assert re.search(r"late payments before .* [1-9][\d,]* alerts were missing", said), said
    (added,) = additions(bucket)
    until = int(added.split("/reconciled=")[1].split("-")[1])
    in_time = {pair for pair in without_lateness(lane) if pair.timestamp < until}
    complete = Counter(in_time | streamed.keys())
    assert complete > streamed
    assert bucket.of_alerts() == complete

    stack.compose("stop", "maintenance")
    bucket.delete("alerts_hourly/")  # where the stack has run for long, an hour may be closed already
    bucket.age()
    stack.compose("start", "maintenance")
    stack.wait("hours", lambda: f"{HOURS} compacted, 0 were before" in stack.logs("maintenance"))
    stack.wait("second round", lambda: f"0 compacted, {HOURS} were before" in stack.logs("maintenance"))
    assert bucket.of_hourly() == complete == bucket.of_alerts() == bucket.of_both()
