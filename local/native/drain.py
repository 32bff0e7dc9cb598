"""Waits until the job has processed all that lies in the topic, by the offsets it commits for display."""

import time
from collections.abc import Callable
from contextlib import closing

from confluent_kafka import Consumer, KafkaException, TopicPartition

from fraud.settings import CONSUMER_GROUP, KafkaSettings
from local.native.stack import Stack
from local.native.supervisor import GaveUpError

PATIENCE = 180
"""Seconds without any progress after which the job counts as stuck."""

_ASK, _TELL = 0.5, 5.0
_TIMEOUT = 5


def wait_for_the_job(stack: Stack, say: Callable[[str], None]) -> None:
    """Return when nothing is left; a line every 5 seconds meanwhile.

    Raises GaveUpError when nothing has moved for PATIENCE, or when a process ends for good.
    """
    with closing(Backlog(stack.settings.kafka)) as backlog:
        drain = _Drain(backlog, say)
        stack.supervisor.wait(lambda: drain.is_done() or drain.is_stuck())
    if drain.is_stuck():
        left = "Kafka does not say how many" if drain.left is None else f"{drain.left:,}"
        why = f"it is stuck: {left} records to go, and no progress for {PATIENCE} s"
        raise GaveUpError("job", why, stack.supervisor.log("job"))


class Backlog:
    """Asks Kafka how many records of `transactions` lie behind the committed offsets; close it when done."""

    def __init__(self, kafka: KafkaSettings) -> None:
        options = {"group.id": CONSUMER_GROUP, "enable.auto.commit": "false", "log_level": "0"}
        self._consumer = Consumer({**kafka.librdkafka(), **options})  # never subscribes: it only asks
        self._topic = kafka.transactions_topic

    def records(self) -> int | None:
        """How many there are; None while Kafka does not answer (a young broker, or one that restarts)."""
        try:
            metadata = self._consumer.list_topics(self._topic, timeout=_TIMEOUT).topics[self._topic]
            partitions = [TopicPartition(self._topic, number) for number in metadata.partitions]
            behind = 0
            for committed in self._consumer.committed(partitions, timeout=_TIMEOUT):
                first, end = self._consumer.get_watermark_offsets(committed, timeout=_TIMEOUT)
                behind += end - max(first, committed.offset)  # never committed is a negative offset
        except KafkaException:
            return None
        return behind

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()


class _Drain:
    """Watches a backlog go down: asks twice a second, tells now and then."""

    def __init__(self, backlog: Backlog, say: Callable[[str], None]) -> None:
        self._backlog, self._say = backlog, say
        self.left: int | None = None
        self._moved = self._told = time.monotonic()
        self._asked = 0.0

    def is_done(self) -> bool:
        now = time.monotonic()
        if now - self._asked < _ASK:
            return self.left == 0
        self._asked = now
        left = self._backlog.records()
        if left is None:  # the supervisor sees to the broker, and is_stuck to the end
            return False
        if self.left is None or left < self.left:
            self._moved = now
        self.left = left
        if left and now - self._told >= _TELL:
            self._say(f"waiting for the job: {left:,} records to go")
            self._told = now
        return left == 0

    def is_stuck(self) -> bool:
        return self.left != 0 and time.monotonic() - self._moved > PATIENCE
