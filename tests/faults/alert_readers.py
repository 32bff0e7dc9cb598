"""The bucket of a lane as plain readers see it, while the batch companions write and are killed."""

import io
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as fs
import pyarrow.parquet as pq

from scripts.oracle import Pair
from tests.integration.lane import ROOT, Lane

HOURS = 6


def start(lane: Lane, module: str) -> "subprocess.Popen[bytes]":
    """Start a module of the project; what it says goes nowhere."""
    return subprocess.Popen(
        [sys.executable, "-m", module],
        env=lane.environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def until(process: "subprocess.Popen[bytes]", condition: Callable[[], bool]) -> bool:
    """Whether `condition` became true before the process ended."""
    while process.poll() is None:
        if condition():
            return True
        time.sleep(0.005)  # the machine is needed for what is watched, too
    return False


class Bucket:
    """The lane's objects, and its alerts as three readers see them."""

    def __init__(self, lane: Lane) -> None:
        self._store = lane.settings.object_store
        self._client = boto3.client("s3", **self._store.boto3())

    def age(self) -> int:
        """Spread what the job has written over the HOURS hours that end three hours ago, as if it had run
        then: the same bytes under the names of other hours. How many objects that were."""
        objects = self.keys("alerts/")
        for number, key in enumerate(objects):
            at = time.gmtime(time.time() - 3600 * (3 + number % HOURS))
            name = f"alerts/date={time.strftime('%Y-%m-%d/hour=%H', at)}/{key.rsplit('/', 1)[1]}"
            source = {"Bucket": self._store.bucket, "Key": self._store.prefix + key}
            self._client.copy_object(
                Bucket=self._store.bucket, Key=self._store.prefix + name, CopySource=source
            )
            self._client.delete_object(**source)
        return len(objects)

    def etags(self, folder: str) -> dict[str, str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._store.bucket, Prefix=self._store.prefix + folder
        )
        found = [item for page in pages for item in page.get("Contents", [])]
        return {item["Key"].removeprefix(self._store.prefix): item["ETag"] for item in found}

    def keys(self, folder: str) -> list[str]:
        return sorted(self.etags(folder))

    def delete(self, folder: str) -> None:
        for key in self.keys(folder):
            self._client.delete_object(Bucket=self._store.bucket, Key=self._store.prefix + key)

    def content(self, key: str) -> bytes:
        answer = self._client.get_object(Bucket=self._store.bucket, Key=self._store.prefix + key)
        return answer["Body"].read()

    def holds(self, key: str) -> bool:
        return key in self.keys(key)

    def of_alerts(self) -> Counter[Pair]:
        """`alerts/` alone, by a plain reader of Parquet folders."""
        secret = self._store.secret_access_key
        assert secret is not None
        files = fs.S3FileSystem(
            access_key=self._store.access_key_id,
            secret_key=secret.get_secret_value(),
            endpoint_override=self._store.endpoint_url,
            region=self._store.region,
        )
        where = f"{self._store.bucket}/{self._store.prefix}alerts"
        return pairs(ds.dataset(where, filesystem=files, partitioning="hive").to_table())

    def alert_ids(self) -> set[str]:
        """Those in `alerts/`."""
        tables = (pq.read_table(io.BytesIO(self.content(key))) for key in self.keys("alerts/"))
        return {name for table in tables for name in table["alert_id"].to_pylist()}

    def of_hourly(self) -> Counter[Pair]:
        """`alerts_hourly/` alone: closed hours, as far as they are compacted."""
        return self._pairs(self.keys("alerts_hourly/"))

    def of_both(self) -> Counter[Pair]:
        """As docs/state.md says: first list `alerts_hourly/`, then leave its hours out of `alerts/`."""
        compacted = self.keys("alerts_hourly/")
        hours = {key.split("/", 1)[1].rsplit("/", 1)[0] for key in compacted}
        others = [k for k in self.keys("alerts/") if k.split("/", 1)[1].rsplit("/", 1)[0] not in hours]
        return self._pairs([*compacted, *others])

    def _pairs(self, keys: list[str]) -> Counter[Pair]:
        found: Counter[Pair] = Counter()
        for key in keys:
            found += pairs(pq.read_table(io.BytesIO(self.content(key))))
        return found


def pairs(table: pa.Table) -> Counter[Pair]:
    names = ["rule_id", "user_id", "transaction_id", "transaction_timestamp"]
    columns = [table[name] for name in names[:3]] + [table[names[3]].cast(pa.int64())]
    return Counter(Pair(*row) for row in zip(*(each.to_pylist() for each in columns), strict=True))


@contextmanager
def reading(bucket: Bucket, *expected: Counter[Pair]) -> Iterator[Counter[str]]:
    """Read all the time, and find one of `expected` each time; raises at the end what was wrong. Yields how
    often each reader has read."""
    ended, wrong = threading.Event(), list[Any]()
    readings: Counter[str] = Counter()

    def follow(name: str, read: Callable[[], Counter[Pair]]) -> None:
        while not ended.wait(0.15):
            try:
                found = read()
            except Exception as error:  # noqa: BLE001  (fails the test, below)
                wrong.append((name, error))
                return
            readings[name] += 1
            if found not in expected:
                wrong.append((name, [(found - each, each - found) for each in expected]))

    threads = [
        threading.Thread(target=follow, args=each)
        for each in (("alerts", bucket.of_alerts), ("both", bucket.of_both))
    ]
    for thread in threads:
        thread.start()
    try:
        yield readings
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert wrong == [], wrong
