"""Says whether the streaming job is alive, for a container's health check: `python -m jobs.health`.

It asks the object store, as the dashboard does: a live job has written metrics within two minutes, of a
micro-batch, or of a heartbeat in silence. While Kafka or the object store is away, it has not.
"""

import sys
import time

from fraud.environment import load
from fraud.settings import ObjectStoreSettings, SettingsError
from jobs.detect.metrics import FOLDER, metrics_key
from jobs.objects import Objects
from jobs.outages import STORE_ERRORS, about_store
from jobs.store_client import store_client

FRESH = 120_000
"""Milliseconds; of a heartbeat every 30 s, three may fail."""


def has_fresh_metrics(store: ObjectStoreSettings, now: int) -> bool:
    """Whether there are metrics of the time since `now` (epoch milliseconds) - FRESH. Raises STORE_ERRORS."""
    newest_old = metrics_key(now - FRESH - 60_000)
    return Objects(store_client(store), store).first_key(f"{FOLDER}date=", newest_old) is not None


def main() -> int:
    """Exit code 0 when the job is alive; else 1 and a line that says why not."""
    try:
        store = load().object_store
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        if has_fresh_metrics(store, time.time_ns() // 1_000_000):
            return 0
    except STORE_ERRORS as error:
        print(f"error: {about_store(error, store)}", file=sys.stderr)
        return 1
    print(f"no metrics for {FRESH // 1000} s: neither a micro-batch nor a heartbeat", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
