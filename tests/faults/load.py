"""Payments that keep coming while a drill runs: out of order, repeated, contradicted, broken, late."""

import time
from threading import Event, Thread

from confluent_kafka import KafkaError, Message, Producer

from tests.integration.adversary import records
from tests.integration.lane import Lane

RATE = 1_000
"""Records a second, about: the adversary adds repeats and broken ones."""

MOST = 600_000
"""Records after which it ends by itself."""

_TICK = 0.2

_UNDELIVERED = {KafkaError._MSG_TIMED_OUT, KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}

Record = tuple[int, bytes | None, bytes | None]
"""Partition, key, value."""


class Adversary(Thread):
    """Sends until it is stopped, or has sent MOST. An unreachable broker makes it wait, and lose nothing.

    When the only broker stops, some clients of librdkafka never find one again (its issue 5301): what was not
    delivered in time is sent once more, by a new one.
    """

    def __init__(self, lane: Lane, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self.failures: list[str] = []
        self._stopping = Event()
        self._records = records(MOST, seed, now=time.time_ns() // 1_000_000)
        kafka = lane.settings.kafka
        self._topic = kafka.transactions_topic
        self._options: dict[str, str | int | float | bool] = {
            **kafka.librdkafka(),
            "enable.idempotence": True,
            "linger.ms": 5,
            "message.max.bytes": 10_000_000,
            "message.timeout.ms": 30_000,
            "socket.timeout.ms": 10_000,  # a connection that a fault has left hanging is given up soon
            "log_level": 0,
        }
        self._producer = Producer(self._options)
        self._undelivered: list[Record] = []

    def run(self) -> None:
        """The thread's own."""
        begun, sent = time.monotonic(), 0
        while not self._stopping.wait(_TICK):
            due = int((time.monotonic() - begun) * RATE)
            for _ in range(due - sent):
                record = next(self._records, None)
                if record is None:
                    return
                self._send(record)
            sent = due
            self._look_after(0)

    def cancel(self) -> None:
        """Send no more, whatever became of what was sent."""
        self._stopping.set()
        self.join()

    def finish(self, seconds: float) -> None:
        """Send no more; return when the broker has all that was sent. Fails when it has not in time."""
        self.cancel()
        deadline = time.monotonic() + seconds
        while len(self._producer) and time.monotonic() < deadline:
            self._look_after(_TICK)
        left = len(self._producer)
        assert left == 0, f"{left} records of the load were not acknowledged in {seconds} s"
        assert self.failures == []

    def _send(self, record: Record) -> None:
        partition, key, value = record
        while True:
            try:
                self._producer.produce(self._topic, value, key, partition=partition, on_delivery=self._note)
            except BufferError:  # 100,000 records wait already
                if self._stopping.is_set():
                    return
                self._look_after(_TICK)
            else:
                return

    def _look_after(self, wait: float) -> None:
        """Take what became of records, for `wait` seconds or less."""
        self._producer.poll(wait)
        if self._undelivered:
            self._producer.purge()
            self._producer.flush()
            again, self._undelivered = self._undelivered, []
            self._producer = Producer(self._options)
            for record in again:
                self._send(record)

    def _note(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        if error.code() in _UNDELIVERED:
            self._undelivered.append((message.partition() or 0, message.key(), message.value()))
        else:
            self.failures.append(error.str())
