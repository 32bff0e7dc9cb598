"""Reconciliation: what came late is judged afterwards, once, however runs are killed or meet each other."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from fraud.detection import detect
from fraud.generations import Generation
from fraud.memory import Memory
from fraud.rules_file import load_rules
from fraud.settings import DEFAULT_RULES, ObjectStoreSettings, SettingsError
from jobs.archive.task import Assignment, archive_partition
from jobs.compact.hours import Hours, compacted_key
from jobs.compact.run import compact
from jobs.detect.alerts_sink import PLAN_KEY, alerts_key, to_parquet
from jobs.detect.errors import OUTAGE, JobError
from jobs.detect.identity import Identity
from jobs.detect.kafka_sink import Outgoing
from jobs.detect.metrics import MetricsSink
from jobs.objects import Objects
from jobs.reconcile.archive import Archive
from jobs.reconcile.buckets import bucket_of, xxh64
from jobs.reconcile.checkpoint import open_checkpoint
from jobs.reconcile.findings import Findings, find
from jobs.reconcile.judges import UNKNOWN, Judges
from jobs.reconcile.lock import KEY as LOCK
from jobs.reconcile.lock import LASTS, Lock
from jobs.reconcile.plan import Plan
from jobs.reconcile.run import Reconciliation
from scripts.oracle_records import Sent
from scripts.oracle_records import bucket_of as bucket_of_the_oracle
from tests.alert_store import batch
from tests.bucket import Bucket
from tests.histories import as_records

NOON = 1_772_625_600_000  # 2026-03-04, 12:00 UTC
MINUTE, HOUR = 60_000, 3_600_000
STORE = ObjectStoreSettings(prefix="p/")
CHECKPOINT, ARCHIVE_ID = "0123abcd", "aaaaaaaa"
GENERATION = Generation(
    number=1,
    first_batch_id=0,
    allowed_lateness=10 * MINUTE,
    retention=15 * MINUTE,
    clock_skew=5 * MINUTE,
    rules=load_rules(DEFAULT_RULES),
)
IDENTITY = Identity(
    checkpoint_id=CHECKPOINT, cluster_id="c", topic="t", topic_id="i", buckets=1, shuffle_partitions=1
)


def paid(offset: int, user: str, minutes: float, city: str = "Oslo", amount: str = "9.00") -> Sent:
    """A payment of `minutes` after noon, which Kafka got two hours after noon."""
    value = (
        f'{{"transaction_id":"t{offset}","user_id":"{user}","amount":{amount},"currency":"EUR",'
        f'"location":"{city}","timestamp":{NOON + round(minutes * MINUTE)}}}'
    )
    return Sent(0, offset, NOON + 2 * HOUR + offset, user.encode(), value.encode())


# Bob makes all before 12:40 late; until 12:35 (less the longest window) nothing can change by detection.
TOPIC = [
    paid(0, "ann", 0),
    paid(1, "cleo", 1),
    paid(2, "bob", 50),
    paid(3, "ann", 1, "Paris"),  # late: in another city a minute later
    paid(4, "ann", 0.5, amount="2000.00"),  # late, and a high amount
    paid(5, "cleo", 1, amount="2000.00"),  # late, no other evidence
    paid(6, "cleo", 38, amount="2000.00"),  # late too, but too new to be judged yet
    paid(7, "bob", 51, "Paris"),  # detection says this one itself
]
MISSING = {("ann", "t3", "multiple_locations"), ("ann", "t4", "high_amount"), ("cleo", "t5", "high_amount")}


class Killed(BaseException):
    """The process is no more."""


class Mortal(Bucket):
    """Another process's way to the same objects: killed at its write number `at`, before it or after."""

    def __init__(self, bucket: Bucket, at: int = 10**6, after: bool = False) -> None:
        super().__init__()
        self.objects, self._left, self._after, self._dead = bucket.objects, at, after, False

    def put_object(self, **arguments: Any) -> None:
        self._write(lambda: super(Mortal, self).put_object(**arguments))

    def delete_object(self, **arguments: Any) -> None:
        self._write(lambda: super(Mortal, self).delete_object(**arguments))

    def get_object(self, **arguments: Any) -> dict[str, Any]:
        self.breathe()
        return super().get_object(**arguments)

    def breathe(self) -> None:
        if self._dead:
            raise Killed

    def _write(self, write: Callable[[], None]) -> None:
        self.breathe()
        self._left -= 1
        self._dead = self._left < 0
        if not self._dead or self._after:
            write()
        self.breathe()


class World:
    """What a job has left of TOPIC, and reconciliations of it."""

    def __init__(self, topic: list[Sent] | None = None) -> None:
        self.bucket, self.lines, self.kafka, self.now = Bucket(), list[str](), list[bytes](), NOON + 3 * HOUR
        self._memory, self._batches = Memory.empty(), 0
        self.metrics = MetricsSink(self.bucket.under("p/"))
        self.read(TOPIC if topic is None else topic)

    def read(self, sent: list[Sent]) -> None:
        """One micro-batch of detection, and one of the archive."""
        number, at = self._batches, NOON + 2 * HOUR + self._batches * MINUTE
        self._batches += 1
        records = as_records(sent)
        outcome = detect(records, self._memory, [GENERATION], number, at)
        self._memory = outcome.memory
        if len(outcome.alerts):
            self.put(alerts_key(CHECKPOINT, number, at), to_parquet([outcome.alerts]))
        offsets = {"start_offset": sent[0].offset, "end_offset": sent[-1].offset + 1, "lag": 0}
        row = batch(batch_id=number, generation=1, partitions=[{"partition": 0, **offsets}])
        self.metrics.put(row | {"batch_time": at}, lambda: None)
        assignment = Assignment(STORE, ARCHIVE_ID, number, at)
        archive_partition(assignment, records.to_batches(), self.bucket)  # type: ignore[arg-type]

    def put(self, key: str, content: bytes) -> None:
        self.bucket.put_object(Bucket="fraud", Key=f"p/{key}", Body=content)

    def run(self, client: Bucket | None = None, archived: int = 100) -> Findings | None:
        objects = Objects(client or self.bucket, STORE.bucket, STORE.prefix)  # type: ignore[arg-type]
        lock = Lock(objects, lambda: self.now)
        return Reconciliation(
            objects=objects,
            lock=lock,
            kafka=Kafka(self.kafka, client),  # type: ignore[arg-type]
            alerts_topic="fraud-alerts",
            find=lambda: find(objects, IDENTITY, [GENERATION], {0: archived}, lock.check),
            newest_generation=1,
            say=self.lines.append,
            clock=lambda: self.now,
        ).run()

    def names(self, folder: str = "") -> list[str]:
        return sorted(k.removeprefix("p/") for k in self.bucket.objects if k.startswith(f"p/{folder}"))

    def content(self, key: str) -> bytes:
        return self.bucket.objects[f"p/{key}"][0]

    def alerts(self, folder: str = "alerts/") -> list[tuple[str, str, str]]:
        return sorted(row for key in self.names(folder) for row in named(self.content(key)))


class Kafka:
    """A producer that dies with its process."""

    def __init__(self, sent: list[bytes], client: Bucket | None) -> None:
        self._sent, self._client = sent, client

    def send(self, records: Iterable[Outgoing], still_allowed: Callable[[], None]) -> None:
        still_allowed()
        for record in records:
            if isinstance(self._client, Mortal):
                self._client.breathe()
            self._sent.append(record.key)


def named(content: bytes) -> list[tuple[str, str, str]]:
    table = pq.read_table(io.BytesIO(content))
    names = ("user_id", "transaction_id", "rule_id")
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_what_late_payments_flag_is_added_once_marked_and_sent_to_kafka() -> None:
    world = World()
    before = world.alerts()
    assert before == [("bob", "t7", "multiple_locations")]
    findings = world.run()
    assert findings is not None
    assert (findings.late, findings.waiting, findings.until) == (3, 1, NOON + 35 * MINUTE + MINUTE)
    (added,) = [key for key in world.names("alerts/") if "reconciled=" in key]
    start, until = NOON + MINUTE // 2, findings.until
    assert added == f"alerts/date=2026-03-04/hour=15/reconciled={start}-{until}-1-{world.now}.parquet"
    assert set(named(world.content(added))) == MISSING
    rows = pq.read_table(io.BytesIO(world.content(added)))
    for name in ("reconciled_at", "detected_at"):
        assert set(rows[name].cast(pa.int64()).to_pylist()) == {world.now}
    assert sorted(world.kafka) == sorted(each.encode() for each in rows["alert_id"].to_pylist())
    assert world.names("reconciliations/") == []
    objects = dict(world.bucket.objects)
    again = world.run()
    assert again is not None
    assert len(again.alerts) == 0
    assert world.bucket.objects == objects
    assert len(world.kafka) == 3


def test_what_is_too_new_is_judged_when_detection_has_left_it_behind() -> None:
    world = World()
    world.run()
    world.read([paid(8, "bob", 59), paid(9, "cleo", 2, "Paris")])
    world.now += MINUTE
    world.run()
    added = [key for key in world.names("alerts/") if "reconciled=" in key]
    assert len(added) == 2
    assert set(named(world.content(added[1]))) == {
        ("cleo", "t6", "high_amount"), ("cleo", "t9", "multiple_locations"),
    }  # fmt: skip
    alerts = world.alerts()
    assert len(alerts) == len(set(alerts)) == 6


def test_only_what_is_in_the_archive_and_in_the_metrics_is_judged() -> None:
    world = World()
    findings = world.run(archived=4)
    assert findings is not None
    assert findings.late == 1
    assert set(world.alerts()) == {("ann", "t3", "multiple_locations"), ("bob", "t7", "multiple_locations")}
    for key in world.names("metrics/"):
        del world.bucket.objects[f"p/{key}"]
    assert world.run() is None


@pytest.mark.parametrize("folder", ["metrics/", "transactions/", "alerts/"])
def test_a_damaged_object_is_named_and_nothing_is_written(folder: str) -> None:
    world = World()
    (key,) = world.names(folder)
    world.put(key, b"PAR1 or not")
    before = dict(world.bucket.objects)
    with pytest.raises(JobError, match=f"{key} cannot be read") as ended:
        world.run()
    assert ended.value.exit_code == 1
    assert world.bucket.objects == before


def test_a_generation_that_the_checkpoint_has_not_ends_it() -> None:
    world = World()
    numbers = {"start_offset": 0, "end_offset": 8, "lag": 0, "partition": 0}
    world.metrics.put(
        batch(batch_id=0, generation=9, partitions=[numbers]) | {"batch_time": NOON + 2 * HOUR}, lambda: None
    )
    with pytest.raises(JobError, match="generation 9"):
        world.run()


def test_without_late_payments_there_is_nothing_to_do() -> None:
    world = World(TOPIC[:3])
    assert world.run() is None
    assert world.names("alerts/") == []


def test_alerts_that_are_compacted_already_and_have_expired_in_alerts_are_not_added_again() -> None:
    world = World()
    world.run()
    (added,) = [key for key in world.names("alerts/") if "reconciled=" in key]
    world.put(compacted_key(world.now), world.content(added))
    del world.bucket.objects[f"p/{added}"]
    world.now += HOUR
    findings = world.run()
    assert findings is not None
    assert len(findings.alerts) == 0
    assert not [key for key in world.names("alerts/") if "reconciled=" in key]


WRITES = 5
"""Of a run: lock, plan, alerts, and the plan and the lock go."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(WRITES))
def test_after_a_kill_at_any_write_the_next_run_adds_the_same_under_the_same_name(
    at: int, after: bool
) -> None:
    world = World()
    with pytest.raises(Killed):
        world.run(Mortal(world.bucket, at, after))
    begun = {key: world.content(key) for key in world.names("alerts/") if "reconciled=" in key}
    plan = world.content(PLAN_KEY) if world.names(PLAN_KEY) else None
    world.now += 26 * HOUR  # in another hour, on another day
    world.run()
    added = {key: world.content(key) for key in world.names("alerts/") if "reconciled=" in key}
    assert len(added) == 1
    assert begun.items() <= added.items()
    assert plan in (None, *added.values())
    assert set(world.alerts()) == MISSING | {("bob", "t7", "multiple_locations")}
    assert len(world.alerts()) == 4
    assert len(set(world.kafka)) == 3
    assert world.names("reconciliations/") == []


def test_the_kills_above_are_all_that_there_can_be() -> None:
    world = World()
    world.run(Mortal(world.bucket, WRITES))
    assert set(world.alerts()) == MISSING | {("bob", "t7", "multiple_locations")}


def test_an_hour_to_which_a_plan_adds_is_not_compacted_before_it_has() -> None:
    world = World()
    with pytest.raises(Killed):
        world.run(Mortal(world.bucket, 1, after=True))  # the plan is there, and nothing else
    hours = Hours(world.bucket.under("p/"))
    world.put(alerts_key(CHECKPOINT, 7, world.now), to_parquet([]))
    world.metrics.put(batch(batch_id=8) | {"batch_time": world.now + 2 * HOUR}, lambda: None)
    hour = world.now - world.now % HOUR
    assert compact(hours, world.lines.append).postponed == [hour]
    assert compacted_key(hour) not in world.names()
    world.now += 3 * HOUR
    world.run()
    assert hour in compact(hours, world.lines.append).written
    assert set(named(world.content(compacted_key(hour)))) == MISSING


def test_a_plan_whose_hour_was_compacted_without_it_is_void_and_made_anew() -> None:
    world = World()
    with pytest.raises(Killed):
        world.run(Mortal(world.bucket, 1, after=True))
    world.put(compacted_key(world.now), to_parquet([]))
    world.now += 2 * HOUR
    world.run()
    (added,) = [key for key in world.names("alerts/") if "reconciled=" in key]
    assert "/hour=17/" in added
    assert "void" in world.lines[0]
    assert len(world.alerts()) == 4


def test_a_plan_of_what_another_run_has_added_meanwhile_is_void() -> None:
    world = World()
    with pytest.raises(Killed):
        world.run(Mortal(world.bucket, 1, after=True))
    late = Plan.stored(world.bucket.under("p/"))
    assert late is not None
    del world.bucket.objects[f"p/{PLAN_KEY}"]
    world.now += 2 * HOUR
    world.run()
    late.store(world.bucket.under("p/"))  # its process was only stopped
    world.now += HOUR
    world.run()
    assert len(world.alerts()) == 4
    assert world.names("reconciliations/") == []


def test_a_second_run_is_refused_until_the_lock_has_expired_and_then_the_first_one_stops() -> None:
    world = World()
    objects = world.bucket.under("p/")
    first, second = (Lock(objects, lambda: world.now) for _ in range(2))
    first.take()
    with pytest.raises(JobError, match="another reconciliation runs") as refused:
        second.take()
    assert refused.value.exit_code == OUTAGE
    world.now += LASTS // 2
    first.check()  # renews it
    world.now += LASTS - 1
    with pytest.raises(JobError):
        second.take()
    world.now += 1
    second.take()
    with pytest.raises(JobError, match="taken over"):
        first.check()
    first.release()
    second.check()
    second.release()
    assert world.names(LOCK) == []


def test_a_lock_that_ran_out_unnoticed_stops_its_run_before_it_writes() -> None:
    world = World()
    lock = Lock(world.bucket.under("p/"), lambda: world.now)
    lock.take()
    world.now += LASTS
    with pytest.raises(JobError, match="expired"):
        lock.check()


def test_objects_of_another_archive_in_the_same_hour_are_read_in_the_order_of_the_offsets() -> None:
    world = World(TOPIC[:4])
    assignment = Assignment(STORE, "00000000", 0, NOON + 2 * HOUR + MINUTE)  # sorts before the older one
    archive_partition(assignment, as_records(TOPIC[4:]).to_batches(), world.bucket)  # type: ignore[arg-type]
    judges = Judges(CHECKPOINT)
    judges.add([batch(batch_id=0, generation=1, partitions=[offsets(0, 8)])])
    objects = world.bucket.under("p/")
    pieces = [rows["offset"].to_pylist() for _, rows in Archive(objects, judges, {0: 8}).pieces()]
    assert pieces == [[0, 1, 2, 3], [4, 5, 6, 7]]
    archive_partition(assignment, as_records(TOPIC[:2]).to_batches(), world.bucket)  # type: ignore[arg-type]
    with pytest.raises(JobError, match="offset 0 of partition 0"):
        list(Archive(objects, judges, {0: 8}).pieces())


def offsets(start: int, end: int) -> dict[str, Any]:
    return {"partition": 0, "start_offset": start, "end_offset": end, "lag": 0}


def test_a_record_is_its_micro_batchs_generation_s_and_unknown_where_another_checkpoint_judged() -> None:
    judges = Judges(CHECKPOINT)
    judges.add(
        [
            batch(batch_id=2, generation=2, partitions=[offsets(20, 30)]),
            batch(batch_id=1, generation=1, partitions=[offsets(15, 20)]),
            batch(batch_id=0, generation=1, partitions=[offsets(10, 15)]),
            batch(batch_id=9, generation=3, partitions=[offsets(0, 5)], checkpoint_id="ffffffff"),
            {"kind": "heartbeat", "checkpoint_id": CHECKPOINT, "partitions": [offsets(0, 40)]},
        ]
    )
    judges.add([batch(batch_id=1, generation=1, partitions=[offsets(15, 20)])])  # replayed in another minute
    found = judges.generation(0, np.array([4, 9, 10, 14, 15, 19, 20, 29, 30]))
    assert found.tolist() == [UNKNOWN, UNKNOWN, 1, 1, 1, 1, 2, 2, UNKNOWN]
    assert judges.generation(1, np.array([0])).tolist() == [UNKNOWN]


@given(st.binary(max_size=100), st.integers(1, 64))
def test_buckets_are_those_of_spark(key: bytes, buckets: int) -> None:
    assert xxh64(key, 42) == xxhash.xxh64(key, seed=42).intdigest()
    assert bucket_of(key, buckets) == bucket_of_the_oracle(key, buckets)


def test_a_checkpoint_is_read_from_a_folder_or_from_s3_and_must_be_the_topics(tmp_path: Path) -> None:
    bucket = Bucket()
    files = {"identity.json": IDENTITY.model_dump_json(), "generations/1.json": GENERATION.model_dump_json()}
    for name, text in files.items():
        path = tmp_path / "c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        bucket.put_object(Bucket="fraud", Key=f"state/c/{name}", Body=text.encode())
    for where in (str(tmp_path), f"file://{tmp_path}", "s3a://fraud/state/"):
        found = open_checkpoint(where, ("c", "i"), bucket)  # type: ignore[arg-type]
        assert found == (IDENTITY, [GENERATION])
        with pytest.raises(SettingsError, match="another topic"):
            open_checkpoint(where, ("c", "other"), bucket)  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match="there is no checkpoint"):
            open_checkpoint(where, ("other", "i"), bucket)  # type: ignore[arg-type]
