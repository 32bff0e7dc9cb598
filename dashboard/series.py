"""Tables of alerts and metrics into the few rows that a chart draws. Pure."""

from datetime import datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dashboard.spans import Span
from dashboard.words import moment, money, rule_name

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MANY_POINTS = 2000


def within(table: pa.Table, time: str, span: Span) -> pa.Table:
    """The rows whose `time` is in (since, until]."""
    column = table[time]
    inside = pc.and_(pc.greater(column, _scalar(span.since)), pc.less_equal(column, _scalar(span.until)))
    return table.filter(inside)


def milliseconds(column: pa.ChunkedArray) -> Integers:
    """Times as epoch milliseconds."""
    times: Integers = column.cast(pa.int64()).to_numpy()
    return times


def bins(times: Integers, span: Span, number: int) -> Integers:
    """For each time in the span its place among `number` equal parts."""
    since = epoch(span.since)
    places = (times - since - 1) * number // max(1, epoch(span.until) - since)
    return np.clip(places, 0, number - 1).astype(np.int64)


def epoch(time: datetime) -> int:
    """Epoch milliseconds."""
    return round(time.timestamp() * 1000)


def sums(places: Integers, weights: Integers | None, number: int) -> list[float]:
    """The sum of the weights in each place; without weights their number."""
    found: list[float] = np.bincount(places, weights, minlength=number).astype(float).tolist()
    return found


def alerts_over_time(alerts: pa.Table, span: Span) -> pd.DataFrame:
    """One row (start, end, rule_id, rule, alerts, bottom, top, said) a rule and step of the clock.

    `bottom` and `top` are the ends of its part of the step's bar, `said` is for those who do not see it.
    """
    step = round(span.step.total_seconds() * 1000)
    starts = milliseconds(alerts["detected_at"]) // step * step
    frame = pd.DataFrame({"start": starts, "rule_id": alerts["rule_id"].to_pandas()})
    frame = frame.groupby(["start", "rule_id"], as_index=False).size().rename(columns={"size": "alerts"})
    frame["end"] = pd.to_datetime(frame["start"] + step, unit="ms", utc=True)
    frame["start"] = pd.to_datetime(frame["start"], unit="ms", utc=True)
    frame["when"] = frame["start"].dt.strftime("%Y-%m-%d %H:%M:%S")
    frame["top"] = frame.groupby("start")["alerts"].cumsum()
    frame["bottom"] = frame["top"] - frame["alerts"]
    frame = _named(frame)
    frame["said"] = frame["rule"] + ": " + frame["alerts"].astype(str) + " alerts from " + frame["when"]
    return frame


def top(alerts: pa.Table, column: str, number: int) -> pd.DataFrame:
    """One row (name, rule_id, rule, alerts, total) a rule of the names with most alerts, most first."""
    frame = pd.DataFrame({"name": alerts[column].to_pandas(), "rule_id": alerts["rule_id"].to_pandas()})
    totals = frame["name"].value_counts().rename("total")
    # Ties in order of the name, so that bars do not swap places at a refresh.
    order = totals.reset_index().sort_values(["total", "name"], ascending=[False, True])["name"][:number]
    counted = frame.groupby(["name", "rule_id"], as_index=False).size().rename(columns={"size": "alerts"})
    counted = counted[counted["name"].isin(order)]
    counted["total"] = counted["name"].map(totals)
    return _named(counted.sort_values(["total", "name"], ascending=[False, True]).reset_index(drop=True))


def amounts(alerts: pa.Table) -> pd.DataFrame:
    """One row (time, euros, rule_id, rule, and texts for the tooltip) for each of the newest alerts."""
    newest = alerts.sort_by([("detected_at", "descending")]).slice(0, MANY_POINTS)
    newest = newest.filter(pc.is_valid(newest["euros"]))
    rows = newest.select(
        ["detected_at", "euros", "rule_id", "user_id", "location", "amount", "currency"]
    ).to_pylist()
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime([row["detected_at"] for row in rows], utc=True),
            "euros": [_on_log_axis(row["euros"]) for row in rows],
            "rule_id": [row["rule_id"] for row in rows],
            "user": [row["user_id"] for row in rows],
            "city": [row["location"] for row in rows],
            "amount": [money(row["amount"], row["currency"]) for row in rows],
            "in_euros": [money(row["euros"], "EUR") for row in rows],
            "when": [moment(row["detected_at"]) for row in rows],
        }
    )
    return _named(frame)


def thresholds(alerts: pa.Table) -> pd.DataFrame:
    """One row (rule_id, rule, euros, label) for each threshold in euros: of alerts without a window."""
    without = alerts.filter(pc.is_null(alerts["window_start"])).select(["rule_id", "threshold"])
    pairs = without.group_by(["rule_id", "threshold"]).aggregate([]).to_pylist()
    pairs = [pair for pair in pairs if pair["threshold"] is not None]
    frame = pd.DataFrame(
        {
            "rule_id": [pair["rule_id"] for pair in pairs],
            "euros": [_on_log_axis(pair["threshold"]) for pair in pairs],
            "label": [f"threshold {money(pair['threshold'], 'EUR')}" for pair in pairs],
        }
    )
    return _named(frame)


def _on_log_axis(euros: Decimal) -> float:
    """A place on a logarithmic axis, which has none for 0.00; the text beside it is exact."""
    return max(float(euros), 0.01)


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    frame["rule"] = frame["rule_id"].map(rule_name) if len(frame) else pd.Series(dtype="object")
    return frame


def _scalar(time: datetime) -> pa.Scalar:
    return pa.scalar(time, pa.timestamp("ms", "UTC"))
