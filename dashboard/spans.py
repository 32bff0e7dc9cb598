"""Spans of time: what an analyst may look at, and the hours whose files it needs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)

RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
"""The ranges to choose from, as the address of a view names them."""

DEFAULT_RANGE = "1h"

WORDS = {
    "15m": "15 minutes",
    "1h": "hour",
    "6h": "6 hours",
    "24h": "24 hours",
    "7d": "7 days",
}

LONGEST = max(RANGES.values())

_STEPS = {
    timedelta(minutes=15): timedelta(seconds=15),
    timedelta(hours=1): timedelta(minutes=1),
    timedelta(hours=6): timedelta(minutes=5),
    timedelta(hours=24): timedelta(minutes=20),
    timedelta(days=7): timedelta(hours=2),
}


@dataclass(frozen=True)
class Span:
    """The times in (since, until], both UTC."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.until - self.since

    @property
    def before(self) -> "Span":
        """The span of the same length that ends where this one begins."""
        return Span(self.since - self.length, self.since)

    @property
    def step(self) -> timedelta:
        """The width of one bar of a chart over it: 60 to 84 bars in all."""
        return _STEPS.get(self.length, self.length / 60)


def last(name: str, now: datetime) -> Span:
    """The span of that name in RANGES that ends now."""
    return Span(now - RANGES[name], now)


def hours(since: datetime, until: datetime) -> list[datetime]:
    """The starts of the hours that hold a moment in [since, until], newest first."""
    first, start = hour_of(since), hour_of(until)
    found = []
    while start >= first:
        found.append(start)
        start -= HOUR
    return found


def hour_of(time: datetime) -> datetime:
    """The start of the hour that holds `time`."""
    return time.replace(minute=0, second=0, microsecond=0)


def alerts_folder(hour: datetime) -> str:
    """What the keys of that hour's alerts begin with."""
    return f"alerts/date={hour:%Y-%m-%d}/hour={hour:%H}/"


def compacted_folder(hour: datetime) -> str:
    """What the key of that hour's one object begins with, once the hour is closed and compacted."""
    return f"alerts_hourly/date={hour:%Y-%m-%d}/hour={hour:%H}/"


def metrics_folder(hour: datetime) -> str:
    """What the keys of that hour's metrics begin with: `minute=HHMM` has the hour in front."""
    return f"metrics/date={hour:%Y-%m-%d}/minute={hour:%H}"
