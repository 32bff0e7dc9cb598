"""The hours of alerts in a bucket: what lies in `alerts/`, in `alerts_hourly/`, and the newest metrics."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import IO

from jobs.compact.closed import SILENT
from jobs.detect import metrics
from jobs.detect.alerts_sink import COMPACTED_FOLDER, FOLDER, PLAN_KEY, PLAN_TARGET, hour_folder
from jobs.objects import Listed, Objects

_HOUR_FOLDER = re.compile(r"date=(\d{4}-\d\d-\d\d)/hour=(\d\d)/$")
COMPACTED_NAME = "alerts.parquet"
_SOURCES = "sources"  # metadata of a compacted object


class HourChanged(Exception):
    """An object of the hour was written or deleted while the hour was read."""


def compacted_key(hour: int) -> str:
    """The key of the one object of that hour (its start in epoch milliseconds)."""
    return f"{COMPACTED_FOLDER}{hour_folder(hour).removeprefix(FOLDER)}{COMPACTED_NAME}"


def fingerprint(sources: list[Listed]) -> str:
    """What a compacted object was made of."""
    return sha256("\n".join(f"{each.key} {each.etag}" for each in sources).encode()).hexdigest()


class Hours:
    """The hours of one bucket and prefix."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def with_alerts(self) -> list[int]:
        """The starts of the hours with objects in `alerts/`, oldest first."""
        dates = self._objects.folders(f"{FOLDER}date=")
        hours = [hour for date in dates for hour in self._objects.folders(f"{date}hour=")]
        found = map(_HOUR_FOLDER.search, hours)
        return sorted(_start(name) for name in found if name)

    def compacted(self) -> set[int]:
        """The starts of the hours with an object in `alerts_hourly/`."""
        keys = self._objects.keys(f"{COMPACTED_FOLDER}date=")
        found = [_HOUR_FOLDER.search(key.removesuffix(COMPACTED_NAME)) for key in keys]
        return {_start(name) for name in found if name}

    def planned(self) -> int | None:
        """The start of the hour to which a reconciliation is about to add alerts; None when none is."""
        plan = self._objects.metadata(PLAN_KEY)
        if plan is None:
            return None
        name = _HOUR_FOLDER.search(plan[PLAN_TARGET].rpartition("/")[0] + "/")
        return None if name is None else _start(name)

    def sources(self, hour: int) -> list[Listed]:
        """The objects of that hour in `alerts/`, in the order of their keys."""
        return self._objects.listed(hour_folder(hour))

    def made_of(self, hour: int) -> str:
        """The fingerprint of what that hour's object in `alerts_hourly/` was made of."""
        return (self._objects.metadata(compacted_key(hour)) or {}).get(_SOURCES, "")

    def read(self, source: Listed) -> bytes:
        """Its content. Raises HourChanged when it is not what was listed."""
        found = self._objects.find(source.key)
        if found is None:
            raise HourChanged(f"{self.address(source)} has gone")
        if found.etag != source.etag:
            raise HourChanged(f"{self.address(source)} was written again")
        return found.content

    def address(self, source: Listed) -> str:
        """Where it is, for messages."""
        return self._objects.address(source.key)

    def put(self, hour: int, content: IO[bytes], sources: list[Listed]) -> None:
        """Write the hour's object, at once."""
        self._objects.put(compacted_key(hour), content, {_SOURCES: fingerprint(sources)})

    def newest_metrics(self) -> list[metrics.Row]:
        """The rows of at least the last SILENT milliseconds before the newest one; none without metrics."""
        dates = self._objects.folders(f"{metrics.FOLDER}date=")[-2:]
        keys = [key for date in dates for key in self._objects.keys(date)]
        if not keys:
            return []
        newest = max(row["batch_time"] for row in self._rows(keys[-1:]))
        first = metrics.metrics_key(newest - SILENT)
        return self._rows([key for key in keys if key >= first])

    def _rows(self, keys: list[str]) -> list[metrics.Row]:
        return [row for _, content in self._objects.read_many(keys) for row in metrics.from_parquet(content)]


def show_hour(hour: int) -> str:
    """`2026-01-31 11:00`, UTC."""
    return f"{datetime.fromtimestamp(hour / 1000, UTC):%Y-%m-%d %H:%M}"


def _start(name: re.Match[str]) -> int:
    return int(datetime.strptime(f"{name[1]} {name[2]} +0000", "%Y-%m-%d %H %z").timestamp()) * 1000
