"""What a reconciliation is about to add, put down before: after a kill the next run adds the same.

While a plan is there, the hour that it names is open for `jobs.compact`.
"""

from dataclasses import dataclass
from typing import Self

from fraud.reconciliation import found_at
from jobs.compact.closed import HOUR
from jobs.detect.alerts_sink import PLAN_KEY, PLAN_TARGET, hour_folder, to_parquet
from jobs.objects import Objects
from jobs.reconcile.findings import Findings


@dataclass(frozen=True)
class Plan:
    """`content` is a Parquet file of schema ALERTS."""

    target: str
    content: bytes

    @classmethod
    def of(cls, findings: Findings, generation: int, at: int) -> Self:
        """Add `findings` to the hour of `at` (epoch milliseconds); `generation` is the newest one's."""
        name = f"reconciled={findings.since:013d}-{findings.until:013d}-{generation}-{at:013d}.parquet"
        content = to_parquet([found_at(findings.alerts, at).sort_by("alert_id")])
        return cls(f"{hour_folder(at)}{name}", content)

    @classmethod
    def stored(cls, objects: Objects) -> Self | None:
        """The plan that an earlier run could not finish; None when there is none."""
        found = objects.find(PLAN_KEY)
        return None if found is None else cls(found.metadata[PLAN_TARGET], found.content)

    @property
    def hour(self) -> int:
        """The start of the hour that it adds to (epoch milliseconds)."""
        at = int(self.target.removesuffix(".parquet").rpartition("-")[2])
        return at - at % HOUR

    def store(self, objects: Objects) -> None:
        """Put it down."""
        objects.put(PLAN_KEY, self.content, {PLAN_TARGET: self.target})
