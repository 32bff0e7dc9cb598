"""What one bucket remembers between micro-batches: recent payments and how far each partition has come."""

from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

SCHEMA_VERSION = 1

_ONE_THREAD = pa.ipc.IpcReadOptions(use_threads=False)  # Spark's tasks are the threads

_NAMES = pa.dictionary(pa.int32(), pa.string())

PAYMENTS = pa.schema(
    [
        ("user_id", _NAMES),
        ("timestamp", pa.int64()),  # event time, epoch milliseconds
        ("transaction_id", pa.string()),
        ("amount", pa.int64()),  # cents
        ("currency", _NAMES),
        ("location", _NAMES),
        ("ingested_at", pa.int64()),  # the record's Kafka time, epoch milliseconds
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("flags", pa.int64()),  # bit i: rule i of the payment's generation has flagged it
        ("generation", pa.int32()),  # judged for life by the rules of this one
    ]
)
"""One row an evaluated payment, in order of arrival."""


class IncompatibleState(Exception):
    """The state was written by another version of this code, or is damaged; the message says which."""


@dataclass(frozen=True)
class Progress:
    """How far one Kafka partition has come, among the records of one bucket (epoch milliseconds)."""

    newest: int  # running maximum of event time
    watermark: int  # what is older is late; never goes back, even when the allowed lateness grows


@dataclass(frozen=True)
class Memory:
    """Payments (one chunk, schema PAYMENTS) and the progress of each Kafka partition."""

    payments: pa.Table
    progress: dict[int, Progress]

    @classmethod
    def empty(cls) -> "Memory":
        """The memory of a bucket that has seen nothing."""
        return cls(PAYMENTS.empty_table(), {})

    def remember(self, payments: pa.Table, progress: dict[int, Progress], retention: int) -> "Memory":
        """A memory of the `payments` less than `retention` ms behind their partition's watermark."""
        partition = payments["partition"].to_numpy()
        timestamp = payments["timestamp"].to_numpy()
        keep = np.ones(len(payments), dtype=np.bool_)
        for number, reached in progress.items():
            # What lies at the watermark is not late: a repeat of it may still come.
            oldest = reached.watermark - max(retention - 1, 0)
            keep &= (partition != number) | (timestamp >= oldest)
        kept = payments if keep.all() else payments.filter(pa.array(keep))
        return Memory(_one_chunk(kept), progress)

    def to_bytes(self) -> bytes:
        """An Arrow IPC stream, zstd; schema version and progress in the schema's metadata."""
        metadata = {
            "schema_version": SCHEMA_VERSION,
            "progress": {str(n): [p.newest, p.watermark] for n, p in sorted(self.progress.items())},
        }
        table = self.payments.replace_schema_metadata({"fraud": orjson.dumps(metadata)})
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(
            compression=pa.Codec("zstd", 1), unify_dictionaries=True, use_threads=False
        )
        with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
            writer.write_table(table)
        blob: bytes = sink.getvalue().to_pybytes()
        return blob

    @classmethod
    def from_bytes(cls, blob: bytes) -> "Memory":
        """The inverse of `to_bytes`. Raises IncompatibleState for another version's or a damaged state."""
        try:
            table = pa.ipc.open_stream(blob, options=_ONE_THREAD).read_all()
            metadata = orjson.loads((table.schema.metadata or {})[b"fraud"])
            version = metadata["schema_version"]
            progress = {int(n): Progress(*reached) for n, reached in metadata["progress"].items()}
        except (pa.ArrowException, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise IncompatibleState(f"state of {len(blob)} bytes is not readable: {error}") from error
        if version != SCHEMA_VERSION:
            raise IncompatibleState(
                f"state has schema version {version}, this release reads {SCHEMA_VERSION}"
            )
        table = table.replace_schema_metadata(None)
        if table.schema != PAYMENTS:
            raise IncompatibleState(f"state has other columns than this release's: {table.schema.names}")
        return cls(_one_chunk(table), progress)


def _one_chunk(payments: pa.Table) -> pa.Table:
    """The same rows in one chunk, without the dictionary entries that no row uses (when they are many)."""
    payments = payments.unify_dictionaries().combine_chunks()
    for index, column in enumerate(PAYMENTS):
        if not pa.types.is_dictionary(column.type) or not len(payments):
            continue
        encoded = payments.column(index).chunk(0)
        if len(encoded.dictionary) > 2 * len(pc.unique(encoded.indices)) + 64:
            fresh = pc.dictionary_encode(encoded.dictionary_decode())
            payments = payments.set_column(index, column, fresh)
    return payments
