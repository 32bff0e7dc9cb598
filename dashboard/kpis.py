"""The figures at the top of the overview, each with its change and its course. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.feed import Snapshot
from dashboard.quantiles import latency
from dashboard.series import Floats, bins, epoch, milliseconds, sums, within
from dashboard.spans import Span
from dashboard.words import change, count, seconds, share

POINTS = 30
"""Points of a sparkline."""


@dataclass(frozen=True)
class Kpi:
    """One figure. `change`: against the span before, None when that is not known."""

    key: str
    label: str
    value: str
    change: str | float | None
    course: list[float]
    help: str
    rising_is_bad: bool = False


@dataclass(frozen=True)
class Figures:
    """What the figures are made of, for one span."""

    alerts: pa.Table
    batches: pa.Table

    @property
    def evaluated(self) -> int:
        """Transactions that the rules judged."""
        return pc.sum(self.batches["evaluated"]).as_py() or 0

    @property
    def users(self) -> int:
        """Distinct users with an alert."""
        return int(pc.count_distinct(self.alerts["user_id"]).as_py())

    @property
    def share(self) -> float:
        """Alerts for each transaction."""
        return self.alerts.num_rows / self.evaluated if self.evaluated else 0.0


def figures(snapshot: Snapshot, span: Span) -> Figures:
    """The snapshot's alerts and micro-batches in `span`."""
    metrics = within(snapshot.metrics, "batch_time", span)
    return Figures(
        within(snapshot.alerts, "detected_at", span), metrics.filter(pc.equal(metrics["kind"], "batch"))
    )


def is_comparable(snapshot: Snapshot) -> bool:
    """Whether the span before is wholly known: read, and the job ran, already when it began."""
    before = snapshot.span.before
    if snapshot.complete_since > before.since or not figures(snapshot, before).batches.num_rows:
        return False
    first = int(milliseconds(snapshot.metrics["batch_time"]).min())
    return first <= epoch(before.since + before.length / 20)


def kpis(snapshot: Snapshot) -> list[Kpi]:
    """All of them, in order."""
    span = snapshot.span
    # While older files are still to be read, all figures are of the part that is complete.
    now = figures(snapshot, Span(max(span.since, snapshot.complete_since), span.until))
    before = figures(snapshot, span.before) if is_comparable(snapshot) else None

    def against(measure: Callable[[Figures], float | None]) -> str | float | None:
        new, old = measure(now), measure(before) if before else None
        return None if new is None or old is None else change(new, old)

    alerts = _course(now.alerts, "detected_at", None, span)
    evaluated = _course(now.batches, "batch_time", "evaluated", span)
    found = [
        Kpi(
            "alerts", "Alerts", count(now.alerts.num_rows), against(lambda f: f.alerts.num_rows), alerts,
            "Pairs of a rule and a transaction that it flagged, by the time of detection",
        ),
        Kpi(
            "users", "Users flagged", count(now.users), against(lambda f: f.users),
            _users_course(now.alerts, span), "Distinct users with at least one alert",
        ),
        Kpi(
            "evaluated", "Evaluated", count(now.evaluated), against(lambda f: f.evaluated),
            evaluated, "Valid transactions, neither duplicate nor late, that the rules judged",
        ),
        Kpi(
            "share", "Alert share", share(now.alerts.num_rows, now.evaluated), against(lambda f: f.share),
            [a / e if e else 0.0 for a, e in zip(alerts, evaluated, strict=True)],
            "Alerts for each transaction evaluated; one transaction can have an alert of each rule",
        ),
    ]  # fmt: skip
    for percentile, what in ((50, "half of the alerts"), (95, "95 of 100 alerts")):
        found.append(
            Kpi(
                f"latency-p{percentile}",
                f"Latency p{percentile}",
                seconds(latency(now.batches, percentile)),
                against(lambda f, p=percentile: latency(f.batches, p)),  # type: ignore[misc]  # no type for p
                _latency_course(now.batches, percentile, span),
                f"From the payment's arrival in Kafka to the alert's: {what} were at least this fast",
                rising_is_bad=True,
            )
        )
    return found


def _course(table: pa.Table, time: str, weight: str | None, span: Span) -> list[float]:
    places = bins(milliseconds(table[time]), span, POINTS)
    return sums(places, pc.fill_null(table[weight], 0).to_numpy() if weight else None, POINTS)


def _users_course(alerts: pa.Table, span: Span) -> list[float]:
    places = bins(milliseconds(alerts["detected_at"]), span, POINTS)
    pairs = pa.table({"place": places, "user": alerts["user_id"]}).group_by(["place", "user"]).aggregate([])
    return sums(pairs["place"].to_numpy(), None, POINTS)


def _latency_course(batches: pa.Table, percentile: int, span: Span) -> list[float]:
    """Of each part of the span; a part without alerts keeps the one before."""
    places: Floats = bins(milliseconds(batches["batch_time"]), span, POINTS).astype(float)
    found: list[float] = []
    for place in range(POINTS):
        value = latency(batches.filter(pa.array(places == place)), percentile)
        found.append(value if value is not None else found[-1] if found else 0.0)
    return found
