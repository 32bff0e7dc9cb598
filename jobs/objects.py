"""The objects of one bucket and prefix: the one way in which jobs list, read and write them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from jobs.store_client import is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_Answer = TypeVar("_Answer")

_AT_ONCE = 8
_ASKED = 64  # objects that wait in memory, at most


@dataclass(frozen=True)
class Listed:
    """An object, as a listing has it."""

    key: str
    etag: str
    written_at: int  # epoch milliseconds, by the server's clock


@dataclass(frozen=True)
class Found:
    """An object, as it was read."""

    content: bytes
    etag: str
    metadata: Mapping[str, str]


class Objects:
    """Keys are without the prefix. All methods raise what boto3 raises."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def address(self, key: str) -> str:
        """Where that object is, for messages."""
        return f"s3://{self._bucket}/{self._prefix}{key}"

    def listed(self, folder: str, after: str = "") -> list[Listed]:
        """All objects whose keys begin with `folder` and come after it, or `after`; in the order of keys."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + folder, StartAfter=self._prefix + (after or folder)
        )
        found = [
            Listed(
                item["Key"].removeprefix(self._prefix),
                _bare(item["ETag"]),
                round(item["LastModified"].timestamp() * 1000),
            )
            for page in pages
            for item in page.get("Contents", [])
        ]
        return sorted(found, key=lambda each: each.key)

    def keys(self, folder: str, after: str = "") -> list[str]:
        """Their keys."""
        return [each.key for each in self.listed(folder, after)]

    def first_key(self, folder: str, after: str) -> str | None:
        """The first of the keys that begin with `folder` and come after `after`; None when there is none."""
        found = self._client.list_objects_v2(
            Bucket=self._bucket,
            Prefix=self._prefix + folder,
            StartAfter=self._prefix + after,
            MaxKeys=1,
        )
        keys = [entry["Key"].removeprefix(self._prefix) for entry in found.get("Contents", [])]
        return next(iter(keys), None)

    def folders(self, beginning: str) -> list[str]:
        """What keys that begin with `beginning` have up to the next slash, each once, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + beginning, Delimiter="/"
        )
        found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
        return sorted(folder.removeprefix(self._prefix) for folder in found)

    def find(self, key: str) -> Found | None:
        """One object; None when there is none."""
        found = _if_there(lambda: self._client.get_object(Bucket=self._bucket, Key=self._prefix + key))
        if found is None:
            return None
        return Found(found["Body"].read(), _bare(found["ETag"]), found.get("Metadata", {}))

    def read(self, key: str) -> bytes | None:
        """Its content; None when there is no such object."""
        found = self.find(key)
        return None if found is None else found.content

    def metadata(self, key: str) -> Mapping[str, str] | None:
        """What it was written with beside its content; None when there is no such object."""
        found = _if_there(lambda: self._client.head_object(Bucket=self._bucket, Key=self._prefix + key))
        return None if found is None else found["Metadata"]

    def read_many(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Key and content of each that is there, in the order of `keys`; few are in memory at once."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for start in range(0, len(keys), _ASKED):
                asked = keys[start : start + _ASKED]
                for key, content in zip(asked, pool.map(self.read, asked), strict=True):
                    if content is not None:
                        yield key, content

    def put(self, key: str, content: bytes | IO[bytes], metadata: Mapping[str, str] | None = None) -> None:
        """Write one object, at once."""
        self._client.put_object(
            Bucket=self._bucket, Key=self._prefix + key, Body=content, Metadata=metadata or {}
        )

    def delete(self, key: str) -> None:
        """Delete one object, whether it is there or not."""
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def delete_all(self, folder: str) -> int:
        """Delete every object whose key begins with `folder`; how many those were."""
        deleted = 0
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + folder):
            keys = [entry["Key"] for entry in page.get("Contents", [])]  # 1,000 at most
            if keys:
                self._delete_together(keys)
                deleted += len(keys)
        return deleted

    def _delete_together(self, keys: list[str]) -> None:
        answer = self._client.delete_objects(
            Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
        for error in answer.get("Errors", []):
            raise ClientError({"Error": {"Code": error["Code"], "Message": str(error)}}, "DeleteObjects")


def _if_there(ask: Callable[[], _Answer]) -> _Answer | None:
    """The answer of a request for one object; None when there is no such object."""
    try:
        return ask()
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _bare(etag: str) -> str:
    """Without the quotes that some servers put around it in one answer and not in another."""
    return etag.strip('"')
