"""The archive as a run left it: how far it has come, and whether it holds each valid record once."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.compute as pc

from fraud.archive import PROGRESS_FOLDER
from fraud.settings import ObjectStoreSettings
from local.native.figures import Summary
from local.native.findings import Findings
from scripts.oracle_records import Archived, Sent, archived_records


def archived_offsets(store: ObjectStoreSettings, topic: str) -> Callable[[], Mapping[int, int]]:
    """A function that asks the bucket: partition -> the first offset of `topic` that is not archived yet."""
    client = boto3.client("s3", **store.boto3())

    def ask() -> Mapping[int, int]:
        found = client.list_objects_v2(Bucket=store.bucket, Prefix=store.prefix + PROGRESS_FOLDER)
        keys = [item["Key"] for item in found.get("Contents", [])]
        objects = [client.get_object(Bucket=store.bucket, Key=key)["Body"].read() for key in keys]
        return newest_offsets(map(json.loads, objects), topic)

    return ask


def newest_offsets(progress: Iterable[dict[str, Any]], topic: str) -> dict[int, int]:
    """Partition -> offset of the newest progress with that topic's name: of a topic that was deleted and made
    anew there is another one."""
    own = [each for each in progress if each["topic"] == topic]
    if not own:
        return {}
    newest = max(own, key=lambda each: int(each["batch_time"]))
    return {int(number): offset for number, offset in newest["offsets"].items()}


def compare_archive(summary: Summary, findings: Findings) -> None:
    """The archive must hold each valid record of the topic once, as the oracle reads it."""
    summary.archived, problems = archive_differences(findings.archive, findings.records)
    summary.problems += problems


def archive_differences(archive: pa.Table | None, records: Iterable[Sent]) -> tuple[int, list[str]]:
    """How many rows the archive has (schema fraud.archive.ARCHIVED), and where it is not what `records`, all
    of the topic, demand."""
    rows = [] if archive is None else archive_rows(archive)
    wanted = set(archived_records(records))
    problems = []
    if len(rows) != len(set(rows)):
        problems.append(f"{len(rows) - len(set(rows))} records are in the archive more than once")
    if set(rows) != wanted:
        missing, wrong = wanted - set(rows), set(rows) - wanted
        example = min(missing or wrong)
        problems.append(
            f"archive: {len(missing)} valid records are missing, {len(wrong)} are not in the topic like "
            f"that, such as partition {example.partition}, offset {example.offset}"
        )
    return len(rows), problems


def archive_rows(archive: pa.Table) -> list[Archived]:
    """The rows of a table of schema fraud.archive.ARCHIVED as the oracle knows them."""
    columns = {name: archive[name] for name in archive.column_names}
    columns |= {name: columns[name].cast(pa.int64()) for name in ("timestamp", "ingested_at")}
    columns["amount"] = pc.multiply(columns["amount"], pa.scalar(100, pa.decimal128(3))).cast(pa.int64())
    return [
        Archived(*row) for row in zip(*(columns[name].to_pylist() for name in Archived._fields), strict=True)
    ]
