"""How far the archive of a topic has come, kept in the bucket beside it for its readers and for its heirs.

Spark's checkpoint knows it too, but may lie on another machine, or give way to a new one.
"""

from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from fraud.archive import FOLDER
from fraud.settings import ObjectStoreSettings, SettingsError
from jobs.archive.keys import first_folder_since, is_later, progress_key
from jobs.store_client import is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NO_BATCH = -1


class Progress(BaseModel):
    """Of all records before `offsets` the valid ones are in the archive."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    cluster_id: str
    topic: str
    topic_id: str
    archive_id: str  # 8 hex digits, in the name of each object of this archive
    batch_id: int  # its last micro-batch that is complete; NO_BATCH before the first
    batch_time: int  # when that was, in epoch milliseconds
    offsets: dict[int, int]  # partition -> the first offset that is not archived yet


class ProgressStore:
    """The progress of one topic's archive, as an object of the bucket."""

    def __init__(self, client: "S3Client", store: ObjectStoreSettings, topic_id: str) -> None:
        self._client = client
        self._bucket = store.bucket
        self._prefix = store.prefix
        self._key = store.prefix + progress_key(topic_id)

    def get(self) -> Progress | None:
        """What is stored; None when nothing is. Raises SettingsError for what another release wrote."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._key)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        try:
            return Progress.model_validate_json(found["Body"].read())
        except ValidationError as error:
            raise SettingsError([f"s3://{self._bucket}/{self._key} is not readable: {error}"]) from error

    def put(self, progress: Progress) -> None:
        """Store it."""
        body = progress.model_dump_json(indent=2).encode()
        self._client.put_object(Bucket=self._bucket, Key=self._key, Body=body)

    def delete_incomplete(self, progress: Progress) -> int:
        """Delete the objects of micro-batches of that archive which `progress` does not count; how many."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=self._prefix + FOLDER,
            StartAfter=self._prefix + first_folder_since(progress.batch_time),
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        later = [key for key in keys if is_later(key, progress.archive_id, progress.batch_id)]
        for key in later:
            self._client.delete_object(Bucket=self._bucket, Key=key)
        return len(later)
