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


class Adversary(Thread):
    """Sends until it is stopped, or has sent MOST. An unreachable broker makes it wait, and lose nothing."""

    def __init__(self, lane: Lane, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self.failures: list[str] = []
        self._stopping = Event()
        self._records = records(MOST, seed, now=time.time_ns() // 1_000_000)
        kafka = lane.settings.kafka
        self._topic = kafka.transactions_topic
        options = {
            "enable.idempotence": True,
            "linger.ms": 5,
            "message.max.bytes": 10_000_000,
            "socket.timeout.ms": 10_000,  # a connection that a fault has left hanging is given up soon
            "log_level": 0,
        }
        self._producer = Producer(kafka.librdkafka() | options)

    def run(self) -> None:
        """The thread's own."""
        begun, sent = time.monotonic(), 0
        while not self._stopping.wait(_TICK):
            due = int((time.monotonic() - begun) * RATE)
            for _ in range(due - sent):
                record = next(self._records, None)
                if record is None:
                    return
                self._send(*record)
            sent = due
            self._producer.poll(0)

    def cancel(self) -> None:
        """Send no more, whatever became of what was sent."""
        self._stopping.set()
        self.join()

    def finish(self, seconds: float) -> None:
        """Send no more; return when the broker has all that was sent. Fails when it has not in time."""
        self.cancel()
        left = self._producer.flush(seconds)
        assert left == 0, f"{left} records of the load were not acknowledged in {seconds} s"
        assert self.failures == []

    def _send(self, partition: int, key: bytes | None, value: bytes | None) -> None:
        while not self._stopping.is_set():
            try:
                self._producer.produce(self._topic, value, key, partition=partition, on_delivery=self._note)
            except BufferError:  # 100,000 records wait already
                self._producer.poll(_TICK)
            else:
                return

    def _note(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self.failures.append(error.str())
