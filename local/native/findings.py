"""Gathers what a run left behind, for the summary: the topics' records and the bucket's Parquet files."""

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from fraud.generations import Generation
from fraud.settings import KafkaSettings, ObjectStoreSettings, Settings
from scripts.oracle_records import Sent, read_log

_PATIENCE = 30  # seconds without a record before a topic counts as unreadable


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
    generations: list[Generation]
    metrics: pa.Table | None
    alerts: pa.Table | None  # Parquet
    sent_alerts: list[SentAlert]  # the topic `fraud-alerts`, repeats and all
    rejections: dict[tuple[int, int], str]  # (partition, offset) -> reason, in `transactions-rejected`


def gather(
    settings: Settings, logs: list[Path], producer_summary: Path | None, generations: Path
) -> Findings:
    """Read it all. `generations` is the checkpoint's folder of that name.

    Raises KafkaException, TimeoutError, botocore's errors, OSError.
    """
    kafka = settings.kafka
    with tempfile.TemporaryDirectory() as folder:
        for name in ("alerts/", "metrics/"):
            download(settings.object_store, name, Path(folder))
        alerts = read_parquet(Path(folder, "alerts"))
        metrics = read_parquet(Path(folder, "metrics"))
    texts = [path.read_text("utf-8") for path in generations.glob("*.json")]
    return Findings(
        records=[record.sent for record in read_topic(kafka, kafka.transactions_topic)],
        logged=list(read_log(logs)),
        producer=None if producer_summary is None else json.loads(producer_summary.read_text("utf-8")),
        generations=sorted(map(Generation.model_validate_json, texts), key=lambda each: each.number),
        metrics=metrics,
        alerts=alerts,
        sent_alerts=list(alerts_of(kafka, kafka.alerts_topic)),
        rejections=rejections_of(kafka, kafka.rejected_topic),
    )


class Record(NamedTuple):
    """A Kafka record; its time in epoch milliseconds."""

    sent: Sent
    headers: dict[str, str]


def read_topic(kafka: KafkaSettings, topic: str) -> Iterator[Record]:
    """Every record that lies in a topic now, partition by partition interleaved.

    Raises KafkaException when the topic cannot be read.
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
    return {
        (int(headers["source_partition"]), int(headers["source_offset"])): headers["reason"]
        for _, headers in read_topic(kafka, topic)
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


def _record(message: Message) -> Record:
    headers: Any = message.headers() or []  # pairs of name and bytes
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise KafkaException(message.error())
    sent = Sent(partition, offset, message.timestamp()[1], message.key(), message.value())
    return Record(sent, {name: value.decode() for name, value in headers})
