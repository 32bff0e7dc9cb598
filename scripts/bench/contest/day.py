"""Whether memory and micro-batches stay as they are: a day of payments, read at full speed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from local.native.drain import wait_for_the_job
from local.native.findings import UnreadableError, download, explained, read_parquet
from local.native.stack import Stack
from scripts.bench.contest.backlog import Backlog, send_backlog
from scripts.bench.contest.contestants import PIPELINE
from scripts.bench.contest.load import Load
from scripts.bench.contest.run import Lane, Say, lane

RATE = 100
"""Payments a second of event time."""

MINUTES = 10
"""Event time in one micro-batch."""


def estimate(hours: float) -> int:
    """About how many minutes it takes."""
    return round(hours * 3600 * RATE * (1 / 90_000 + 1 / 40_000) / 60) + 1


def day(stack: Stack, hours: float, say: Say) -> dict[str, Any]:
    """Send `hours` of payments and let the pipeline read them, ten minutes of event time a micro-batch.

    A dictionary for JSON: a column each of hours, state bytes, rows remembered and milliseconds a
    micro-batch. Raises as `run_backlog` does.
    """
    load = Load(round(hours * 3600 * RATE), rate=RATE)
    backlog = send_backlog(stack, "day", load, say, judge=False)
    own = {"FRAUD_MAX_OFFSETS_PER_TRIGGER": str(RATE * MINUTES * 60)}
    with lane(stack, PIPELINE, backlog.topic, "day-pipeline", own, say) as place:
        supervisor = place.stack.supervisor
        supervisor.start(place.program)
        supervisor.wait(lambda: supervisor.said(place.name, "batch 0:"), "a batch", 300, place.name)
        wait_for_the_job(place.stack, say, place.name)
        supervisor.stop(place.name)
        return series(_metrics(place), backlog)


def series(batches: Sequence[Mapping[str, Any]], backlog: Backlog) -> dict[str, Any]:
    """The columns of the chart, and the last quarter of the day against the second: 1 is flat."""
    read = np.cumsum([batch["read"] for batch in batches])
    if int(read[-1]) != backlog.records:
        raise UnreadableError(f"the job says that it read {read[-1]} of {backlog.records} records")
    # the last micro-batch ends the day: it is small, and its last records lie hours later
    whole = batches[:-1]
    columns = {
        name: [int(batch[name]) for batch in whole] for name in ("state_bytes", "memory_rows", "duration_ms")
    }
    ratios = {f"{name}_ratio": flatness(values) for name, values in columns.items()}
    hours = [round(float(count) / RATE / 3600, 3) for count in read[:-1]]
    return {"events": backlog.load.events, "rate": RATE, "hours": hours, **columns, **ratios}


def flatness(values: Sequence[int]) -> float:
    """The median of the last quarter over that of the second one, when memory was full already."""
    quarters = np.array_split(np.array(values), 4)
    return float(np.median(quarters[3]) / np.median(quarters[1]))


def flat(part: Mapping[str, Any]) -> str:
    """The day in a sentence."""
    last, full = part["hours"][-1], part["state_bytes"][-1] / 2**20
    return (
        f"{part['events']:,} payments, {last:.1f} h of event time at {part['rate']} a second: state "
        f"{full:.1f} MiB at the end. The last quarter against the second: state x "
        f"{part['state_bytes_ratio']:.2f}, micro-batch x {part['duration_ms_ratio']:.2f} "
        f"(median {np.median(part['duration_ms']):,.0f} ms)."
    )


def _metrics(place: Lane) -> list[dict[str, Any]]:
    folder = place.stack.state.folder / place.name
    with explained("the job's metrics cannot be read"):
        download(place.stack.settings.object_store, "metrics/", folder)
    table = read_parquet(folder / "metrics")
    if table is None:
        raise UnreadableError("the job has written no metrics")
    rows: list[dict[str, Any]] = (
        table.filter(pc.equal(table["kind"], "batch")).sort_by("batch_id").to_pylist()
    )
    return rows
