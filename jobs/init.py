"""Makes the topics and the bucket that all else takes for granted, natively, in compose and on AWS.

`python -m jobs.init`, any number of times: what is there and right stays untouched.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it re-exports without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from fraud.durations import Duration, parse_duration
from fraud.environment import load
from fraud.settings import KafkaSettings, ObjectStoreSettings, SettingsError
from jobs.outages import STORE_ERRORS, about_kafka, about_store, passes
from jobs.topics import TopicContract, output_contracts, source_contract

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SETTINGS_WRONG = 2
TRY_AGAIN = 75


class NotYetError(Exception):
    """Kafka or the object store does not answer (yet); trying again may help."""


class WrongError(Exception):
    """Trying again does not help: access denied, or something is there that must not be."""


def ensure_topics(kafka: KafkaSettings, say: Callable[[str], None]) -> None:
    """Create the three topics, or correct the settings of those that exist. Raises NotYetError, WrongError.

    Partitions of an existing topic are not changed: see `grow`.
    """
    # A broker that is just starting is asked twice a second, not ever more rarely up to 10 s.
    patience = {"socket.connection.setup.timeout.ms": 5_000, "reconnect.backoff.max.ms": 500}
    admin = AdminClient({**kafka.librdkafka(), **patience, "log_level": 0})
    try:
        existing = admin.list_topics(timeout=5).topics

        def ensure(topic: TopicContract) -> None:
            if topic.name in existing:
                _correct(admin, topic, len(existing[topic.name].partitions), say)
            else:
                _create(admin, topic, kafka.replication_factor, say)

        ensure(source_contract(kafka))
        retention = int(_settings_of(admin, kafka.transactions_topic)["retention.ms"])
        for topic in output_contracts(kafka, retention):
            ensure(topic)
    except KafkaException as error:
        raise _kind(error)(about_kafka(error, kafka)) from error


def grow(kafka: KafkaSettings, partitions: int, say: Callable[[str], None]) -> None:
    """Give `transactions` so many partitions, if it has fewer. Raises NotYetError, WrongError.

    Only when asked to: it moves users between partitions.
    """
    topic = kafka.transactions_topic
    admin = AdminClient({**kafka.librdkafka(), "log_level": 0})
    try:
        now = len(admin.list_topics(topic, timeout=5).topics[topic].partitions)
        if now < partitions:
            more = NewPartitions(topic, partitions)
            admin.create_partitions([more], request_timeout=10)[topic].result()
    except KafkaException as error:
        raise _kind(error)(about_kafka(error, kafka)) from error
    say(f"topic {topic}: has {max(now, partitions)} partitions (it had {now})")


def _create(admin: AdminClient, topic: TopicContract, replicas: int, say: Callable[[str], None]) -> None:
    new = NewTopic(topic.name, topic.partitions, replicas, config=topic.settings())
    try:
        admin.create_topics([new], operation_timeout=10)[topic.name].result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another init was quicker
            raise
    say(f"topic {topic.name}: created with {topic.partitions} partitions")


def _correct(admin: AdminClient, topic: TopicContract, partitions: int, say: Callable[[str], None]) -> None:
    if partitions != topic.partitions:
        say(f"topic {topic.name}: has {partitions} partitions, not {topic.partitions}; left as it is")
    actual = _settings_of(admin, topic.name)
    changes = topic.corrections(actual)
    if not changes:
        say(f"topic {topic.name}: is as it should be")
        return
    operation = AlterConfigOpType.SET
    entries = [ConfigEntry(name, value, incremental_operation=operation) for name, value in changes.items()]
    resource = ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=entries)
    admin.incremental_alter_configs([resource], request_timeout=10)[resource].result()
    for name, value in changes.items():
        say(f"topic {topic.name}: set {name} to {value} (it was {actual[name]})")


def _settings_of(admin: AdminClient, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    entries = admin.describe_configs([resource], request_timeout=10)[resource].result()
    return {name: str(entry.value) for name, entry in entries.items()}


def ensure_bucket(store: ObjectStoreSettings, say: Callable[[str], None]) -> None:
    """Create the bucket if there is none. Raises NotYetError, WrongError."""
    client: S3Client = boto3.client(
        "s3",
        config=Config(connect_timeout=3, read_timeout=10, retries={"max_attempts": 0}),
        **store.boto3(),
    )
    try:
        if not _is_there(client, store.bucket):
            _create_bucket(client, store)
            say(f"bucket {store.bucket}: created")
            return
    except STORE_ERRORS as error:
        raise _kind(error)(about_store(error, store)) from error
    say(f"bucket {store.bucket}: is there")


def _is_there(client: "S3Client", bucket: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _create_bucket(client: "S3Client", store: ObjectStoreSettings) -> None:
    try:
        if store.endpoint_url or store.region == "us-east-1":
            client.create_bucket(Bucket=store.bucket)
        else:
            place: dict[str, str] = {"LocationConstraint": store.region}
            client.create_bucket(Bucket=store.bucket, CreateBucketConfiguration=place)  # type: ignore[arg-type]  # any region
    except client.exceptions.BucketAlreadyOwnedByYou:
        return  # another init was quicker


def _kind(error: Exception) -> type[NotYetError | WrongError]:
    return NotYetError if passes(error) else WrongError


def _until(deadline: float, step: Callable[[], None]) -> None:
    """Repeat `step` while it says NotYetError, until `deadline` (monotonic seconds)."""
    while True:
        try:
            return step()
        except NotYetError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Create the topics and the bucket if missing, and correct settings that break the contract."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.init",
        description=main.__doc__,
        epilog="Exit code: 0 all is there; 2 wrong settings or no permission; 75 no answer, try again.",
    )
    parser.add_argument(
        "--timeout", default="60s", type=parse_duration, metavar="DURATION",
        help="how long to wait for Kafka and the object store to answer, such as 90s or 5m (default 60s)",
    )  # fmt: skip
    parser.add_argument(
        "--grow-to", type=int, default=0, metavar="N",
        help="also give `transactions` N partitions, if it has fewer. Users then move between partitions: "
        "their alerts are complete again one allowed lateness and one window later",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    timeout: Duration = given.timeout
    deadline = time.monotonic() + timeout / 1000

    def say(line: str) -> None:
        print(line, flush=True)

    try:
        settings = load()
        _until(deadline, lambda: ensure_topics(settings.kafka, say))
        if given.grow_to:
            _until(deadline, lambda: grow(settings.kafka, given.grow_to, say))
        _until(deadline, lambda: ensure_bucket(settings.object_store, say))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return SETTINGS_WRONG
    except WrongError as error:
        print(f"error: {error}", file=sys.stderr)
        return SETTINGS_WRONG
    except NotYetError as error:
        print(f"error: {error}; gave up after {timeout / 1000:.0f} s", file=sys.stderr)
        return TRY_AGAIN
    return 0


if __name__ == "__main__":
    sys.exit(main())
