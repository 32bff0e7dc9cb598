"""The operator: one bucket's records of one micro-batch in, packed outcomes and new state out.

Runs in Spark's Python workers. It moves bytes between Spark and `fraud.detection`, which decides.
"""

import base64
import binascii
import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

import jobs.detect.binary_columns  # these two for what Spark calls in the workers
import jobs.python_workers  # noqa: F401
from fraud.detection import detect
from fraud.generations import Generation
from fraud.memory import IncompatibleState, Memory
from fraud.transaction import RECORDS
from jobs.detect.outcomes import (
    ALERTS_KIND,
    CARRIED_BYTES,
    REJECTED_KIND,
    REJECTS,
    REPORT_KIND,
    Report,
    pack,
)

if TYPE_CHECKING:
    from pyspark.sql.streaming.state import GroupState

SHA256 = "sha256"
"""Extra column beside RECORDS: hex, only of values that were cut."""

INPUT = RECORDS.append(pa.field(SHA256, pa.string()))
OUTPUT = "bucket int, kind string, payload binary"
STATE = "blob string"
"""Base64. Spark hands state to Python by pickle, and bytes one by one: 30 ns each, text is copied at once."""

Judge = Callable[[Any, Iterable[pd.DataFrame], "GroupState"], Iterator[pd.DataFrame]]

# pyspark concatenates empty frames in every micro-batch, and pandas warns each time
warnings.filterwarnings("ignore", "The behavior of .*concatenation with empty", FutureWarning)


def judge_with(generations: list[str]) -> Judge:
    """The function for applyInPandasWithState; `generations` as JSON."""

    def judge(key: Any, frames: Iterable[pd.DataFrame], state: "GroupState") -> Iterator[pd.DataFrame]:
        return judge_bucket(tuple(generations), int(key[0]), frames, state)

    return judge


def judge_bucket(
    generations: tuple[str, ...], bucket: int, frames: Iterable[pd.DataFrame], state: "GroupState"
) -> Iterator[pd.DataFrame]:
    """Rows of OUTPUT for one bucket; updates its state, one blob. `frames` has the columns of INPUT."""
    from pyspark import TaskContext

    context = TaskContext.get()
    # In a worker there is a context, and in a micro-batch this property: pyspark's types say "perhaps".
    batch_id = int(context.getLocalProperty("streaming.sql.batchId"))  # type: ignore[union-attr, arg-type]
    batch_time = state.getCurrentProcessingTimeMs()
    records = pa.concat_tables([table_of(frame) for frame in frames])
    memory = unpack_memory(state.get[0]) if state.exists else Memory.empty()
    outcome = detect(records.select(RECORDS.names), memory, _generations(generations), batch_id, batch_time)
    blob = pack_memory(outcome.memory)
    state.update((blob,))
    counts = [tuple(count.values()) for count in outcome.counts.to_pylist()]
    report = Report(bucket, batch_id, batch_time, counts, outcome.measures, len(blob))
    rows = [(bucket, ALERTS_KIND, piece) for piece in pack(outcome.alerts)]
    rows += [(bucket, REJECTED_KIND, piece) for piece in pack(rejects(records, outcome.rejected))]
    rows.append((bucket, REPORT_KIND, report.to_bytes()))
    yield pd.DataFrame(rows, columns=["bucket", "kind", "payload"])


def pack_memory(memory: Memory) -> str:
    """The text that the state store holds."""
    return base64.b64encode(memory.to_bytes()).decode("ascii")


def unpack_memory(blob: str) -> Memory:
    """The inverse of `pack_memory`. Raises IncompatibleState for another version's or a damaged state."""
    try:
        return Memory.from_bytes(base64.b64decode(blob))
    except (binascii.Error, ValueError) as error:
        raise IncompatibleState(f"state of {len(blob)} characters is not readable: {error}") from error


def rejects(records: pa.Table, rejected: pa.Table, budget: int = CARRIED_BYTES) -> pa.Table:
    """The rejected records (schema REJECTS), the first of them with their bytes, `budget` bytes in all."""
    own = records.take(rejected["record"])
    sizes = own["value"].combine_chunks().fill_null(b"")
    sizes = pa.compute.binary_length(sizes).to_numpy().astype(np.int64)
    carried = np.cumsum(sizes) <= budget
    values = [
        value if carry else None
        for value, carry in zip(own["value"].to_pylist(), carried.tolist(), strict=True)
    ]
    digests = [
        (cut or hashlib.sha256(value or b"").hexdigest()) if carry else None
        for value, cut, carry in zip(values, own[SHA256].to_pylist(), carried.tolist(), strict=True)
    ]
    columns = {
        "partition": own["partition"],
        "offset": own["offset"],
        "reason": rejected["reason"],
        "detail": rejected["detail"],
        "original_size": own["original_size"],
        "sha256": pa.array(digests, pa.string()),
        "value": pa.array(values, pa.binary()),
        "carried": pa.array(carried),
    }
    return pa.table([columns[name] for name in REJECTS.names], schema=REJECTS)


def table_of(frame: pd.DataFrame) -> pa.Table:
    """One of Spark's frames as INPUT."""
    columns = [pa.array(frame[field.name], field.type, from_pandas=True) for field in INPUT]
    return pa.table(columns, schema=INPUT)


@cache
def _generations(texts: tuple[str, ...]) -> list[Generation]:
    return [Generation.model_validate_json(text) for text in texts]
