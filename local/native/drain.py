"""Waits until the job has processed all that lies in the topic, by what it says of its progress itself."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing

from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import Consumer, KafkaException, TopicPartition

from fraud.settings import CONSUMER_GROUP, KafkaSettings
from local.native.archived import archived_offsets
from local.native.stack import Stack
from local.native.supervisor import GaveUpError

PATIENCE = 180
"""Seconds without any progress after which the job counts as stuck."""

_ASK, _TELL = 0.5, 5.0
_TIMEOUT = 5


def wait_for_the_job(stack: Stack, say: Callable[[str], None], name: str = "job") -> None:
    """Return when nothing is left, of the archive neither if it is on; a line every 5 seconds meanwhile.

    `name` is the job's. Raises GaveUpError when nothing has moved for PATIENCE, or when a process ends for
    good.
    """
    settings = stack.settings
    _wait(stack, name, Backlog(settings.kafka), f"waiting for the {name}", say)
    if settings.detection.archive:
        reached = archived_offsets(settings.object_store, settings.kafka.transactions_topic)
        _wait(stack, name, Backlog(settings.kafka, reached), "waiting for the archive", say)


def _wait(stack: Stack, name: str, backlog: "Backlog", what: str, say: Callable[[str], None]) -> None:
    with closing(backlog):
        drain = _Drain(backlog, lambda left: say(f"{what}: {left:,} records to go"))
        stack.supervisor.wait(lambda: drain.is_done() or drain.is_stuck())
    if drain.is_stuck():
        left = "nobody says how many" if drain.left is None else f"{drain.left:,}"
        why = f"it is stuck ({what}): {left} records to go, and no progress for {PATIENCE} s"
        raise GaveUpError(name, why, stack.supervisor.log(name))


class Backlog:
    """How many records of `transactions` lie behind the offsets that the job has reached; close it when
    done."""

    def __init__(self, kafka: KafkaSettings, reached: Callable[[], Mapping[int, int]] | None = None) -> None:
        """`reached` gives partition -> offset; without it, what the job's consumer group has committed."""
        self._reached = reached or self._committed
        options = {"group.id": CONSUMER_GROUP, "enable.auto.commit": "false", "log_level": "0"}
        self._consumer = Consumer({**kafka.librdkafka(), **options})  # never subscribes: it only asks
        self._topic = kafka.transactions_topic

    def records(self) -> int | None:
        """How many there are; None while somebody does not answer (a young broker, or one that restarts)."""
        try:
            reached, behind = self._reached(), 0
            for partition in self._partitions():
                first, end = self._consumer.get_watermark_offsets(partition, timeout=_TIMEOUT)
                behind += max(0, end - max(first, reached.get(partition.partition, 0)))
        except (KafkaException, BotoCoreError, ClientError):
            return None
        return behind

    def _committed(self) -> dict[int, int]:
        found = self._consumer.committed(self._partitions(), timeout=_TIMEOUT)
        return {each.partition: each.offset for each in found}  # never committed is a negative offset

    def _partitions(self) -> list[TopicPartition]:
        metadata = self._consumer.list_topics(self._topic, timeout=_TIMEOUT).topics[self._topic]
        return [TopicPartition(self._topic, number) for number in metadata.partitions]

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()


class _Drain:
    """Watches a backlog go down: asks twice a second, tells now and then."""

    def __init__(self, backlog: Backlog, tell: Callable[[int], None]) -> None:
        self._backlog, self._tell = backlog, tell
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
            self._tell(left)
            self._told = now
        return left == 0

    def is_stuck(self) -> bool:
        return self.left != 0 and time.monotonic() - self._moved > PATIENCE
