"""What was read of the object store so far, for all sessions of the process: one reads, the others wait."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.contents import ALERTS_IN_EUROS, METRICS, alerts, metrics
from dashboard.files import Files, Kind
from dashboard.spans import Span, alerts_folder, compacted_folder, metrics_folder
from dashboard.store import Store, StoreError

TIME_FOR_READING = 3.0
"""Seconds a refresh reads at most, so that a long range fills step by step, the newest first."""

ALERTS = Kind(alerts_folder, alerts, ALERTS_IN_EUROS, "detected_at", 200_000, compacted_folder)
METRIC_ROWS = Kind(metrics_folder, metrics, METRICS, "batch_time", 400_000)


@dataclass(frozen=True)
class Snapshot:
    """What is known at one moment."""

    span: Span
    alerts: pa.Table  # ALERTS_IN_EUROS, at least of the span and the one before it, as far as read
    metrics: pa.Table  # METRICS, the same
    unreadable: int  # files that could not be read
    complete_since: datetime  # nothing is missing from there on
    full_since: datetime | None  # older rows do not fit into memory
    trouble: StoreError | None  # why nothing new could be read

    @property
    def newest_alert(self) -> datetime | None:
        """When the newest alert that is known was detected, in the span or before it."""
        newest: datetime | None = pc.max(self.alerts["detected_at"]).as_py()
        return newest

    @property
    def is_loading(self) -> bool:
        """Whether a part of the span is still to be read."""
        return self.trouble is None and self.complete_since > self.span.since and not self.is_cut

    @property
    def is_cut(self) -> bool:
        """Whether the span holds more rows than memory is given."""
        return self.full_since is not None and self.full_since > self.span.since


class Feed:
    """Alerts and metrics of one object store; threads may share it."""

    def __init__(self, store: Store) -> None:
        self._lock = Lock()
        self._alerts = Files(store, ALERTS)
        self._metrics = Files(store, METRIC_ROWS)
        self._began = float("-inf")
        self._since: datetime | None = None
        self._trouble: StoreError | None = None

    def snapshot(self, span: Span) -> Snapshot:
        """Read what is new and give what is known. Never raises StoreError: see `trouble`."""
        arrived = time.monotonic()
        since = span.before.since
        with self._lock:
            # Somebody who began after this call, while it waited, has read all that it would.
            if self._began < arrived or self._since is None or self._since > since:
                self._refresh(since, span.until)
            parts = (self._alerts, self._metrics)
            return Snapshot(
                span=span,
                alerts=self._alerts.table(since),
                metrics=self._metrics.table(since),
                unreadable=sum(part.unreadable for part in parts),
                complete_since=max(part.complete_since or span.until for part in parts),
                full_since=max((part.full_since for part in parts if part.full_since), default=None),
                trouble=self._trouble,
            )

    def _refresh(self, since: datetime, now: datetime) -> None:
        self._began, self._since = time.monotonic(), since
        for files, share in ((self._metrics, 0.5), (self._alerts, 1.0)):
            try:
                files.refresh(since, now, _until(self._began + share * TIME_FOR_READING))
            except StoreError as error:
                self._trouble = error
                return
        self._trouble = None


def _until(deadline: float) -> Callable[[], bool]:
    return lambda: time.monotonic() < deadline
