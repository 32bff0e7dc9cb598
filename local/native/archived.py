"""The archive as a run left it: how far it has come, and whether it holds each valid record once."""

import json
from collections.abc import Callable, Mapping

import boto3
import pyarrow as pa
import pyarrow.compute as pc

from fraud.archive import FOLDER
from fraud.settings import ObjectStoreSettings
from local.native.figures import Summary
from local.native.findings import Findings
from scripts.oracle_records import Archived, archived_records

PROGRESS = f"{FOLDER}_progress/"


def archived_offsets(store: ObjectStoreSettings, topic: str) -> Callable[[], Mapping[int, int]]:
    """A function that asks the bucket: partition -> the first offset of `topic` that is not archived yet."""
    client = boto3.client("s3", **store.boto3())

    def ask() -> Mapping[int, int]:
        found = client.list_objects_v2(Bucket=store.bucket, Prefix=store.prefix + PROGRESS)
        for item in found.get("Contents", []):  # one a topic
            progress = json.loads(client.get_object(Bucket=store.bucket, Key=item["Key"])["Body"].read())
            if progress["topic"] == topic:
                return {int(number): offset for number, offset in progress["offsets"].items()}
        return {}

    return ask


def compare_archive(summary: Summary, findings: Findings) -> None:
    """The archive must hold each valid record of the topic once, as the oracle reads it."""
    rows = [] if findings.archive is None else archive_rows(findings.archive)
    summary.archived = len(rows)
    wanted = set(archived_records(findings.records))
    if len(rows) != len(set(rows)):
        summary.problems.append(f"{len(rows) - len(set(rows))} records are in the archive more than once")
    if set(rows) != wanted:
        missing, wrong = wanted - set(rows), set(rows) - wanted
        example = min(missing or wrong)
        summary.problems.append(
            f"archive: {len(missing)} valid records are missing, {len(wrong)} are not in the topic like "
            f"that, such as partition {example.partition}, offset {example.offset}"
        )


def archive_rows(archive: pa.Table) -> list[Archived]:
    """The rows of a table of schema fraud.archive.ARCHIVED as the oracle knows them."""
    columns = {name: archive[name] for name in archive.column_names}
    columns |= {name: columns[name].cast(pa.int64()) for name in ("timestamp", "ingested_at")}
    columns["amount"] = pc.multiply(columns["amount"], pa.scalar(100, pa.decimal128(3))).cast(pa.int64())
    return [
        Archived(*row) for row in zip(*(columns[name].to_pylist() for name in Archived._fields), strict=True)
    ]
