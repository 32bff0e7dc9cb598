"""What the dashboard reads of the object store: only what is new, once, whatever fails in between."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import contents, files, hour
from dashboard import feed as feeds
from dashboard.contents import ALERTS_IN_EUROS, UnreadableError
from dashboard.feed import ALERTS, Feed, Snapshot
from dashboard.files import Files
from dashboard.spans import Span, alerts_folder, compacted_folder, hours, last, metrics_folder
from dashboard.store import Place, UnreachableError
from fraud.alert import ALERTS as ALERTS_OF_JOB
from jobs.compact.hours import compacted_key
from jobs.detect.alerts_sink import alerts_key
from jobs.detect.metrics import metrics_key
from tests.alert_store import NOW, MemoryStore, alert, batch, epoch, velocity

HOUR = timedelta(hours=1)
SPAN = last("1h", NOW)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def feed(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Feed:
    monkeypatch.setattr(feeds, "TIME_FOR_READING", 60.0)  # whatever else the machine does
    return Feed(store)


def ids(snapshot: Snapshot) -> list[str]:
    return sorted(snapshot.alerts["alert_id"].to_pylist())


def always() -> bool:
    return True


def test_the_folders_are_where_the_job_writes() -> None:
    assert alerts_key("0123abcd", 7, epoch(NOW)).startswith(alerts_folder(hours(NOW, NOW)[0]))
    assert compacted_key(epoch(NOW)).startswith(compacted_folder(hours(NOW, NOW)[0]))
    assert metrics_key(epoch(NOW)).startswith(metrics_folder(hours(NOW, NOW)[0]))
    assert not metrics_key(epoch(NOW - HOUR)).startswith(metrics_folder(hours(NOW, NOW)[0]))


def test_a_second_refresh_reads_nothing_and_a_third_only_the_new_file(store: MemoryStore, feed: Feed) -> None:
    rows = [alert(), alert(), alert()]
    store.put_alerts(rows[:2], 1)
    store.put_metrics([batch()])
    assert len(ids(feed.snapshot(SPAN))) == 2
    before = store.reads.copy()
    feed.snapshot(SPAN)
    assert store.reads == before
    key = store.put_alerts(rows[2:], 2)
    assert ids(feed.snapshot(SPAN)) == sorted(row["alert_id"] for row in rows)
    assert [each for each, _ in (store.reads - before).elements()] == [key]


def test_a_closed_hour_is_read_as_one_file_and_its_alerts_are_the_same(
    store: MemoryStore, feed: Feed
) -> None:
    old, recent = NOW - 5 * HOUR, NOW - timedelta(minutes=1)
    for number in range(20):
        store.put_alerts([alert(detected_at=old), velocity(detected_at=old)], number, old)
    store.put_alerts([alert(detected_at=recent)], 30, recent)
    span = last("6h", NOW)
    in_parts = Feed(store).snapshot(span)
    key = store.put_compacted(old)
    before = store.reads.copy()
    compacted = feed.snapshot(span)
    order = [("detected_at", "ascending"), ("alert_id", "ascending")]
    assert compacted.alerts.sort_by(order).equals(in_parts.alerts.sort_by(order))
    assert in_parts.alerts.num_rows == 41
    read = [each for each, _ in (store.reads - before).elements()]
    assert [each for each in read if "hour=07" in each] == [key]
    assert Place(alerts_folder(hours(old, old)[0])) not in store.found[-30:]


def test_an_hour_that_was_read_in_parts_stays_the_same_when_it_is_compacted(
    store: MemoryStore, feed: Feed
) -> None:
    old, span = NOW - 5 * HOUR, last("6h", NOW)
    rows = [alert(detected_at=old) for _ in range(3)]
    for number, row in enumerate(rows):
        store.put_alerts([row], number, old)
    feed.snapshot(span)
    store.put_compacted(old)
    later = Span(span.since, NOW + files.RELIST)
    before = store.reads.copy()
    assert ids(feed.snapshot(later)) == sorted(row["alert_id"] for row in rows)
    assert store.reads == before


def test_alerts_come_from_the_parts_again_when_the_compacted_file_has_gone(
    store: MemoryStore, feed: Feed
) -> None:
    old, span = NOW - 5 * HOUR, last("6h", NOW)
    row = alert(detected_at=old)
    store.put_alerts([row], 1, old)
    key = store.put_compacted(old)
    assert ids(feed.snapshot(span)) == [row["alert_id"]]
    del store.objects[key]
    assert ids(feed.snapshot(Span(span.since, NOW + files.RELIST))) == [row["alert_id"]]


def test_a_file_that_a_replay_rewrites_is_read_again_and_replaces_its_rows(
    store: MemoryStore, feed: Feed
) -> None:
    old, new, other = alert(), alert(), alert()
    store.put_alerts([old], 1)
    store.put_alerts([other], 2)
    feed.snapshot(SPAN)
    store.put_alerts([new], 1)
    assert ids(feed.snapshot(SPAN)) == sorted([new["alert_id"], other["alert_id"]])


def test_rows_of_a_file_that_a_replay_deletes_go(store: MemoryStore, feed: Feed) -> None:
    key = store.put_alerts([alert()], 1)
    other = alert()
    store.put_alerts([other], 2)
    feed.snapshot(SPAN)
    del store.objects[key]
    assert ids(feed.snapshot(SPAN)) == [other["alert_id"]]


def test_of_many_files_the_newest_are_listed_each_time_and_all_once_a_minute(
    store: MemoryStore, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hour, "TAIL", 3)
    keys = [store.put_alerts([alert()], number) for number in range(10)]

    def seen(seconds: int) -> int:
        return len(ids(feed.snapshot(last("1h", NOW + timedelta(seconds=seconds)))))

    assert seen(0) == 10
    store.put_alerts([alert(), alert()], 8)  # replayed
    del store.objects[keys[9]]
    store.put_alerts([alert()], 10)
    assert seen(5) == 11
    assert Place(alerts_folder(hours(NOW, NOW)[0]), after=keys[6]) in store.found
    del store.objects[keys[0]]
    assert seen(10) == 11
    assert seen(60) == 10


def test_another_checkpoint_s_files_are_seen_within_a_minute_and_then_at_once(
    store: MemoryStore, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hour, "TAIL", 3)
    for number in range(10):
        store.put_alerts([alert()], number)
    feed.snapshot(SPAN)
    for number, seconds in ((0, 60), (1, 65)):
        store.put_alerts([alert()], number, checkpoint="00000000")
        snapshot = feed.snapshot(last("1h", NOW + timedelta(seconds=seconds)))
        assert len(ids(snapshot)) == 11 + number


def test_an_hour_that_is_over_is_listed_again_only_after_a_while(store: MemoryStore, feed: Feed) -> None:
    early = NOW - HOUR
    store.put_alerts([alert(detected_at=early)], 1, early)
    feed.snapshot(SPAN)
    folder = alerts_folder(hours(early, early)[0])
    feed.snapshot(last("1h", NOW + timedelta(seconds=5)))
    assert store.found.count(Place(folder)) == 1
    late = alert(detected_at=early)  # a micro-batch replayed after an outage keeps its own time
    store.put_alerts([late], 2, early)
    assert late["alert_id"] in ids(feed.snapshot(last("1h", NOW + files.RELIST)))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"<html>", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_file_that_is_no_parquet_is_counted_left_out_and_tried_again(
    store: MemoryStore, feed: Feed, content: bytes
) -> None:
    good, early = alert(), NOW - HOUR  # an hour that is over, too
    store.put_alerts([good], 1)
    key = store.put_alerts([alert(detected_at=early)], 2, early)
    whole, version = store.objects[key]
    store.objects[key] = (content, version)
    snapshot = feed.snapshot(SPAN)
    assert (ids(snapshot), snapshot.unreadable, snapshot.trouble) == ([good["alert_id"]], 1, None)
    store.objects[key] = (whole, version)  # was half-written: the same version, now whole
    snapshot = feed.snapshot(SPAN)
    assert (len(ids(snapshot)), snapshot.unreadable) == (2, 0)


@given(cut=st.integers(1, 2000))
@settings(max_examples=30)
def test_a_file_cut_anywhere_is_unreadable_and_never_another_error(cut: int) -> None:
    store = MemoryStore()
    key = store.put_alerts([alert()], 1)
    whole = store.objects[key][0]
    with pytest.raises(UnreadableError):
        contents.alerts(whole[: -min(cut, len(whole))])


def test_text_that_is_no_utf_8_makes_a_file_unreadable() -> None:
    table = pa.Table.from_pylist([alert()], ALERTS_OF_JOB)
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.array([0, 2], pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfe")]
    )
    table = table.set_column(table.column_names.index("user_id"), "user_id", broken)
    sink = io.BytesIO()
    pq.write_table(table, sink)
    with pytest.raises(UnreadableError):
        contents.alerts(sink.getvalue())


def test_a_later_release_s_columns_are_ignored_and_an_earlier_one_s_missing_columns_are_null() -> None:
    table = pa.Table.from_pylist([alert()], ALERTS_OF_JOB)
    table = table.drop_columns(["rate", "severity"]).append_column("score", pa.array([0.7]))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    (row,) = contents.alerts(sink.getvalue()).to_pylist()
    assert list(row) == ALERTS_IN_EUROS.names
    assert (row["rate"], row["severity"], row["euros"]) == (None, None, None)
    assert row["user_id"] == "ann"


def test_an_outage_keeps_what_was_read_and_ends_by_itself(store: MemoryStore, feed: Feed) -> None:
    first = alert()
    store.put_alerts([first], 1)
    feed.snapshot(SPAN)
    store.trouble = UnreachableError("connection refused")
    snapshot = feed.snapshot(SPAN)
    assert (ids(snapshot), snapshot.trouble) == ([first["alert_id"]], store.trouble)
    store.trouble = None
    store.put_alerts([alert()], 2)
    snapshot = feed.snapshot(SPAN)
    assert (len(ids(snapshot)), snapshot.trouble) == (2, None)


def test_sessions_at_the_same_time_read_each_version_once(store: MemoryStore, feed: Feed) -> None:
    for number in range(50):
        store.put_alerts([alert()], number)
    with ThreadPoolExecutor(8) as pool:
        snapshots = list(pool.map(lambda _: feed.snapshot(SPAN), range(8)))
    assert {len(ids(each)) for each in snapshots} == {50}
    assert set(store.reads.values()) == {1}


step = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 5), st.integers(0, 3)),  # file, alerts in it
    st.tuples(st.just("delete"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("refresh"), st.just(0), st.just(0)),
)


@given(st.lists(step, max_size=25))
@settings(max_examples=30)
def test_after_any_history_a_refresh_holds_what_a_fresh_reader_finds_and_read_no_version_twice(
    steps: list[tuple[str, int, int]],
) -> None:
    store = MemoryStore()
    feed = Feed(store)
    for what, file, number in steps:
        if what == "refresh":
            feed.snapshot(SPAN)
        elif what == "put":
            store.put_alerts([alert() for _ in range(number)], file)
        else:
            store.objects.pop(alerts_key("0123abcd", file, epoch(NOW)), None)
    found = ids(feed.snapshot(SPAN))
    assert set(store.reads.values()) <= {1}
    assert found == ids(Feed(store).snapshot(SPAN))


def test_when_the_time_is_up_the_newest_is_there_and_the_rest_follows(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FILES_AT_ONCE", 2)
    for number in range(6):
        store.put_alerts([alert(alert_id=f"{number:032x}")], number)
    reader = Files(store, ALERTS)
    answers = iter([True, True, False])
    reader.refresh(SPAN.since, NOW, lambda: next(answers))
    assert reader.table(SPAN.since).num_rows == 4
    assert f"{5:032x}" in reader.table(SPAN.since)["alert_id"].to_pylist()
    assert reader.complete_since is not None
    assert reader.complete_since > SPAN.since
    reader.refresh(SPAN.since, NOW, always)
    assert reader.table(SPAN.since).num_rows == 6
    assert reader.complete_since <= SPAN.since
    assert set(store.reads.values()) == {1}


def test_beyond_the_cap_the_newest_rows_stay_and_older_files_are_not_read(store: MemoryStore) -> None:
    kind = files.Kind(ALERTS.folder, ALERTS.parse, ALERTS.schema, ALERTS.time, max_rows=4)
    times = [NOW - timedelta(minutes=40 * number) for number in range(10)]
    for number, at in enumerate(times):
        store.put_alerts([alert(detected_at=at)], number, at)
    reader = Files(store, kind)
    reader.refresh(times[-1], NOW, always)
    held = reader.table(times[-1])["detected_at"].to_pylist()
    assert sorted(held, reverse=True) == times[:4]
    assert reader.full_since is not None
    assert times[4] < reader.full_since <= times[3]
    read = dict(store.reads)
    newest = NOW + timedelta(seconds=1)
    store.put_alerts([alert(detected_at=newest)], 99, newest)
    reader.refresh(times[-1], newest, always)
    assert reader.table(times[-1]).num_rows == 4
    assert newest in reader.table(times[-1])["detected_at"].to_pylist()
    assert sum(store.reads.values()) == sum(read.values()) + 1


def test_one_hour_beyond_the_cap_keeps_its_newest_rows(store: MemoryStore) -> None:
    kind = files.Kind(ALERTS.folder, ALERTS.parse, ALERTS.schema, ALERTS.time, max_rows=3)
    times = [NOW - timedelta(seconds=number) for number in range(5)]
    store.put_alerts([alert(detected_at=at) for at in times], 1)
    reader = Files(store, kind)
    for _ in range(2):
        reader.refresh(SPAN.since, NOW, always)
        assert sorted(reader.table(SPAN.since)["detected_at"].to_pylist(), reverse=True) == times[:3]
        assert reader.full_since == times[2]
    assert set(store.reads.values()) == {1}


def test_hours_older_than_twice_the_longest_range_are_forgotten(store: MemoryStore) -> None:
    store.put_alerts([alert()], 1)
    reader = Files(store, ALERTS)
    reader.refresh(SPAN.since, NOW, always)
    later = NOW + files.KEPT + HOUR
    reader.refresh(later - HOUR, later, always)
    assert reader.table(SPAN.since).num_rows == 0


def test_a_span_knows_the_one_before_it() -> None:
    assert Span(NOW - HOUR, NOW).before == Span(NOW - 2 * HOUR, NOW - HOUR)
