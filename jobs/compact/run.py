"""One compaction: every closed hour that has no object yet, and those of the last day that have changed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile

import pyarrow as pa

from jobs.compact.closed import HOUR, first_open_hour
from jobs.compact.hours import HourChanged, Hours, fingerprint, show_hour
from jobs.compact.merge import alerts_of, merge
from jobs.objects import Listed

LOOKED_AT_AGAIN = 24 * HOUR
"""A compacted hour that began longer than this before the first open one stays as it is: its objects in
`alerts/` may be about to expire, one after the other."""


READS_AT_ONCE = 8
READ_AHEAD = 64


class Unreadable(Exception):
    """An object of `alerts/` is no Parquet file of alerts that this release knows."""


@dataclass(frozen=True)
class Compaction:
    """What a run did."""

    open_since: int | None  # start of the first hour that is not closed; None: nothing is proven
    written: list[int]  # starts of hours
    unchanged: int  # hours that were compacted before
    postponed: list[int]  # hours that changed while they were read, or to which a reconciliation adds


def compact(hours: Hours, say: Callable[[str], None]) -> Compaction:
    """Compact what is closed, the oldest hour first. Raises Unreadable, and what the object store raises."""
    open_since = first_open_hour(hours.newest_metrics())
    written: list[int] = []
    postponed: list[int] = []
    unchanged = 0
    if open_since is None:
        return Compaction(None, written, unchanged, postponed)
    planned = hours.planned()  # before any hour's objects are listed
    compacted = hours.compacted()
    for hour in hours.with_alerts():
        if hour >= open_since:
            break
        if hour in compacted and hour < open_since - LOOKED_AT_AGAIN:
            unchanged += 1
            continue
        if hour == planned:
            say(f"{show_hour(hour)}: a reconciliation adds to it; the next run after that compacts this hour")
            postponed.append(hour)
            continue
        try:
            done = _compact_hour(hours, hour, hours.made_of(hour) if hour in compacted else None, say)
        except HourChanged as error:
            say(f"{show_hour(hour)}: {error} while it was read; the next run compacts this hour")
            postponed.append(hour)
            continue
        if done:
            written.append(hour)
        else:
            unchanged += 1
    return Compaction(open_since, written, unchanged, postponed)


def _compact_hour(hours: Hours, hour: int, before: str | None, say: Callable[[str], None]) -> bool:
    """Write the hour's object; False when the same is there already."""
    sources = hours.sources(hour)
    if not sources or before == fingerprint(sources):  # none: expired since the hours were listed
        return False

    with TemporaryFile() as file:
        alerts = merge(_read(hours, sources), file)
        file.seek(0)
        hours.put(hour, file, sources)
    again = "" if before is None else ", again: its objects have changed"
    say(f"{show_hour(hour)}: {alerts} alerts of {len(sources)} objects{again}")
    return True


def _read(hours: Hours, sources: list[Listed]) -> Iterator[pa.Table]:
    """Their alerts, in order; READ_AHEAD objects are in memory at most."""
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        for at in range(0, len(sources), READ_AHEAD):
            yield from pool.map(partial(_alerts, hours), sources[at : at + READ_AHEAD])


def _alerts(hours: Hours, source: Listed) -> pa.Table:
    content = hours.read(source)
    try:
        return alerts_of(content)
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(f"{hours.address(source)} cannot be read: {error}") from error
