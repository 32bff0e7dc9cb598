"""Whose checkpoint it is, who may write, and how a new one goes on beside another's alerts."""

import json
from collections.abc import Iterator
from typing import Any, Self

import pytest
from botocore.exceptions import ClientError

from fraud.settings import SettingsError
from jobs.detect.alerts_sink import AlertsSink, alerts_key, hour_folder
from jobs.detect.errors import JobError
from jobs.detect.identity import Identity, check_identity, stored_identity
from jobs.detect.lease import Lease
from jobs.detect.metrics import MetricsSink
from jobs.detect.take_over import open_checkpoint, unread_from
from jobs.objects import Objects
from tests.bucket import Bucket
from tests.unit.test_jobs_accounting import LOG, InMemoryFiles, entry


def identity(**changed: object) -> Identity:
    fields = {
        "cluster_id": "c",
        "topic": "transactions",
        "topic_id": "t",
        "buckets": 8,
        "shuffle_partitions": 2,
    }
    return Identity.new(**{**fields, **changed})  # type: ignore[arg-type]


def holding(*keys: str) -> Bucket:
    """A bucket with these objects."""
    return Bucket(dict.fromkeys(keys, b""))


def opened(
    files: InMemoryFiles,
    bucket: Bucket,
    take_over: str | None = None,
    *,
    since: bool = False,
    **changed: object,
) -> Identity:
    said: list[str] = []
    return open_checkpoint(
        files,
        "/checkpoint/c",
        identity(**changed),
        take_over,  # type: ignore[arg-type]
        AlertsSink(bucket.under("")),
        MetricsSink(bucket.under("")),
        since,
        lambda: ([0, 1], {1: 70}),
        said.append,
    )


def test_a_checkpoint_keeps_its_id_over_restarts() -> None:
    files = InMemoryFiles({})
    first = opened(files, holding())
    committed_at(files, HOUR)
    assert opened(files, holding(alerts_key(first.checkpoint_id, 0, HOUR))) == first
    assert len(first.checkpoint_id) == 8


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("cluster_id", "other", "Kafka cluster"),
        ("topic", "other", "FRAUD_KAFKA_TRANSACTIONS_TOPIC"),
        (
            "topic_id",
            "other",
            "deleted, or Kafka's disk was lost, .* FRAUD_CHECKPOINT to a new folder .* keep",
        ),
        ("buckets", 16, "FRAUD_BUCKETS"),
        ("hash", "murmur3", "hash"),
        ("shuffle_partitions", 4, "FRAUD_SHUFFLE_PARTITIONS"),
    ],
)
def test_what_must_not_change_under_a_checkpoint_is_refused_by_name(
    field: str, value: object, named: str
) -> None:
    stored = identity()
    with pytest.raises(SettingsError, match=named):
        check_identity(stored, stored.model_copy(update={field: value}), "/checkpoint/c")


def test_a_checkpoint_of_an_unknown_schema_version_is_refused() -> None:
    text = identity().model_copy(update={"schema_version": 99}).model_dump_json()
    with pytest.raises(SettingsError, match="schema version 99"):
        stored_identity(InMemoryFiles({"identity.json": text}), "/checkpoint/c")


def test_a_checkpoint_of_another_program_is_refused() -> None:
    with pytest.raises(SettingsError, match="not this job's"):
        stored_identity(InMemoryFiles({"offsets/0": "v1"}), "/checkpoint/c")


def test_a_new_checkpoint_beside_other_alerts_is_refused_without_take_over() -> None:
    files = InMemoryFiles({})
    with pytest.raises(SettingsError, match="--take-over keep"):
        opened(files, holding("alerts/x"))
    assert files.files == {}


def test_take_over_keep_goes_on_from_the_consumer_groups_offsets() -> None:
    files, alerts = InMemoryFiles({}), holding("alerts/x")
    made = opened(files, alerts, "keep")
    assert json.loads(made.starting_offsets) == {"transactions": {"0": -2, "1": 70}}  # -2: earliest
    assert list(alerts.objects) == ["alerts/x"]
    assert unread_from(made, None) == {1: 70}


def test_take_over_replace_deletes_the_other_alerts_and_begins_at_the_start() -> None:
    files, alerts = InMemoryFiles({}), holding("alerts/x", "alerts/y")
    assert opened(files, alerts, "replace").starting_offsets == "earliest"
    assert alerts.objects == {}


def test_a_new_checkpoint_begins_at_the_offsets_of_a_time_also_where_it_takes_over() -> None:
    for take_over, left in ((None, []), ("keep", ["alerts/x"]), ("replace", [])):
        files, alerts = InMemoryFiles({}), holding(*(["alerts/x"] if take_over else []))
        made = opened(files, alerts, take_over, since=True)
        assert json.loads(made.starting_offsets) == {"transactions": {"0": -2, "1": 70}}
        assert list(alerts.objects) == left
        assert opened(files, alerts, take_over) == made  # it goes on, whatever is said then


def test_a_time_to_begin_at_does_not_excuse_from_take_over() -> None:
    with pytest.raises(SettingsError, match="--take-over keep"):
        opened(InMemoryFiles({}), holding("alerts/x"), since=True)


def test_take_over_does_nothing_to_a_checkpoint_that_goes_on() -> None:
    files = InMemoryFiles({})
    first = opened(files, holding())
    committed_at(files, HOUR)
    alerts = holding(alerts_key(first.checkpoint_id, 0, HOUR))
    assert opened(files, alerts, "replace") == first
    assert len(alerts.objects) == 1


HOUR = 3_600_000


def committed_at(files: InMemoryFiles, time: int) -> None:
    """As if the checkpoint's first micro-batch had been written at that time."""
    files.files |= LOG | {"offsets/0": entry(time, {"0": 10, "1": 3})}


def test_an_older_checkpoint_is_refused_once_another_has_gone_on() -> None:
    """A, then B with --take-over keep, then A again: payments would be judged twice."""
    a, b, alerts = InMemoryFiles({}), InMemoryFiles({}), holding()
    first = opened(a, alerts)
    committed_at(a, 5 * HOUR)
    alerts.put_object(Bucket="fraud", Key=alerts_key(first.checkpoint_id, 0, 5 * HOUR), Body=b"")
    second = opened(b, alerts, "keep")
    assert second.accepted == [first.checkpoint_id]
    committed_at(b, 5 * HOUR + 1)
    alerts.put_object(Bucket="fraud", Key=alerts_key(second.checkpoint_id, 0, 5 * HOUR + 1), Body=b"")
    for take_over in (None, "keep", "replace"):
        with pytest.raises(SettingsError, match=f"older than alerts of checkpoint {second.checkpoint_id}"):
            opened(a, alerts, take_over)
    assert opened(b, alerts) == second


def test_a_checkpoint_made_beside_no_alerts_accepts_none() -> None:
    assert opened(InMemoryFiles({}), holding("alerts/x"), "replace").accepted == []
    assert opened(InMemoryFiles({}), holding()).accepted == []


def test_alerts_of_hours_before_the_last_micro_batch_are_not_listed_again() -> None:
    files = InMemoryFiles({})
    first = opened(files, holding())
    committed_at(files, 5 * HOUR)
    assert opened(files, holding(alerts_key("0" * 8, 3, 4 * HOUR))) == first


def test_an_identity_of_before_this_field_is_read() -> None:
    text = json.dumps({k: v for k, v in identity().model_dump().items() if k != "accepted"})
    stored = stored_identity(InMemoryFiles({"identity.json": text}), "/checkpoint/c")
    assert stored is not None
    assert stored.accepted == []


class CountedRequests:
    """An object store that lists and deletes, and counts the requests."""

    def __init__(self, keys: list[str], answers: list[dict[str, str]] | None = None) -> None:
        self.keys = sorted(keys)
        self.errors = answers or []
        self.requests = 0

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        self.requests += 1
        found = [k for k in self.keys if k.startswith(asked["Prefix"]) and k > asked["StartAfter"]]
        return {"Contents": [{"Key": key} for key in found[: asked["MaxKeys"]]]} if found else {}

    def get_paginator(self, _: str) -> Self:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: ARG002, N803
        found = [key for key in self.keys if key.startswith(Prefix)]
        for start in range(0, len(found), 1000):
            yield {"Contents": [{"Key": key} for key in found[start : start + 1000]]}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002, N803
        self.requests += 1
        gone = {each["Key"] for each in Delete["Objects"]}
        assert len(gone) <= 1000
        self.keys = [key for key in self.keys if key not in gone]
        return {"Errors": self.errors} if self.errors else {}


def sink(bucket: CountedRequests) -> AlertsSink:
    return AlertsSink(Objects(bucket, "fraud", "p/"))  # type: ignore[arg-type]


def test_the_checkpoints_of_the_alerts_are_found_without_listing_each_object() -> None:
    ids = ["0000000a", "0000000b", "ffffffff"]
    keys = [f"p/{alerts_key(i, batch, h * HOUR)}" for i in ids for h in (1, 2) for batch in range(500)]
    bucket = CountedRequests([*keys, "p/alerts/date=1970-01-01/hour=01/_SUCCESS", "p/metrics/x"])
    assert sink(bucket).checkpoints() == dict.fromkeys(ids, 0)
    assert bucket.requests == 2 * len(ids) + 2
    assert sink(bucket).checkpoints(hour_folder(3 * HOUR)) == {}
    bucket.requests = 0
    later = sink(bucket).checkpoints(known={"0000000a": 499, "ffffffff": 498})
    assert later == {"0000000b": 0, "ffffffff": 499}
    assert bucket.requests == 2 * (1 + 1 + 2) + 2


def test_all_alerts_are_deleted_a_thousand_at_a_time() -> None:
    bucket = CountedRequests(
        [f"p/alerts/{i:05d}" for i in range(2_500)] + ["p/alerts_hourly/x", "p/metrics/x"]
    )
    assert sink(bucket).delete_all() == 2_501
    assert bucket.keys == ["p/metrics/x"]
    assert bucket.requests == 4


def test_an_object_that_could_not_be_deleted_is_an_error() -> None:
    bucket = CountedRequests(["p/alerts/x"], [{"Key": "p/alerts/x", "Code": "AccessDenied", "Message": "no"}])
    with pytest.raises(ClientError, match="AccessDenied"):
        sink(bucket).delete_all()


def test_the_job_that_started_last_holds_the_lease() -> None:
    files = InMemoryFiles({})
    first = Lease(files)
    first.check()
    second = Lease(files)
    second.check()
    assert second.epoch == first.epoch + 1
    with pytest.raises(JobError, match="another job took over this checkpoint"):
        first.check()


def test_a_checkpoint_deleted_under_the_job_ends_it() -> None:
    files = InMemoryFiles({})
    lease = Lease(files)
    files.files.clear()
    with pytest.raises(JobError, match="lease is gone"):
        lease.check()
