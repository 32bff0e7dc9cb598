"""The hours of alerts in a bucket: what lies in `alerts/`, in `alerts_hourly/`, and the newest metrics."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from fraud.settings import ObjectStoreSettings
from jobs.compact.closed import SILENT
from jobs.detect import metrics
from jobs.detect.alerts_sink import COMPACTED_FOLDER, FOLDER, PLAN_KEY, PLAN_TARGET, hour_folder
from jobs.store_client import is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_HOUR_FOLDER = re.compile(r"date=(\d{4}-\d\d-\d\d)/hour=(\d\d)/$")
COMPACTED_NAME = "alerts.parquet"
_SOURCES = "sources"  # metadata of a compacted object


class HourChanged(Exception):
    """An object of the hour was written or deleted while the hour was read."""


@dataclass(frozen=True)
class Source:
    """One object of `alerts/`, as listed."""

    key: str  # with the prefix
    etag: str


def compacted_key(hour: int) -> str:
    """The key of the one object of that hour (its start in epoch milliseconds)."""
    return f"{COMPACTED_FOLDER}{hour_folder(hour).removeprefix(FOLDER)}{COMPACTED_NAME}"


def fingerprint(sources: list[Source]) -> str:
    """What a compacted object was made of."""
    return sha256("\n".join(f"{each.key} {each.etag}" for each in sources).encode()).hexdigest()


class Hours:
    """The hours of one bucket and prefix."""

    def __init__(self, client: "S3Client", store: ObjectStoreSettings) -> None:
        self._client = client
        self._bucket = store.bucket
        self._prefix = store.prefix

    def with_alerts(self) -> list[int]:
        """The starts of the hours with objects in `alerts/`, oldest first."""
        dates = self._folders(f"{self._prefix}{FOLDER}date=")
        found = [_HOUR_FOLDER.search(each) for date in dates for each in self._folders(f"{date}hour=")]
        return sorted(_start(name) for name in found if name)

    def compacted(self) -> set[int]:
        """The starts of the hours with an object in `alerts_hourly/`."""
        keys = [each.key for each in self._objects(f"{self._prefix}{COMPACTED_FOLDER}date=")]
        found = [_HOUR_FOLDER.search(key.removesuffix(COMPACTED_NAME)) for key in keys]
        return {_start(name) for name in found if name}

    def planned(self) -> int | None:
        """The start of the hour to which a reconciliation is about to add alerts; None when none is."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=self._prefix + PLAN_KEY)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        name = _HOUR_FOLDER.search(found["Metadata"][PLAN_TARGET].rpartition("/")[0] + "/")
        return None if name is None else _start(name)

    def sources(self, hour: int) -> list[Source]:
        """The objects of that hour in `alerts/`, in the order of their keys."""
        listed = self._objects(self._prefix + hour_folder(hour))
        return sorted(listed, key=lambda each: each.key)

    def made_of(self, hour: int) -> str:
        """The fingerprint of what that hour's object in `alerts_hourly/` was made of."""
        found = self._client.head_object(Bucket=self._bucket, Key=self._prefix + compacted_key(hour))
        return found["Metadata"].get(_SOURCES, "")

    def read(self, source: Source) -> bytes:
        """Its content. Raises HourChanged when it is not what was listed."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=source.key)
        except ClientError as error:
            if is_missing(error):
                raise HourChanged(f"{source.key} has gone") from error
            raise
        if _bare(found["ETag"]) != source.etag:
            raise HourChanged(f"{source.key} was written again")
        return found["Body"].read()

    def put(self, hour: int, content: IO[bytes], sources: list[Source]) -> None:
        """Write the hour's object, at once."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=self._prefix + compacted_key(hour),
            Body=content,
            Metadata={_SOURCES: fingerprint(sources)},
        )

    def newest_metrics(self) -> list[metrics.Row]:
        """The rows of at least the last SILENT milliseconds before the newest one; none without metrics."""
        dates = sorted(self._folders(f"{self._prefix}{metrics.FOLDER}date="))[-2:]
        keys = sorted(each.key for date in dates for each in self._objects(date))
        if not keys:
            return []
        newest = max(row["batch_time"] for row in self._rows(keys[-1]))
        first = self._prefix + metrics.metrics_key(newest - SILENT)
        return [row for key in keys if key >= first for row in self._rows(key)]

    def _rows(self, key: str) -> list[metrics.Row]:
        found = self._client.get_object(Bucket=self._bucket, Key=key)
        return metrics.from_parquet(found["Body"].read())

    def _objects(self, folder: str) -> Iterator[Source]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder)
        return (
            Source(item["Key"], _bare(item["ETag"])) for page in pages for item in page.get("Contents", [])
        )

    def _folders(self, prefix: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        return [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]


def show_hour(hour: int) -> str:
    """`2026-01-31 11:00`, UTC."""
    return f"{datetime.fromtimestamp(hour / 1000, UTC):%Y-%m-%d %H:%M}"


def _start(name: re.Match[str]) -> int:
    return int(datetime.strptime(f"{name[1]} {name[2]} +0000", "%Y-%m-%d %H %z").timestamp()) * 1000


def _bare(etag: str) -> str:
    """Without the quotes that some servers put around it in one answer and not in another."""
    return etag.strip('"')
