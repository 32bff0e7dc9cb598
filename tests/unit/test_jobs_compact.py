"""Compaction: each closed hour becomes one object, the same whenever and however often it is made."""

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraud.alert import ALERTS
from jobs.compact.closed import first_open_hour
from jobs.compact.hours import Hours, compacted_key
from jobs.compact.merge import ROWS
from jobs.compact.run import Compaction, Unreadable, compact
from jobs.detect.alerts_sink import alerts_key
from jobs.detect.alerts_sink import to_parquet as alerts_to_parquet
from jobs.detect.metrics import MetricsSink
from jobs.objects import Objects
from tests.alert_store import alert, batch, epoch, velocity
from tests.bucket import Bucket

NINE = datetime(2026, 1, 31, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PREFIX = "runs/1/"
ROOT = Path(__file__).resolve().parents[2]


class World:
    """A bucket with what the job has written, and compactions of it."""

    def __init__(self) -> None:
        self.bucket = Bucket()
        self.lines: list[str] = []
        self._metrics = MetricsSink(self.bucket.under(PREFIX))

    def alerts(self, number: int, at: datetime, *rows: dict[str, Any]) -> str:
        key = PREFIX + alerts_key("0123abcd", number, epoch(at))
        table = pa.Table.from_pylist(list(rows or (alert(detected_at=at), velocity(detected_at=at))), ALERTS)
        self.bucket.put_object(Bucket="fraud", Key=key, Body=alerts_to_parquet([table]))
        return key

    def written(self, at: datetime, number: int = 99) -> None:
        """A micro-batch's row: what was planned before `at` is there."""
        self._metrics.put(batch(batch_time=at, batch_id=number), lambda: None)

    def compact(self, hook: Any = None) -> Compaction:
        return compact(Hours(Objects(hook or self.bucket, "fraud", PREFIX)), self.lines.append)

    def hourly(self, at: datetime) -> pa.Table:
        return pq.read_table(io.BytesIO(self.content(at)))

    def content(self, at: datetime) -> bytes:
        return self.bucket.objects[PREFIX + compacted_key(epoch(at))][0]


def read(world: World, keys: list[str]) -> list[dict[str, Any]]:
    return [
        row for key in keys for row in pq.read_table(io.BytesIO(world.bucket.objects[key][0])).to_pylist()
    ]


def test_a_closed_hour_becomes_one_object_with_all_its_alerts_in_order_and_alerts_stay() -> None:
    world = World()
    keys = [world.alerts(n, NINE + timedelta(minutes=n)) for n in range(1, 12)]
    world.alerts(50, NINE + HOUR)
    world.written(NINE + HOUR + timedelta(minutes=10))
    before = dict(world.bucket.objects)
    done = world.compact()
    assert done.written == [epoch(NINE)]
    assert world.hourly(NINE).to_pylist() == read(world, keys)
    assert world.hourly(NINE).schema.equals(ALERTS)
    added = world.bucket.objects.keys() - before.keys()
    assert added == {f"{PREFIX}alerts_hourly/date=2026-01-31/hour=09/alerts.parquet"}
    assert before.items() <= world.bucket.objects.items()
    assert world.lines == ["2026-01-31 09:00: 22 alerts of 11 objects"]


def test_an_hour_is_open_until_a_micro_batch_of_ten_minutes_after_its_end_is_written() -> None:
    world = World()
    world.alerts(1, NINE)
    world.written(NINE + HOUR + timedelta(minutes=10) - timedelta(milliseconds=1))
    assert world.compact() == Compaction(epoch(NINE), [], 0, [])
    world.written(NINE + HOUR + timedelta(minutes=10), 100)
    assert world.compact() == Compaction(epoch(NINE + HOUR), [epoch(NINE)], 0, [])


def test_after_a_take_over_an_hour_waits_for_the_old_checkpoint_until_it_was_silent_for_an_hour() -> None:
    minutes = [(50, "old"), (100, "new")]
    rows = [batch(batch_time=NINE + timedelta(minutes=at), checkpoint_id=name) for at, name in minutes]
    assert first_open_hour(rows) == epoch(NINE)
    rows.append(batch(batch_time=NINE + timedelta(minutes=130), checkpoint_id="new"))
    assert first_open_hour(rows) == epoch(NINE + 2 * HOUR)


def test_without_metrics_nothing_is_closed() -> None:
    world = World()
    world.alerts(1, NINE)
    assert world.compact() == Compaction(None, [], 0, [])


def test_the_documented_way_to_read_both_folders_finds_each_alert_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    keys = [world.alerts(n, NINE + n * timedelta(minutes=20)) for n in range(9)]  # three hours
    world.written(NINE + timedelta(minutes=189))  # of which two are closed
    assert len(world.compact().written) == 2
    for key, (content, _) in world.bucket.objects.items():
        file = tmp_path / "out" / key.removeprefix(PREFIX)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (recipe,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "state.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(recipe, names)  # noqa: S102  (our own page)
    assert (len(names["compacted"]), len(names["others"])) == (2, 3)
    wanted = sorted(row["alert_id"] for row in read(world, keys))
    assert sorted(names["alerts"]["alert_id"].to_pylist()) == wanted


def test_a_second_run_reads_and_writes_no_alerts_and_a_lost_object_comes_back_with_the_same_bytes() -> None:
    world = World()
    for n in range(4):
        world.alerts(n, NINE + timedelta(minutes=n))
    world.written(NINE + 2 * HOUR)
    world.compact()
    first = world.content(NINE)
    world.bucket.puts.clear()
    world.bucket.reads.clear()
    assert world.compact() == Compaction(epoch(NINE + HOUR), [], 1, [])
    assert world.bucket.puts == []
    assert [key for key in world.bucket.reads if "/alerts/" in key] == []
    world.bucket.delete_object(Bucket="fraud", Key=PREFIX + compacted_key(epoch(NINE)))
    assert world.compact().written == [epoch(NINE)]
    assert world.content(NINE) == first


def test_an_hour_whose_objects_have_expired_is_not_written_again() -> None:
    world = World()
    key = world.alerts(1, NINE)
    world.written(NINE + 2 * HOUR)
    world.compact()
    first = world.content(NINE)
    world.bucket.delete_object(Bucket="fraud", Key=key)
    assert world.compact().written == []
    assert world.content(NINE) == first


def test_an_hour_whose_objects_expire_between_two_listings_is_not_written_empty() -> None:
    world = World()
    key = world.alerts(1, NINE)
    world.written(NINE + 2 * HOUR)
    hours = Hours(world.bucket.under(PREFIX))
    listed = hours.with_alerts()
    world.bucket.delete_object(Bucket="fraud", Key=key)
    hours.with_alerts = lambda: listed  # type: ignore[method-assign]
    assert compact(hours, world.lines.append).written == []
    assert PREFIX + compacted_key(epoch(NINE)) not in world.bucket.objects


def test_an_old_compacted_hour_is_not_written_again_while_its_objects_expire_one_by_one() -> None:
    world = World()
    world.alerts(1, NINE)
    key = world.alerts(2, NINE)
    world.written(NINE + 2 * HOUR)
    world.compact()
    first = world.content(NINE)
    world.written(NINE + timedelta(days=30), 100)
    world.bucket.delete_object(Bucket="fraud", Key=key)
    assert world.compact().written == []
    assert world.content(NINE) == first


def test_an_hour_that_changed_all_the_same_is_written_again_within_a_day() -> None:
    world = World()
    keys = [world.alerts(1, NINE)]
    world.written(NINE + 2 * HOUR)
    world.compact()
    keys.append(world.alerts(2, NINE))  # a clock was set back by hours
    assert world.compact().written == [epoch(NINE)]
    assert world.hourly(NINE).to_pylist() == read(world, keys)
    assert world.lines[-1] == "2026-01-31 09:00: 4 alerts of 2 objects, again: its objects have changed"


def test_an_hour_that_changes_while_it_is_read_is_left_for_the_next_run() -> None:
    world = World()
    key = world.alerts(1, NINE)
    world.written(NINE + 2 * HOUR)
    listed = world.bucket.get_object

    def gone(**arguments: str) -> dict[str, Any]:
        if arguments["Key"] == key:
            world.bucket.delete_object(Bucket="fraud", Key=key)
        return listed(**arguments)  # type: ignore[arg-type]

    world.bucket.get_object = gone  # type: ignore[method-assign, assignment]
    assert world.compact() == Compaction(epoch(NINE + HOUR), [], 0, [epoch(NINE)])
    assert "has gone while it was read" in world.lines[0]
    world.bucket.get_object = listed  # type: ignore[method-assign]
    world.alerts(1, NINE)
    assert world.compact().written == [epoch(NINE)]


def test_large_hours_are_cut_into_row_groups_wherever_the_objects_end() -> None:
    world = World()
    sizes = [ROWS - 1, 2, 3 * ROWS, 5]
    one = alert(detected_at=NINE)
    for number, size in enumerate(sizes):
        world.alerts(number, NINE, *[one] * size)
    world.written(NINE + 2 * HOUR)
    world.compact()
    metadata = pq.ParquetFile(io.BytesIO(world.content(NINE))).metadata
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert groups == [ROWS] * 4 + [sum(sizes) - 4 * ROWS]


def test_alerts_of_an_older_release_are_taken_with_nulls_for_what_they_lack() -> None:
    world = World()
    table = pa.Table.from_pylist([alert(detected_at=NINE)], ALERTS).drop_columns(["evidence_count"])
    sink = io.BytesIO()
    pq.write_table(table, sink)
    key = PREFIX + alerts_key("0123abcd", 1, epoch(NINE))
    world.bucket.put_object(Bucket="fraud", Key=key, Body=sink.getvalue())
    world.written(NINE + 2 * HOUR)
    world.compact()
    assert world.hourly(NINE).column("evidence_count").to_pylist() == [None]
    assert world.hourly(NINE).schema.equals(ALERTS)


@pytest.mark.parametrize("kind", ["something else", "damaged", "of a newer release"])
def test_an_object_that_is_not_understood_is_named_and_its_hour_not_written(kind: str) -> None:
    world = World()
    key = world.alerts(1, NINE)
    content, message = b"PAR1 or not", "cannot be read"
    if kind == "damaged":
        whole = world.bucket.objects[key][0]
        content = whole[:4] + bytes(400) + whole[404:]
    if kind == "of a newer release":
        table = pa.Table.from_pylist([alert(detected_at=NINE)], ALERTS).append_column("novel", pa.array([1]))
        sink = io.BytesIO()
        pq.write_table(table, sink)
        content, message = sink.getvalue(), "columns of a newer release: novel"
    world.bucket.put_object(Bucket="fraud", Key=key, Body=content)
    world.written(NINE + 2 * HOUR)
    with pytest.raises(Unreadable, match=message) as caught:
        world.compact()
    assert key in str(caught.value)
    assert PREFIX + compacted_key(epoch(NINE)) not in world.bucket.objects
