"""Says whether the streaming job is alive, for a container's health check: `python -m jobs.health`.

It asks the object store, as the dashboard does: a live job has written metrics within two minutes, of a
micro-batch, or of a heartbeat in silence. While Kafka or the object store is away, it has not. What was
written before the container started is another process's, and does not count.
"""

import os
import sys
import time
from pathlib import Path

from fraud.environment import load
from fraud.settings import ObjectStoreSettings, SettingsError
from jobs.detect.metrics import FOLDER, metrics_key
from jobs.objects import Objects
from jobs.outages import STORE_ERRORS, about_store
from jobs.store_client import store_client

FRESH = 120_000
"""Milliseconds; of a heartbeat every 30 s, three may fail."""

FIRST_PROCESS = Path("/proc/1/stat")
"""In a container it is the container's own."""


def container_age() -> int:
    """Milliseconds since this container was started."""
    fields = FIRST_PROCESS.read_text("utf-8").rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # in seconds since boot; field 22 of proc(5)
    return round((time.clock_gettime(time.CLOCK_BOOTTIME) - started) * 1000)


def metrics_written_since(store: ObjectStoreSettings, since: int) -> bool:
    """Whether metrics were written at or after `since` (epoch milliseconds). Raises STORE_ERRORS."""
    # A minute's object is written again by each micro-batch of its minute, and by one that took long, later.
    objects = Objects(store_client(store), store.bucket, store.prefix)
    return any(
        each.written_at >= since for each in objects.listed(f"{FOLDER}date=", metrics_key(since - 60_000))
    )


def main() -> int:
    """Exit code 0 when the job is alive; else 1 and a line that says why not."""
    try:
        store = load().object_store
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    period = min(FRESH, container_age())
    try:
        if metrics_written_since(store, time.time_ns() // 1_000_000 - period):
            return 0
    except STORE_ERRORS as error:
        print(f"error: {about_store(error, store)}", file=sys.stderr)
        return 1
    print(f"no metrics for {period // 1000} s: neither a micro-batch nor a heartbeat", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
