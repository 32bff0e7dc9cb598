"""Alerts and rejected records to Kafka: idempotent, flushed, sent again until each one is acknowledged."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from fraud.settings import KafkaSettings
from jobs.detect.retry import Retries

DELIVERY_TIMEOUT_MS = 20_000
"""After so long without an acknowledgement a record counts as failed, and is sent again."""


@dataclass(frozen=True)
class Outgoing:
    """One record to send."""

    topic: str
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class KafkaSink:
    """A producer that gives up only when the outage has lasted too long."""

    def __init__(self, settings: KafkaSettings, retries: Retries) -> None:
        self._options: dict[str, str | int | float | bool] = {
            **settings.librdkafka(),
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 2,
            "compression.type": "lz4",
            "message.max.bytes": 2 * 1024 * 1024,
            "message.timeout.ms": DELIVERY_TIMEOUT_MS,
            "queue.buffering.max.messages": 100_000,
            "queue.buffering.max.kbytes": 64 * 1024,
            "delivery.report.only.error": True,
            "partitioner": "murmur2_random",
            "log_level": 0,
        }
        self._retries = retries
        self._producer = Producer(self._options)
        self._failed: list[Outgoing] = []
        self._cause = KafkaError(KafkaError.NO_ERROR)  # of the newest failure

    def send(self, records: Iterable[Outgoing], still_allowed: Callable[[], None]) -> None:
        """Send `records` (any number; they are not held) and wait until every one is acknowledged.

        `still_allowed` is asked first, and before anything is sent again. Raises what it raises and what
        `records` raises, and JobError (exit code 75) when Kafka is away for as long as an outage may last.
        """
        self._failed.clear()
        self._retries.call("reading the lease", still_allowed)
        for record in records:
            self._produce(record)
            if self._failed:  # before more of them pile up
                self._deliver(still_allowed)
        self._deliver(still_allowed)

    def _deliver(self, still_allowed: Callable[[], None]) -> None:
        def attempt() -> None:
            if self._failed:
                still_allowed()
                again, self._failed = self._failed, []
                for record in again:
                    self._produce(record)
            self._producer.flush()  # ends: each record is acknowledged or has timed out
            if self._failed:
                # After a fatal error it never sends again. And when the only broker stops, some clients
                # of librdkafka never find one again (its issue 5301).
                self._producer = Producer(self._options)
                raise KafkaException(self._cause)

        self._retries.call("sending to Kafka", attempt)

    def _produce(self, record: Outgoing) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                    on_delivery=partial(self._note_failure, record),
                )
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                self._note_failure(record, error.args[0])
                return
            else:
                return

    def _note_failure(self, record: Outgoing, error: KafkaError | None, _: Message | None = None) -> None:
        if error is not None:
            self._failed.append(record)
            self._cause = error
