"""One task of the archive, on an executor: the records of one Kafka partition in, one Parquet object out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

import jobs.python_workers  # noqa: F401  (for its effect)
from fraud.archive import ARCHIVED, archived
from fraud.parsing import parse
from fraud.settings import ObjectStoreSettings
from jobs.archive.keys import object_key
from jobs.archive.report import OUTPUT_COLUMN, Report
from jobs.outages import STORE_ERRORS, about_store, passes
from jobs.store_client import store_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Task = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

_REPEATING = ["user_id", "currency", "location", "partition"]


@dataclass(frozen=True)
class Assignment:
    """What every task of one micro-batch is told."""

    store: ObjectStoreSettings
    archive_id: str
    batch_id: int
    batch_time: int  # epoch milliseconds, from the offset log
    kept: frozenset[int] = frozenset()  # partitions whose object stays as an earlier attempt wrote it


def task_of(assignment: Assignment) -> Task:
    """The function for mapInArrow: record batches of RECORDS in, at most one row of report.OUTPUT out.

    `assignment`, with the object store's keys if they are set, reaches the executors pickled inside this
    function; Spark shows nothing of it in plans, events or logs.
    """

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        report = archive_partition(assignment, batches, _client(assignment.store))
        payloads = [] if report is None else [report.to_bytes()]
        yield pa.record_batch({OUTPUT_COLUMN: pa.array(payloads, pa.binary())})

    return task


def archive_partition(
    assignment: Assignment, batches: Iterable[pa.RecordBatch], client: "S3Client"
) -> Report | None:
    """Write the valid ones among the records (RECORDS, in order) of one Kafka partition as one object.

    None when there are no records. A failing object store is reported, not raised: what it means is for
    the driver to decide.
    """
    partition, first, last, records, valid = -1, -1, -1, 0, 0
    content = pa.BufferOutputStream()
    # a row group for each of `batches`: never more than one of them is in memory, beside compressed columns
    with pq.ParquetWriter(content, ARCHIVED, compression="zstd", use_dictionary=_REPEATING) as parquet:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            if records == 0:
                partition, first = batch["partition"][0].as_py(), batch["offset"][0].as_py()
            last = batch["offset"][-1].as_py()
            records += batch.num_rows
            rows = archived(batch, parse(batch))
            valid += rows.num_rows
            parquet.write_table(rows)
    if records == 0:
        return None
    problem, passing = None, False
    if valid and partition not in assignment.kept:
        store = assignment.store
        key = object_key(assignment.archive_id, assignment.batch_id, assignment.batch_time, partition)
        try:
            client.put_object(
                Bucket=store.bucket, Key=store.prefix + key, Body=content.getvalue().to_pybytes()
            )
        except STORE_ERRORS as error:
            problem, passing = about_store(error, store), passes(error)
    return Report(
        batch_id=assignment.batch_id,
        batch_time=assignment.batch_time,
        partition=partition,
        first_offset=first,
        last_offset=last,
        records=records,
        valid=valid,
        problem=problem,
        passing=passing,
    )


@cache  # making one takes 0.2 s; a Python worker lives for many tasks
def _client(store: ObjectStoreSettings) -> "S3Client":
    return store_client(store)
