"""Where the archive goes on: in its checkpoint when that is sound and new enough, else where it came to."""

import json
from typing import Any

import pytest

from fraud.settings import SettingsError
from jobs.archive.keys import object_key
from jobs.archive.opening import ArchiveOpening, open_archive
from jobs.archive.progress import ProgressStore
from jobs.detect.errors import JobError
from jobs.detect.offsets import NO_BATCH, known_offsets
from local.native.archived import newest_offsets
from tests.bucket import Bucket
from tests.unit.test_jobs_accounting import LOG, InMemoryFiles
from tests.unit.test_jobs_archive import (
    AT,
    Topic,
    World,
    error,
    of_partition,
    progress,
    stored,
)


def opened(
    files: InMemoryFiles, bucket: Bucket, topic: Topic | None = None, accept_loss: bool = False
) -> ArchiveOpening:
    store = ProgressStore(bucket.under("p/"), "t")
    said: list[str] = []
    return open_archive(files, "/archive", ("c", "t"), topic or Topic(), store, accept_loss, said.append)  # type: ignore[arg-type]


def test_the_first_archive_of_a_topic_begins_at_its_first_record() -> None:
    files, bucket = InMemoryFiles({}), Bucket()
    opening = opened(files, bucket)
    assert opening.identity.starting_offsets == "earliest"
    assert (opening.last_planned, opening.next_batch) == (NO_BATCH, 0)
    assert stored(bucket).archive_id == opening.identity.archive_id
    assert opened(files, bucket) == opening  # again: the same one


def test_an_archive_goes_on_in_its_own_checkpoint() -> None:
    files, bucket = InMemoryFiles({}), Bucket()
    first = opened(files, bucket)
    files.files |= LOG
    again = opened(files, bucket)
    assert again.identity == first.identity
    assert (again.last_planned, again.next_batch) == (1, 1)


def test_a_new_checkpoint_goes_on_where_the_archive_before_came_to() -> None:
    complete, begun = object_key("aaaaaaaa", 4, AT, 0), object_key("aaaaaaaa", 5, AT + 60_000, 0)
    others = object_key("bbbbbbbb", 9, AT, 0)
    bucket = Bucket({f"p/{key}": b"" for key in (complete, begun, others)})
    ProgressStore(bucket.under("p/"), "t").put(progress(p0=70))
    opening = opened(InMemoryFiles({}), bucket)
    assert json.loads(opening.identity.starting_offsets) == {"transactions": {"0": 70, "1": -2}}
    now = stored(bucket)
    assert (now.archive_id, now.batch_id, now.offsets) == (opening.identity.archive_id, NO_BATCH, {0: 70})
    assert {key for key in bucket.objects if key.endswith(".parquet")} == {f"p/{complete}", f"p/{others}"}


def test_an_archive_that_has_gone_on_elsewhere_is_refused() -> None:
    files, bucket = InMemoryFiles({}), Bucket()
    opened(files, bucket)
    ProgressStore(bucket.under("p/"), "t").put(progress("ffffffff"))
    with pytest.raises(SettingsError, match=r"older than archive ffffffff.*FRAUD_CHECKPOINT"):
        opened(files, bucket)


def test_records_that_went_before_they_were_archived_are_named() -> None:
    files, bucket = InMemoryFiles({}), Bucket()
    ProgressStore(bucket.under("p/"), "t").put(progress(p0=70, p1=90))
    with pytest.raises(JobError, match="partition 0: offsets 70 to 79 have gone"):
        opened(files, bucket, Topic(first=80))
    assert opened(files, bucket, Topic(first=80), accept_loss=True)


@pytest.mark.parametrize("text", ["{}", "nonsense"])
def test_what_another_release_wrote_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match=r"archive\.json is not readable"):
        opened(InMemoryFiles({"archive.json": text}), Bucket())
    with pytest.raises(SettingsError, match=r"_progress/t\.json is not readable"):
        opened(InMemoryFiles({}), Bucket({"p/transactions/_progress/t.json": text.encode()}))


def test_of_two_topics_of_one_name_the_newer_one_s_progress_counts() -> None:
    def stored(topic: str, time: int, offset: int) -> dict[str, Any]:
        return {"topic": topic, "batch_time": time, "offsets": {"0": offset}}

    found = [stored("a", 5, 900), stored("a", 7, 3), stored("b", 9, 1)]
    assert newest_offsets(found, "a") == {0: 3}
    assert newest_offsets(found, "c") == {}


REMEDY = "and the archive goes on where it has come to, which the bucket knows"


def archived(monkeypatch: pytest.MonkeyPatch) -> World:
    """After the archive's micro-batch 1, which Spark has not committed yet."""
    world = World(monkeypatch)
    world.files.files |= {"archive.json": world.opening.identity.model_dump_json(), "metadata": '{"id": "0"}'}
    world.write(of_partition(0, 10, 11), of_partition(2, 0, 1, 2, 3))
    return world


@pytest.mark.parametrize(
    ("name", "digit", "other"),
    [("archive.json", "a", "b"), ("metadata", "0", "1"), ("offsets/0", "0", "1"), ("offsets/1", "2", "3")],
)
def test_one_changed_digit_in_what_the_archive_lives_from_is_refused(
    name: str, digit: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next micro-batch would leave records out, or archive them a second time under another name."""
    world = archived(monkeypatch)
    assert opened(world.files, world.bucket).last_planned == 1
    before, _, after = world.files.files[name].rpartition(digit)
    world.files.files[name] = before + other + after
    with pytest.raises(SettingsError, match=rf"/archive/{name} is damaged: delete /archive, {REMEDY}"):
        opened(world.files, world.bucket)


def test_an_older_copy_of_the_archive_s_checkpoint_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    world = archived(monkeypatch)
    for name in ("offsets/1", "seal.json"):
        del world.files.files[name]
    said = "/archive is an older copy of archive aaaaaaaa: the bucket has its micro-batch 1, and "
    with pytest.raises(SettingsError, match=rf"{said}.* delete /archive, {REMEDY}"):
        opened(world.files, world.bucket)


def test_where_its_checkpoint_was_deleted_the_archive_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    world = archived(monkeypatch)
    opening = opened(InMemoryFiles({}), world.bucket)
    assert known_offsets(opening.identity.starting_offsets) == {0: 12, 1: 3}
    assert len(world.parquet()) == 2


def test_the_seal_is_put_before_the_first_object(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    world.bucket.failure = error("SlowDown", 503)
    with pytest.raises(JobError):
        world.write(of_partition(0, 10, 11))
    assert '"batch_id": 1' in world.files.files["seal.json"]
