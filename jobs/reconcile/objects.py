"""The objects of one bucket and prefix, as the reconciliation reads and writes them."""

import io
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from fraud.settings import ObjectStoreSettings
from jobs.detect.errors import JobError
from jobs.store_client import is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_AT_ONCE = 8
_ASKED = 64  # objects that wait in memory, at most


def table_of(key: str, content: bytes, schema: pa.Schema) -> pa.Table:
    """The columns of `schema` in a Parquet object, null where it has none. Raises JobError if it is none."""
    try:
        return pq.read_table(io.BytesIO(content), schema=schema, columns=schema.names, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise JobError(f"{key} cannot be read: {error}") from error


class Objects:
    """Keys are without the prefix. All methods raise what boto3 raises."""

    def __init__(self, client: "S3Client", store: ObjectStoreSettings) -> None:
        self._client = client
        self._bucket = store.bucket
        self._prefix = store.prefix

    def keys(self, folder: str) -> list[str]:
        """All keys that begin with `folder`, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + folder
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return sorted(key.removeprefix(self._prefix) for key in keys)

    def read(self, key: str) -> bytes | None:
        """The content; None when there is no such object."""
        found = self.read_with_metadata(key)
        return None if found is None else found[0]

    def read_with_metadata(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        """The content and the metadata it was written with; None when there is no such object."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found["Body"].read(), found.get("Metadata", {})

    def read_many(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Key and content of each that is there, in the order of `keys`; few are in memory at once."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for start in range(0, len(keys), _ASKED):
                asked = keys[start : start + _ASKED]
                for key, content in zip(asked, pool.map(self.read, asked), strict=True):
                    if content is not None:
                        yield key, content

    def put(self, key: str, content: bytes, metadata: Mapping[str, str] | None = None) -> None:
        """Write one object, at once."""
        self._client.put_object(
            Bucket=self._bucket, Key=self._prefix + key, Body=content, Metadata=metadata or {}
        )

    def delete(self, key: str) -> None:
        """Delete one object, whether it is there or not."""
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)
