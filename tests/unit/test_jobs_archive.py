"""The archive: each valid record once under names that a replay repeats, whatever is away or goes wrong."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from fraud.archive import ARCHIVED
from fraud.settings import ObjectStoreSettings, Settings
from fraud.transaction import MAX_RECORD_BYTES, RECORDS
from jobs.archive.batch import ArchiveBatches, ArchiveSurroundings
from jobs.archive.keys import first_folder_since, is_later, object_key, progress_key
from jobs.archive.opening import ArchiveIdentity, ArchiveOpening
from jobs.archive.progress import Progress, ProgressStore
from jobs.archive.report import Report, check_reports
from jobs.archive.task import Assignment, archive_partition
from jobs.detect.accounting import Existing
from jobs.detect.errors import OUTAGE, SETTINGS, JobError
from jobs.detect.offsets import NO_BATCH, PlannedBatch
from local.native.archived import archive_rows
from scripts.oracle_records import Sent, archived_records
from tests.bad_records import BAD_RECORDS
from tests.bucket import Bucket
from tests.integration.adversary import records as adversary
from tests.unit.test_jobs_accounting import LOG, InMemoryFiles, entry

STORE = ObjectStoreSettings(prefix="p/")
AT = 1_772_600_767_891
HOUR = "transactions/date=2026-03-04/hour=05/"
SOUND = (
    b'{"transaction_id":"t","user_id":"ann","amount":1.5,"currency":"EUR","location":"Oslo","timestamp":%d}'
)


def error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")  # type: ignore[typeddict-item]


class FailingBucket(Bucket):
    """`failure` is raised by each put."""

    failure: Exception | None = None

    def put_object(self, **asked: Any) -> None:
        if self.failure:
            raise self.failure
        super().put_object(**asked)


def batch_of(sent: list[Sent]) -> pa.RecordBatch:
    columns = {
        "key": [each.key for each in sent],
        "value": [each.value[:MAX_RECORD_BYTES] if each.value else each.value for each in sent],
        "partition": [each.partition for each in sent],
        "offset": [each.offset for each in sent],
        "timestamp": [each.timestamp for each in sent],
        "original_size": [len(each.value or b"") for each in sent],
    }
    return pa.record_batch(columns, schema=RECORDS)


def some(count: int, first: int = 0) -> list[Sent]:
    return [Sent(2, first + i, AT + i, b"ann", SOUND % (AT + i)) for i in range(count)]


def progress(archive_id: str = "aaaaaaaa", batch_id: int = 4, **offsets: int) -> Progress:
    return Progress(
        cluster_id="c",
        topic="transactions",
        topic_id="t",
        archive_id=archive_id,
        batch_id=batch_id,
        batch_time=AT,
        offsets={int(name[1:]): offset for name, offset in offsets.items()},
    )


class Topic:
    """The source topic with two partitions, from offset `first` on."""

    name = "transactions"

    def __init__(self, first: int = 0) -> None:
        self.first = first

    def partitions(self) -> list[int]:
        return [0, 1]

    def earliest(self) -> dict[int, int]:
        return {0: self.first, 1: self.first}

    def ask(self, partitions: list[int], _: object) -> Callable[[], dict[int, int]]:
        return lambda: dict.fromkeys(partitions, self.first)

    def existing(self, _: int, start: int, end: int) -> Existing:
        return Existing(self.first, end - max(start, self.first))


def stored(bucket: Bucket) -> Progress:
    found = ProgressStore(bucket.under("p/"), "t").get()
    assert found is not None
    return found


# --- one task ----------------------------------------------------------------------------------------------


def test_the_archive_holds_what_the_oracle_reads_and_nothing_else() -> None:
    own = [Sent(2, i, AT, key, value) for i, (_, key, value) in enumerate(adversary(3_000, seed=5, now=AT))]
    bad = [Sent(2, len(own) + i, AT, each.key, each.value) for i, each in enumerate(BAD_RECORDS)]
    sent, bucket = own + bad, Bucket()
    batches = [batch_of(sent[:2_000]), batch_of([]), batch_of(sent[2_000:])]
    report = archive_partition(Assignment(STORE, "aaaaaaaa", 7, AT), batches, bucket)  # type: ignore[arg-type]
    ((key, (parquet, _)),) = bucket.objects.items()
    assert key == f"p/{HOUR}batch=aaaaaaaa-000000000007-00002.parquet"
    table = pq.read_table(io.BytesIO(parquet))
    assert table.schema.equals(ARCHIVED)
    wanted = list(archived_records(sent))
    assert archive_rows(table) == wanted
    assert len(sent) > len(wanted) > 3_000
    assert report == Report(7, AT, 2, 0, len(sent) - 1, len(sent), len(wanted))
    assert report.counts == [(2, "archived", len(wanted)), (2, "rejected", len(sent) - len(wanted))]
    assert Report.from_bytes(report.to_bytes()) == report


def test_no_object_is_made_for_no_record_or_none_that_is_valid() -> None:
    bucket = Bucket()
    assignment = Assignment(STORE, "aaaaaaaa", 7, AT)
    assert archive_partition(assignment, [batch_of([])], bucket) is None  # type: ignore[arg-type]
    broken = [Sent(2, 4, AT, None, b"{")]
    report = archive_partition(assignment, [batch_of(broken)], bucket)  # type: ignore[arg-type]
    assert report == Report(7, AT, 2, 4, 4, 1, 0)
    assert bucket.objects == {}


def test_an_object_that_an_earlier_attempt_wrote_of_more_records_stays() -> None:
    bucket = Bucket()
    assignment = Assignment(STORE, "aaaaaaaa", 7, AT, kept=frozenset({2}))
    report = archive_partition(assignment, [batch_of(some(3))], bucket)  # type: ignore[arg-type]
    assert report is not None
    assert report.valid == 3
    assert bucket.objects == {}


@pytest.mark.parametrize(
    ("failure", "passing", "says"),
    [
        (EndpointConnectionError(endpoint_url="http://s3"), True, "does not answer"),
        (error("SlowDown", 503), True, "SlowDown"),
        (error("AccessDenied", 403), False, "FRAUD_S3_ACCESS_KEY_ID"),
        (error("NoSuchBucket", 404), False, "python -m jobs.init"),
    ],
    ids=str,
)
def test_a_store_that_fails_is_reported_with_whether_it_passes(
    failure: Exception, passing: bool, says: str
) -> None:
    bucket = FailingBucket()
    bucket.failure = failure
    report = archive_partition(Assignment(STORE, "aaaaaaaa", 7, AT), [batch_of(some(1))], bucket)  # type: ignore[arg-type]
    assert report is not None
    assert report.passing == passing
    assert says in (report.problem or "")


# --- names -------------------------------------------------------------------------------------------------


def test_names_sort_by_time_and_tell_whose_micro_batch_they_are() -> None:
    key = object_key("0123abcd", 12, AT, 3)
    assert key == f"{HOUR}batch=0123abcd-000000000012-00003.parquet"
    assert first_folder_since(AT) < key < first_folder_since(AT + 2 * 3_600_000)
    assert is_later(key, "0123abcd", 11)
    assert not is_later(key, "0123abcd", 12)
    assert not is_later(key, "ffffffff", 11)
    assert not is_later(f"{HOUR}anything.parquet", "0123abcd", 11)


def test_the_progress_of_every_topic_is_one_object_right_in_its_folder() -> None:
    assert progress_key("9Htw4BhORruYnaoh/JBo+g") == "transactions/_progress/9Htw4BhORruYnaoh_JBo-g.json"


# --- one micro-batch ---------------------------------------------------------------------------------------


class Frame:
    """A micro-batch's records: runs the task once for each partition, as Spark does."""

    def __init__(self, bucket: Bucket, *partitions: list[Sent], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("jobs.archive.task._client", lambda _: bucket)
        self.partitions = partitions
        self.rows: list[pa.RecordBatch] = []

    def mapInArrow(self, task: Any, _: str) -> "Frame":  # noqa: N802
        for partition in self.partitions:
            self.rows += task(iter([batch_of(partition)]))
        return self

    def toArrow(self) -> pa.Table:  # noqa: N802
        return pa.Table.from_batches(self.rows)


class World:
    """What a micro-batch of the archive needs, in memory: batch 1 of LOG is next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last_planned: int = NO_BATCH) -> None:
        self.monkeypatch = monkeypatch
        self.bucket, self.files, self.topic = FailingBucket(), InMemoryFiles(dict(LOG)), Topic()
        self.files.files["offsets/1"] = entry(AT, {"0": 12, "1": 3, "2": 4})
        self.said: list[str] = []
        self.lease: Callable[[], None] = lambda: None
        self.accept_loss = False
        self.store = ProgressStore(self.bucket.under("p/"), "t")
        identity = ArchiveIdentity(archive_id="aaaaaaaa", starting_offsets="earliest")
        self.opening = ArchiveOpening(identity, last_planned, 1)
        self.successes = 0

    def write(self, *partitions: list[Sent]) -> ArchiveBatches:
        around = ArchiveSurroundings(
            settings=Settings(object_store=STORE),
            ids=("c", "t"),
            accept_loss=self.accept_loss,
            files=self.files,
            topic=self.topic,  # type: ignore[arg-type]
            objects=self.bucket.under("p/"),
            progress=self.store,
            lease=SimpleNamespace(check=self.lease),  # type: ignore[arg-type]
            say=self.said.append,
        )
        batches = ArchiveBatches(around, self.opening, self._count)
        batches(Frame(self.bucket, *partitions, monkeypatch=self.monkeypatch), 1)  # type: ignore[arg-type]
        return batches

    def _count(self) -> None:
        self.successes += 1

    def parquet(self) -> set[str]:
        return {key.removeprefix("p/") for key in self.bucket.objects if key.endswith(".parquet")}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def of_partition(partition: int, *offsets: int) -> list[Sent]:
    return [Sent(partition, offset, AT, b"ann", SOUND % AT) for offset in offsets]


def test_a_micro_batch_is_an_object_a_partition_and_a_new_progress(world: World) -> None:
    batches = world.write(of_partition(0, 10, 11), of_partition(2, 0, 1, 2, 3))
    assert world.parquet() == {object_key("aaaaaaaa", 1, AT, 0), object_key("aaaaaaaa", 1, AT, 2)}
    assert stored(world.bucket) == progress(batch_id=1, p0=12, p1=3, p2=4)
    assert batches.finished == PlannedBatch(1, AT, {0: 10, 1: 3, 2: 0}, {0: 12, 1: 3, 2: 4})
    assert world.successes == 1


def test_a_replay_writes_the_same_names_and_leaves_nothing_of_an_attempt_that_saw_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, last_planned=1)
    stale = object_key("aaaaaaaa", 1, AT, 1)
    world.bucket.objects[f"p/{stale}"] = (b"of an attempt before", {})
    world.write(of_partition(0, 10, 11), of_partition(2, 0, 1, 2, 3))
    assert world.parquet() == {object_key("aaaaaaaa", 1, AT, 0), object_key("aaaaaaaa", 1, AT, 2)}


def test_offsets_that_nobody_read_stop_it_before_it_says_that_it_has_come_so_far(world: World) -> None:
    with pytest.raises(JobError, match="do not add up: partition 2, offsets 0 to 3"):
        world.write(of_partition(0, 10, 11), of_partition(2, 0, 1))
    assert world.store.get() is None
    assert world.successes == 0


def test_where_losses_are_accepted_they_are_said_and_what_was_written_before_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, last_planned=1)
    world.accept_loss, world.topic = True, Topic(first=2)
    whole = f"p/{object_key('aaaaaaaa', 1, AT, 2)}"
    world.bucket.objects[whole] = (b"written when all four records were there", {})
    world.write(of_partition(0, 10, 11), of_partition(2, 2, 3))
    assert world.bucket.objects[whole] == (b"written when all four records were there", {})
    assert world.said == ["micro-batch 1: LOST 2"]


def test_another_archive_of_the_topic_stops_this_one(world: World) -> None:
    world.store.put(progress("ffffffff"))
    with pytest.raises(JobError, match="another job archives topic 'transactions'"):
        world.write(of_partition(0, 10, 11))
    assert world.parquet() == set()


def test_what_was_written_while_another_archive_took_over_is_taken_back(world: World) -> None:
    checked: list[str] = []

    def another_takes_over_at_the_second_check() -> None:
        if checked:
            world.store.put(progress("ffffffff"))
        checked.append("once")

    world.lease = another_takes_over_at_the_second_check
    with pytest.raises(JobError, match="another job archives topic 'transactions'"):
        world.write(of_partition(0, 10, 11), of_partition(2, 0, 1, 2, 3))
    assert world.parquet() == set()


def test_without_the_lease_nothing_is_written(world: World) -> None:
    def lost() -> None:
        raise JobError("another job took over")

    world.lease = lost
    with pytest.raises(JobError, match="took over"):
        world.write(of_partition(0, 10, 11))
    assert world.bucket.objects == {}


@pytest.mark.parametrize(
    ("failure", "code"),
    [(EndpointConnectionError(endpoint_url="http://s3"), OUTAGE), (error("AccessDenied", 403), SETTINGS)],
    ids=str,
)
def test_what_kept_a_task_from_writing_ends_the_micro_batch(
    failure: Exception, code: int, world: World
) -> None:
    world.bucket.failure = failure
    with pytest.raises(JobError) as caught:
        world.write(of_partition(0, 10, 11), of_partition(2, 0, 1, 2, 3))
    assert caught.value.exit_code == code
    assert world.bucket.objects == {}


BATCH = PlannedBatch(7, AT, {0: 10}, {0: 20})


@pytest.mark.parametrize(
    ("reports", "says"),
    [
        ([Report(7, AT, 0, 10, 14, 5, 5), Report(7, AT, 0, 15, 19, 5, 5)], "two tasks archived partition 0"),
        ([Report(7, AT, 0, 9, 19, 11, 11)], "offsets 9 to 19 were archived, planned were 10 to 19"),
        ([Report(7, AT, 0, 10, 20, 11, 11)], "offsets 10 to 20"),
        ([Report(7, AT, 0, 10, 19, 11, 11)], "11 records of partition 0"),
        ([Report(7, AT, 1, 0, 0, 1, 1)], "partition 1"),
    ],
    ids=str,
)
def test_tasks_that_read_what_was_not_planned_are_found_out(reports: list[Report], says: str) -> None:
    with pytest.raises(JobError, match=says):
        check_reports(BATCH, reports)


def test_one_task_a_partition_may_read_less_than_was_planned() -> None:
    check_reports(BATCH, [Report(7, AT, 0, 10, 19, 9, 9)])
    check_reports(BATCH, [])
