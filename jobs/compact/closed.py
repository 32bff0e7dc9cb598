"""Which hours can change no more, by the metrics in the bucket alone. Pure.

The argument, and what it takes for granted, is in docs/state.md.
"""

from collections.abc import Iterable

from jobs.detect.metrics import Row

HOUR = 3_600_000
MARGIN = 600_000
"""How far a proof must lie behind an hour's end: a clock that is set back by less harms nothing."""

SILENT = HOUR
"""A checkpoint without a row for so many milliseconds, while another has some, has been taken over: a job
that runs writes a heartbeat in 30 s of silence."""


def first_open_hour(rows: Iterable[Row]) -> int | None:
    """The start of the first hour that may still change (epoch milliseconds); None when nothing is proven.

    `rows` are those of METRICS of at least the last SILENT milliseconds before the newest one, from all
    checkpoints.
    """
    times: dict[str, int] = {}
    proofs: dict[str, int] = {}
    for row in rows:
        checkpoint, time = row["checkpoint_id"], row["batch_time"]
        times[checkpoint] = max(time, times.get(checkpoint, time))
        if _is_proof(row):
            proofs[checkpoint] = max(time, proofs.get(checkpoint, time))
    if not times:
        return None
    newest = max(times.values())
    alive = [checkpoint for checkpoint, time in times.items() if time > newest - SILENT]
    if not proofs.keys() >= set(alive):
        return None
    proven = min(proofs[checkpoint] for checkpoint in alive) - MARGIN
    return proven - proven % HOUR


def _is_proof(row: Row) -> bool:
    """Whether no micro-batch of the row's checkpoint with an earlier time is still to be written.

    A micro-batch is planned when the one before it is committed, so its row proves those. A heartbeat is
    written beside a micro-batch that hangs before it is judged, too, or is still to be replayed: it proves
    something only when there was not one record behind the last written micro-batch, so none was planned.
    """
    if row["kind"] == "batch":
        return True
    partitions = row["partitions"]
    return row["batch_id"] is not None and bool(partitions) and all(each["lag"] == 0 for each in partitions)
