"""Hands records to Kafka and brings back what became of each: the producer's only contact with a broker."""

from functools import partial
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from fraud.settings import KafkaSettings

FLUSH_SECONDS = 30.0
"""How long records that are under way may take at the end of a run."""

_REFUSALS = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.POLICY_VIOLATION}


class Unavailable(Exception):
    """Kafka or the topic cannot be had now; somebody may start us again later."""


class Denied(Exception):
    """Kafka answers, but not to these credentials: trying again helps nobody."""


class Report(NamedTuple):
    """What became of record `number`; with an `error` it was not acknowledged."""

    number: int
    message: Message | None  # None if Kafka's client did not even take it
    error: KafkaError | None = None

    @property
    def refused(self) -> bool:
        """Kafka will never take this record; others it may."""
        return self.error is not None and self.error.code() in _REFUSALS


class Sender:
    """An idempotent producer with acks=all on one topic. It never sets a record's time.

    `bulk` trades some milliseconds of latency for throughput. A record that nobody acknowledged within
    `timeout` seconds is reported as an error.
    """

    def __init__(self, kafka: KafkaSettings, bulk: bool, timeout: float) -> None:
        self._kafka = kafka
        self._topic = kafka.transactions_topic
        self._reports: list[Report] = []
        self._trouble: KafkaError | None = None
        self._producer = Producer(
            kafka.librdkafka()
            | {
                "client.id": "fraud-producer",
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "message.timeout.ms": int(timeout * 1000),
                "reconnect.backoff.max.ms": 2_000,
                "queue.buffering.max.messages": 100_000,
                "queue.buffering.max.kbytes": 262_144,
                "log_level": 0,  # errors come by error_cb, once and in our words
                "error_cb": self._note_trouble,
            }
            | (
                {"linger.ms": 20, "batch.size": 900_000, "compression.type": "lz4"}
                if bulk
                else {"linger.ms": 2}
            )
        )

    @property
    def trouble(self) -> str | None:
        """The last thing that went wrong with the connection since the last acknowledgement."""
        return None if self._trouble is None else str(self._trouble.str())

    def __len__(self) -> int:
        """Records that are under way."""
        return len(self._producer)

    def find_topic(self, timeout: float) -> int:
        """Partitions of the topic. Raises Unavailable, or Denied, after `timeout` seconds at most."""
        try:
            topics = self._producer.list_topics(timeout=timeout).topics  # of all: naming one may create it
        except KafkaException as error:
            self._producer.poll(0)
            if self._trouble and self._trouble.code() == KafkaError._AUTHENTICATION:
                raise Denied(
                    f"Kafka at {self._kafka.bootstrap_servers} refused the login: {self._trouble.str()}. "
                    "Check FRAUD_KAFKA_SASL_USERNAME and FRAUD_KAFKA_SASL_PASSWORD"
                ) from error
            raise Unavailable(
                f"no Kafka broker answers at {self._kafka.bootstrap_servers} within {timeout:g} s "
                f"({self.trouble or error.args[0].str()}). Is it running? "
                "FRAUD_KAFKA_BOOTSTRAP_SERVERS says where"
            ) from error
        topic = topics.get(self._topic)
        if topic is None or topic.error is not None:
            raise Unavailable(
                f"Kafka at {self._kafka.bootstrap_servers} has no topic {self._topic!r}: "
                "`python -m jobs.init` creates it; FRAUD_KAFKA_TRANSACTIONS_TOPIC names another"
            )
        return len(topic.partitions)

    def send(self, number: int, key: bytes | None, value: bytes | None) -> None:
        """Start record `number` on its way; the outcome, whatever it is, comes from `reports`.

        Raises BufferError when too many are under way: call `reports` and try again.
        """
        try:
            self._producer.produce(self._topic, value, key, on_delivery=partial(self._note_delivery, number))
        except KafkaException as error:
            self._reports.append(Report(number, None, error.args[0]))

    def reports(self, wait: float = 0.0) -> list[Report]:
        """What became known, in `wait` seconds or less, about records that were under way."""
        self._producer.poll(wait)
        found, self._reports = self._reports, []
        return found

    def _note_delivery(self, number: int, error: KafkaError | None, message: Message) -> None:
        self._reports.append(Report(number, message, error))
        self._trouble = None

    def _note_trouble(self, error: KafkaError) -> None:
        if self._trouble is None or error.code() != KafkaError._ALL_BROKERS_DOWN:  # that says the least
            self._trouble = error
