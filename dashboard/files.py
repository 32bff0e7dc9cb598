"""Decides which files to read, for the feed: only new ones, newest first, within time and room.

Hours that are over change only when the job replays a micro-batch, so they are listed again rarely.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from dashboard.contents import Parse, UnreadableError
from dashboard.hour import KEY, Hour
from dashboard.spans import HOUR, LONGEST, hour_of, hours
from dashboard.store import Place, Store

KEPT = 2 * LONGEST + HOUR
"""Older hours are forgotten: the longest range and, for comparison, the one before it."""

OPEN_FOR = timedelta(minutes=15)
RELIST = timedelta(minutes=10)
FILES_AT_ONCE = 128
HOURS_AT_ONCE = 24


@dataclass(frozen=True)
class Kind:
    """One kind of files: where an hour's lie, how they are read, and how many rows may be held."""

    folder: Callable[[datetime], str]
    parse: Parse
    schema: pa.Schema
    time: str  # the column
    max_rows: int
    compacted: Callable[[datetime], str] | None = None
    """Where a closed hour lies as one file, if it does: instead of `folder`, not in addition."""


class Files:
    """All files of one kind that were read. Not for several threads at once."""

    def __init__(self, store: Store, kind: Kind) -> None:
        self._store = store
        self._kind = kind
        self._empty = kind.schema.append(KEY).empty_table()
        self._hours: dict[datetime, Hour] = {}
        self.complete_since: datetime | None = None
        """From there on everything was read, as of the last refresh; None before the first."""
        self.full_since: datetime | None = None
        """Older rows were left out, as there are more than `max_rows`; None when all fit."""

    @property
    def unreadable(self) -> int:
        """How many files could not be read; each is tried again."""
        return sum(len(hour.unreadable) for hour in self._hours.values())

    def table(self, since: datetime) -> pa.Table:
        """The rows of the hours from the one of `since` on."""
        first = hour_of(since)
        tables = [self._hours[start].table for start in sorted(self._hours) if start >= first]
        return pa.concat_tables([self._empty, *tables]).select(self._kind.schema.names)

    def refresh(self, since: datetime, now: datetime, in_time: Callable[[], bool]) -> None:
        """Read what is new since `since`; stop where it is when `in_time` says no. Raises StoreError."""
        for start in [start for start in self._hours if start < hour_of(now - KEPT)]:
            del self._hours[start]
        wanted = hours(since, now + OPEN_FOR)  # the job's clock may be ahead
        if self.full_since is not None:
            wanted = [start for start in wanted if start + HOUR > self.full_since]
        left = self._kind.max_rows
        for index, start in enumerate(wanted):
            if index % HOURS_AT_ONCE == 0:
                if index and not in_time():
                    self.complete_since = start + HOUR
                    return
                self._list(wanted[index : index + HOURS_AT_ONCE], now)
            hour = self._hours[start]
            if left <= 0:
                self.full_since = start + HOUR
                break
            if not self._read(hour, left, in_time):
                self.complete_since = start + HOUR
                return
            left -= hour.table.num_rows
        self._make_room()
        self.complete_since = max(hour_of(since), self.full_since or hour_of(since))

    def _list(self, starts: list[datetime], now: datetime) -> None:
        for start in starts:
            self._hours.setdefault(start, Hour(start, self._kind.folder(start), self._empty))
        due = [self._hours[start] for start in starts if _is_due(self._hours[start], now)]
        compacted = self._list_compacted(due, now)
        due = [hour for hour in due if hour.start not in compacted]
        places = [hour.place(now) for hour in due]
        for hour, place, objects in zip(due, places, self._store.find(places), strict=True):
            hour.listed(place, objects, now)

    def _list_compacted(self, due: list[Hour], now: datetime) -> set[datetime]:
        """Look for the hours that lie as one file, before `folder` is looked at; which do.

        An hour that was read from `folder` before stays with it: all that is in it is known already.
        """
        folder = self._kind.compacted
        if folder is None:
            return set()
        asked = [
            hour
            for hour in due
            if now >= hour.start + HOUR + OPEN_FOR
            and (hour.listed_at is None or hour.folder == folder(hour.start))
        ]
        places = [Place(folder(hour.start)) for hour in asked]
        found = set()
        for hour, place, objects in zip(asked, places, self._store.find(places), strict=True):
            hour.folder = place.prefix if objects else self._kind.folder(hour.start)
            if objects:
                hour.listed(place, objects, now)
                found.add(hour.start)
        return found

    def _read(self, hour: Hour, room: int, in_time: Callable[[], bool]) -> bool:
        """Read what is missing of the hour, as far as there is room; False when the time was up first."""
        missing = hour.missing()
        for at in range(0, len(missing), FILES_AT_ONCE):
            if not in_time():
                return False
            asked = missing[at : at + FILES_AT_ONCE]
            contents = self._store.read(asked)
            tables, failed = {}, []
            for key, content in contents.items():
                try:
                    tables[key] = self._kind.parse(content)
                except UnreadableError:
                    failed.append(key)
            hour.put(asked, tables, failed)
            if hour.table.num_rows > room:
                hour.skip(missing[at + FILES_AT_ONCE :])
                break
        return True

    def _make_room(self) -> None:
        """Let go of the oldest rows above `max_rows`; look for them again when half the room is free."""
        left = self._kind.max_rows
        for start in sorted(self._hours, reverse=True):
            hour = self._hours[start]
            if hour.table.num_rows > left:
                self.full_since = hour.keep_newest(left, self._kind.time) or start + HOUR
            left -= hour.table.num_rows
        if self.full_since is not None:
            for old in [each for each in self._hours if each + HOUR <= self.full_since]:
                del self._hours[old]
            if left > self._kind.max_rows // 2:
                self.full_since = None


def _is_due(hour: Hour, now: datetime) -> bool:
    """Whether the hour's files are to be listed: while new ones may come, always."""
    if hour.listed_at is None or now < hour.start + HOUR + OPEN_FOR:
        return True
    return now - hour.listed_at >= RELIST
