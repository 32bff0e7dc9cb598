# ruff: noqa: ARG002, N803  (boto3 names the arguments)
"""An S3 bucket in memory, with the requests that the batch jobs make of a client of boto3."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any

from botocore.exceptions import ClientError

from jobs.objects import Objects

PAGE = 3  # objects of a page of a listing, so that there are several


class Bucket:
    """`objects`: key -> (content, metadata); `puts`: keys in the order in which they were written;
    `written_at`: key -> epoch milliseconds, for a test to say."""

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {
            key: (content, {}) for key, content in (contents or {}).items()
        }
        self.written_at: dict[str, int] = {}
        self.puts: list[str] = []
        self.reads: list[str] = []

    def under(self, prefix: str) -> Objects:
        """Its objects under a prefix, as jobs see them."""
        return Objects(self, "fraud", prefix)  # type: ignore[arg-type]

    def put_object(
        self, *, Bucket: str, Key: str, Body: bytes | IO[bytes], Metadata: dict[str, str] | None = None
    ) -> None:
        assert Bucket == "fraud"
        self.objects[Key] = (Body if isinstance(Body, bytes) else Body.read(), Metadata or {})
        self.puts.append(Key)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self.reads.append(Key)
        content, metadata = self._found(Key)
        return {"Body": _Body(content), "ETag": f'"{etag(content)}"', "Metadata": metadata}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Metadata": self._found(Key)[1]}

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self.objects.pop(Key, None)

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        for each in Delete["Objects"]:
            self.delete_object(Bucket=Bucket, Key=each["Key"])
        return {}

    def get_paginator(self, name: str) -> "Bucket":
        assert name == "list_objects_v2"
        return self

    def list_objects_v2(self, *, Bucket: str, Prefix: str, StartAfter: str, MaxKeys: int) -> dict[str, Any]:
        keys = sorted(key for key in self.objects if key.startswith(Prefix) and key > StartAfter)
        return {"Contents": [{"Key": key} for key in keys[:MaxKeys]]} if keys else {}

    def paginate(
        self, *, Bucket: str, Prefix: str, Delimiter: str = "", StartAfter: str = ""
    ) -> Iterator[dict[str, Any]]:
        keys = sorted(key for key in self.objects if key.startswith(Prefix) and key > StartAfter)
        rest = {key: key[len(Prefix) :].find(Delimiter) if Delimiter else -1 for key in keys}
        folders = sorted({key[: len(Prefix) + at + 1] for key, at in rest.items() if at >= 0})
        plain = [key for key in keys if rest[key] < 0]
        yield {"CommonPrefixes": [{"Prefix": each} for each in folders]}
        for start in range(0, len(plain), PAGE):
            page = plain[start : start + PAGE]
            yield {"Contents": [self._listed(key) for key in page]}

    def _listed(self, key: str) -> dict[str, Any]:
        written = datetime.fromtimestamp(self.written_at.get(key, 0) / 1000, UTC)
        return {"Key": key, "ETag": etag(self.objects[key][0]), "LastModified": written}

    def _found(self, key: str) -> tuple[bytes, dict[str, str]]:
        if key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": key}}, "GetObject")
        return self.objects[key]


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        return self._content


def etag(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()  # noqa: S324  (what S3 does)
