"""The runner on EMR's primary node: it keeps the job running, and follows the release that the bucket holds.

The bucket is a folder, `aws` and the job are small programs in their place; the runner is real.
"""

import json
import subprocess
import tarfile
import time
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.account_folder import environment, file_of, opened_account, refuse
from tests.terraform.quick_runner import running_runner

SECONDS = 60

JOB = """
# What the job does is its release's first argument: run, crash or refuse. It ends well on SIGTERM.
import os, signal, sys, time
does = sys.argv[1]
def note(file, text):
    with open(os.environ["FAKE"] + "/../" + file, "a") as out:
        out.write(text + "\\n")
def stop(*_):
    note("jobs", "stopped " + does)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("submitted", os.environ["PYSPARK_SUBMIT_ARGS"])
login = [os.environ["FRAUD_KAFKA_SASL_" + name] for name in ("USERNAME", "PASSWORD")]
note("jobs", " ".join(["started", does, *login]))
if does.startswith(("crash", "refuse")):
    sys.exit(1 if does.startswith("crash") else 2)
while True:
    time.sleep(0.1)
"""


class Cluster:
    """The bucket, and a runner that is quicker than the real one at waiting."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.account = opened_account(folder)
        login = json.dumps({"username": "detect", "password": "pw"})
        file_of(self.account, "arn").write_text(login, "utf-8")
        # Job, init, and what reports health: all are tested elsewhere.
        code = folder / "code"
        (code / "jobs" / "detect").mkdir(parents=True)
        (code / "jobs" / "__init__.py").touch()
        (code / "jobs" / "init.py").write_text("print('init ran')\n", "utf-8")
        (code / "jobs" / "detect" / "__init__.py").touch()
        (code / "jobs" / "detect" / "__main__.py").write_text(JOB, "utf-8")
        with zipfile.ZipFile(file_of(self.account, "artifacts/code-1f.zip"), "w") as archive:
            for path in code.rglob("*.py"):
                archive.write(path, path.relative_to(code))
        for name in ("environment", "jars"):
            content = folder / name
            (content / "connector").mkdir(parents=True)
            (content / "hadoop-cloud").mkdir()
            (content / "connector" / "a.jar").touch()
            (content / "hadoop-cloud" / "b.jar").touch()
            with tarfile.open(file_of(self.account, f"artifacts/{name}.tar.gz"), "w:gz") as tar:
                tar.add(content, ".")
        file_of(self.account, "artifacts/rules.toml").touch()
        (folder / "health.py").write_text("import time\ntime.sleep(600)\n", "utf-8")

    def release(self, does: str) -> None:
        """Put a release into the bucket, at once."""
        self.put(json.dumps(self.content(does)).encode())

    def put(self, content: bytes) -> None:
        """Put what may be no release into its place in the bucket, at once."""
        part = self.folder / "release.part"
        part.write_bytes(content)
        part.rename(file_of(self.account, "artifacts/release.json"))

    def content(self, does: str) -> dict[str, Any]:
        """A release."""
        return {
            "release": does,
            "settings": {"FRAUD_SPARK_MASTER": "yarn", "FRAUD_DRIVER_MEMORY": "4g"},
            "secrets": {
                "FRAUD_KAFKA_SASL_USERNAME": "arn#username",
                "FRAUD_KAFKA_SASL_PASSWORD": "arn#password",
            },
            "artifacts": {
                name: f"artifacts/{file}"
                for name, file in (
                    ("code", "code-1f.zip"),
                    ("environment", "environment.tar.gz"),
                    ("jars", "jars.tar.gz"),
                    ("rules", "rules.toml"),
                )
            },
            "arguments": [does],
            "spark": {"spark.executor.cores": "3"},
            "metrics_namespace": "fraud/job",
        }

    def running(self) -> AbstractContextManager[subprocess.Popen[str]]:
        """A runner on this node."""
        more = {"SPARK_HOME": str(self.folder / "spark")}
        return running_runner(self.folder, environment(self.account) | more)

    def text(self, name: str) -> str:
        """What a file of the cluster holds by now."""
        path = self.folder / name
        return path.read_text("utf-8") if path.exists() else ""

    def wait_for(self, name: str, text: str) -> None:
        """Until a file holds a text."""
        deadline = time.monotonic() + SECONDS
        while text not in self.text(name):
            assert time.monotonic() < deadline, (
                f"no {text!r} in {name}:\n{self.text(name)}\n{self.text('log.txt')}"
            )
            time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def test_the_job_is_started_as_the_release_says_and_stops_when_the_step_is_ended(cluster: Cluster) -> None:
    cluster.release("run-1")
    with cluster.running() as runner:
        cluster.wait_for("jobs", "started run-1 detect pw")
    assert runner.returncode == 0
    assert "stopped run-1" in cluster.text("jobs")
    assert "init ran" in cluster.text("log.txt")
    submitted = cluster.text("submitted")
    assert "--master yarn --deploy-mode client --driver-memory 4g" in submitted
    assert "--conf spark.executor.cores=3" in submitted
    assert "connector/a.jar" in submitted
    assert "hadoop-cloud/b.jar" in submitted  # this Spark has none
    # What executors import lies where they run, under the names that it was sent by.
    assert "/code-1f.zip --archives" in submitted
    assert "environment.tar.gz#environment" in submitted
    assert "--conf spark.executorEnv.PYTHONPATH=code-1f.zip:environment" in submitted
    assert "pw" not in submitted + cluster.text("log.txt")


def test_a_new_release_is_started_when_the_old_one_has_stopped(cluster: Cluster) -> None:
    cluster.release("run-1")
    with cluster.running():
        cluster.wait_for("jobs", "started run-1")
        cluster.release("run-2")
        cluster.wait_for("jobs", "started run-2")
    lines = [line.split(" detect")[0] for line in cluster.text("jobs").splitlines()]
    assert lines == ["started run-1", "stopped run-1", "started run-2", "stopped run-2"]


def test_a_job_that_crashes_is_started_again_and_given_up_after_five_failures(cluster: Cluster) -> None:
    cluster.release("crash")
    with cluster.running() as runner:
        assert runner.wait(SECONDS) == 1
    assert cluster.text("jobs").count("started crash") == 5
    assert "5 failures in 10 minutes: giving up" in cluster.text("log.txt")


def test_a_release_that_refuses_its_settings_gives_way_to_the_one_before_it(cluster: Cluster) -> None:
    cluster.release("run-1")
    with cluster.running() as runner:
        cluster.wait_for("jobs", "started run-1")
        time.sleep(1)  # longer than a release needs to count as proven here
        cluster.release("refuse-2")
        cluster.wait_for("jobs", "started refuse-2")
        cluster.wait_for("account/calls", "--metric-name ReleaseRefused")
        deadline = time.monotonic() + SECONDS
        while cluster.text("jobs").count("started run-1") < 2:
            assert time.monotonic() < deadline, cluster.text("log.txt")
            time.sleep(0.05)
        time.sleep(2)  # several looks at release.json, which still holds the refused one
        assert cluster.text("jobs").count("started refuse-2") == 1
        assert runner.poll() is None
        cluster.release("run-3")
        cluster.wait_for("jobs", "started run-3")


def test_an_alarm_that_nobody_takes_is_said_in_one_line_and_the_release_before_goes_on(
    cluster: Cluster,
) -> None:
    cluster.release("run-1")
    with cluster.running() as runner:
        cluster.wait_for("jobs", "started run-1")
        time.sleep(1)  # longer than a release needs to count as proven here
        refuse(cluster.account, "cloudwatch put-metric-data")
        cluster.release("refuse-2")
        cluster.wait_for("log.txt", "the one before it goes on")
        cluster.release("run-3")
        cluster.wait_for("jobs", "started run-3")
        assert runner.poll() is None
    line = "the alarm ReleaseRefused could not be raised: An error occurred (AccessDenied) when calling it\n"
    assert line in cluster.text("log.txt")
    assert "Traceback" not in cluster.text("log.txt")


def test_a_secret_that_cannot_be_read_is_asked_for_again_until_it_is_given_up(cluster: Cluster) -> None:
    cluster.release("run-1")
    refuse(cluster.account, "secretsmanager get-secret-value")
    with cluster.running() as runner:
        assert runner.wait(SECONDS) == 1
    log = cluster.text("log.txt")
    assert log.count("the release could not be prepared: An error occurred (AccessDenied)") == 5
    assert "giving up" in log
    assert "Traceback" not in log


def test_a_first_release_that_refuses_its_settings_fails_the_step(cluster: Cluster) -> None:
    cluster.release("refuse-1")
    with cluster.running() as runner:
        assert runner.wait(SECONDS) == 1
    assert cluster.text("jobs").count("started refuse-1") == 1


PLACE = "s3://work/artifacts/release.json"
WHAT_TO_DO = "; scripts/deploy.sh puts it there, and lets the cluster's nodes read it\n"


def test_a_first_release_that_cannot_be_read_is_asked_for_again_until_it_is_given_up(
    cluster: Cluster,
) -> None:
    cluster.release("run-1")
    refuse(cluster.account, "s3 cp")
    with cluster.running() as runner:
        assert runner.wait(SECONDS) == 1
    log = cluster.text("log.txt")
    refusal = "An error occurred (AccessDenied) when calling it"
    assert log.count(f"runner: {PLACE} could not be read: {refusal}{WHAT_TO_DO}") == 5
    assert "5 failures in 10 minutes: giving up" in log
    assert len(log.splitlines()) == 6
    assert not cluster.text("jobs")


def test_a_first_release_is_waited_for(cluster: Cluster) -> None:
    with cluster.running():
        cluster.wait_for("log.txt", "No such file")
        cluster.release("run-1")
        cluster.wait_for("jobs", "started run-1")
    assert "Traceback" not in cluster.text("log.txt")


def test_a_runner_that_is_ended_before_there_is_a_release_has_not_failed(cluster: Cluster) -> None:
    with cluster.running() as runner:
        cluster.wait_for("log.txt", "No such file")
    assert runner.returncode == 0


NO_RELEASE = {
    "cut off": (b'{"release": "r", ', "holds no JSON: "),
    "no text": (b"\x1f\x8b\xff", "holds no JSON: "),
    "a list": (b"[]", "lacks arguments, artifacts, metrics_namespace, release, secrets, settings, spark"),
    "only some of it": (b'{"release": "r", "secrets": {}, "spark": {}, "artifacts": {}}', "lacks arguments"),
}


@pytest.mark.parametrize("what", NO_RELEASE)
def test_a_first_release_that_is_none_is_said_in_one_line(what: str, cluster: Cluster) -> None:
    content, why = NO_RELEASE[what]
    cluster.put(content)
    with cluster.running():
        cluster.wait_for("log.txt", WHAT_TO_DO)
    assert all(f"runner: {PLACE} {why}" in line for line in cluster.text("log.txt").splitlines())


def test_a_later_release_that_is_none_raises_the_alarm_once_and_the_one_before_goes_on(
    cluster: Cluster,
) -> None:
    cluster.release("run-1")
    with cluster.running() as runner:
        cluster.wait_for("jobs", "started run-1")
        cluster.put(b"{")
        cluster.wait_for("account/calls", "--metric-name ReleaseRefused")
        looks = cluster.text("account/calls").count("release.json")
        while cluster.text("account/calls").count("release.json") < looks + 3:
            assert runner.poll() is None
            time.sleep(0.05)
        cluster.release("run-2")
        cluster.wait_for("jobs", "started run-2")
    lines = [line.split(" detect")[0] for line in cluster.text("jobs").splitlines()]
    assert lines == ["started run-1", "stopped run-1", "started run-2", "stopped run-2"]
    assert cluster.text("account/calls").count("--metric-name ReleaseRefused") == 1
    said = [line for line in cluster.text("log.txt").splitlines() if "holds no JSON" in line]
    assert len(said) == 1
    assert said[0].endswith("; the release run-1 goes on")


@pytest.mark.parametrize("value", ['{"username": "detect"}', "pw-of-nobody", '"pw-of-nobody"', "null"])
def test_a_secret_that_is_not_as_it_must_be_is_named_but_not_told(value: str, cluster: Cluster) -> None:
    cluster.release("run-1")
    file_of(cluster.account, "arn").write_text(value, "utf-8")
    with cluster.running():
        cluster.wait_for("log.txt", "the release could not be prepared: arn holds no ")
    assert "Traceback" not in cluster.text("log.txt")
    assert "pw-of-nobody" not in cluster.text("log.txt")
