"""Runs one scenario on an opened stack: payments in, the job on top, its own metrics and alerts out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from fraud.environment import load
from local.native.drain import wait_for_the_job
from local.native.environment import names_of_its_own
from local.native.findings import (
    Remains,
    UnreadableError,
    alerts_of,
    download,
    explained,
    read_parquet,
)
from local.native.process import Program
from local.native.stack import Stack
from local.native.summary import summarize
from scripts.bench.arguments import Arguments
from scripts.bench.cpu import Watch
from scripts.bench.profile import Profile
from scripts.bench.results import Observed
from scripts.bench.scenarios import BACKLOG_RATE, SEED, USERS, Scenario

JOB_READY = 300
"""Seconds that the job may take to get ready."""

WARM_UP = 20.0
"""Seconds of traffic that no latency counts: the JVM compiles, the workers import."""


class RestartedError(Exception):
    """A process was replaced by another while it was watched."""


def run(scenario: Scenario, stack: Stack, given: Arguments, say: Callable[[str], None]) -> Observed:
    """Measure `scenario`: a backlog of `given.records`, or `given.seconds` of traffic at its rate.

    The stack's servers run. Raises GaveUpError, StoppedError, UnreadableError, ProfileError,
    RestartedError.
    """
    stack = _with_own_names(stack, scenario)
    supervisor, name = stack.supervisor, scenario.name
    _finish(stack, Program(f"init-{name}", stack.module("jobs.init"), stack.environment, finite=True), 120)
    producer = _producer(scenario, stack, given)
    if scenario.rate is None:
        say(f"{name}: sending {given.records:,} payments ...")
        _finish(stack, producer, 60 + given.records / 1000)
    say(f"{name}: starting the job ...")
    job = Program(f"job-{name}", stack.module("jobs.detect"), stack.environment, stage=1, grace=60)
    supervisor.start(job)
    pids = {each: supervisor.pid(each) for each in (job.name, "broker", "s3")}
    roots = {"driver": pids[job.name], "broker": pids["broker"], "object store": pids["s3"]}
    with Watch(roots) as watch:
        supervisor.wait(lambda: supervisor.said(job.name, "ready:"), "`ready:`", JOB_READY, job.name)
        began = time.time_ns() // 1_000_000
        if scenario.rate is None:
            supervisor.wait(lambda: supervisor.said(job.name, "batch 0:"), "a batch", 120, job.name)
        else:
            say(f"{name}: {given.seconds:.0f} s of traffic ...")
            supervisor.start(producer)
            ready_at = time.monotonic() + WARM_UP
            supervisor.wait(lambda: time.monotonic() >= ready_at)
            began += round(WARM_UP * 1000)
        with _profiled(given, scenario, stack, pids[job.name], say):
            if scenario.rate is not None:
                _wait_for_end(stack, producer, given.seconds + 60)
            wait_for_the_job(stack, say, job.name)
        restarted = [each for each, pid in pids.items() if supervisor.pid(each) != pid]
        supervisor.stop(job.name)
    if restarted:
        raise RestartedError(f"{name}: {', '.join(restarted)} was restarted meanwhile; its figures are void")
    return _observed(scenario, stack, given, watch, began)


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


@contextmanager
def _profiled(
    given: Arguments, scenario: Scenario, stack: Stack, job: int, say: Callable[[str], None]
) -> Iterator[None]:
    if given.profile is None:
        yield
        return
    profile = Profile(job, (given.profile / scenario.name).resolve(), stack.java_home)
    with profile:
        yield
    say(f"{scenario.name}: where the time went is in {profile.summarise()}")


def _observed(scenario: Scenario, stack: Stack, given: Arguments, watch: Watch, began: int) -> Observed:
    """Read what the run left behind, and with --check what the oracle says of it."""
    folder, settings = stack.state.folder / scenario.name, stack.settings
    problems = None
    if given.check:
        (generations,) = (folder / "checkpoint").glob("*/generations")
        remains = Remains([], folder / "no-producer.json", generations, [])
        problems = stack.supervisor.during(lambda: summarize(settings, remains, began)).problems
    with explained("what the run left behind cannot be read"):
        for kind in ("alerts/", "metrics/"):
            download(settings.object_store, kind, folder)
        sent = list(alerts_of(settings.kafka, settings.kafka.alerts_topic))
    metrics, alerts = (read_parquet(folder / kind) for kind in ("metrics", "alerts"))
    if metrics is None:
        raise UnreadableError(f"{scenario.name}: the job has written no metrics")
    stored = [] if alerts is None else alerts["alert_id"].to_pylist()
    return Observed(scenario, metrics, stored, sent, watch, began, problems)


def _with_own_names(stack: Stack, scenario: Scenario) -> Stack:
    own = names_of_its_own(f"bench-{scenario.name}", stack.state.folder / scenario.name / "checkpoint")
    environment = {**stack.environment, **own, **scenario.settings}
    load(environment)
    return replace(stack, environment=environment)


def _producer(scenario: Scenario, stack: Stack, given: Arguments) -> Program:
    command = ["producer", "--no-log", "--seed", str(SEED), "--users", str(USERS), *scenario.producer]
    if scenario.rate is None:
        since = time.gmtime(time.time() - given.records / BACKLOG_RATE)
        command += ["--rate", str(BACKLOG_RATE), "--speed", "max", "--count", str(given.records)]
        command += ["--start", time.strftime("%Y-%m-%dT%H:%M:%SZ", since)]
    else:
        command += ["--rate", str(scenario.rate), "--duration", str(given.seconds)]
    name = f"producer-{scenario.name}"
    return Program(name, stack.module(*command), stack.environment, stage=2, grace=60, finite=True)


def _finish(stack: Stack, program: Program, seconds: float) -> None:
    stack.supervisor.start(program)
    _wait_for_end(stack, program, seconds)


def _wait_for_end(stack: Stack, program: Program, seconds: float) -> None:
    supervisor = stack.supervisor
    supervisor.wait(lambda: supervisor.ended(program.name), "its end", seconds, program.name)
