"""Rejected records for the topic of rejects: the raw bytes with the reason, carried or read again."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import pyarrow as pa

from fraud.transaction import MAX_RECORD_BYTES
from jobs.detect.kafka_sink import Outgoing
from jobs.detect.retry import Retries


class Read(Protocol):
    """A record of the source topic."""

    def offset(self) -> int | None:
        """Its offset."""

    def value(self) -> bytes | None:
        """Its whole value."""


ReadAgain = Callable[[int, int, int], Iterable[Read]]
"""(partition, start, end) -> the source topic's records from `start` to `end` (exclusive)."""


def rejected_records(
    pieces: Iterable[pa.Table], source: str, target: str, read_again: ReadAgain
) -> Iterator[Outgoing]:
    """What to send for tables of schema REJECTS. Values that were not carried are read from `source`."""
    left: dict[int, dict[int, dict[str, Any]]] = {}  # partition -> offset -> row
    for piece in pieces:
        for row in piece.to_pylist():
            if row["carried"]:
                yield _outgoing(row, source, target)
            else:
                left.setdefault(row["partition"], {})[row["offset"]] = row
    for partition, rows in sorted(left.items()):
        for record in read_again(partition, min(rows), max(rows) + 1):
            row = rows.pop(record.offset() or 0, None)
            if row is not None:
                value = record.value()
                digest = hashlib.sha256(value or b"").hexdigest()
                cut = value[:MAX_RECORD_BYTES] if value else value
                yield _outgoing(row | {"value": cut, "sha256": digest}, source, target)
        for row in rows.values():  # gone from the topic in the meantime
            yield _outgoing(
                row | {"detail": f"{row['detail']} (bytes no longer in the topic)"}, source, target
            )


def resuming(read_again: ReadAgain, retries: Retries) -> ReadAgain:
    """`read_again` that goes on behind the last record it gave when Kafka was away in between."""

    def read(partition: int, start: int, end: int) -> Iterator[Read]:
        records = iter(read_again(partition, start, end))

        def following() -> Read | None:
            nonlocal records
            try:
                return next(records, None)
            except BaseException:  # an iterator that has raised is over
                records = iter(read_again(partition, start, end))
                raise

        while (record := retries.call("reading rejected records again", following)) is not None:
            start = (record.offset() or 0) + 1
            yield record

    return read


def _outgoing(row: dict[str, Any], source: str, target: str) -> Outgoing:
    headers = {
        "reason": row["reason"],
        "detail": row["detail"],
        "source_topic": source,
        "source_partition": row["partition"],
        "source_offset": row["offset"],
        "original_size": row["original_size"],
        "sha256": row["sha256"] or "",
    }
    return Outgoing(
        target,
        f"{source}/{row['partition']}/{row['offset']}".encode(),
        row["value"],
        tuple((name, str(value).encode()) for name, value in headers.items()),
    )
