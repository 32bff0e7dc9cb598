"""The source topic, asked directly: its identity, its offsets, and single records read again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own __init__ does not say so
    AdminClient,
    OffsetSpec,
)

from fraud.settings import KafkaSettings
from jobs.detect.accounting import Existing
from jobs.detect.errors import TopicMissing
from jobs.detect.offsets import Offsets
from jobs.outages import refused

EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # confluent-kafka
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # confluent-kafka

TIMEOUT = 10.0
"""Seconds for one answer."""

MOST_RECORDS = 400_000
"""A few seconds' work on two cores. Each micro-batch reads and writes nearly all of the memory, so fewer are
cheaper: half as many take a quarter less CPU a record."""

MOST_BYTES = 256 * 1024 * 1024
_TYPICAL_RECORD = 512
_SAMPLE = 200


class Topic:
    """The source topic. Every method raises KafkaException when the brokers do not answer.

    The next call has a new client then: when the only broker stops, some clients of librdkafka never find one
    again (its issue 5301).
    """

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        self.name = settings.transactions_topic
        self._options: dict[str, str | int | float | bool] = {**settings.librdkafka(), "log_level": 0}
        self._group = group
        self._noting: dict[str, Any] = self._options | {"error_cb": self._note}
        self._admin = AdminClient(self._noting)
        self._refusal: KafkaError | None = None
        # one for all commits: a new one each second would connect anew each second
        self._committer: Consumer | None = None

    def identity(self) -> tuple[str, str]:
        """(cluster id, topic id). Raises TopicMissing."""
        with self._client() as admin:
            try:
                cluster = admin.describe_cluster(request_timeout=TIMEOUT).result()
            except KafkaException as error:  # says "timed out" of a wrong password too
                admin.poll(0)
                raise KafkaException(self._refusal or error.args[0]) from error
        topics = TopicCollection([self.name])
        try:
            with self._client() as admin:
                topic = admin.describe_topics(topics, request_timeout=TIMEOUT)[self.name].result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicMissing(
                    f"topic {self.name!r} does not exist; `python -m jobs.init` makes it"
                ) from error
            raise
        return cluster.cluster_id, str(topic.topic_id)

    @contextmanager
    def _client(self, asked: AdminClient | None = None) -> Iterator[AdminClient]:
        """The client, or that which was `asked`; another one takes its place when it gets no answer."""
        admin = asked or self._admin
        try:
            yield admin
        except KafkaException:
            if self._admin is admin:  # no other thread has seen to it
                self._admin = AdminClient(self._noting)
            raise

    def _note(self, error: KafkaError) -> None:
        if refused(error):
            self._refusal = error

    def partitions(self) -> list[int]:
        """The partitions it has now."""
        with self._client() as admin:
            return sorted(admin.list_topics(self.name, timeout=TIMEOUT).topics[self.name].partitions)

    def earliest(self) -> Offsets:
        """The first offset of each partition."""
        return self.ask(self.partitions(), EARLIEST)()

    def latest(self) -> Offsets:
        """One past the last offset of each partition."""
        return self.ask(self.partitions(), LATEST)()

    def since(self, time: int) -> Offsets:
        """The first offset of each partition whose record came to Kafka at `time` (epoch milliseconds) or
        later; the partition's end where there is none."""
        partitions = self.partitions()
        ends = self.ask(partitions, LATEST)()  # first: what comes meanwhile is not left out
        found = self.ask(partitions, OffsetSpec.for_timestamp(time))()
        return {number: offset if offset >= 0 else ends[number] for number, offset in found.items()}

    def ask(self, partitions: list[int], which: OffsetSpec) -> Callable[[], Offsets]:
        """Ask for offsets now; the function given back waits for the answer."""
        asked = self._admin
        futures = asked.list_offsets(
            {TopicPartition(self.name, partition): which for partition in partitions},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=TIMEOUT,
        )

        def answer() -> Offsets:
            with self._client(asked):
                return {each.partition: future.result().offset for each, future in futures.items()}

        return answer

    def committed(self) -> Offsets:
        """What the consumer group has committed, for partitions where it has."""
        with _Reading(self._options, self._group) as consumer:
            asked = [TopicPartition(self.name, partition) for partition in self.partitions()]
            found = consumer.committed(asked, timeout=TIMEOUT)
            return {each.partition: each.offset for each in found if each.offset >= 0}

    def commit(self, offsets: Offsets) -> None:
        """Commit `offsets` to the consumer group, for display."""
        ends = [TopicPartition(self.name, number, offset) for number, offset in offsets.items()]
        committer = self._committer or _Reading(self._options, self._group).consumer
        self._committer = None  # until it has done its work
        committer.commit(offsets=ends, asynchronous=False)
        self._committer = committer

    def read(self, partition: int, start: int, end: int) -> Iterator[Message]:
        """The records of a partition from `start` to `end` (exclusive), those that exist."""
        if start >= end:
            return
        with _Reading(self._options, self._group) as consumer:
            consumer.assign([TopicPartition(self.name, partition, start)])
            while True:
                message = consumer.poll(TIMEOUT)  # `consume` would wait for a full list
                if message is None:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no record in {TIMEOUT:.0f} s"))
                error, offset = message.error(), message.offset() or 0
                if error and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                if offset >= end:  # of a record, or of the partition's end
                    return
                if error is None:
                    yield message
                    if offset == end - 1:
                        return

    def existing(self, partition: int, start: int, end: int) -> Existing:
        """What the partition holds from `start` to `end` (exclusive)."""
        earliest = self.ask([partition], EARLIEST)()[partition]
        records = sum(1 for _ in self.read(partition, max(start, earliest), end))
        return Existing(earliest, records)

    def records_in_a_batch(self, begin: Offsets) -> int:
        """How many records keep a micro-batch under MOST_RECORDS and about MOST_BYTES, by a sample
        of each partition from `begin` on, or of its last records. The job asks once, when it starts."""
        earliest, latest = self.earliest(), self.latest()
        count, size = 0, 0
        for partition, end in latest.items():
            start = max(earliest[partition], min(begin.get(partition, 0), end - _SAMPLE))
            for message in self.read(partition, start, min(end, start + _SAMPLE)):
                count += 1
                size += len(message.key() or b"") + len(message.value() or b"")
        return batch_limit(size / count if count else _TYPICAL_RECORD)


def batch_limit(mean_record_bytes: float) -> int:
    """Records a micro-batch at most, for records of this size."""
    return max(1_000, min(MOST_RECORDS, int(MOST_BYTES / max(1.0, mean_record_bytes))))


class _Reading:
    """A consumer that only reads what it is told to; closed at the end."""

    def __init__(self, options: dict[str, str | int | float | bool], group: str) -> None:
        self.consumer = Consumer(
            options
            | {
                "group.id": group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_uncommitted",  # as Spark's source reads
                "queued.max.messages.kbytes": 16 * 1024,
                "fetch.wait.max.ms": 50,
            }
        )

    def __enter__(self) -> Consumer:
        return self.consumer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.consumer.close()
