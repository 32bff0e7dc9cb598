"""What the operator hands to the driver: alerts, rejected records and a report a bucket, packed as bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import pyarrow as pa
import pyarrow.compute as pc

ALERTS_KIND = "alerts"
REJECTED_KIND = "rejected"
REPORT_KIND = "report"

PIECE_BYTES = 8 * 1024 * 1024
"""Arrow data of one piece, at most, before compression."""

CARRIED_BYTES = 4 * 1024 * 1024
"""Raw bytes of rejected records that one bucket sends along in one micro-batch; the driver reads the
others from the source topic again."""

REJECTS = pa.schema(
    [
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("original_size", pa.int64()),  # bytes of the whole value
        ("sha256", pa.string()),  # hex, of the whole value; null when not carried
        ("value", pa.binary()),  # the first 64 KiB; null for a tombstone, and when not carried
        ("carried", pa.bool_()),  # whether `value` is the record's
    ]
)
"""One row a rejected record, on its way from the operator to the driver."""


@dataclass(frozen=True)
class Report:
    """What one bucket says of one micro-batch."""

    bucket: int
    batch_id: int
    batch_time: int  # epoch milliseconds
    counts: list[tuple[int, str, int]]  # (Kafka partition, outcome, records)
    measures: dict[str, int]
    state_bytes: int

    def to_bytes(self) -> bytes:
        """As JSON."""
        return orjson.dumps(self)

    @classmethod
    def from_bytes(cls, text: bytes) -> "Report":
        """The inverse of `to_bytes`."""
        fields = orjson.loads(text)
        return cls(**{**fields, "counts": [tuple(count) for count in fields["counts"]]})


@dataclass(frozen=True)
class Outcomes:
    """All outcomes of one micro-batch, in the order of the buckets; tables still packed."""

    packed_alerts: list[bytes]
    packed_rejects: list[bytes]
    reports: list[Report]

    def alerts(self) -> Iterator[pa.Table]:
        """Tables of schema ALERTS, at most PIECE_BYTES each."""
        return map(unpack, self.packed_alerts)

    def rejects(self) -> Iterator[pa.Table]:
        """Tables of schema REJECTS, at most PIECE_BYTES each."""
        return map(unpack, self.packed_rejects)


def unpack_outcomes(rows: pa.Table) -> Outcomes:
    """The outcomes in the operator's rows: bucket, kind, payload."""
    rows = rows.sort_by("bucket")  # stable: the pieces of a bucket stay in order

    def payloads(kind: str) -> list[bytes]:
        found: list[bytes] = rows.filter(pc.equal(rows["kind"], kind))["payload"].to_pylist()
        return found

    return Outcomes(
        payloads(ALERTS_KIND), payloads(REJECTED_KIND), [Report.from_bytes(r) for r in payloads(REPORT_KIND)]
    )


def pack(table: pa.Table) -> Iterator[bytes]:
    """`table` in pieces of at most about PIECE_BYTES: Arrow IPC streams, zstd. None for an empty one."""
    if not len(table):
        return
    rows = max(1, int(len(table) * PIECE_BYTES / max(1, table.nbytes)))
    for start in range(0, len(table), rows):
        piece = table.slice(start, rows)
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))
        with pa.ipc.new_stream(sink, piece.schema, options=options) as writer:
            writer.write_table(piece)
        yield sink.getvalue().to_pybytes()


def unpack(piece: bytes) -> pa.Table:
    """One piece of `pack`."""
    return pa.ipc.open_stream(piece).read_all()
