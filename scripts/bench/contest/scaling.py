"""How the pipeline grows: one thing is changed at a time, everything else is as in the base case."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from local.native.stack import Stack
from scripts.bench.contest.backlog import Backlog, send_backlog
from scripts.bench.contest.contestants import PIPELINE
from scripts.bench.contest.load import Load
from scripts.bench.contest.rounds import median, undisturbed
from scripts.bench.contest.run import Run, Say, run_backlog
from scripts.bench.contest.standings import line
from scripts.bench.tables import number, table


@dataclass(frozen=True)
class Variant:
    """One value of one factor."""

    factor: str
    value: str
    partitions: int = 4
    users: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def load(self, base: Load) -> Load:
        """The load: with other users each still pays as often as before, so that the alerts stay
        comparable.
        """
        if self.users is None:
            return base
        return replace(base, users=self.users, rate=base.rate * self.users / base.users)


def variants(factors: Sequence[str]) -> list[Variant]:
    """All values of these factors."""
    batch = "FRAUD_MAX_OFFSETS_PER_TRIGGER"
    every = [
        *(Variant("partitions", str(each), partitions=each) for each in (1, 2, 4, 8)),
        *(Variant("users", f"{each:,}", users=each) for each in (1_000, 10_000, 100_000, 1_000_000)),
        *(
            Variant("batch", f"{each:,}", settings={batch: str(each)})
            for each in (25_000, 50_000, 100_000, 200_000, 400_000)
        ),
        *(
            Variant("executors", master, settings={"FRAUD_SPARK_MASTER": master})
            for master in ("local[2]", "local-cluster[1,2,1024]", "local-cluster[2,1,1024]")
        ),
    ]
    return [each for each in every if each.factor in factors]


def estimate(base: Load, factors: Sequence[str], runs: int) -> int:
    """About how many minutes it takes."""
    chosen = variants(factors)
    loads = len({(each.partitions, each.users) for each in chosen})
    seconds = loads * base.events / 12_000 + len(chosen) * runs * (25 + base.events / 50_000)
    return round(seconds / 60) + 1


def scale(stack: Stack, base: Load, factors: Sequence[str], runs: int, say: Say) -> list[dict[str, Any]]:
    """Measure each variant: a dictionary for JSON. Raises as `run_backlog` does."""
    found = []
    loads: dict[tuple[int, Load], Backlog] = {}
    for position, each in enumerate(variants(factors)):
        load = each.load(base)
        if (each.partitions, load) not in loads:
            loads.clear()  # the one before is done with, and large
            loads[each.partitions, load] = send_backlog(
                stack, f"scale-{position}", load, say, each.partitions
            )
        backlog = loads[each.partitions, load]

        attempts = iter(range(1, 1000))

        def one(
            position: int = position,
            each: Variant = each,
            backlog: Backlog = backlog,
            attempts: Iterator[int] = attempts,
        ) -> Run:
            name = f"scale-{position}-{next(attempts)}"
            return run_backlog(stack, PIPELINE, backlog, name, say, each.settings)

        run = median([undisturbed(one, say) for _ in range(runs)])
        say(f"{each.factor} {each.value}: {line(run)}")
        found.append(
            {"factor": each.factor, "value": each.value, "alerts": len(backlog.expected), **asdict(run)}
        )
    return found


_HEADER = (
    "changed", "events/s", "start-up included", "CPU us/event", "start-up included", "memory", "alerts",
    "recall", "precision",
)  # fmt: skip


def scaling_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line a variant."""
    return table(
        _HEADER,
        [
            [
                f"{row['factor']} {row['value']}",
                *(number(row[name], ",.0f") for name in ("events_per_s", "whole_events_per_s")),
                *(number(row[name], ".1f") for name in ("cpu_us_per_event", "whole_cpu_us_per_event")),
                f"{row['peak_rss_mb']:,.0f} MiB",
                f"{row['alerts']:,}",
                f"{row['recall']:.3f}",
                f"{row['precision']:.3f}",
            ]
            for row in rows
        ],
    )
