"""What a reconciliation has to add: reads metrics, archive and alerts, and writes nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.alert import ALERTS
from fraud.archive import ARCHIVED
from fraud.arrays import Integers
from fraud.detection import longest_window
from fraud.generations import Generation
from fraud.reconciliation import JUDGED, Watermarks, alerts_after_late
from jobs.compact.closed import HOUR
from jobs.detect.alerts_sink import COMPACTED_FOLDER, FOLDER, hour_folder
from jobs.detect.errors import JobError
from jobs.detect.identity import Identity
from jobs.detect.metrics import FOLDER as METRICS_FOLDER
from jobs.detect.metrics import METRICS, as_rows
from jobs.objects import Objects
from jobs.reconcile.archive import GENERATION, Archive
from jobs.reconcile.buckets import bucket_of
from jobs.reconcile.judges import Judges
from jobs.reconcile.tables import table_of

USERS_AT_ONCE = 20_000
"""Users with late payments whose whole archive is in memory at once."""

_LATE = pa.schema([ARCHIVED.field(name) for name in ("user_id", "timestamp", "partition", "offset")])
_ALERT_ID = pa.schema([ALERTS.field("alert_id")])

_bucket_of = lru_cache(200_000)(bucket_of)


@dataclass(frozen=True)
class Findings:
    """`since` and `until` are event times in epoch milliseconds."""

    alerts: pa.Table  # ALERTS, of payments in [since, until); detection has sent none of them
    since: int  # the oldest late payment
    until: int  # where what was judged ends: nothing before it can change by detection any more
    late: int  # late payments before `until`
    waiting: int  # late payments from `until` on: a later run judges them


def find(
    objects: Objects,
    identity: Identity,
    generations: Sequence[Generation],
    archived: Mapping[int, int],
    still_allowed: Callable[[], None],
) -> Findings | None:
    """Judge what came late, as far as archive (up to the offsets `archived`) and metrics both have come; None
    when there is nothing to judge yet. `still_allowed` is asked again and again, and may raise."""
    judges = Judges(identity.checkpoint_id)
    for key, content in objects.read_many(objects.keys(METRICS_FOLDER)):
        judges.add(as_rows(table_of(key, content, METRICS)))
    archive = Archive(objects, judges, archived)
    late, lowest = _late(
        archive, identity.buckets, {each.number: each for each in generations}, still_allowed
    )
    if lowest is None or not len(late):
        return None
    reach = longest_window(generations)
    until = lowest - reach
    in_range = late.filter(pc.less(late["timestamp"].cast(pa.int64()), until))
    waiting = len(late) - len(in_range)
    if not len(in_range):
        return Findings(ALERTS.empty_table(), until, until, 0, waiting)
    since = int(pc.min(in_range["timestamp"].cast(pa.int64())).as_py())
    skew = max(each.clock_skew for each in generations)
    # no record is in the topic before its event time less the skew; clocks may differ by the hour
    first_hour = hour_folder(max(0, since - reach - skew - HOUR))[len(FOLDER) : -1]
    pieces = [ALERTS.empty_table()]
    users = pc.unique(in_range["user_id"]).sort()
    for start in range(0, len(users), USERS_AT_ONCE):
        still_allowed()
        rows = archive.of_users(users.slice(start, USERS_AT_ONCE), first_hour)
        pieces.append(alerts_after_late(_with_late(rows, in_range), generations, until))
    alerts = pa.concat_tables(pieces)
    sent = _sent(objects, alerts["alert_id"].combine_chunks(), first_hour, still_allowed)
    missing = alerts.filter(pc.invert(pc.is_in(alerts["alert_id"], sent)))
    return Findings(missing, since, until, len(in_range), waiting)


def _late(
    archive: Archive, buckets: int, generations: Mapping[int, Generation], still_allowed: Callable[[], None]
) -> tuple[pa.Table, int | None]:
    """All late records (schema _LATE), and the lowest watermark."""
    watermarks, found = Watermarks(), [_LATE.empty_table()]
    hour_before = ""
    for hour, rows in archive.pieces():
        if hour != hour_before:
            still_allowed()
            hour_before = hour
        numbers = rows[GENERATION.name].to_numpy()
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(rows)]
        for start, end in pairwise(edges):
            part = rows.slice(start, end - start).select(ARCHIVED.names)
            generation = generations.get(int(numbers[start]))
            if generation is None:
                raise JobError(
                    f"metrics name generation {numbers[start]}, which the checkpoint does not have: was it "
                    "restored from an older copy?"
                )
            late = watermarks.advance(part, _buckets(part["user_id"], buckets), generation)
            found.append(part.filter(pa.array(late)).select(_LATE.names))
    return pa.concat_tables(found).combine_chunks(), watermarks.lowest()


def _buckets(users: pa.ChunkedArray, buckets: int) -> Integers:
    encoded = users.combine_chunks().dictionary_encode()
    of_name = [_bucket_of(name.encode(), buckets) for name in encoded.dictionary.to_pylist()]
    found: Integers = np.array(of_name, dtype=np.int64)[encoded.indices.to_numpy()]
    return found


def _with_late(rows: pa.Table, late: pa.Table) -> pa.Table:
    """`rows` as JUDGED: those that are in `late` are late."""
    places = set(zip(late["partition"].to_pylist(), late["offset"].to_pylist(), strict=True))
    own = zip(rows["partition"].to_pylist(), rows["offset"].to_pylist(), strict=True)
    return rows.append_column(JUDGED.field("late"), pa.array([place in places for place in own], pa.bool_()))


def _sent(objects: Objects, ids: pa.Array, first_hour: str, still_allowed: Callable[[], None]) -> pa.Array:
    """Those of the alerts with these ids that are in `alerts/` or `alerts_hourly/`."""
    keys = [key for key in objects.keys(COMPACTED_FOLDER) if _hour(key, COMPACTED_FOLDER) >= first_hour]
    compacted = {_hour(key, COMPACTED_FOLDER) for key in keys}
    keys += [
        key
        for key in objects.keys(FOLDER)
        if _hour(key, FOLDER) >= first_hour and _hour(key, FOLDER) not in compacted
    ]
    found = [pa.array([], pa.string())]
    hour_before = ""
    for key, content in objects.read_many(keys):
        if _hour(key, "") != hour_before:
            still_allowed()
            hour_before = _hour(key, "")
        there = table_of(key, content, _ALERT_ID)["alert_id"]
        found += there.filter(pc.is_in(there, ids)).chunks
    return pa.concat_arrays(found)


def _hour(key: str, folder: str) -> str:
    """`date=.../hour=..` of a key in `folder`."""
    return key[len(folder) :].rsplit("/", 1)[0]
