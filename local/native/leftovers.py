"""Remembers what runs, so that the start after a killed supervisor can end what that one left running."""

import json
import time
from collections.abc import Iterable
from pathlib import Path

from local.native.process import Process, kill_all_of, start_time

_PAUSE = 0.05


def write_record(record: Path, processes: Iterable[Process]) -> None:
    """Replace the file `record` by the list of these processes."""
    running = [
        {"name": process.program.name, "pid": process.pid, "started": process.started}
        for process in processes
    ]
    partial = record.with_suffix(".partial")
    partial.write_text(json.dumps(running, indent=1))
    partial.replace(record)


def stop_leftovers(record: Path) -> list[str]:
    """End what a killed supervisor left running, by its `record`; returns the programs' names.

    Only a process whose start time is the recorded one is touched: numbers are used again.
    """
    if not record.exists():
        return []
    ended = []
    for entry in json.loads(record.read_text() or "[]"):
        if entry["started"] and start_time(entry["pid"]) == entry["started"]:
            kill_all_of(entry["pid"])
            while start_time(entry["pid"]) == entry["started"]:  # its ports are free only when it is gone
                time.sleep(_PAUSE)
            ended.append(str(entry["name"]))
    record.unlink()
    return ended
