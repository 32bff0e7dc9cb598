"""A lane: topics, checkpoint and prefix of a test's own on the shared broker and S3 server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import boto3
from confluent_kafka import Producer

from fraud.environment import load
from fraud.settings import Settings
from local.native.class_archive import class_sharing
from local.native.drain import Backlog
from local.native.findings import download, read_topic
from local.native.ports import Ports, PortsError, check_ports
from scripts.oracle import Conditions, Expected, Pair, expect, read_alerts, read_rules
from scripts.oracle_records import Sent

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 150  # seconds; generous, so that a slow machine fails nothing


@dataclass
class Job:
    """A running `python -m jobs.detect`, its output in a file."""

    process: subprocess.Popen[bytes]
    output: Path

    def text(self) -> str:
        return self.output.read_text("utf-8", errors="replace")

    def end(self, number: signal.Signals, deadline: float = 60) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(deadline)


@dataclass
class Lane:
    """`environment` has every FRAUD_* variable of the lane; `folder` its checkpoint, logs and outputs."""

    environment: dict[str, str]
    folder: Path
    jobs: list[Job] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load(self.environment)

    @cached_property
    def _store_client(self) -> Any:
        return boto3.client("s3", **self.settings.object_store.boto3())

    def run(self, *module: str, deadline: float = DEADLINE) -> subprocess.CompletedProcess[str]:
        """Run a module of the project to its end."""
        return subprocess.run(
            [sys.executable, "-m", *module],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=deadline,
            check=False,
        )

    def init(self) -> None:
        done = self.run("jobs.init")
        assert done.returncode == 0, done.stdout + done.stderr

    def produce(self, records: Iterable[tuple[int, bytes | None, bytes | None]]) -> None:
        """Put (partition, key, value) into `transactions`, in this order, and wait until all are there."""
        failures: list[object] = []
        options = {
            "linger.ms": 50,
            "queue.buffering.max.messages": 2_000_000,
            "message.max.bytes": 10_000_000,
        }
        producer = Producer(self.settings.kafka.librdkafka() | options)
        topic = self.settings.kafka.transactions_topic
        for partition, key, value in records:
            producer.produce(
                topic,
                value,
                key,
                partition=partition,
                on_delivery=lambda error, _: failures.append(error) if error else None,
            )
            producer.poll(0)
        assert producer.flush(DEADLINE) == 0
        assert failures == []

    def start_job(self, *options: str, **variables: str) -> Job:
        """Start the job; `variables` are added to its environment."""
        variables = class_sharing(self.environment) | variables
        output = self.folder / f"job-{len(self.jobs)}.log"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "jobs.detect", *options],
                env=self.environment | variables,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        job = Job(process, output)
        self.jobs.append(job)
        return job

    def wait(self, job: Job, what: str, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds; fails at once when the job ends."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert job.process.poll() is None, f"the job ended while waiting for {what}:\n{job.text()}"
            assert time.monotonic() < deadline, f"no {what} in {DEADLINE} s:\n{job.text()}"
            time.sleep(0.1)

    def wait_until_caught_up(self, job: Job) -> None:
        """Until everything in the topic is committed."""
        with closing(Backlog(self.settings.kafka)) as backlog:
            self.wait(job, "end of the topic", lambda: backlog.records() == 0)

    def kill_jobs(self) -> None:
        for job in self.jobs:
            if job.process.poll() is None:
                os.killpg(job.process.pid, signal.SIGKILL)
                job.process.wait()

    # --- what came out ---------------------------------------------------------------------------------

    def sent(self) -> list[Sent]:
        kafka = self.settings.kafka
        return [record.sent for record in read_topic(kafka, kafka.transactions_topic)]

    def expected(
        self,
        *rules: Path,
        read_by: Callable[[Sent], int] = lambda _: 0,
        sent: Iterable[Sent] | None = None,
    ) -> Expected:
        """By the lane's rule file, or by several: `read_by` then says which of them read a record. `sent`:
        other records than those that the topic holds now."""
        detection = self.settings.detection
        conditions = (
            Conditions(read_rules(path), detection.allowed_lateness, detection.clock_skew, detection.buckets)
            for path in rules or (detection.rules_file,)
        )
        return expect(self.sent() if sent is None else sent, *conditions, read_by=read_by)

    def bucket(self) -> Path:
        """A fresh copy of all objects of the lane."""
        target = self.folder / f"bucket-{time.monotonic_ns()}"
        target.mkdir()
        for name in ("alerts/", "metrics/"):
            download(self.settings.object_store, name, target)
        return target

    def object_keys(self) -> list[str]:
        """The keys of every object under the lane's prefix."""
        store = self.settings.object_store
        pages = self._store_client.get_paginator("list_objects_v2").paginate(
            Bucket=store.bucket, Prefix=store.prefix
        )
        return [item["Key"].removeprefix(store.prefix) for page in pages for item in page.get("Contents", [])]


class Reachable(Protocol):
    """A stack that runs somewhere; its environment has the FRAUD_* variables that lead to it."""

    @property
    def environment(self) -> Mapping[str, str]: ...


@contextmanager
def opened_lane(stack: Reachable, name: str, folder: Path) -> Iterator[Lane]:
    """A lane with its topics; at the end none of its jobs runs any more."""
    environment = dict(stack.environment) | {
        "FRAUD_KAFKA_TRANSACTIONS_TOPIC": f"transactions-{name}",
        "FRAUD_KAFKA_ALERTS_TOPIC": f"fraud-alerts-{name}",
        "FRAUD_KAFKA_REJECTED_TOPIC": f"transactions-rejected-{name}",
        "FRAUD_KAFKA_PARTITIONS": "4",
        "FRAUD_S3_PREFIX": f"lane-{name}/",
        "FRAUD_CHECKPOINT": str(folder / "checkpoint"),
        "FRAUD_LOG_DIR": str(folder / "logs"),
        "FRAUD_SPARK_MASTER": "local[2]",
    }
    lane = Lane(environment, folder)
    lane.init()
    try:
        yield lane
    finally:
        lane.kill_jobs()


def of_this_process(port: int, apart: int = 1_000) -> int:
    """The lowest port for one of several processes of pytest: those of the others may be taken any moment."""
    return port + apart * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def free_ports(lowest: int | None = None, end: int = 30_000) -> Ports:
    """Ports below `end` that nobody uses now."""
    lowest = of_this_process(23_000) if lowest is None else lowest
    for first in range(lowest, end, 20):
        ports = Ports(kafka=first, controller=first + 1, s3=first + 2)
        try:
            check_ports(ports.wanted())
        except PortsError:
            continue
        return ports
    raise PortsError(f"there are no free ports between {lowest} and {end}")


def pairs_in(bucket: Path) -> list[Pair]:
    """The pairs of all alerts in Parquet, repeats and all."""
    return read_alerts(str(bucket / "alerts" / "**" / "*.parquet"))
