"""Whose checkpoint it is, who may write, and how a new one goes on beside another's alerts."""

import json

import pytest

from fraud.settings import SettingsError
from jobs.detect.errors import JobError
from jobs.detect.identity import Identity, check_identity, stored_identity
from jobs.detect.lease import Lease
from jobs.detect.take_over import open_checkpoint, unread_from
from tests.unit.test_jobs_accounting import InMemoryFiles


def identity(**changed: object) -> Identity:
    fields = {
        "cluster_id": "c",
        "topic": "transactions",
        "topic_id": "t",
        "buckets": 8,
        "shuffle_partitions": 2,
    }
    return Identity.new(**{**fields, **changed})  # type: ignore[arg-type]


class Alerts:
    """`alerts/` with some objects in it."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)

    def any(self) -> str | None:
        return next(iter(self.keys), None)

    def delete_all(self) -> int:
        deleted = len(self.keys)
        self.keys.clear()
        return deleted


def opened(files: InMemoryFiles, alerts: Alerts, take_over: str | None = None, **changed: object) -> Identity:
    said: list[str] = []
    return open_checkpoint(
        files,
        "/checkpoint/c",
        identity(**changed),
        take_over,  # type: ignore[arg-type]
        alerts,  # type: ignore[arg-type]
        lambda: ([0, 1], {1: 70}),
        said.append,
    )


def test_a_checkpoint_keeps_its_id_over_restarts() -> None:
    files = InMemoryFiles({})
    first = opened(files, Alerts())
    assert opened(files, Alerts("alerts/of-this-checkpoint")) == first
    assert len(first.checkpoint_id) == 8


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("cluster_id", "other", "Kafka cluster"),
        ("topic", "other", "FRAUD_KAFKA_TRANSACTIONS_TOPIC"),
        ("topic_id", "other", "deleted and made anew"),
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
        opened(files, Alerts("alerts/x"))
    assert files.files == {}


def test_take_over_keep_goes_on_from_the_consumer_groups_offsets() -> None:
    files, alerts = InMemoryFiles({}), Alerts("alerts/x")
    made = opened(files, alerts, "keep")
    assert json.loads(made.starting_offsets) == {"transactions": {"0": -2, "1": 70}}  # -2: earliest
    assert alerts.keys == ["alerts/x"]
    assert unread_from(made, None) == {1: 70}


def test_take_over_replace_deletes_the_other_alerts_and_begins_at_the_start() -> None:
    files, alerts = InMemoryFiles({}), Alerts("alerts/x", "alerts/y")
    assert opened(files, alerts, "replace").starting_offsets == "earliest"
    assert alerts.keys == []


def test_take_over_does_nothing_to_a_checkpoint_that_goes_on() -> None:
    files = InMemoryFiles({})
    first = opened(files, Alerts())
    alerts = Alerts("alerts/x")
    assert opened(files, alerts, "replace") == first
    assert alerts.keys == ["alerts/x"]


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
