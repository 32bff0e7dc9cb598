"""Runs one scenario on an opened stack: payments in, the job on top, its own metrics and alerts out."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from fraud.environment import load
from local.native.drain import wait_for_the_job
from local.native.findings import alerts_of, download, read_parquet
from local.native.process import Program
from local.native.stack import Stack
from scripts.bench.cpu import Watch
from scripts.bench.results import Observed
from scripts.bench.scenarios import BACKLOG_RATE, SEED, USERS, Scenario

JOB_READY = 300
"""Seconds that the job may take to get ready."""

WARM_UP = 20.0
"""Seconds of traffic that no latency counts: the JVM compiles, the workers import."""


def run(
    scenario: Scenario, stack: Stack, records: int, seconds: float, say: Callable[[str], None]
) -> Observed:
    """Measure `scenario`: a backlog of `records`, or `seconds` of traffic at its rate.

    The stack's servers run. Raises GaveUpError, StoppedError.
    """
    stack = _with_own_names(stack, scenario)
    supervisor, name = stack.supervisor, scenario.name
    folder = stack.state.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    _finish(stack, Program(f"init-{name}", stack.module("jobs.init"), stack.environment, finite=True), 120)
    producer = _producer(scenario, stack, records, seconds)
    if scenario.rate is None:
        say(f"{name}: sending {records:,} payments ...")
        _finish(stack, producer, 900)
    say(f"{name}: starting the job ...")
    job = Program(f"job-{name}", stack.module("jobs.detect"), stack.environment, stage=1, grace=60)
    supervisor.start(job)
    pids = {each: supervisor.pid(each) for each in (job.name, "broker", "s3")}
    with Watch(pids[job.name], pids["broker"], pids["s3"]) as watch:
        supervisor.wait(lambda: supervisor.said(job.name, "ready:"), "`ready:`", JOB_READY, job.name)
        began = time.time_ns() // 1_000_000
        if scenario.rate is not None:
            say(f"{name}: {seconds:.0f} s of traffic ...")
            began += round(WARM_UP * 1000)
            _finish(stack, producer, seconds + 60)
        wait_for_the_job(stack, say, job.name)
        supervisor.stop(job.name)
    for kind in ("alerts/", "metrics/"):
        download(stack.settings.object_store, kind, folder)
    metrics = read_parquet(folder / "metrics")
    if metrics is None:
        raise RuntimeError(f"{name}: the job has written no metrics")
    kafka = stack.settings.kafka
    return Observed(scenario, metrics, list(alerts_of(kafka, kafka.alerts_topic)), watch, began)


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    model = "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = lines[0] if lines else model
    return {
        "cores": psutil.cpu_count() or 0,
        "processor": model,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
    }


def _with_own_names(stack: Stack, scenario: Scenario) -> Stack:
    name = f"bench-{scenario.name}"
    own = {
        "FRAUD_KAFKA_TRANSACTIONS_TOPIC": f"{name}.transactions",
        "FRAUD_KAFKA_ALERTS_TOPIC": f"{name}.fraud-alerts",
        "FRAUD_KAFKA_REJECTED_TOPIC": f"{name}.transactions-rejected",
        "FRAUD_S3_PREFIX": f"{name}/",
        "FRAUD_CHECKPOINT": str(stack.state.folder / scenario.name / "checkpoint"),
    }
    environment = {**stack.environment, **own, **scenario.settings}
    load(environment)
    return replace(stack, environment=environment)


def _producer(scenario: Scenario, stack: Stack, records: int, seconds: float) -> Program:
    command = ["producer", "--no-log", "--seed", str(SEED), "--users", str(USERS), *scenario.producer]
    if scenario.rate is None:
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - records / BACKLOG_RATE))
        command += ["--rate", str(BACKLOG_RATE), "--speed", "max", "--count", str(records), "--start", start]
    else:
        command += ["--rate", str(scenario.rate), "--duration", str(seconds)]
    name = f"producer-{scenario.name}"
    return Program(name, stack.module(*command), stack.environment, stage=2, grace=60, finite=True)


def _finish(stack: Stack, program: Program, seconds: float) -> None:
    supervisor = stack.supervisor
    supervisor.start(program)
    supervisor.wait(lambda: supervisor.ended(program.name), "its end", seconds, program.name)
