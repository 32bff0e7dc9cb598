"""Whose checkpoint this is: what must never change under it, decided when it is made."""

import secrets
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from fraud.settings import SettingsError
from jobs.detect.offsets import Files, ReadableFiles

SCHEMA_VERSION = 2
"""2: the state of a bucket is text."""

HASH = "xxhash64"
"""Spark's xxhash64 of the Kafka key (seed 42), modulo the number of buckets."""

EARLIEST = "earliest"

NAME = "identity.json"


class Identity(BaseModel):
    """What a checkpoint is tied to for life."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION
    checkpoint_id: str  # 8 hex digits, in the name of every alerts object
    cluster_id: str
    topic: str
    topic_id: str
    buckets: int
    hash: str = HASH
    shuffle_partitions: int
    starting_offsets: str = EARLIEST  # as Spark's Kafka source reads it
    accepted: list[str] = []  # ids of the other checkpoints whose alerts it was told to keep

    @classmethod
    def new(
        cls, *, cluster_id: str, topic: str, topic_id: str, buckets: int, shuffle_partitions: int
    ) -> Self:
        """The identity of a new checkpoint, with an id of its own."""
        return cls(
            checkpoint_id=secrets.token_hex(4),
            cluster_id=cluster_id,
            topic=topic,
            topic_id=topic_id,
            buckets=buckets,
            shuffle_partitions=shuffle_partitions,
        )


def stored_identity(files: ReadableFiles, where: str) -> Identity | None:
    """The identity in a checkpoint; None when it is new. Raises SettingsError for another version's."""
    text = files.read(NAME)
    if text is None:
        if files.names("offsets"):
            raise SettingsError(
                [f"{where} holds a Spark checkpoint that is not this job's: set another FRAUD_CHECKPOINT"]
            )
        return None
    try:
        identity = Identity.model_validate_json(text)
    except ValidationError as error:
        raise SettingsError([f"{where}/{NAME} is not readable by this release: {error}"]) from error
    if identity.schema_version != SCHEMA_VERSION:
        raise SettingsError(
            [
                f"{where} was written with schema version {identity.schema_version}, this release knows "
                f"{SCHEMA_VERSION}: run the release that wrote it, or set another FRAUD_CHECKPOINT"
            ]
        )
    return identity


def store_identity(files: Files, identity: Identity) -> None:
    """Make the checkpoint `identity`'s own."""
    files.write(NAME, identity.model_dump_json(indent=2))


def check_identity(stored: Identity, wanted: Identity, where: str) -> None:
    """Raises SettingsError, one problem a difference, unless `wanted` may go on from `stored`."""
    meaning = {
        "cluster_id": "the Kafka cluster",
        "topic": "FRAUD_KAFKA_TRANSACTIONS_TOPIC",
        "buckets": "FRAUD_BUCKETS",
        "hash": "the hash of the buckets",
        "shuffle_partitions": "FRAUD_SHUFFLE_PARTITIONS",
    }
    problems = [
        f"{where} was made with {name} {getattr(stored, field)}, now it is {getattr(wanted, field)}: "
        "set it back, or start anew with another FRAUD_CHECKPOINT (and --take-over)"
        for field, name in meaning.items()
        if getattr(stored, field) != getattr(wanted, field)
    ]
    if stored.topic == wanted.topic and stored.topic_id != wanted.topic_id:
        problems.append(
            f"{where} goes on in topic {stored.topic!r} with the id {stored.topic_id}, but that is gone with "
            f"all its payments: it was deleted, or Kafka's disk was lost, and made anew with the id "
            f"{wanted.topic_id}. To judge the new one, set FRAUD_CHECKPOINT to a new folder and start once "
            "with --take-over keep (the alerts of before stay) or --take-over replace (they are deleted)"
        )
    if problems:
        raise SettingsError(problems)
