"""The contest: all contestants in turn, round by round, and what stands at its end."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from local.native.stack import Stack
from scripts.bench.contest.backlog import Backlog, send_backlog
from scripts.bench.contest.contestants import PIPELINE, Contestant
from scripts.bench.contest.environments import python_of, version_of
from scripts.bench.contest.live import WARM_UP, latencies
from scripts.bench.contest.load import Load
from scripts.bench.contest.rounds import median, undisturbed
from scripts.bench.contest.run import Crash, Run, Say, run_backlog, run_crash


@dataclass(frozen=True)
class Contest:
    """What was asked for."""

    contestants: Sequence[Contestant]
    load: Load
    runs: int
    rates: Sequence[int]
    seconds: float  # of measured traffic
    crash: bool

    def minutes(self) -> int:
        """About how long it takes."""
        backlog = 15 + self.load.events / 25_000
        live = len(self.rates) * (WARM_UP + self.seconds + 20)
        each = (self.runs + 2 * self.crash) * backlog + live
        oracle = self.load.events / 12_000
        return round((oracle + len(self.contestants) * each) / 60) + 1


@dataclass(frozen=True)
class Standing:
    """A contestant's line: the figures of its run in the middle."""

    contestant: Contestant
    version: str
    runs: list[Run]
    crash: Crash | None
    latency_ms: dict[str, dict[str, int] | None]
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        each = self.contestant
        return {
            "name": each.name,
            **asdict(median(self.runs)),
            "survives_crash": each.survives_crash,
            "latency_ms": self.latency_ms,
            "version": self.version,
            "settings": each.settings,
            "at_a_crash": each.at_a_crash,
            "killed_half_way": self.crash and asdict(self.crash),
            "runs": [asdict(run) for run in self.runs],
            "problems": self.problems,
        }


def hold(stack: Stack, contest: Contest, say: Say) -> Iterator[dict[str, Any]]:
    """Run the contest: a dictionary for JSON a contestant. Raises as `run_backlog` does."""
    for each in contest.contestants:
        python_of(each, say)  # before anything is measured
    backlog = send_backlog(stack, "contest", contest.load, say)
    say(f"  {backlog.records:,} records, {len(backlog.expected):,} alerts expected")
    runs: dict[str, list[Run]] = {each.name: [] for each in contest.contestants}
    for number in range(1, contest.runs + 1):
        for each in contest.contestants:
            runs[each.name].append(_round(stack, each, backlog, number, say))
    for each in contest.contestants:
        crash = None
        if contest.crash:
            say(f"{each.name}: killed half-way ...")
            crash = run_crash(stack, each, backlog, f"crash-{_slug(each)}", say)
            say(f"  recall {crash.recall:.3f}, {crash.repeated:.1%} of its alerts repeated")
        live: dict[str, dict[str, int] | None] = {}
        for rate in contest.rates:
            say(f"{each.name}: {contest.seconds:.0f} s of {rate:,} payments a second ...")
            live[str(rate)] = latencies(stack, each, rate, contest.seconds, say)
        problems = problems_of(each, runs[each.name], crash)
        yield Standing(each, version_of(each), runs[each.name], crash, live, problems).as_dict()


def _round(stack: Stack, each: Contestant, backlog: Backlog, number: int, say: Say) -> Run:
    attempts = iter(range(1, 100))

    def one() -> Run:
        name = f"run-{number}-{next(attempts)}-{_slug(each)}"
        run = run_backlog(stack, each, backlog, name, say)
        say(f"{each.name}: {line(run)}")
        return run

    return undisturbed(one, say)


def line(run: Run) -> str:
    """A run in a line, for who waits."""
    warm = "too short for a steady rate"
    if run.events_per_s is not None and run.cpu_us_per_event is not None:
        warm = f"{run.events_per_s:,.0f} events/s, {run.cpu_us_per_event:.1f} us"
    return (
        f"{warm}; whole {run.whole_events_per_s:,.0f} events/s, {run.whole_cpu_us_per_event:.1f} us; "
        f"recall {run.recall:.3f}, precision {run.precision:.3f}"
    )


def problems_of(each: Contestant, runs: Sequence[Run], crash: Crash | None) -> list[str]:
    """What makes the figures void: of this pipeline a wrong alert, of all a load not ended, state lost."""
    problems = []
    if not all(run.finished for run in runs):
        problems.append("it did not come to the end of the load")
    if each == PIPELINE and any((run.recall, run.precision) != (1.0, 1.0) for run in runs):
        problems.append("its alerts are not those of the oracle")
    usual = min(run.recall for run in runs)
    if crash and each.survives_crash and (crash.recall < usual or not crash.came_back):
        problems.append(f"killed half-way it found {crash.recall:.4f} of the alerts instead of {usual:.4f}")
    return problems


def _slug(each: Contestant) -> str:
    return each.folder or "pipeline"
