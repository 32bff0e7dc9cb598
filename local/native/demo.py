"""The demo: payments through the whole stack, alerts on the console, in the end a summary that checks it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.native.arguments import Wishes
from local.native.class_archive import class_sharing
from local.native.drain import wait_for_the_job
from local.native.environment import names_of_its_own
from local.native.export import export
from local.native.figures import Summary
from local.native.findings import Remains, UnreadableError, explained
from local.native.process import Ending, Program
from local.native.stack import Stack
from local.native.summary import summarize
from local.native.summary_report import as_json, as_text

JOB_READY = 180
"""Seconds that the job may take to get ready."""

DEFAULTS = {"FRAUD_ARCHIVE": "true", "FRAUD_ARCHIVE_TRIGGER": "5s"}
"""What the demo shows unless somebody's environment says otherwise."""


@dataclass(frozen=True)
class Run:
    """Where one run of the demo keeps its things: names that sort by time."""

    name: str
    folder: Path
    own: dict[str, str]
    """FRAUD_* variables of this run alone."""

    @property
    def log(self) -> Path:
        """The folder of the producer's logs."""
        return self.folder / "log"

    @property
    def summary(self) -> Path:
        """What the producer writes at its end."""
        return self.folder / f"{self.name}.summary.json"

    @property
    def position(self) -> Path:
        """How far the producer is, for a restart of it."""
        return self.folder / f"{self.name}.state.json"


def planned_run(state: Path, *, replay: bool) -> Run:
    """The run that starts now. A replay has topics, prefix and checkpoint of its own."""
    name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    if not replay:
        return Run(name, state / "producer", {})
    name = f"replay-{name}"
    folder = state / "replays" / name
    return Run(name, folder, names_of_its_own(name, folder / "checkpoint"))


def demo(stack: Stack, run: Run, wishes: Wishes, say: Callable[[str], None]) -> int:
    """Run it on an opened stack. The exit code: 0 when the summary finds everything right, else 1.

    Raises GaveUpError when a process ends for good, StoppedError when asked to stop, UnreadableError
    when what was found can not be read.
    """
    since = time.time_ns() // 1_000_000
    supervisor = stack.supervisor
    say("starting Kafka, the S3 server and the job (Spark takes a few seconds) ...")
    supervisor.start(  # first: it takes longest, and waits for the others
        Program(
            "job",
            stack.module("jobs.detect"),
            {**stack.environment, **class_sharing(stack.environment)},
            stage=1,
            grace=30,
            echo=not wishes.headless,
        )
    )
    stack.start_servers()
    stack.start_dashboard()
    _wait_for_the_job(stack, "Spark is up")
    if wishes.producer:  # so that there is something to judge when the job is ready
        supervisor.start(_producer(stack, run, wishes))
    _wait_for_the_job(stack, "ready:")
    for line in addresses(stack, run, wishes):
        say(line)
    _traffic(stack, wishes)
    endings = supervisor.stop("producer")
    wait_for_the_job(stack, say)
    endings += supervisor.stop("job", "dashboard")
    say("comparing what was sent, counted, rejected and flagged ...")
    remains = _remains(stack, run, endings)
    summary = supervisor.during(lambda: summarize(stack.settings, remains, since))
    say(f"summary of {run.name}")
    say(as_text(summary))
    all_written = _write_results(stack, wishes, summary, say)
    say("stopping Kafka and the S3 server ...")
    stack.stop_servers()
    return 0 if summary.ok and all_written else 1


def addresses(stack: Stack, run: Run, wishes: Wishes) -> list[str]:
    """What runs where, for a person."""
    kafka, store = stack.settings.kafka, stack.settings.object_store
    lines = [
        f"  Kafka     {kafka.bootstrap_servers}, topics {kafka.transactions_topic}, {kafka.alerts_topic}, "
        f"{kafka.rejected_topic}",
        f"  S3        {store.endpoint_url}, bucket {store.bucket}, alerts below {store.prefix}alerts/",
        f"  settings  {stack.settings_file} (source it to reach them with tools of your own)",
        f"  logs      {stack.state.logs}",
    ]
    if wishes.replay:
        lines.append(f"  replaying {wishes.replay} as {run.name}, with a checkpoint of its own")
    elif not wishes.producer:
        lines.append("  no producer: send payments of your own, such as python -m producer --from FILE")
    if stack.replaced:
        lines.append(f"  your values of these give way to the stack's: {', '.join(stack.replaced)}")
    if stack.dashboard_address:
        lines.insert(0, f"  Dashboard {stack.dashboard_address} (open it in a browser)")
    return [*lines, "  Ctrl-C stops everything."]


def _wait_for_the_job(stack: Stack, line: str) -> None:
    said = stack.supervisor.said
    stack.supervisor.wait(lambda: said("job", line), f"the job's line `{line}`", JOB_READY, "job")


def _producer(stack: Stack, run: Run, wishes: Wishes) -> Program:
    command = ["producer", "--log", str(run.log), "--summary", str(run.summary), "--state", str(run.position)]
    if wishes.replay:
        command += ["--from", str(wishes.replay.resolve())]
    elif wishes.rate:
        command += ["--rate", wishes.rate]
    return Program("producer", stack.module(*command), stack.environment, stage=2, grace=60, finite=True)


def _traffic(stack: Stack, wishes: Wishes) -> None:
    """Return when the traffic that was asked for is through; without an end only StoppedError leads out."""
    supervisor = stack.supervisor
    if wishes.replay:
        supervisor.wait(lambda: supervisor.ended("producer"))
        return
    end = None if wishes.duration is None else time.monotonic() + wishes.duration
    supervisor.wait(lambda: end is not None and time.monotonic() >= end)


def _remains(stack: Stack, run: Run, endings: list[Ending]) -> Remains:
    checkpoint = Path(stack.settings.detection.checkpoint)
    return Remains(
        logs=sorted(run.log.glob("*.jsonl")),
        producer=run.summary,
        generations=next(checkpoint.glob("*/generations"), checkpoint / "generations"),
        endings=endings,
    )


def _write_results(stack: Stack, wishes: Wishes, summary: Summary, say: Callable[[str], None]) -> bool:
    """--json and --export, whose failures do not keep each other; whether all that was asked for is there."""

    def write_json(file: Path) -> str:
        with explained(f"--json {file} failed"):
            file.write_text(as_json(summary), encoding="utf-8")
        return f"the summary as JSON is in {file}"

    def copy(target: Path) -> str:
        objects, rejected = stack.supervisor.during(lambda: export(stack.settings, target))
        return f"exported {objects} objects and {rejected} rejected records to {target}"

    all_written = True
    for write, where in ((write_json, wishes.json), (copy, wishes.export)):
        try:
            if where:
                say(write(where))
        except UnreadableError as error:
            say(f"error: {error}")
            all_written = False
    return all_written
