"""Where a micro-batch of the archive lies in the object store: names that a replay repeats. Pure."""

import re
from datetime import UTC, datetime

from fraud.archive import FOLDER, PROGRESS_FOLDER

_HOUR = 3_600_000
_SAFE = str.maketrans("+/", "-_")  # base64 for names: as Kafka itself writes ids
_NAME = re.compile(r"/batch=(?P<archive>[0-9a-f]{8})-(?P<batch>\d{12})-\d{5}\.parquet$")


def object_key(archive_id: str, batch_id: int, batch_time: int, partition: int) -> str:
    """The key of one Kafka partition's records in one micro-batch of `batch_time` (epoch milliseconds)."""
    return f"{_hour_folder(batch_time)}batch={archive_id}-{batch_id:012d}-{partition:05d}.parquet"


def progress_key(topic_id: str) -> str:
    """The key under which it is written how far the archive of that topic has come.

    `topic_id` is plain base64, as Kafka's client gives it: a slash in it would be a folder of its own.
    """
    return f"{PROGRESS_FOLDER}{topic_id.translate(_SAFE)}.json"


def first_folder_since(batch_time: int) -> str:
    """A key before those of all micro-batches after `batch_time`, even if clocks differ by an hour."""
    return _hour_folder(max(0, batch_time - _HOUR))


def is_later(key: str, archive_id: str, batch_id: int) -> bool:
    """Whether `key` is that of a micro-batch of this archive after `batch_id`."""
    name = _NAME.search(key)
    return name is not None and name["archive"] == archive_id and int(name["batch"]) > batch_id


def _hour_folder(batch_time: int) -> str:
    at = datetime.fromtimestamp(batch_time / 1000, UTC)
    return f"{FOLDER}date={at:%Y-%m-%d}/hour={at:%H}/"
