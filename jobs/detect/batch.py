"""One micro-batch on the driver: collect, account, then Parquet, Kafka, metrics, each under the lease."""

import time
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import KafkaException
from pyspark.sql import DataFrame

from fraud.generations import Generation, generation_at
from fraud.settings import Settings
from fraud.transaction import Reason
from jobs.detect.accounting import Accounts, settle
from jobs.detect.alert_json import alerts_as_json
from jobs.detect.alerts_sink import AlertsSink, alerts_key, to_parquet
from jobs.detect.batch_row import batch_row
from jobs.detect.checkpoint import CheckpointFiles
from jobs.detect.console import Console, Summary, newest_alerts
from jobs.detect.errors import Stopped
from jobs.detect.kafka_sink import KafkaSink, Outgoing
from jobs.detect.lease import Lease
from jobs.detect.metrics import MetricsSink, Row
from jobs.detect.offsets import Offsets, PlannedBatch, planned_batch
from jobs.detect.outcomes import Outcomes, unpack_outcomes
from jobs.detect.rejected_records import rejected_records
from jobs.detect.retry import Retries
from jobs.detect.topic import LATEST, Topic


@dataclass(frozen=True)
class Surroundings:
    """What a micro-batch needs of the world."""

    settings: Settings
    checkpoint_id: str
    generations: list[Generation]
    last_planned: int  # the newest micro-batch planned before this process; -1 for none
    accept_loss: bool
    files: CheckpointFiles
    topic: Topic
    alerts: AlertsSink
    kafka: KafkaSink
    metrics: MetricsSink
    lease: Lease
    retries: Retries
    console: Console
    stopping: Event


class Batches:
    """The body of foreachBatch, and how far it has come, for other threads."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._hinted = False
        self._running = Lock()
        self.failure: BaseException | None = None
        self.finished: PlannedBatch | None = None
        self.finished_at = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether a micro-batch is being written at this moment."""
        return self._running.locked()

    @property
    def replayed_last(self) -> bool:
        """Whether the last micro-batch written had been planned by an earlier process."""
        return self.finished is not None and self.finished.batch_id <= self._around.last_planned

    def __call__(self, frame: DataFrame, batch_id: int) -> None:
        """Write the micro-batch's outcomes. A failure is kept in `failure` and ends the query."""
        with self._running:
            try:
                if self._around.stopping.is_set():
                    raise Stopped(f"micro-batch {batch_id} was left for the next start")
                self._write(frame, batch_id)
            except BaseException as error:
                self.failure = error
                raise

    def _write(self, frame: DataFrame, batch_id: int) -> None:
        around, began = self._around, time.monotonic()
        batch = planned_batch(around.files, batch_id)
        latest = around.topic.ask(sorted(batch.end), LATEST)
        outcomes = unpack_outcomes(frame.toArrow())  # the one time Spark runs this micro-batch
        accounts = settle(batch, outcomes.reports, self._existing, around.accept_loss)

        self._write_parquet(batch, outcomes)
        acknowledged = self._send(outcomes)

        lags = _lags(batch, latest)
        generation = generation_at(around.generations, batch_id).number
        row = batch_row(batch, accounts, outcomes, lags, acknowledged, around.checkpoint_id, generation)
        row["duration_ms"] = _milliseconds(began)
        self._retrying("writing metrics", lambda: around.metrics.put(row, around.lease.check))
        self.finished, self.finished_at = batch, time.monotonic()
        self._show(batch, accounts, outcomes, row, _milliseconds(began))

    def _write_parquet(self, batch: PlannedBatch, outcomes: Outcomes) -> None:
        around = self._around
        key = alerts_key(around.checkpoint_id, batch.batch_id, batch.time)
        if outcomes.packed_alerts:
            parquet = to_parquet(outcomes.alerts())
            self._under_lease("writing alerts", lambda: around.alerts.put(key, parquet))
        elif batch.batch_id <= around.last_planned:  # an earlier attempt may have left an object
            self._under_lease("deleting alerts", lambda: around.alerts.delete(key))

    def _send(self, outcomes: Outcomes) -> int:
        """Send alerts and rejected records; when all were acknowledged (epoch milliseconds)."""
        around, kafka = self._around, self._around.settings.kafka
        if not outcomes.packed_alerts and not outcomes.packed_rejects:
            return 0
        around.lease.check()
        around.kafka.send(
            Outgoing(kafka.alerts_topic, key.encode(), value)
            for piece in outcomes.alerts()
            for key, value in alerts_as_json(piece)
        )
        acknowledged = time.time_ns() // 1_000_000
        around.kafka.send(
            rejected_records(
                outcomes.rejects(), kafka.transactions_topic, kafka.rejected_topic, around.topic.read
            )
        )
        return acknowledged

    def _existing(self, partition: int, start: int, end: int) -> Any:
        return self._around.retries.call(
            "reading the topic again",
            lambda: self._around.topic.existing(partition, start, end),
            (KafkaException,),
        )

    def _under_lease(self, what: str, write: Any) -> None:
        def attempt() -> None:
            self._around.lease.check()
            write()

        self._retrying(what, attempt)

    def _retrying(self, what: str, attempt: Any) -> None:
        self._around.retries.call(what, attempt, (BotoCoreError, ClientError))

    def _show(
        self, batch: PlannedBatch, accounts: Accounts, outcomes: Outcomes, row: Row, duration: int
    ) -> None:
        rejected = {
            reason.value: accounts.outcomes[reason] for reason in Reason if reason in accounts.outcomes
        }
        lags = [each["lag"] for each in row["partitions"]]
        self._around.console.summarize(
            Summary(
                batch_id=batch.batch_id,
                read=accounts.read,
                evaluated=row["evaluated"],
                duplicate=row["duplicate"],
                rejected=rejected,
                gaps=accounts.gaps,
                lost=accounts.lost,
                alerts=row["alerts"],
                duration=duration,
                lag=None if None in lags else sum(lags),
                newest=newest_alerts(outcomes.alerts()),
            )
        )
        keyless = rejected.get(Reason.KEY_MISSING, 0) + rejected.get(Reason.KEY_MISMATCH, 0)
        if 2 * keyless > accounts.read and not self._hinted:
            self._hinted = True
            self._around.console.say(
                f"most records of {self._around.topic.name!r} are rejected for their key: the Kafka key of "
                "each record must be its user_id"
            )


def _lags(batch: PlannedBatch, latest: Any) -> dict[int, int | None]:
    """Partition -> records not read yet; None when Kafka did not answer, which no payment waits for."""
    try:
        ends: Offsets = latest()
    except KafkaException:
        return dict.fromkeys(batch.end)
    return {partition: max(0, ends[partition] - end) for partition, end in batch.end.items()}


def _milliseconds(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
