"""Records to Kafka: each one acknowledged or sent again, whatever fails: delivery, source or lease."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Any
from unittest.mock import MagicMock

import pyarrow as pa
import pytest
from confluent_kafka import KafkaError, KafkaException

from fraud.settings import KafkaSettings
from jobs.detect import kafka_sink
from jobs.detect.errors import JobError
from jobs.detect.kafka_sink import KafkaSink, Outgoing
from jobs.detect.outcomes import REJECTS
from jobs.detect.rejected_records import rejected_records, resuming
from jobs.detect.retry import Retries
from jobs.kafka_source import kafka_stream

TIMED_OUT = KafkaError(KafkaError._MSG_TIMED_OUT)
Delivery = Callable[[KafkaError | None, None], None]


class Brokers:
    """What was acknowledged, and the errors that the next deliveries meet."""

    def __init__(self) -> None:
        self.acknowledged: list[bytes] = []
        self.errors: dict[int, KafkaError] = {}  # n-th record produced -> its end
        self.produced = 0
        self.producers = 0


class Producer:
    """A producer of confluent-kafka: deliveries are reported by poll and flush."""

    def __init__(self, brokers: Brokers) -> None:
        self.brokers = brokers
        self.queue: list[tuple[bytes, Delivery]] = []
        self.dead = False
        brokers.producers += 1

    def produce(self, _: str, *, key: bytes, on_delivery: Delivery, **__: object) -> None:
        if self.dead:
            raise KafkaException(KafkaError(KafkaError._FATAL, "fatal", fatal=True))
        if len(self.queue) >= 3:
            raise BufferError
        self.queue.append((key, on_delivery))

    def flush(self) -> None:
        waiting, self.queue = self.queue, []
        for key, on_delivery in waiting:
            error = self.brokers.errors.get(self.brokers.produced)
            self.brokers.produced += 1
            if error is None:
                self.brokers.acknowledged.append(key)
            else:
                self.dead = self.dead or error.code() == KafkaError._FATAL
                on_delivery(error, None)

    def poll(self, _: float) -> None:
        self.flush()


class Instant(Event):
    """An event that nobody waits for, with the time that would have gone by."""

    now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0
        return False


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> Brokers:
    made = Brokers()
    monkeypatch.setattr(kafka_sink, "Producer", lambda _: Producer(made))
    return made


def patience() -> Retries:
    time = Instant()
    return Retries(60_000, time, lambda _: None, lambda: time.now)


def allowed() -> None:
    """The lease is ours."""


def outgoing(count: int) -> Iterator[Outgoing]:
    return (Outgoing("fraud-alerts", str(number).encode(), b"v") for number in range(count))


KEYS = [str(number).encode() for number in range(10)]


def test_every_record_is_acknowledged_once_when_nothing_fails(brokers: Brokers) -> None:
    KafkaSink(KafkaSettings(), patience()).send(outgoing(10), allowed)
    assert brokers.acknowledged == KEYS


def test_what_was_not_acknowledged_is_sent_again_and_so_is_the_rest(brokers: Brokers) -> None:
    brokers.errors = dict.fromkeys([1, 2, 5, 9, 12], TIMED_OUT)
    KafkaSink(KafkaSettings(), patience()).send(outgoing(10), allowed)
    assert sorted(brokers.acknowledged) == KEYS


def test_failed_records_do_not_pile_up_while_kafka_is_away(brokers: Brokers) -> None:
    brokers.errors = dict.fromkeys(range(100_000), TIMED_OUT)
    source = outgoing(1_000)
    with pytest.raises(JobError) as ended:
        KafkaSink(KafkaSettings(), patience()).send(source, allowed)
    assert ended.value.exit_code == 75
    assert len(list(source)) > 990


def test_after_a_fatal_error_a_new_producer_sends_what_is_left(brokers: Brokers) -> None:
    brokers.errors = {4: KafkaError(KafkaError._FATAL, "fatal", fatal=True)}
    KafkaSink(KafkaSettings(), patience()).send(outgoing(10), allowed)
    assert sorted(brokers.acknowledged) == KEYS
    assert brokers.producers == 2


def test_what_is_not_acknowledged_is_sent_again_by_a_new_producer(brokers: Brokers) -> None:
    brokers.errors = dict.fromkeys(range(3), TIMED_OUT)
    KafkaSink(KafkaSettings(), patience()).send(outgoing(3), allowed)
    assert sorted(brokers.acknowledged) == KEYS[:3]
    assert brokers.producers == 2


def test_an_error_of_the_source_is_not_a_success(brokers: Brokers) -> None:
    def source() -> Iterator[Outgoing]:
        yield from outgoing(2)
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    with pytest.raises(KafkaException):
        KafkaSink(KafkaSettings(), patience()).send(source(), allowed)
    assert set(brokers.acknowledged) <= set(KEYS[:2])


def test_a_refusal_is_not_tried_again(brokers: Brokers) -> None:
    brokers.errors = {0: KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)}
    with pytest.raises(KafkaException):
        KafkaSink(KafkaSettings(), patience()).send(outgoing(1), allowed)
    assert brokers.produced == 1


def test_without_the_lease_nothing_is_sent(brokers: Brokers) -> None:
    def refused() -> None:
        raise JobError("another job took over")

    with pytest.raises(JobError):
        KafkaSink(KafkaSettings(), patience()).send(outgoing(10), refused)
    assert brokers.produced == 0


def test_a_lease_lost_in_between_ends_sending_again(brokers: Brokers) -> None:
    brokers.errors = dict.fromkeys(range(100), TIMED_OUT)
    asked = iter([None, None, JobError("another job took over")])

    def check() -> None:
        error = next(asked)
        if error:
            raise error

    with pytest.raises(JobError, match="another job"):
        KafkaSink(KafkaSettings(), patience()).send(outgoing(2), check)
    assert brokers.produced == 4  # once, and once again
    assert brokers.acknowledged == []


@dataclass
class Record:
    """A record of the source topic."""

    at: int

    def offset(self) -> int:
        return self.at

    def value(self) -> bytes:
        return b"x"


def test_rejected_records_survive_a_source_topic_that_is_away_in_between(brokers: Brokers) -> None:
    ranges: list[tuple[int, int]] = []

    def read(_: int, start: int, end: int) -> Iterator[Record]:
        ranges.append((start, end))
        for offset in range(start, end):
            if offset in (0, 2, 3) and ranges.count((start, end)) == 1 + (offset == 2):
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "no record in 10 s"))
            yield Record(offset)

    rows = [
        {
            "partition": 0,
            "offset": n,
            "reason": "not_json",
            "detail": "",
            "original_size": 1,
            "carried": False,
        }
        for n in range(10)
    ]
    again = resuming(read, patience())
    records = rejected_records([pa.Table.from_pylist(rows, REJECTS)], "transactions", "rejected", again)
    KafkaSink(KafkaSettings(), patience()).send(records, allowed)
    assert brokers.acknowledged == [f"transactions/0/{n}".encode() for n in range(10)]
    assert ranges[0] == (0, 10)
    assert [start for start, _ in ranges] == sorted(start for start, _ in ranges)
    assert len(ranges) > 2


def test_spark_s_clients_wait_ten_seconds_for_a_broker_that_may_have_died_and_no_longer() -> None:
    spark: Any = MagicMock()
    kafka_stream(
        spark,
        KafkaSettings(),
        group="group",
        starting_offsets="earliest",
        records_in_a_batch=1,
        accept_loss=False,
    )
    (call,) = spark.readStream.format.return_value.options.call_args_list
    assert call.kwargs["kafka.request.timeout.ms"] == "10000"
