"""Turns what was observed into figures: rows a second, CPU a row, micro-batch times, latencies."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from local.native.findings import SentAlert
from scripts.bench.cpu import KINDS, Watch
from scripts.bench.scenarios import Scenario


class TooFewError(Exception):
    """A run was too short to measure; one sentence says what to change."""


@dataclass(frozen=True)
class Observed:
    """What one run left behind, and what its processes cost."""

    scenario: Scenario
    metrics: pa.Table  # schema METRICS
    stored: Sequence[str]  # alert_ids in Parquet, repeats and all
    alerts: Sequence[SentAlert]  # in Kafka, repeats and all
    watch: Watch
    began: int  # epoch milliseconds: what came before counts for nothing
    against_oracle: list[str] | None  # problems; None: it was not asked


@dataclass(frozen=True)
class Figures:
    """One line of the table. None: not measured in this scenario."""

    scenario: str
    what: str
    rows: int  # that the figures rest on
    batches: int
    rows_per_second: float | None
    cpu_us_per_row: dict[str, float]  # by kind of process
    batch_ms: dict[str, int]  # p50, p95, max: from one micro-batch's begin to the next one's
    writing_ms: dict[str, int]  # the same of the part that the job's own metrics time (duration_ms)
    cpu_ms_per_batch: dict[str, float]
    latency_ms: dict[str, int] | None  # p50, p95, p99 of event to alert in Kafka
    alerts: int
    peak_mib: dict[str, int]  # by kind of process
    state_mib: float  # of all buckets, compressed, at the end
    other_programs: float  # cores that other programs took meanwhile
    stolen: float  # cores that the machine's host took
    exact: bool | None  # the oracle expects these alerts; None: it was not asked
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def figures(observed: Observed) -> Figures:
    """The figures of one run."""
    batches = observed.metrics.filter(pc.equal(observed.metrics["kind"], "batch")).sort_by("batch_id")
    times = batches["batch_time"].cast(pa.int64()).to_numpy()
    rows = batches["read"].to_numpy()
    durations = batches["duration_ms"].to_numpy()
    first, last = _measured(observed, times, rows)
    since, until = int(times[first]), int(times[last])
    count, number = int(rows[first:last].sum()), last - first
    seconds = (until - since) / 1000
    cpu = {kind: observed.watch.used(kind, since, until) for kind in KINDS}
    everybody, stolen = observed.watch.machine(since, until)
    return Figures(
        scenario=observed.scenario.name,
        what=observed.scenario.what,
        rows=count,
        batches=number,
        rows_per_second=count / seconds if observed.scenario.rate is None else None,
        cpu_us_per_row={kind: used / count * 1e6 for kind, used in cpu.items()},
        batch_ms=_percentiles(np.diff(times[first : last + 1]), _OF_BATCHES),
        writing_ms=_percentiles(durations[first:last], _OF_BATCHES),
        cpu_ms_per_batch={kind: used / number * 1e3 for kind, used in cpu.items()},
        latency_ms=_latency(observed),
        alerts=int(batches["alerts"].to_numpy().sum()),
        peak_mib={kind: observed.watch.peak_bytes([kind]) >> 20 for kind in KINDS},
        state_mib=int(batches["state_bytes"].to_numpy()[last - 1]) / 2**20,
        other_programs=max(0.0, everybody - sum(cpu.values())) / seconds,
        stolen=stolen / seconds,
        exact=None if observed.against_oracle is None else not observed.against_oracle,
        problems=_problems(observed, batches),
    )


_OF_BATCHES = {"p50": 50, "p95": 95, "max": 100}


def _measured(observed: Observed, times: np.ndarray, rows: np.ndarray) -> tuple[int, int]:
    """The micro-batches that count, [first, last): each ends when the next one begins."""
    if observed.scenario.rate is None:
        full = np.flatnonzero(rows >= rows.max() // 2)
        first, last = 1, int(full[-1]) + 1  # the first one finds a cold JVM
    else:
        first, last = int(np.searchsorted(times, observed.began)), len(times) - 1
    last = min(last, len(times) - 1)
    if last - first < 2:
        raise TooFewError(
            f"{observed.scenario.name}: {len(times)} micro-batches are too few to measure; "
            "take more --records or more --seconds"
        )
    return first, last


def _latency(observed: Observed) -> dict[str, int] | None:
    if observed.scenario.rate is None:
        return None
    waits = [
        alert.appended_at - alert.ingested_at
        for alert in observed.alerts
        if alert.ingested_at >= observed.began
    ]
    return _percentiles(np.array(waits), {"p50": 50, "p95": 95, "p99": 99}) if waits else None


def _percentiles(values: np.ndarray, wanted: dict[str, int]) -> dict[str, int]:
    return {name: round(float(np.percentile(values, percent))) for name, percent in wanted.items()}


def _problems(observed: Observed, batches: pa.Table) -> list[str]:
    """A figure of a run that lost count, or alerts, is no figure."""
    problems = list(observed.against_oracle or [])
    total = {name: int(pc.sum(batches[name]).as_py() or 0) for name in _COUNTS}
    if total["read"] != sum(total.values()) - total["read"]:
        problems.append(f"the counts do not add up: {total}")
    sent = {alert.alert_id for alert in observed.alerts}
    if len(observed.stored) != len(set(observed.stored)) or set(observed.stored) != sent:
        problems.append(
            f"{len(observed.stored)} alerts in Parquet, {len(set(observed.stored))} of them distinct, "
            f"but {len(sent)} in Kafka"
        )
    return problems


_COUNTS = ("read", "evaluated", "duplicate", "rejected", "gaps", "lost")
