"""The S3 client of what writes to the object store: it fails soon, for its callers to try again."""

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from fraud.settings import ObjectStoreSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def store_client(store: ObjectStoreSettings) -> "S3Client":
    """A client for `store`; threads may share it."""
    arguments: dict[str, Any] = store.boto3()
    patience = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=20)
    return boto3.client("s3", config=patience, **arguments)


def is_missing(error: ClientError) -> bool:
    """Whether a request failed because there is no such object."""
    return error.response["Error"]["Code"] in ("NoSuchKey", "404")
