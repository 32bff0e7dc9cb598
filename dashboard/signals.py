"""How the job is doing, from its metrics: alive, how far behind, how fast, do the counts add up. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dashboard.quantiles import latency
from dashboard.series import epoch, milliseconds, within
from dashboard.spans import Span
from fraud.transaction import Reason

STALE = timedelta(seconds=90)
"""The job writes a heartbeat in 30 seconds of silence: after three times that, something is wrong."""

RECENT = timedelta(minutes=1)
RECENT_LATENCY = timedelta(minutes=5)


@dataclass(frozen=True)
class Signal:
    """The health line. None: not known."""

    age: timedelta | None  # of the newest micro-batch or heartbeat
    lag: int | None  # records not read yet, all partitions
    throughput: float | None  # records a second over the last minute
    p50: float | None  # event to alert, milliseconds, over the last five minutes
    p95: float | None

    @property
    def is_stale(self) -> bool:
        """Whether the job has been silent for too long."""
        return self.age is not None and self.age > STALE


def signal(metrics: pa.Table, now: datetime) -> Signal:
    """The newest state of the job, from METRICS."""
    if not metrics.num_rows:
        return Signal(None, None, None, None, None)
    newest: datetime = pc.max(metrics["batch_time"]).as_py()
    batches = metrics.filter(pc.equal(metrics["kind"], "batch"))
    recent = within(batches, "batch_time", Span(now - RECENT, now))
    latest = within(batches, "batch_time", Span(now - RECENT_LATENCY, now))
    return Signal(
        age=max(now - newest, timedelta(0)),
        lag=total_lag(lag_by_partition(metrics)),
        throughput=(pc.sum(recent["read"]).as_py() or 0) / RECENT.total_seconds(),
        p50=latency(latest, 50),
        p95=latency(latest, 95),
    )


def lag_by_partition(metrics: pa.Table) -> dict[int, int | None]:
    """Partition -> records not read yet, of the newest row that says so."""
    rows = metrics.filter(pc.greater(pc.list_value_length(metrics["partitions"]), 0))
    if not rows.num_rows:
        return {}
    times = milliseconds(rows["batch_time"])
    (row,) = rows.slice(int(times.argmax()), 1)["partitions"].to_pylist()
    return {each["partition"]: each["lag"] for each in sorted(row, key=lambda each: each["partition"])}


def total_lag(lags: dict[int, int | None]) -> int | None:
    """The sum; None when one is not known, or none is."""
    known = [lag for lag in lags.values() if lag is not None]
    return sum(known) if lags and len(known) == len(lags) else None


@dataclass(frozen=True)
class Accounts:
    """Every offset read is counted once: read = evaluated + duplicate + rejected + gaps + lost."""

    read: int
    evaluated: int
    duplicate: int
    rejected: int
    gaps: int
    lost: int
    by_reason: dict[str, int]  # of the rejected, most first; those that there were

    @property
    def difference(self) -> int:
        """0 when the counts add up."""
        return self.read - self.evaluated - self.duplicate - self.rejected - self.gaps - self.lost

    @property
    def late(self) -> int:
        """Records that came too late to be judged."""
        return self.by_reason.get(Reason.LATE.value, 0)


def accounts(batches: pa.Table) -> Accounts:
    """The sums over these micro-batches."""
    names = ["read", "evaluated", "duplicate", "rejected", "gaps", "lost"]
    totals = {name: pc.sum(batches[name]).as_py() or 0 for name in names}
    reasons = {each.value: pc.sum(batches[f"rejected_{each.value}"]).as_py() or 0 for each in Reason}
    found = sorted(((n, reason) for reason, n in reasons.items() if n), key=lambda pair: (-pair[0], pair[1]))
    return Accounts(**totals, by_reason={reason: number for number, reason in found})


def course(batches: pa.Table, span: Span) -> pd.DataFrame:
    """One row a step of the clock with micro-batches.

    Columns: start, when, segment, pace (records a second), duration_ms (median), slowest_ms, state_bytes,
    memory_rows, p50, p95, p99 (seconds; missing when there were no alerts).
    """
    width = round(span.step.total_seconds() * 1000)
    starts = milliseconds(batches["batch_time"]) // width * width
    rows: list[dict[str, Any]] = []
    for start in np.unique(starts).tolist():
        of_it = batches.filter(pa.array(starts == start))
        quantiles = {f"p{p}": latency(of_it, p) for p in (50, 95, 99)}
        # The first and the last step may be in the span only in part.
        seconds = (min(start + width, epoch(span.until)) - max(start, epoch(span.since))) / 1000
        rows.append(
            {
                "start": start,
                "pace": (pc.sum(of_it["read"]).as_py() or 0) / max(seconds, 1.0),
                "duration_ms": pc.quantile(of_it["duration_ms"], 0.5)[0].as_py(),
                "slowest_ms": pc.max(of_it["duration_ms"]).as_py(),
                "state_bytes": pc.max(of_it["state_bytes"]).as_py(),
                "memory_rows": pc.max(of_it["memory_rows"]).as_py(),
                **{name: None if value is None else value / 1000 for name, value in quantiles.items()},
            }
        )
    columns = [
        "start", "pace", "duration_ms", "slowest_ms", "state_bytes", "memory_rows",
        "p50", "p95", "p99",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return _with_times(frame, width)


def lag_course(metrics: pa.Table, span: Span) -> pd.DataFrame:
    """One row (start, when, segment, partition, lag) a step and partition: the most that was waiting."""
    width = round(span.step.total_seconds() * 1000)
    lengths = pc.fill_null(pc.list_value_length(metrics["partitions"]), 0).to_numpy()
    starts = np.repeat(milliseconds(metrics["batch_time"]) // width * width, lengths)
    flat = pc.list_flatten(metrics["partitions"])
    frame = pd.DataFrame(
        {
            "start": starts,
            "partition": pc.struct_field(flat, "partition").to_pandas(),
            "lag": pc.struct_field(flat, "lag").to_pandas().astype("float64"),
        }
    ).dropna()
    frame = frame.groupby(["start", "partition"], as_index=False).agg({"lag": "max"})
    frame["name"] = frame["partition"].astype(str)
    return _with_times(frame, width)


def _with_times(frame: pd.DataFrame, width: int) -> pd.DataFrame:
    # Where there was nothing for a while begins a new segment: no line is drawn over the gap.
    frame["segment"] = (frame["start"].diff() > 2 * width).cumsum()
    frame["start"] = pd.to_datetime(frame["start"], unit="ms", utc=True)
    frame["when"] = frame["start"].dt.strftime("%Y-%m-%d %H:%M:%S")
    return frame
