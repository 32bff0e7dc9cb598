"""One reconciliation: finish what an earlier one began, find what is missing, plan it, add it."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.compact.closed import HOUR
from jobs.compact.hours import compacted_key
from jobs.detect.alert_json import alerts_as_json
from jobs.detect.alerts_sink import FOLDER, PLAN_KEY
from jobs.detect.errors import OUTAGE, JobError
from jobs.detect.kafka_sink import KafkaSink, Outgoing
from jobs.objects import Objects
from jobs.reconcile.findings import Findings
from jobs.reconcile.lock import Lock
from jobs.reconcile.plan import Plan

IN_TIME = 300_000
"""Milliseconds after an hour's end at which a plan for it must be there: compaction waits for 10 minutes."""


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Reconciliation:
    """What a run needs of the world."""

    objects: Objects
    lock: Lock
    kafka: KafkaSink
    alerts_topic: str
    find: Callable[[], Findings | None]
    newest_generation: int
    say: Callable[[str], None]
    clock: Callable[[], int] = _now

    def run(self) -> Findings | None:
        """Add what is missing; what was found, None when nothing came late. Raises JobError when another run
        has the lock, and what the object store, Kafka and `find` raise."""
        self.lock.take()
        try:
            self._finish_earlier()
            findings = self.find()
            if findings is not None and len(findings.alerts):
                self._add(self._planned(findings))
        finally:
            self.lock.release()
        return findings

    def _planned(self, findings: Findings) -> Plan:
        """A plan for this hour, stored while compaction still leaves the hour alone."""
        at = self.clock()
        plan = Plan.of(findings, self.newest_generation, at)
        self.lock.check()
        plan.store(self.objects)
        if self.clock() >= at - at % HOUR + HOUR + IN_TIME:
            self.objects.delete(PLAN_KEY)
            raise JobError("the plan took too long to write: run it again", OUTAGE)
        return plan

    def _finish_earlier(self) -> None:
        plan = Plan.stored(self.objects)
        if plan is None:
            return
        if self._is_void(plan):
            self.say("an earlier run's plan is void: nothing of it was added")
            self.objects.delete(PLAN_KEY)
            return
        self.say(f"finishing what an earlier run had begun: {plan.target}")
        self._add(plan)

    def _is_void(self, plan: Plan) -> bool:
        """Whether it was put down by a run that had lost its lock, or too late: its hour is compacted without
        it, or another run has added its alerts."""
        if self.objects.read(plan.target) is not None:
            return False
        if self.objects.read(compacted_key(plan.hour)) is not None:
            return True
        ids = _alerts(plan.content)["alert_id"].combine_chunks()
        folder = plan.target.rsplit("/", 1)[0]
        others = [
            key
            for key in self.objects.keys(FOLDER)
            if "/reconciled=" in key and key.rsplit("/", 1)[0] >= folder
        ]
        return any(
            pc.any(pc.is_in(_alerts(content)["alert_id"], ids)).as_py()
            for _, content in self.objects.read_many(others)
        )

    def _add(self, plan: Plan) -> None:
        """To `alerts/`, then to Kafka; then the plan goes. Can be repeated."""
        self.lock.check()
        self.objects.put(plan.target, plan.content)
        alerts = _alerts(plan.content)
        outgoing = (Outgoing(self.alerts_topic, key.encode(), value) for key, value in alerts_as_json(alerts))
        self.kafka.send(outgoing, self.lock.check)
        self.lock.check()
        self.objects.delete(PLAN_KEY)
        self.say(f"added {len(alerts)} alerts: {plan.target}")


def _alerts(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))
