"""Shows figures: a table for a person, JSON for a program."""

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.bench.contest.day import flat
from scripts.bench.contest.report import contest_table, notes, remarks
from scripts.bench.contest.scaling import scaling_table
from scripts.bench.results import Figures
from scripts.bench.tables import table

_TARGETS = "Targets on 2 cores: 60,000 rows/s; p50 0.8 s and p95 1.3 s at 100 and at 1,000 a second."


def everything(parts: Mapping[str, Any], machine: Mapping[str, Any]) -> str:
    """The tables of all parts that were measured, for a terminal."""
    lines = []
    if "figures" in parts:
        lines.append(as_text([Figures(**each) for each in parts["figures"]], machine))
    if "contestants" in parts:
        contestants = parts["contestants"]
        lines += [on(machine), "", *contest_table(contestants), "", *notes(contestants)]
        lines += ["", *remarks(contestants)]
    if "scaling" in parts:
        lines += ["", *scaling_table(parts["scaling"])]
    if "day" in parts:
        lines += ["", flat(parts["day"])]
    return "\n".join(lines)


def on(machine: Mapping[str, Any]) -> str:
    """What the figures were measured on."""
    return f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB"


def as_text(figures: Sequence[Figures], machine: Mapping[str, Any]) -> str:
    """The tables, for a terminal and for a page."""
    lines = [on(machine)]
    backlogs = [each for each in figures if each.rows_per_second is not None]
    steady = [each for each in figures if each.rows_per_second is None]
    if backlogs:
        lines += ["", *table(_BACKLOG, [_backlog(each) for each in backlogs])]
    if steady:
        lines += ["", *table(_STEADY, [_steady(each) for each in steady])]
    lines += ["", _TARGETS]
    for who, of in (("other programs, the producer among them,", "other_programs"), ("the host", "stolen")):
        busy = [f"{each.scenario} {getattr(each, of):.1f}" for each in figures if getattr(each, of) > 0.1]
        if busy:
            lines.append(f"Cores that {who} took meanwhile, so that all is slower: {', '.join(busy)}.")
    exact = [each.scenario for each in figures if each.exact]
    if exact:
        lines.append(f"Exact, against the oracle: {', '.join(exact)}.")
    lines += [f"PROBLEM in {each.scenario}: {problem}" for each in figures for problem in each.problems]
    return "\n".join(lines)


_BACKLOG = (
    "catching up", "rows/s", "CPU us/row", "JVM", "workers", "driver", "broker", "batch p50", "state",
    "memory",
)  # fmt: skip
_STEADY = (
    "steady rate", "event to alert p50", "p95", "p99", "alerts", "batch p50", "p95", "CPU ms/batch", "memory",
)  # fmt: skip


def _backlog(each: Figures) -> list[str]:
    cpu = each.cpu_us_per_row
    own = ("jvm", "workers", "driver", "broker")
    return [
        each.what,
        f"{each.rows_per_second:,.0f}",
        f"{sum(cpu.values()):.1f}",
        *(f"{cpu[kind]:.1f}" for kind in own),
        f"{each.batch_ms['p50'] / 1000:.2f} s",
        f"{each.state_mib:.0f} MiB",
        f"{sum(each.peak_mib.values()):,} MiB",
    ]


def _steady(each: Figures) -> list[str]:
    waits = each.latency_ms or {}
    return [
        each.what,
        *(f"{waits[name] / 1000:.2f} s" if waits else "-" for name in ("p50", "p95", "p99")),
        f"{each.alerts:,}",
        *(f"{each.batch_ms[name] / 1000:.2f} s" for name in ("p50", "p95")),
        f"{sum(each.cpu_ms_per_batch.values()):,.0f}",
        f"{sum(each.peak_mib.values()):,} MiB",
    ]
