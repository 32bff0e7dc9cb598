"""The archive as detection has read it: in the order of the offsets, with who judged each record."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.archive import ARCHIVED, FOLDER
from jobs.detect.errors import JobError
from jobs.objects import Objects
from jobs.reconcile.judges import UNKNOWN, Judges
from jobs.reconcile.tables import table_of

GENERATION = pa.field("generation", pa.int32())

_OFFSET = pa.schema([ARCHIVED.field("offset")])

_NAME = re.compile(r"(?P<hour>date=[\d-]+/hour=\d\d)/batch=(?P<archive>[0-9a-f]{8})-\d{12}-\d{5}\.parquet$")


class Archive:
    """The records of the archive before `ends` (partition -> offset) that one checkpoint has judged."""

    def __init__(self, objects: Objects, judges: Judges, ends: Mapping[int, int]) -> None:
        self._objects = objects
        self._judges = judges
        self._ends = ends
        self._keys = [key for key in objects.keys(f"{FOLDER}date=") if _NAME.search(key)]

    def pieces(self) -> Iterator[tuple[str, pa.Table]]:
        """Each object's records as (hour, rows of ARCHIVED with the column GENERATION), so that each
        partition's offsets rise. Raises JobError when they do not."""
        reached: dict[int, int] = {}
        for key, rows in self._read(self._in_order()):
            if not len(rows):
                continue
            partition, offsets = rows["partition"][0].as_py(), rows["offset"].to_numpy()
            if offsets[0] <= reached.get(partition, -1) or not (np.diff(offsets) > 0).all():
                raise JobError(
                    f"the archive is not in order: {key} has offset {offsets[0]} of partition {partition}, "
                    "and an earlier object has that or a later one"
                )
            reached[partition] = int(offsets[-1])
            yield _hour(key), rows

    def of_users(self, users: pa.Array, since_hour: str) -> pa.Table:
        """All records of these users in the hours from `since_hour` on, in no order."""
        keys = [key for key in self._keys if _hour(key) >= since_hour]
        found = [rows.filter(pc.is_in(rows["user_id"], users)) for _, rows in self._read(keys)]
        return pa.concat_tables([ARCHIVED.append(GENERATION).empty_table(), *found])

    def _read(self, keys: list[str]) -> Iterator[tuple[str, pa.Table]]:
        for key, content in self._objects.read_many(keys):
            rows = table_of(key, content, ARCHIVED)
            partition = rows["partition"][0].as_py() if len(rows) else 0  # one an object
            offsets = rows["offset"].to_numpy()
            numbers = self._judges.generation(partition, offsets)
            read = (numbers != UNKNOWN) & (offsets < self._ends.get(partition, 0))
            rows = rows.append_column(GENERATION, pa.array(numbers.astype(np.int32)))
            yield key, rows.filter(pa.array(read))

    def _in_order(self) -> list[str]:
        """An archive's objects are in order by name; where another one goes on in the same hour, their first
        offsets say whose come first."""
        ordered: list[str] = []
        for _, group in groupby(self._keys, _hour):
            keys = list(group)
            ordered += keys if len(set(map(_archive, keys))) == 1 else self._by_first_offset(keys)
        return ordered

    def _by_first_offset(self, keys: Iterable[str]) -> list[str]:
        firsts = {
            key: int(table_of(key, content, _OFFSET)["offset"][0].as_py())
            for key, content in self._objects.read_many(list(keys))
        }
        return sorted(firsts, key=lambda key: (key[-len("00000.parquet") :], firsts[key]))


def _hour(key: str) -> str:
    return _part(key, "hour")


def _archive(key: str) -> str:
    return _part(key, "archive")


def _part(key: str, name: str) -> str:
    found = _NAME.search(key)
    return found[name] if found else ""
