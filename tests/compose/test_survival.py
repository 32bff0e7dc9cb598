"""Containers are killed while payments flow; afterwards the alerts are the oracle's."""

from pathlib import Path

import pytest

from local.native.findings import read_parquet
from tests.compose.judging import assert_exact, batches, wait_for_more
from tests.compose.stack import ComposeStack, docker, well

pytestmark = pytest.mark.timeout(900)


def test_after_kills_of_job_broker_and_object_store_the_alerts_are_exact(
    stack: ComposeStack, tmp_path: Path
) -> None:
    wait_for_more(stack)

    # As after a crash: everything in the container dies by itself, and the engine starts it again.
    before = stack.containers()["detect"]["State"]["StartedAt"]
    stack.compose("exec", "-T", "detect", "sh", "-c", "kill -KILL -1", check=False)
    stack.wait("restart", lambda: stack.containers()["detect"]["State"]["StartedAt"] != before)
    wait_for_more(stack)

    # By hand: the engine leaves it down, until somebody says `up` again.
    for service in ("detect", "kafka", "minio"):
        well(docker("kill", stack.containers()[service]["Id"]))
        stack.wait("end", lambda service=service: not stack.containers()[service]["State"]["Running"])
        stack.compose("up", "--detach", "--wait")
        started = stack.containers()["detect"]["State"]["StartedAt"]
        assert batches(stack, since=started) > 0, "healthy by what an earlier container has written"
        wait_for_more(stack)

    assert_exact(stack, tmp_path)


def test_stop_and_start_keep_everything_and_the_job_goes_on_from_its_checkpoint(
    stack: ComposeStack, tmp_path: Path
) -> None:
    stack.compose("stop")
    exit_codes = {name: each["State"]["ExitCode"] for name, each in stack.containers().items()}
    assert {exit_codes[name] for name in ("detect", "producer", "init")} == {0}
    stack.compose("start", "--wait")
    wait_for_more(stack)
    assert_exact(stack, tmp_path)
    metrics = read_parquet(stack.lane(tmp_path).bucket() / "metrics")
    assert metrics is not None
    assert len(set(metrics["checkpoint_id"].to_pylist())) == 1
