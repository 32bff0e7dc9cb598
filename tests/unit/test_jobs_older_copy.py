"""A copy of a checkpoint of before is refused once the bucket knows more of it; a crash is none."""

from collections.abc import Callable
from typing import Any

import pytest

from fraud.settings import SettingsError
from jobs.detect.alerts_sink import AlertsSink, alerts_key
from jobs.detect.identity import Identity
from jobs.detect.metrics import MetricsSink
from jobs.detect.take_over import open_checkpoint
from tests.bucket import Bucket
from tests.unit.test_jobs_accounting import LOG, InMemoryFiles, entry
from tests.unit.test_jobs_checkpoint import identity

MINUTE = 60_000
START = 5 * 60 * MINUTE
OWN, OTHER = "0000000a", "ffffffff"


class World:
    """A checkpoint whose micro-batches are a minute long, and the bucket that they are written to."""

    def __init__(self, bucket: Bucket | None = None) -> None:
        self.bucket = bucket or Bucket()
        stored = identity().model_copy(update={"checkpoint_id": OWN, "accepted": [OTHER]})
        self.files = InMemoryFiles(
            {"identity.json": stored.model_dump_json(), "sources/0/0": LOG["sources/0/0"]}
        )

    def planned(self, batch_id: int) -> "World":
        """Spark has written its entry in the offset log."""
        self.files.write(f"offsets/{batch_id}", entry(at(batch_id), {"0": 10 + batch_id}))
        return self

    def with_alerts(self, batch_id: int, checkpoint: str = OWN) -> "World":
        """Its alerts are in the bucket."""
        key = alerts_key(checkpoint, batch_id, at(batch_id))
        self.bucket.put_object(Bucket="fraud", Key=f"p/{key}", Body=b"")
        return self

    def with_metrics(self, batch_id: int | None, time: int, **changed: Any) -> "World":
        """A row of it is in the bucket."""
        row = {"kind": "batch", "checkpoint_id": OWN, "batch_id": batch_id, "batch_time": time, **changed}
        MetricsSink(self.bucket.under("p/")).put(row, lambda: None)
        return self

    def committed(self, batch_id: int) -> "World":
        """All of it is done."""
        self.planned(batch_id).with_alerts(batch_id).with_metrics(batch_id, at(batch_id))
        self.files.write(f"commits/{batch_id}", "v1\n{}")
        return self

    def opened(self) -> Identity:
        """What the next start finds."""
        self.bucket.reads.clear()
        return open_checkpoint(
            self.files,
            "/checkpoint/c",
            identity(),
            None,
            AlertsSink(self.bucket.under("p/")),
            MetricsSink(self.bucket.under("p/")),
            False,
            lambda: ([], {}),
            lambda _: None,
        )

    def refusal(self) -> str:
        with pytest.raises(SettingsError) as refused:
            self.opened()
        return str(refused.value)


def at(batch_id: int) -> int:
    return START + batch_id * MINUTE


@pytest.mark.parametrize(
    "later",
    [
        lambda world: world.with_alerts(2),  # and killed before its metrics
        lambda world: world.with_metrics(2, at(2)),  # it found nothing
        lambda world: world.with_metrics(2, at(90), kind="heartbeat"),
        lambda world: world.with_alerts(70),  # an hour later
    ],
)
def test_a_copy_is_refused_when_the_bucket_has_a_later_micro_batch(later: Callable[[World], World]) -> None:
    said = later(World().committed(0).committed(1)).refusal()
    assert f"/checkpoint/c is an older copy of checkpoint {OWN}: the bucket has its micro-batch " in said
    assert "restore the checkpoint from a copy, if there is one of after the last micro-batch" in said
    assert "another FRAUD_CHECKPOINT and --take-over" in said


def test_a_copy_of_before_the_first_micro_batch_is_refused() -> None:
    assert "the bucket has its micro-batch 0, and" in World().with_alerts(0).refusal()


def test_the_replay_of_what_is_written_in_part_or_in_whole_is_not_refused() -> None:
    world = World().committed(0).planned(1)
    for written in (
        lambda: world,
        lambda: world.with_alerts(1),
        lambda: world.with_metrics(1, at(1)),
        lambda: world.with_metrics(1, at(1) + 30_000, kind="heartbeat"),
    ):
        written()
        assert world.opened().checkpoint_id == OWN


def test_micro_batches_of_another_checkpoint_say_nothing_of_this_one() -> None:
    world = World().committed(0).with_alerts(9, OTHER).with_metrics(9, at(9), checkpoint_id=OTHER)
    assert world.opened().checkpoint_id == OWN
    assert World().with_metrics(None, at(0), kind="heartbeat").opened().checkpoint_id == OWN


def test_a_job_that_goes_on_with_the_same_checkpoint_at_this_moment_makes_no_older_copy_of_it() -> None:
    """A second job starts; the first one writes a micro-batch more before it notices."""

    class Busy(Bucket):
        def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
            if "offsets/1" not in world.files.files:
                world.committed(1)
            return super().list_objects_v2(**asked)

    world = World(Busy())
    assert world.committed(0).opened().checkpoint_id == OWN
    assert "offsets/1" in world.files.files


def test_after_a_long_silence_one_object_of_the_metrics_is_read() -> None:
    world = World().committed(0)
    for minute in range(1, 30):
        world.with_metrics(0, at(minute), kind="heartbeat")
    world.opened()
    assert len(world.bucket.reads) == 1
