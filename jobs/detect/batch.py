"""One micro-batch on the driver: collect, account, then Parquet, Kafka, metrics, each under the lease."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

from confluent_kafka import KafkaException
from pyspark.sql import DataFrame

from fraud.generations import Generation, generation_at
from fraud.settings import Settings
from fraud.transaction import Reason
from jobs.detect.accounting import Accounts, Existing, settle
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
from jobs.detect.rejected_records import rejected_records, resuming
from jobs.detect.retry import Retries
from jobs.detect.seal import Seal
from jobs.detect.topic import EARLIEST, LATEST, Topic
from jobs.detect.watch import QueryBatches


@dataclass(frozen=True)
class Surroundings:
    """What a micro-batch needs of the world."""

    settings: Settings
    checkpoint_id: str
    generations: list[Generation]
    last_planned: int  # the newest micro-batch planned before this process; NO_BATCH for none
    accept_loss: bool
    files: CheckpointFiles
    topic: Topic
    alerts: AlertsSink
    kafka: KafkaSink
    metrics: MetricsSink
    lease: Lease
    seal: Seal
    retries: Retries
    console: Console
    stopping: Event


class Batches(QueryBatches):
    """Writes the micro-batches of detection."""

    def __init__(self, around: Surroundings, committed: PlannedBatch | None) -> None:
        """`committed`: the last micro-batch that earlier processes wrote and committed."""
        super().__init__(finished=committed)
        self._around = around
        self._hinted = False
        self.finished_at = time.monotonic()

    def _write(self, frame: DataFrame, batch_id: int) -> None:
        around, began = self._around, time.monotonic()
        if around.stopping.is_set():
            raise Stopped(f"micro-batch {batch_id} was left for the next start")
        call = around.retries.call
        batch = call("reading the checkpoint", lambda: planned_batch(around.files, batch_id))
        earliest = around.topic.ask(sorted(batch.end), EARLIEST)
        latest = around.topic.ask(sorted(batch.end), LATEST)
        outcomes = unpack_outcomes(frame.toArrow())  # the one time Spark runs this micro-batch

        def existing(partition: int, start: int, end: int) -> Existing:
            found = call("counting records", lambda: around.topic.existing(partition, start, end))
            return replace(found, earliest_before=_answer(earliest).get(partition))

        accounts = settle(batch, outcomes.reports, existing, around.accept_loss)

        self._seal_and_write_parquet(batch, outcomes)
        acknowledged = self._send(outcomes)

        lags = _lags(batch, latest)
        generation = generation_at(around.generations, batch_id).number
        row = batch_row(batch, accounts, outcomes, lags, acknowledged, around.checkpoint_id, generation)
        row["duration_ms"] = _milliseconds(began)
        call("writing metrics", lambda: around.metrics.put(row, around.lease.check))
        self.finished, self.finished_at = batch, time.monotonic()
        self._show(batch, accounts, outcomes, row, _milliseconds(began))

    def _seal_and_write_parquet(self, batch: PlannedBatch, outcomes: Outcomes) -> None:
        """Both under one look at the lease, which is a request where the checkpoint lies on S3."""
        around = self._around
        key = alerts_key(around.checkpoint_id, batch.batch_id, batch.time)
        parquet = to_parquet(outcomes.alerts()) if outcomes.packed_alerts else None

        def attempt() -> None:
            around.lease.check()
            around.seal.put(batch.batch_id)
            if parquet is not None:
                around.alerts.put(key, parquet)
            elif batch.batch_id <= around.last_planned:  # an earlier attempt may have left an object
                around.alerts.delete(key)

        around.retries.call("writing alerts", attempt)

    def _send(self, outcomes: Outcomes) -> int:
        """Send alerts and rejected records; when all were acknowledged (epoch milliseconds)."""
        around, kafka = self._around, self._around.settings.kafka
        if not outcomes.packed_alerts and not outcomes.packed_rejects:
            return 0
        alerts = (
            Outgoing(kafka.alerts_topic, key.encode(), value)
            for piece in outcomes.alerts()
            for key, value in alerts_as_json(piece)
        )
        around.kafka.send(alerts, around.lease.check)
        acknowledged = time.time_ns() // 1_000_000
        read_again = resuming(around.topic.read, around.retries)
        rejects = rejected_records(
            outcomes.rejects(), kafka.transactions_topic, kafka.rejected_topic, read_again
        )
        around.kafka.send(rejects, around.lease.check)
        return acknowledged

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


def _lags(batch: PlannedBatch, latest: Callable[[], Offsets]) -> dict[int, int | None]:
    """Partition -> records not read yet; None when Kafka did not answer, which no payment waits for."""
    ends = _answer(latest)
    return {
        partition: max(0, ends[partition] - end) if partition in ends else None
        for partition, end in batch.end.items()
    }


def _answer(asked: Callable[[], Offsets]) -> Offsets:
    """What Kafka answered; nothing when it did not."""
    try:
        return asked()
    except KafkaException:
        return {}


def _milliseconds(since: float) -> int:
    return round((time.monotonic() - since) * 1000)
