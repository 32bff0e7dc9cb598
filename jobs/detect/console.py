"""What a person sees of the job: the newest alerts, and a summary line about once a second."""

import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SHOWN_ALERTS = 5
SECONDS_BETWEEN_SUMMARIES = 1.0

Alert = dict[str, Any]


@dataclass
class Summary:
    """One micro-batch, or several in a row, in numbers."""

    batch_id: int
    read: int
    evaluated: int
    duplicate: int
    rejected: dict[str, int]  # reason -> records
    gaps: int
    lost: int
    alerts: int
    duration: int  # milliseconds
    lag: int | None  # records not read yet; None when Kafka did not say
    newest: list[Alert] = field(default_factory=list)
    batches: int = 1

    def __add__(self, later: "Summary") -> "Summary":
        reasons = self.rejected.keys() | later.rejected.keys()
        return Summary(
            batch_id=later.batch_id,
            read=self.read + later.read,
            evaluated=self.evaluated + later.evaluated,
            duplicate=self.duplicate + later.duplicate,
            rejected={r: self.rejected.get(r, 0) + later.rejected.get(r, 0) for r in sorted(reasons)},
            gaps=self.gaps + later.gaps,
            lost=self.lost + later.lost,
            alerts=self.alerts + later.alerts,
            duration=self.duration + later.duration,
            lag=later.lag,
            newest=(self.newest + later.newest)[-SHOWN_ALERTS:],
            batches=self.batches + later.batches,
        )


class Console:
    """Writes lines to standard output; threads may share it."""

    def __init__(
        self,
        write: Callable[[str], object] = sys.stdout.write,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock
        self._lock = Lock()
        self._waiting: Summary | None = None
        self._last_summary = float("-inf")

    def say(self, line: str) -> None:
        """One line, now."""
        with self._lock:
            self._line(line)

    def summarize(self, summary: Summary) -> None:
        """Show a micro-batch; in a busy stream together with the next ones."""
        with self._lock:
            self._waiting = self._waiting + summary if self._waiting else summary
        self.show_waiting()

    def show_waiting(self, now: bool = False) -> None:
        """Show the micro-batches that wait, when a second has gone by since the last (or `now`)."""
        with self._lock:
            at = self._clock()
            if self._waiting and (now or at - self._last_summary >= SECONDS_BETWEEN_SUMMARIES):
                for alert in self._waiting.newest:
                    self._line(alert_line(alert))
                self._line(summary_line(self._waiting))
                self._waiting, self._last_summary = None, at

    def _line(self, line: str) -> None:
        with suppress(OSError, ValueError):  # a console that is gone must not end a micro-batch
            self._write(line + "\n")
            sys.stdout.flush()


def newest_alerts(pieces: Iterable[pa.Table]) -> list[Alert]:
    """The last alerts to come in, of tables of schema ALERTS, oldest first."""
    found: list[Alert] = []
    for piece in pieces:
        newest = pc.select_k_unstable(piece, SHOWN_ALERTS, sort_keys=[("ingested_at", "descending")])
        found += piece.drop_columns("evidence").take(newest).to_pylist()
    return sorted(found, key=lambda alert: alert["ingested_at"])[-SHOWN_ALERTS:]


def alert_line(alert: Alert) -> str:
    """An alert on one line, its strings harmless."""
    return (
        f"ALERT {alert['transaction_timestamp']:%Y-%m-%d %H:%M:%S}  {alert['rule_id']:<18} "
        f"{printable(alert['user_id'])}  {alert['amount']} {alert['currency']}  "
        f"{printable(alert['location'])}  {_number(alert['observed'])} > {_number(alert['threshold'])}"
    )


def summary_line(summary: Summary) -> str:
    """The numbers of one or several micro-batches on one line."""
    one = summary.batches == 1
    which = f"batch {summary.batch_id}" if one else f"batches to {summary.batch_id} ({summary.batches})"
    reasons = ", ".join(f"{reason} {count}" for reason, count in summary.rejected.items() if count)
    parts = [
        f"read {summary.read}",
        f"evaluated {summary.evaluated}",
        f"duplicate {summary.duplicate}",
        f"rejected {sum(summary.rejected.values())}" + (f" ({reasons})" if reasons else ""),
        *([f"gaps {summary.gaps}"] if summary.gaps else []),
        *([f"LOST {summary.lost}"] if summary.lost else []),
        f"alerts {summary.alerts}",
        f"{summary.duration} ms",
        "lag unknown" if summary.lag is None else f"lag {summary.lag}",
    ]
    return f"{which}: {', '.join(parts)}"


def printable(text: str) -> str:
    """`text` with everything that could move a cursor or change a colour escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _number(value: Any) -> str:
    return str(int(value)) if value == int(value) else str(value)
