"""Alerts as Parquet on the object store: one object a micro-batch, under a key that a replay repeats."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from fraud.alert import ALERTS
from jobs.objects import Objects

FOLDER = "alerts/"
COMPACTED_FOLDER = "alerts_hourly/"
RECONCILIATIONS_FOLDER = "reconciliations/"
PLAN_KEY = f"{RECONCILIATIONS_FOLDER}plan.parquet"
"""What `jobs.reconcile` is about to add to `alerts/`, while it does."""

PLAN_TARGET = "target"
"""Its metadata: the key under which it is added."""

_NAME = re.compile(r"/batch=(?P<checkpoint>[0-9a-f]{8})-(?P<batch>\d{12})\.parquet$")


def alerts_key(checkpoint_id: str, batch_id: int, batch_time: int) -> str:
    """The key of a micro-batch's alerts; `batch_time` in epoch milliseconds."""
    return f"{hour_folder(batch_time)}batch={checkpoint_id}-{batch_id:012d}.parquet"


def hour_folder(batch_time: int) -> str:
    """Where the alerts of that hour lie; `batch_time` in epoch milliseconds."""
    at = datetime.fromtimestamp(batch_time / 1000, UTC)
    return f"{FOLDER}date={at:%Y-%m-%d}/hour={at:%H}/"


def to_parquet(pieces: Iterable[pa.Table]) -> bytes:
    """Tables of schema ALERTS as one Parquet file, a row group each."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, ALERTS, compression="zstd") as writer:
        for piece in pieces:
            writer.write_table(piece)
    content: bytes = sink.getvalue().to_pybytes()
    return content


class AlertsSink:
    """The folder `alerts/` of one bucket and prefix."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, key: str, parquet: bytes) -> None:
        """Write one object."""
        self._objects.put(key, parquet)

    def delete(self, key: str) -> None:
        """Delete one object, whether it is there or not."""
        self._objects.delete(key)

    def any(self) -> str | None:
        """The key of one object in `alerts/` or `alerts_hourly/`; None when there are none."""
        first = (self._objects.first_key(folder, folder) for folder in (FOLDER, COMPACTED_FOLDER))
        return next(filter(None, first), None)

    def checkpoints(self, since: str = FOLDER, known: Mapping[str, int] | None = None) -> dict[str, int]:
        """The ids of the checkpoints with objects in `alerts/` at keys after `since`, each with one of its
        micro-batches; of a checkpoint in `known` only when there is one after that micro-batch.

        At most two requests for each checkpoint in each hour: the rest of its objects are skipped.
        """
        found: dict[str, int] = {}
        after = since
        while key := self._objects.first_key(FOLDER, after):
            after = key
            name = _NAME.search(key)
            if name is None:
                continue
            checkpoint, batch_id = name["checkpoint"], int(name["batch"])
            newest_known = (known or {}).get(checkpoint, -1)
            if batch_id > newest_known:
                found[checkpoint] = batch_id
                after = f"{key[: name.end('checkpoint')]}-~"  # behind all batch ids
            else:
                after = f"{key[: name.end('checkpoint')]}-{newest_known:012d}.parquet"
        return found

    def delete_all(self) -> int:
        """Delete everything in `alerts/` and `alerts_hourly/`, and what a reconciliation was about to add;
        how many objects that were."""
        return sum(map(self._objects.delete_all, (RECONCILIATIONS_FOLDER, FOLDER, COMPACTED_FOLDER)))
