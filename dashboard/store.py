"""What the dashboard asks of an object store, and S3 as one: list, read, and say plainly what went wrong."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import s3fs
from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, NoCredentialsError, PartialCredentialsError

from fraud.settings import ObjectStoreSettings

LISTINGS_AT_ONCE = 8
READS_AT_ONCE = 16

FAILURES = (OSError, BotoCoreError, HttpError)  # s3fs makes an OSError of what S3 answers


class StoreError(Exception):
    """The object store did not do what it was asked; the text says what it answered, without secrets."""


class UnreachableError(StoreError):
    """Nobody answers there, not in time, or not like an S3 server."""


class DeniedError(StoreError):
    """The keys are wrong, too old, missing, or may not do this."""


class NoBucketError(StoreError):
    """There is no such bucket."""


@dataclass(frozen=True)
class Place:
    """Where to look: keys that begin with `prefix` and come after `after` in the order of keys."""

    prefix: str
    after: str = ""


@dataclass(frozen=True)
class Listed:
    """One object; `version` changes whenever its content does."""

    key: str
    version: str


class Store(Protocol):
    """An object store, below one bucket and prefix. Threads may share it. All methods raise StoreError."""

    def find(self, places: Sequence[Place]) -> list[list[Listed]]:
        """The objects in each of the places, in any order."""

    def read(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The content of each; one that is gone is left out."""


class S3Store:
    """Any S3, by s3fs."""

    def __init__(self, settings: ObjectStoreSettings) -> None:
        self._files = s3fs.S3FileSystem(**settings.s3fs())
        self._files.retries = 1  # s3fs would add 5 tries of its own, with pauses, to botocore's
        self._bucket = settings.bucket
        self._prefix = settings.prefix

    def find(self, places: Sequence[Place]) -> list[list[Listed]]:
        """See Store."""
        with ThreadPoolExecutor(LISTINGS_AT_ONCE) as pool:
            return list(pool.map(self._find, places))

    def read(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """See Store. The reads share one event loop, at less CPU than threads."""
        if not keys:
            return {}
        paths = {f"{self._bucket}/{self._prefix}{key}": key for key in keys}
        try:
            # Without max_concurrency=1 it would ask for the size of each object first.
            found = self._files.cat(
                list(paths), on_error="return", batch_size=READS_AT_ONCE, max_concurrency=1
            )
        except FAILURES as error:
            raise _told(error) from error
        contents: dict[str, bytes] = {}
        for path, content in found.items():
            if isinstance(content, bytes):
                contents[paths[path]] = content
            elif not isinstance(content, FileNotFoundError):
                raise _told(content) from content
        return contents

    def _find(self, place: Place) -> list[Listed]:
        found: list[Listed] = []
        asked = {"Bucket": self._bucket, "Prefix": self._prefix + place.prefix}
        if place.after:
            asked["StartAfter"] = self._prefix + place.after
        page: dict[str, Any] = {"NextContinuationToken": None}
        while "NextContinuationToken" in page:
            token = page["NextContinuationToken"]
            following = {"ContinuationToken": token} if token else {}
            try:
                page = self._files.call_s3("list_objects_v2", **asked, **following)
            except FAILURES as error:
                raise _told(error) from error
            found += [
                Listed(entry["Key"].removeprefix(self._prefix), f"{entry['ETag']} {entry['Size']}")
                for entry in page.get("Contents", [])
            ]
        return found


def _told(error: BaseException) -> StoreError:
    """The kind of failure; its text on one line."""
    text = " ".join(str(error).split())
    if isinstance(error, PermissionError | NoCredentialsError | PartialCredentialsError):
        return DeniedError(text)
    if isinstance(error, FileNotFoundError):
        return NoBucketError(text)
    return UnreachableError(text)
