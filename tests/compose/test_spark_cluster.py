"""The variant of a master and two workers: the same job, on other machines' executors."""

import json
from pathlib import Path

import pytest

from tests.compose.judging import assert_exact, wait_for_more
from tests.compose.stack import SPARK_CLUSTER, ComposeStack, docker, well

pytestmark = [pytest.mark.timeout(600), pytest.mark.whole_matrix]

WORKERS = """
import json, urllib.request
with urllib.request.urlopen("http://127.0.0.1:8080/json/") as answer:
    print(json.dumps([(each["state"], each["coresused"]) for each in json.load(answer)["workers"]]))
"""


def test_a_job_on_two_workers_goes_on_from_the_same_checkpoint_and_survives_the_kill_of_one(
    stack: ComposeStack, tmp_path: Path
) -> None:
    cluster = stack.with_files(SPARK_CLUSTER)
    cluster.compose("up", "--detach", "--wait")
    said = cluster.compose("exec", "-T", "spark-master", "python", "-c", WORKERS).stdout
    assert json.loads(said) == [["ALIVE", 2], ["ALIVE", 2]]
    wait_for_more(cluster)
    well(docker("kill", cluster.containers()["spark-worker-1"]["Id"]))
    wait_for_more(cluster)
    assert_exact(cluster, tmp_path)
