"""One run of one contestant: over a backlog, or beside live traffic."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from fraud.environment import load as load_settings
from local.native.environment import names_of_its_own
from local.native.findings import UnreadableError, explained
from local.native.process import Program, kill_all_of
from local.native.stack import Stack
from local.native.supervisor import GaveUpError
from scripts.bench.contest.backlog import Backlog
from scripts.bench.contest.contestants import Contestant
from scripts.bench.contest.environments import jars_of, python_of
from scripts.bench.contest.measures import correctness, steady
from scripts.bench.contest.topic import Follower, drop_topic, make_topic
from scripts.bench.cpu import Watch
from scripts.bench.peers.given import Given
from scripts.bench.run import RestartedError

OWN = ("driver", "jvm", "workers")
"""The kinds of process that are a contestant's."""

QUIET = 3.0
"""Seconds without an alert, after the last expected one, when a run is over."""

PATIENCE = 180.0
"""Seconds without an alert after which a contestant counts as done before its end."""

ALERT_PARTITIONS = 4

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """The figures of one run over a backlog."""

    events_per_s: float | None
    """Warm, see `measures.steady`; None: too few --events to tell."""
    cpu_us_per_event: float | None
    """Of all its processes, in the same span."""
    whole_events_per_s: float
    whole_cpu_us_per_event: float
    peak_rss_mb: float
    first_alert_s: float
    recall: float
    precision: float
    repeated: float
    others: float
    """Share of the machine that others took, the host among them."""
    finished: bool


@dataclass(frozen=True)
class Crash:
    """What is left when a contestant is killed half-way and started again."""

    recall: float
    precision: float
    repeated: float
    came_back: bool = True
    """False: started again, it ended."""


@dataclass(frozen=True)
class Lane:
    """A contestant's place in one run: topics, folder, and how it is started."""

    stack: Stack
    contestant: Contestant
    name: str
    alerts: str
    program: Program


@contextmanager
def lane(
    stack: Stack, contestant: Contestant, topic: str, name: str, own: Mapping[str, str], say: Say
) -> Iterator[Lane]:
    """Topics and a folder for one run; the contestant is stopped and its alerts are dropped at the end."""
    python, jars = python_of(contestant, say), jars_of(contestant)
    folder = stack.state.folder / name
    folder.mkdir(parents=True)
    names = names_of_its_own(name, folder / "checkpoint")
    names["FRAUD_KAFKA_TRANSACTIONS_TOPIC"] = topic
    alerts = names["FRAUD_KAFKA_ALERTS_TOPIC"]
    environment = {**stack.environment, **names, **own}
    load_settings(environment)
    stack = replace(stack, environment=environment)
    if contestant.folder:
        with explained(f"{name}: its topic cannot be made"):
            make_topic(stack.settings.kafka, alerts, ALERT_PARTITIONS)
        given = Given(stack.settings.kafka.bootstrap_servers, topic, alerts, name, str(folder), str(jars))
        path = os.pathsep.join([str(python.parent), stack.environment["PATH"]])
        environment = {**environment, **given.as_environment(), "PATH": path}
    else:
        init = Program(f"init-{name}", stack.module("jobs.init"), environment, finite=True)
        stack.supervisor.start(init)
        stack.supervisor.wait(lambda: stack.supervisor.ended(init.name), "its end", 120, init.name)
    program = Program(name, [str(python), *contestant.command], environment, stage=1, grace=60)
    try:
        yield Lane(stack, contestant, name, alerts, program)
    finally:
        stack.supervisor.stop(name)
        with explained(f"{name}: its topic cannot be deleted"):
            drop_topic(stack.settings.kafka, alerts)


def run_backlog(
    stack: Stack,
    contestant: Contestant,
    backlog: Backlog,
    name: str,
    say: Say,
    own: Mapping[str, str] | None = None,
) -> Run:
    """Start a contestant and measure until it has written its last alert.

    Raises GaveUpError, StoppedError, UnreadableError, RestartedError, NoEnvironmentError.
    """
    with lane(stack, contestant, backlog.topic, name, own or {}, say) as place:
        supervisor = stack.supervisor
        with _following(place) as follower:
            started = time.time_ns() // 1_000_000
            supervisor.start(place.program)
            pid = supervisor.pid(name)
            with watching(stack, pid) as watch:
                finished = _wait_for_end(place, backlog, follower)
            if supervisor.pid(name) != pid:
                raise RestartedError(f"{name} was restarted meanwhile; its figures are void")
    return figures(backlog, contestant, follower, watch, started, finished=finished)


def run_crash(stack: Stack, contestant: Contestant, backlog: Backlog, name: str, say: Say) -> Crash:
    """Kill a contestant (SIGKILL, with all its processes) at half of its alerts; the supervisor starts it
    again.
    """
    with lane(stack, contestant, backlog.topic, name, {}, say) as place, _following(place) as follower:
        stack.supervisor.start(place.program)
        half = sum(pair[0] in contestant.rules for pair in backlog.expected) / 2

        def is_half_way() -> bool:
            with explained(f"{name}: its alerts cannot be read"):
                follower.look()
            return len(follower.pairs) >= half

        stack.supervisor.wait(is_half_way, "half of its alerts", PATIENCE * 3, name)
        kill_all_of(stack.supervisor.pid(name))
        came_back = True
        try:
            _wait_for_end(place, backlog, follower)
        except GaveUpError as error:
            if error.name != name:
                raise
            came_back = False
            say(f"  {error}")
    return Crash(**vars(correctness(follower.answers, backlog.expected)), came_back=came_back)


def figures(
    backlog: Backlog,
    contestant: Contestant,
    follower: Follower,
    watch: Watch,
    started: int,
    *,
    finished: bool,
) -> Run:
    """The figures of what was seen. Raises UnreadableError when that is nothing."""
    answers = follower.answers
    if not answers:
        raise UnreadableError(f"{contestant.name} has written no alert in {PATIENCE:.0f} s")
    span = steady(answers, backlog.positions, backlog.records)
    last = max(answer.appended_at for answer in answers)
    seconds = (last - started) / 1000

    def cpu(since: int, until: int) -> float:
        return sum(watch.used(kind, since, until) for kind in OWN)

    everybody, stolen = watch.machine(started, last)
    known = cpu(started, last) + sum(watch.used(kind, started, last) for kind in SERVERS)
    return Run(
        events_per_s=span.per_second if span else None,
        cpu_us_per_event=cpu(span.since, span.until) / span.events * 1e6 if span else None,
        whole_events_per_s=backlog.records / seconds,
        whole_cpu_us_per_event=sum(watch.used_until(kind, last) for kind in OWN) / backlog.records * 1e6,
        peak_rss_mb=watch.peak_bytes(OWN) / 2**20,
        first_alert_s=(min(answer.appended_at for answer in answers) - started) / 1000,
        **vars(correctness(answers, backlog.expected)),
        others=max(0.0, everybody - known + stolen) / seconds / (os.cpu_count() or 1),
        finished=finished,
    )


SERVERS = ("broker", "object store", "bench")


def watching(stack: Stack, pid: int) -> Watch:
    """A watch of a contestant's processes, and of the others that are ours."""
    servers = {"broker": stack.supervisor.pid("broker"), "object store": stack.supervisor.pid("s3")}
    return Watch({"driver": pid, **servers, "bench": os.getpid()})


def _following(place: Lane) -> Follower:
    return Follower(place.stack.settings.kafka, place.alerts, ALERT_PARTITIONS)


def _wait_for_end(place: Lane, backlog: Backlog, follower: Follower) -> bool:
    """Whether it came to the end of the load; else it wrote nothing more for PATIENCE."""
    end = backlog.end_of(place.contestant.rules)

    def is_over() -> bool:
        with explained(f"{place.name}: its alerts cannot be read"):
            quiet = follower.look()
        return quiet > (QUIET if end <= follower.pairs else PATIENCE)

    supervisor = place.stack.supervisor
    supervisor.wait(is_over)
    return end <= follower.pairs
