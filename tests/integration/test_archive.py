"""The archive, written by real Spark beside detection, holds each valid record once, through a `kill -9`."""

import json
import signal
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import boto3
import duckdb
import pyarrow.dataset as ds
import pytest

from fraud.archive import PROGRESS_FOLDER
from local.native.archived import archive_rows, archived_offsets
from local.native.drain import Backlog
from local.native.findings import download, read_parquet
from scripts.oracle_records import archived_records
from tests.faults.checkpoint import change_digit, newest_entry
from tests.integration.adversary import records
from tests.integration.lane import DEADLINE, Lane, pairs_in

ON = {"FRAUD_ARCHIVE": "true", "FRAUD_ARCHIVE_TRIGGER": "1s"}


@pytest.mark.timeout(400)
def test_the_archive_holds_each_valid_record_once_through_a_kill_between_its_objects(lane: Lane) -> None:
    lane.produce(records(120_000, seed=12, now=time.time_ns() // 1_000_000))
    job = lane.start_job(**ON)
    begun: dict[str, str] = {}

    def is_between_objects() -> bool:
        begun.clear()
        begun.update(incomplete_objects(lane))
        return 0 < len(begun) < 4  # of one a partition

    lane.wait(job, "micro-batch of which a part is written", is_between_objects)
    assert job.end(signal.SIGKILL) == -signal.SIGKILL

    # with one digit changed it would archive these records, and the next ones, under other offsets or names
    (log,) = Path(lane.settings.detection.checkpoint).glob("archive/**/offsets")
    newest = newest_entry(log)
    sound = newest.read_bytes()
    change_digit(newest)
    job = lane.start_job(**ON)
    assert job.process.wait(DEADLINE) == 2, job.text()
    assert f"offsets/{newest.name} is damaged: delete {newest.parents[1]}" in job.text(), job.text()
    newest.write_bytes(sound)

    job = lane.start_job(**ON)
    lane.wait_until_caught_up(job)
    reached = archived_offsets(lane.settings.object_store, lane.settings.kafka.transactions_topic)
    with closing(Backlog(lane.settings.kafka, reached)) as backlog:
        lane.wait(job, "end of the archive", lambda: backlog.records() == 0)
    assert job.end(signal.SIGTERM) == 0, job.text()

    assert incomplete_objects(lane) == {}
    # what the killed job had begun is written again under the same names, with the same content
    assert begun.items() <= etags(lane).items()
    wanted = Counter(archived_records(lane.sent()))
    target = lane.folder / "archive"
    download(lane.settings.object_store, "transactions/", target)
    archive = read_parquet(target)
    assert archive is not None
    assert Counter(archive_rows(archive)) == wanted
    assert len(wanted) > 120_000

    # plain readers of the folder pass over what is not Parquet in it
    folder = target / "transactions"
    assert ds.dataset(folder, partitioning="hive").count_rows() == len(wanted)
    query = f"SELECT count(*), count(DISTINCT (partition, \"offset\")) FROM '{folder}/*/*/*.parquet'"  # noqa: S608
    assert duckdb.sql(query).fetchall() == [(len(wanted), len(wanted))]

    # detection beside it was as exact as ever
    pairs = pairs_in(lane.bucket())
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == lane.expected().alerts
    contract = ("alerts/date=", "metrics/date=", "transactions/date=", PROGRESS_FOLDER)
    assert [key for key in lane.object_keys() if not key.startswith(contract)] == []


def incomplete_objects(lane: Lane) -> dict[str, str]:
    """Key -> ETag of the objects of a micro-batch in the making: the archive does not count it yet."""
    store, found = lane.settings.object_store, etags(lane)
    (progress,) = [key for key in found if key.startswith(store.prefix + PROGRESS_FOLDER)] or [None]
    if progress is None:
        return {}
    client = boto3.client("s3", **store.boto3())
    complete = json.loads(client.get_object(Bucket=store.bucket, Key=progress)["Body"].read())["batch_id"]
    return {key: etag for key, etag in found.items() if key != progress and batch_id(key) > complete}


def etags(lane: Lane) -> dict[str, str]:
    """Key -> ETag of everything in the archive."""
    store = lane.settings.object_store
    client = boto3.client("s3", **store.boto3())
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=store.bucket, Prefix=f"{store.prefix}transactions/"
    )
    return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}


def batch_id(key: str) -> int:
    return int(key.split("-")[-2])
