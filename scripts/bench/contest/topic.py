"""Topics of the contest: made, filled, and followed."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Self

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it re-exports unsaid

from fraud.settings import KafkaSettings

_CREATE = 30
_FLUSH = 60
_POLL_EVERY = 5_000
_TELL = 5.0


def _options(kafka: KafkaSettings) -> dict[str, str | int | float | bool]:
    return {**kafka.librdkafka(), "log_level": 3}  # errors only: a broker that has just started makes it warn


def make_topic(kafka: KafkaSettings, name: str, partitions: int) -> None:
    """A topic whose records have the time at which the broker took them. Raises KafkaException."""
    new = NewTopic(name, partitions, 1, config={"message.timestamp.type": "LogAppendTime"})
    admin = AdminClient(_options(kafka))  # kept until the answer is there
    admin.create_topics([new])[name].result(_CREATE)


def drop_topic(kafka: KafkaSettings, name: str) -> None:
    """Delete a topic with all that it holds. Raises KafkaException."""
    admin = AdminClient(_options(kafka))
    admin.delete_topics([name])[name].result(_CREATE)


class Sender:
    """Sends records, to the partition that Java's clients would choose. A context: all is sent on leaving."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._topic, self._sent, self._failed = topic, 0, 0
        self._producer = Producer(
            _options(kafka)
            | {
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": "lz4",
                "queue.buffering.max.messages": 500_000,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        left = self._producer.flush(_FLUSH)
        if left or self._failed:
            raise TimeoutError(f"topic {self._topic}: {left + self._failed} records were not taken")

    def send(self, key: bytes, value: bytes, partition: int = -1) -> None:
        """Hand a record over; waits while too many are on their way."""
        while True:
            try:
                self._producer.produce(self._topic, value, key, partition, on_delivery=self._told)
                break
            except BufferError:
                self._producer.poll(0.05)
        self._sent += 1
        if self._sent % _POLL_EVERY == 0:
            self._producer.poll(0)

    def poll(self) -> None:
        """Look after what is on its way; for who sends slowly."""
        self._producer.poll(0)

    def _told(self, error: object, _: object) -> None:
        self._failed += error is not None


def send_all(
    sender: Sender, records: Iterable[tuple[bytes, bytes]], total: int, say: Callable[[str], None]
) -> None:
    """Send all of `records`; a line every 5 seconds."""
    told = time.monotonic()
    for number, (key, value) in enumerate(records):
        sender.send(key, value)
        if number % _POLL_EVERY == 0 and time.monotonic() - told > _TELL:
            say(f"  sent {number:,} of {total:,}")
            told = time.monotonic()


class Answer(NamedTuple):
    """An alert as a contestant wrote it, and when the broker took it (epoch milliseconds)."""

    rule_id: str
    transaction_id: str
    appended_at: int


class Follower:
    """Reads a topic of alerts while it grows. A context."""

    def __init__(self, kafka: KafkaSettings, topic: str, partitions: int) -> None:
        self.answers: list[Answer] = []
        self.pairs: set[tuple[str, str]] = set()
        self._quiet_since = time.monotonic()
        options = {"group.id": f"{topic}-follower", "enable.auto.commit": False}
        self._consumer = Consumer(_options(kafka) | options)
        self._consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in range(partitions)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def look(self) -> float:
        """Read what is new; how many seconds nothing was. Raises KafkaException."""
        new = list(self._new())
        if new:
            self._quiet_since = time.monotonic()
        self.answers += new
        self.pairs.update((answer.rule_id, answer.transaction_id) for answer in new)
        return time.monotonic() - self._quiet_since

    def _new(self) -> Iterator[Answer]:
        for message in self._consumer.consume(100_000, timeout=0.01):
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            alert = orjson.loads(message.value() or b"")
            yield Answer(alert["rule_id"], alert["transaction_id"], message.timestamp()[1])
