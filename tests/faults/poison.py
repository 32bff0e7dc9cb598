"""Input that would hurt everybody if it could: the job must stay exact, and quick, for all others."""

import random
import signal
import time
from collections.abc import Iterator

from local.native.findings import read_parquet
from tests.faults.judgement import Verdict, judged
from tests.integration.lane import Lane

Sent = tuple[int, bytes | None, bytes | None]  # partition, key, value

PARTITIONS = 4
BATCH = 40_000  # records of a micro-batch
AGAIN = 500  # payments of the hot user that come twice
MINUTE = 60_000
SLOWEST = 60_000  # milliseconds that a micro-batch may take, on a machine five times slower


def poisoned(lane: Lane, seed: int, malformed: int = 100_000, hot: int = 200_000) -> Verdict:
    """Ordinary users before, during and after: `malformed` records in a burst, `hot` payments of one user in
    a minute, of which the oldest come again after the newest, times far ahead, ten silent minutes, and a
    producer whose clock jumps.

    Micro-batches are small, so that the hot user is judged from memory, and what it forgets is missed.
    """
    lane.produce(_stream(random.Random(seed), time.time_ns() // 1_000_000, malformed, hot))
    job = lane.start_job(FRAUD_MAX_OFFSETS_PER_TRIGGER=str(BATCH))
    lane.wait_until_caught_up(job)
    assert job.end(signal.SIGTERM) == 0, job.text()
    verdict = judged(lane)
    metrics = read_parquet(lane.bucket() / "metrics")
    slowest = max((metrics["duration_ms"].drop_null().to_pylist() if metrics else []), default=0)
    if not 0 < slowest < SLOWEST:
        verdict.differences.append(f"a micro-batch took {slowest} ms")
    expected = lane.expected()
    for reason in ("not_json", "timestamp_in_future", "late"):
        if reason not in expected.rejected.values():
            verdict.differences.append(f"not exercised: no record was {reason}")
    if len(expected.duplicate) < AGAIN:
        verdict.differences.append(f"not exercised: only {len(expected.duplicate)} records came again")
    return verdict


def _stream(source: random.Random, now: int, malformed: int, hot: int) -> Iterator[Sent]:
    yield from _payments(source, "before", now - 40 * MINUTE, now - 30 * MINUTE, 5_000)
    # ten minutes of silence
    begin = now - 20 * MINUTE
    burst = [(source.randrange(PARTITIONS), b"u1", b'{"broken": %d' % number) for number in range(malformed)]
    hot_user = [
        _payment("hot", f"hot-{number}", begin + number * MINUTE // hot, "Oslo") for number in range(hot)
    ]
    ordinary = list(_payments(source, "during", begin, begin + 5 * MINUTE, 5_000))
    far_ahead = [now + 10 * 365 * 24 * 60 * MINUTE, now + 6 * MINUTE, 253_402_300_799_999]
    for number, each in enumerate(ordinary):
        yield each
        for flood in (burst, hot_user):
            yield from flood[number * len(flood) // 5_000 : (number + 1) * len(flood) // 5_000]
        if number % 1_000 == 500:  # of a user in each partition: none may move the others' watermark
            for at in far_ahead:
                for user in range(PARTITIONS):
                    yield _payment(f"u{user}", f"ahead-{number}-{at}-{user}", at, "Oslo")
    yield from hot_user[:AGAIN]
    # a clock that goes ahead, back in time, and back too far
    at = begin + 6 * MINUTE
    yield from _payments(source, "ahead", at + 4 * MINUTE, at + 5 * MINUTE, 2_000)
    yield from _payments(source, "back", at - 4 * MINUTE, at - 3 * MINUTE, 2_000)
    yield from _payments(source, "too-far", at - 60 * MINUTE, at - 59 * MINUTE, 500)
    yield from _payments(source, "after", now - 10 * MINUTE, now, 5_000)


def _payments(source: random.Random, name: str, start: int, end: int, size: int) -> Iterator[Sent]:
    """Of 400 users, in order of event time."""
    for number in range(size):
        at = start + (end - start) * number // size
        city = "Oslo" if source.random() < 0.95 else "Paris"
        yield _payment(f"u{source.randrange(400)}", f"{name}-{number}", at, city)


def _payment(user: str, name: str, at: int, city: str) -> Sent:
    partition = int(user[1:]) % PARTITIONS if user[1:].isdigit() else 0
    value = (
        f'{{"transaction_id":"{name}","user_id":"{user}","amount":12.5,"currency":"EUR",'
        f'"location":"{city}","timestamp":{at}}}'
    )
    return partition, user.encode(), value.encode()
