"""Nobody pays: the job lives, and everybody can see it."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dashboard.signals import STALE
from dashboard.signals import signal as health
from local.native.findings import read_parquet
from tests.faults.judgement import Verdict, judged
from tests.integration.lane import Lane

MINUTE = 60_000


def silence(lane: Lane, seed: int, heartbeats: int = 2) -> Verdict:
    """Payments, then silence until so many heartbeats have come; the next payment is ten minutes later by
    event time. At no moment of it may the dashboard call the job stale."""
    now = time.time_ns() // 1_000_000
    lane.produce(_payment(seed, number, now - 11 * MINUTE + number) for number in range(100))
    job = lane.start_job()
    lane.wait_until_caught_up(job)

    def metrics() -> pa.Table:
        found = read_parquet(lane.bucket() / "metrics")
        assert found is not None
        return found

    def beats(found: pa.Table) -> int:
        return int(pc.sum(pc.equal(found["kind"], "heartbeat")).as_py() or 0)

    deadline = time.monotonic() + 60 * heartbeats + 90
    oldest = timedelta(0)
    while beats(found := metrics()) < heartbeats:
        assert time.monotonic() < deadline, job.text()
        assert job.process.poll() is None, job.text()
        seen = health(found, datetime.now(UTC))
        oldest = max(oldest, seen.age or timedelta(0))
        assert not seen.is_stale, f"stale after {seen.age}"
        time.sleep(1)
    assert timedelta(seconds=20) < oldest < STALE, f"not exercised: the silence was {oldest} long"
    last = health(metrics(), datetime.now(UTC))
    assert last.lag == 0, f"a heartbeat says how far behind: {last.lag}"
    assert health(metrics(), datetime.now(UTC) + 2 * STALE).is_stale, "a job that is gone is called stale"

    lane.produce(_payment(seed, number, now + number) for number in range(100, 200))
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    return judged(lane)


def _payment(seed: int, number: int, at: int) -> tuple[int, bytes, bytes]:
    payment = {
        "transaction_id": f"{seed}-{number}",
        "user_id": "u1",
        "amount": 5,
        "currency": "EUR",
        "location": "Oslo",
        "timestamp": at,
    }
    return 1, b"u1", json.dumps(payment).encode()
