"""Gathers what a run left behind, for the summary: the topics' records and the bucket's Parquet files."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from fraud.archive import FOLDER as ARCHIVE
from fraud.generations import Generation
from fraud.settings import KafkaSettings, ObjectStoreSettings, Settings
from local.native.process import Ending
from scripts.oracle import Pair
from scripts.oracle_records import Sent, read_log

_PATIENCE = 30  # seconds without a record before a topic counts as unreadable


class UnreadableError(Exception):
    """What a run left behind could not be read or copied; one line says what and why."""


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Raise what Kafka, the object store and files raise within as UnreadableError: '`what`: ...'."""
    try:
        yield
    except KafkaException as error:
        raise UnreadableError(f"{what}: {error.args[0].str()}") from error
    except (BotoCoreError, ClientError, Boto3Error, OSError) as error:
        raise UnreadableError(f"{what}: {error}") from error


@dataclass(frozen=True)
class Remains:
    """Where a run left what cannot be asked of Kafka and the object store."""

    logs: list[Path]  # the producers' logs of the state
    producer: Path  # the summary that this run's producer writes at its end; there may be none
    generations: Path  # the checkpoint's folder of that name
    endings: list[Ending]  # of this run's job and producer


@dataclass(frozen=True)
class SentAlert:
    """An alert as `fraud-alerts` holds it; times in epoch milliseconds."""

    alert_id: str
    rule_id: str
    ingested_at: int
    appended_at: int  # when the broker took it


@dataclass(frozen=True)
class Findings:
    """All that a state holds, once its job has caught up."""

    records: list[Sent]  # the topic `transactions`
    logged: list[Sent]  # the producers' logs
    producer: dict[str, Any] | None  # what this run's producer wrote at its end
    endings: list[Ending]  # of this run's job and producer, where there was one
    generations: list[Generation]
    metrics: pa.Table | None
    alerts: pa.Table | None  # Parquet
    archive: pa.Table | None  # Parquet
    sent_alerts: list[SentAlert]  # the topic `fraud-alerts`, repeats and all
    rejections: dict[tuple[int, int], str]  # (partition, offset) -> reason, in `transactions-rejected`


def gather(settings: Settings, remains: Remains) -> Findings:
    """Read it all. Raises UnreadableError."""
    with explained("what the run left behind cannot be read"):
        return _gather(settings, remains)


def _gather(settings: Settings, remains: Remains) -> Findings:
    kafka = settings.kafka
    with tempfile.TemporaryDirectory() as folder:
        alerts, metrics, archive = (
            _objects(settings.object_store, name, Path(folder)) for name in ("alerts/", "metrics/", ARCHIVE)
        )
    texts = [path.read_text("utf-8") for path in remains.generations.glob("*.json")]
    return Findings(
        records=[record.sent for record in read_topic(kafka, kafka.transactions_topic)],
        logged=list(read_log(remains.logs)),
        producer=json.loads(remains.producer.read_text("utf-8")) if remains.producer.exists() else None,
        endings=remains.endings,
        generations=sorted(map(Generation.model_validate_json, texts), key=lambda each: each.number),
        metrics=metrics,
        alerts=alerts,
        archive=archive,
        sent_alerts=list(alerts_of(kafka, kafka.alerts_topic)),
        rejections=rejections_of(kafka, kafka.rejected_topic),
    )


def _objects(store: ObjectStoreSettings, folder: str, target: Path) -> pa.Table | None:
    download(store, folder, target)
    return read_parquet(target / folder)


class Record(NamedTuple):
    """A Kafka record; its time in epoch milliseconds."""

    sent: Sent
    raw_headers: list[tuple[str, bytes | None]]

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a record of our own, which are text; anybody's may be any bytes, or none."""
        return {name: (value or b"").decode() for name, value in self.raw_headers}


def read_topic(kafka: KafkaSettings, topic: str) -> Iterator[Record]:
    """Every record that lies in a topic now, partition by partition interleaved.

    Raises KafkaException or TimeoutError when the topic cannot be read.
    """
    consumer = Consumer(
        kafka.librdkafka()
        | {"group.id": "fraud-summary", "enable.auto.commit": "false", "enable.partition.eof": "true"}
    )
    try:
        metadata = consumer.list_topics(topic, timeout=_PATIENCE).topics[topic]
        waiting = set(metadata.partitions)
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in waiting])
        silent_since = time.monotonic()
        while waiting:
            messages = consumer.consume(10_000, timeout=0.2)  # waits this long unless it gets so many
            if messages:
                silent_since = time.monotonic()
            elif time.monotonic() - silent_since > _PATIENCE:
                raise TimeoutError(f"topic {topic}: no record and no end within {_PATIENCE} s")
            for message in messages:
                error = message.error()
                if error is None:
                    yield _record(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard(message.partition())
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()


def alerts_of(kafka: KafkaSettings, topic: str) -> Iterator[SentAlert]:
    """The alerts of a topic, repeats and all."""
    for record in read_topic(kafka, topic):
        alert = orjson.loads(record.sent.value or b"")
        yield SentAlert(alert["alert_id"], alert["rule_id"], alert["ingested_at"], record.sent.timestamp)


def rejections_of(kafka: KafkaSettings, topic: str) -> dict[tuple[int, int], str]:
    """The reason of each rejected record, by (partition, offset) of where it came from."""
    all_headers = (record.headers for record in read_topic(kafka, topic))
    return {
        (int(headers["source_partition"]), int(headers["source_offset"])): headers["reason"]
        for headers in all_headers
    }


def download(store: ObjectStoreSettings, folder: str, target: Path) -> int:
    """Copy every object below `folder` ('alerts/') into `target`, keys as paths; how many there were."""
    client = boto3.client("s3", **store.boto3())
    prefix = store.prefix + folder
    count = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            path = target / folder / item["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(store.bucket, item["Key"], str(path))
            count += 1
    return count


def read_parquet(folder: Path) -> pa.Table | None:
    """All Parquet files below a folder as one table; None when there is none."""
    paths = sorted(folder.rglob("*.parquet"))
    tables = [pq.read_table(path, partitioning=None) for path in paths]
    return pa.concat_tables(tables, promote_options="default") if tables else None  # later ones add columns


def pairs_of(alerts: pa.Table) -> list[Pair]:
    """The pairs of a table of alerts (schema fraud.alert.ALERTS), repeats and all."""
    times = alerts["transaction_timestamp"].cast(pa.int64())
    columns = (alerts["rule_id"], alerts["user_id"], alerts["transaction_id"], times)
    return [Pair(*row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]


def _record(message: Message) -> Record:
    headers: Any = message.headers() or []
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise KafkaException(KafkaError(KafkaError._BAD_MSG, "a record without a position"))
    sent = Sent(partition, offset, message.timestamp()[1], message.key(), message.value())
    return Record(sent, headers)
