"""What a release left behind, kept as a fixture, for later releases to go on from.

python -m tests.faults.recorded FOLDER records it anew, by the code that it runs with.
"""

import base64
import gzip
import hashlib
import json
import random
import shutil
import signal
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import boto3
from confluent_kafka import Producer

from fraud.settings import CONSUMER_GROUP
from jobs.detect.topic import Topic
from local.native.findings import download, read_topic
from local.native.stack import opened_stack
from tests.faults.checkpoint import CheckpointFolder
from tests.integration.lane import DEADLINE, Lane, free_ports, opened_lane

NAME = "recorded"
"""Of the lane: the topic's name is in the checkpoint."""

FIXTURE = Path(__file__).with_name("fixtures") / "checkpoint-0.1.0"
START = 1_767_225_600_000  # 2026-01-01: a record's Kafka time, which nobody can set, is always later
SIZE = 400
SMALL = {"FRAUD_MAX_OFFSETS_PER_TRIGGER": "100"}


def payments(first: bool) -> Iterator[tuple[int, bytes, bytes]]:
    """The recorded half of a stream, or the one that follows within the same windows of the same users."""
    source = random.Random(9)
    stream = []
    for number in range(SIZE):
        user = source.randrange(40)
        at = START + number * 1_500 - source.choice([0, 0, 0, 20_000, 200_000])
        payment = {
            "transaction_id": f"t-{number if source.random() < 0.97 else number - 1}",
            "user_id": f"u{user}",
            "amount": source.choice([5, 12.5, 900, 1200]) if number % 10 == 0 else 7,
            "currency": "EUR",
            "location": "Oslo" if source.random() < 0.99 else "Paris",
            "timestamp": at if source.random() < 0.99 else at - 3_600_000,
        }
        stream.append((user % 4, f"u{user}".encode(), json.dumps(payment).encode()))
        if source.random() < 0.03:  # sent again, some of them in the other half
            stream.append(stream[source.randrange(len(stream))])
    half = len(stream) // 2
    yield from stream[:half] if first else stream[half:]


def record(lane: Lane, target: Path) -> None:
    """Run the job over the first half; keep its checkpoint, the objects and the topics' records."""
    lane.produce(payments(first=True))
    job = lane.start_job(**SMALL)
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        CheckpointFolder(lane).copied(Path(folder) / "checkpoint")
        for name in ("alerts/", "metrics/"):
            download(lane.settings.object_store, name, Path(folder) / "bucket")
        with tarfile.open(target / "files.tar.gz", "w:gz") as archive:
            archive.add(folder, arcname=".")
    kafka = lane.settings.kafka
    with gzip.open(target / "topics.jsonl.gz", "wt", encoding="utf-8") as lines:
        for topic in (kafka.transactions_topic, kafka.alerts_topic, kafka.rejected_topic):
            for each in sorted(read_topic(kafka, topic), key=lambda r: (r.sent.partition, r.sent.offset)):
                entry = {
                    "topic": topic,
                    "partition": each.sent.partition,
                    "key": base64.b64encode(each.sent.key or b"").decode(),
                    "value": base64.b64encode(each.sent.value or b"").decode(),
                    "headers": each.headers,
                }
                lines.write(json.dumps(entry) + "\n")


def restore(lane: Lane, source: Path = FIXTURE) -> Path:
    """Make `lane` what the recorded one was; the folder of its checkpoint.

    A broker gives each cluster and topic an id of its own, which the checkpoint is tied to: here the restored
    topic, with the same records at the same offsets, takes the place of the recorded one.
    """
    kafka, store = lane.settings.kafka, lane.settings.object_store
    producer = Producer(kafka.librdkafka())
    with gzip.open(source / "topics.jsonl.gz", "rt", encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            producer.produce(
                entry["topic"],
                base64.b64decode(entry["value"]),
                base64.b64decode(entry["key"]),
                entry["partition"],
                headers=entry["headers"],
            )
    assert producer.flush(DEADLINE) == 0
    unpacked = lane.folder / "unpacked"
    with tarfile.open(source / "files.tar.gz") as archive:
        archive.extractall(unpacked, filter="data")
    client = boto3.client("s3", **store.boto3())
    bucket = unpacked / "bucket"
    for path in bucket.rglob("*.parquet"):
        client.upload_file(str(path), store.bucket, f"{store.prefix}{path.relative_to(bucket)}")
    cluster_id, topic_id = Topic(kafka, CONSUMER_GROUP).identity()
    (root,) = (unpacked / "checkpoint").iterdir()
    target = Path(lane.settings.detection.checkpoint) / cluster_id
    shutil.copytree(root, target)
    identity = json.loads((target / "identity.json").read_text("utf-8"))
    identity |= {"cluster_id": cluster_id, "topic_id": topic_id}
    text = json.dumps(identity)
    (target / "identity.json").write_text(text, "utf-8")
    seal = target / "seal.json"
    if seal.exists():  # not of 0.1.0
        sealed = json.loads(seal.read_text("utf-8"))
        sealed["sha256"]["identity.json"] = hashlib.sha256(text.encode()).hexdigest()
        seal.write_text(json.dumps(sealed), "utf-8")
    return target


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as place,
        opened_stack(Path(place) / "state", free_ports()) as servers,
    ):
        servers.start_servers()
        with opened_lane(servers, NAME, Path(place)) as recording:
            record(recording, Path(sys.argv[1]))
