"""What is known of one hour's files: which versions were read, and their rows as one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.store import Listed, Place

KEY = pa.field("key", pa.string())
"""The column that says which file a row is from."""

TAIL = 200
"""A replay rewrites or deletes the newest few files only: so many at the end are listed each time ..."""

IN_FULL = timedelta(minutes=1)
"""... and all of them so often, whatever else may have happened to the others."""


@dataclass
class Hour:
    """Rows of all files read, and what is still to be read. Not for several threads at once."""

    start: datetime
    folder: str  # what the keys of its files begin with
    table: pa.Table  # with the column KEY
    listed_at: datetime | None = None
    listed_in_full_at: datetime | None = None
    versions: dict[str, str] = field(default_factory=dict)  # key -> version, of all files there are
    read: dict[str, str] = field(default_factory=dict)  # key -> version
    unreadable: dict[str, str] = field(default_factory=dict)  # the same, of files that could not be read
    _missing: dict[str, str] = field(default_factory=dict)

    def place(self, now: datetime) -> Place:
        """Where its new files are to be looked for."""
        if self.listed_in_full_at is None or now - self.listed_in_full_at >= IN_FULL:
            return Place(self.folder)
        keys = sorted(self.versions)
        # Batches are in order behind their checkpoint's id, and another checkpoint's may come before them.
        same = len(self.folder) + len("batch=00000000")
        if len(keys) <= TAIL or keys[0][:same] != keys[-1][:same]:
            return Place(self.folder)
        return Place(self.folder, after=keys[-TAIL - 1])

    def listed(self, place: Place, objects: Sequence[Listed], now: datetime) -> None:
        """These are the hour's files in that place now: rows of those that are gone go, too."""
        versions = {key: version for key, version in self.versions.items() if key <= place.after}
        versions |= {each.key: each.version for each in objects}
        gone = self.read.keys() - versions.keys()
        if gone:
            self._drop(gone)
            self.read = {key: version for key, version in self.read.items() if key in versions}
        self.unreadable = {key: v for key, v in self.unreadable.items() if versions.get(key) == v}
        self._missing = {key: v for key, v in versions.items() if self.read.get(key) != v}
        self.versions = versions
        self.listed_at = now
        if not place.after:
            self.listed_in_full_at = now

    def missing(self) -> list[str]:
        """The files to read, the newest first, those that failed before last."""
        return sorted(sorted(self._missing, reverse=True), key=lambda key: key in self.unreadable)

    def put(self, asked: Sequence[str], tables: Mapping[str, pa.Table], failed: Sequence[str]) -> None:
        """What came of reading the files `asked`: tables, failures, and nothing for what is gone."""
        changed = [key for key in asked if key in self.read]
        if changed:
            self._drop(changed)
        pieces = [
            table.append_column(KEY, pa.repeat(pa.scalar(key, KEY.type), table.num_rows))
            for key, table in tables.items()
        ]
        self.table = pa.concat_tables([self.table, *pieces]).combine_chunks()
        for key in asked:
            self.read.pop(key, None)
            self.unreadable.pop(key, None)
            if key in failed:  # and still missing: the next refresh tries again
                self.unreadable[key] = self._missing[key]
                continue
            version = self._missing.pop(key)
            if key in tables:
                self.read[key] = version

    def skip(self, keys: Sequence[str]) -> None:
        """Count these as read, without rows: there is no room for them."""
        for key in keys:
            self.read[key] = self._missing.pop(key)

    def keep_newest(self, rows: int, time: str) -> datetime | None:
        """Let go of all rows but the newest by the column `time`; the time of the oldest that is left."""
        self.table = self.table.sort_by(time).slice(self.table.num_rows - rows).combine_chunks()
        oldest: datetime | None = self.table[time][0].as_py() if rows else None
        return oldest

    def _drop(self, keys: Sequence[str] | set[str]) -> None:
        of_them = pc.is_in(self.table["key"], pa.array(sorted(keys), KEY.type))
        self.table = self.table.filter(pc.invert(of_them))
