"""Latencies of many micro-batches as one figure. Pure."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def latency(batches: pa.Table, percentile: int) -> float | None:
    """p50, p95 or p99 of event to alert over these micro-batches, in milliseconds; None without alerts.

    Each micro-batch brings its own percentile, weighted by its alerts. That is exact when a micro-batch has
    one alert, as most have, and close when it has many.
    """
    rows = batches.filter(pc.is_valid(batches[f"latency_p{percentile}_ms"]))
    values = rows[f"latency_p{percentile}_ms"].to_numpy()
    weights = pc.fill_null(rows["alerts"], 1).to_numpy()
    if not weights.sum():
        return None
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) >= percentile / 100 * weights.sum()
    return float(values[order][reached.argmax()])
