"""The offset log and the accounts: every offset read is counted once, or the job stops."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.detect.accounting import Existing, settle
from jobs.detect.errors import JobError
from jobs.detect.offsets import NO_BATCH, PlannedBatch, last_committed, last_planned, planned_batch
from jobs.detect.outcomes import Report


class InMemoryFiles:
    """The files of a checkpoint, in a dict."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def read(self, name: str) -> str | None:
        return self.files.get(name)

    def write(self, name: str, text: str) -> None:
        self.files[name] = text

    def names(self, folder: str) -> list[str]:
        return [name.removeprefix(f"{folder}/") for name in self.files if name.startswith(f"{folder}/")]


def entry(time: int, offsets: dict[str, int]) -> str:
    metadata = {"batchWatermarkMs": 0, "batchTimestampMs": time, "conf": {}}
    return f"v1\n{json.dumps(metadata)}\n{json.dumps({'transactions': offsets})}"


LOG = {
    "sources/0/0": '\0v1\n{"transactions":{"0":5,"1":0}}',
    "offsets/0": entry(1_000, {"0": 10, "1": 3}),
    "offsets/1": entry(2_000, {"0": 12, "1": 3, "2": 4}),
    "offsets/.1.crc": "",
    "commits/0": "v1\n{}",
}


def test_the_first_batch_begins_at_the_initial_offsets_of_the_source() -> None:
    batch = planned_batch(InMemoryFiles(LOG), 0)
    assert batch == PlannedBatch(0, 1_000, {0: 5, 1: 0}, {0: 10, 1: 3})
    assert batch.read() == {0: 5, 1: 3}


def test_a_batch_begins_where_the_one_before_ended_and_an_added_partition_at_its_first_record() -> None:
    batch = planned_batch(InMemoryFiles(LOG), 1)
    assert batch.start == {0: 10, 1: 3, 2: 0}
    assert batch.read() == {0: 2, 1: 0, 2: 4}


def test_planned_and_committed_batches_are_told_apart() -> None:
    files = InMemoryFiles(LOG)
    assert last_planned(files) == 1
    assert last_committed(files) == planned_batch(files, 0)
    assert last_planned(InMemoryFiles({})) == NO_BATCH
    assert last_committed(InMemoryFiles({})) is None


def test_a_batch_that_was_never_planned_is_an_error() -> None:
    with pytest.raises(LookupError, match="offsets/7"):
        planned_batch(InMemoryFiles(LOG), 7)


BATCH = PlannedBatch(3, 9_000, {0: 100, 1: 50}, {0: 110, 1: 60})


def report(*counts: tuple[int, str, int], batch_id: int = 3) -> Report:
    return Report(0, batch_id, 9_000, list(counts), {}, 0)


def never(*_: int) -> Existing:
    raise AssertionError("the topic need not be asked")


def test_counts_that_equal_the_offsets_settle_without_asking_the_topic() -> None:
    reports = [report((0, "evaluated", 6), (1, "late", 10)), report((0, "duplicate", 4))]
    accounts = settle(BATCH, reports, never, accept_loss=False)
    assert (accounts.read, accounts.gaps, accounts.lost) == (20, 0, 0)
    assert accounts.outcomes == {"evaluated": 6, "duplicate": 4, "late": 10}


def test_offsets_without_a_record_are_gaps() -> None:
    reports = [report((0, "evaluated", 8), (1, "evaluated", 10))]
    accounts = settle(BATCH, reports, lambda *_: Existing(0, 8), accept_loss=False)
    assert (accounts.gaps, accounts.lost) == (2, 0)


def test_a_record_that_exists_and_was_not_counted_stops_the_job() -> None:
    reports = [report((0, "evaluated", 9), (1, "evaluated", 10))]
    with pytest.raises(JobError, match="partition 0, offsets 100 to 109: 10 offsets read, 9 records counted"):
        settle(BATCH, reports, lambda *_: Existing(0, 10), accept_loss=True)


def test_a_record_counted_twice_stops_the_job() -> None:
    reports = [report((0, "evaluated", 11), (1, "evaluated", 10))]
    with pytest.raises(JobError, match="do not add up"):
        settle(BATCH, reports, never, accept_loss=True)


def test_a_record_of_a_partition_that_was_not_read_stops_the_job() -> None:
    reports = [report((0, "evaluated", 10), (1, "evaluated", 10), (7, "evaluated", 1))]
    with pytest.raises(JobError, match="partition 7"):
        settle(BATCH, reports, never, accept_loss=False)


def test_records_that_vanished_stop_the_job_unless_the_loss_is_accepted() -> None:
    reports = [report((0, "evaluated", 7), (1, "evaluated", 10))]
    with pytest.raises(JobError, match=r"offsets 100 to 102 have gone from the topic.*--accept-loss"):
        settle(BATCH, reports, lambda *_: Existing(103, 7), accept_loss=False)
    accounts = settle(BATCH, reports, lambda *_: Existing(103, 7), accept_loss=True)
    assert (accounts.lost, accounts.gaps) == (3, 0)


def test_gaps_that_retention_takes_away_after_they_were_read_are_no_loss() -> None:
    reports = [report((0, "evaluated", 8), (1, "evaluated", 10))]
    look_up = lambda *_: Existing(105, 5, earliest_before=100)  # noqa: E731
    accounts = settle(BATCH, reports, look_up, accept_loss=False)
    assert (accounts.gaps, accounts.lost) == (2, 0)


def test_what_may_have_gone_before_it_was_read_is_lost_when_losses_are_accepted() -> None:
    reports = [report((0, "evaluated", 8), (1, "evaluated", 10))]
    look_up = lambda *_: Existing(105, 5, earliest_before=100)  # noqa: E731
    assert settle(BATCH, reports, look_up, accept_loss=True).lost == 2


def test_what_had_gone_before_the_micro_batch_ran_stops_the_job_even_if_more_goes_while_it_runs() -> None:
    reports = [report((0, "evaluated", 7), (1, "evaluated", 10))]
    with pytest.raises(JobError, match="offsets 100 to 102 have gone"):
        settle(BATCH, reports, lambda *_: Existing(105, 5, earliest_before=103), accept_loss=False)


@given(
    st.lists(st.booleans(), max_size=30),
    st.integers(0, 40),
    st.one_of(st.none(), st.just(100)),
    st.booleans(),
)
def test_records_and_gaps_that_fill_the_offsets_always_settle(
    there: list[bool], gone_since: int, before: int | None, accept_loss: bool
) -> None:
    """Whatever retention takes away behind Spark's back, when it is known that nothing had gone before."""
    gone = gone_since if before is not None else 0
    batch = PlannedBatch(3, 9_000, {0: 100}, {0: 100 + len(there)})
    found = Existing(100 + gone, sum(there[gone:]), before)
    reports = [report((0, "evaluated", sum(there)))]
    accounts = settle(batch, reports, lambda *_: found, accept_loss=accept_loss)
    assert accounts.gaps + accounts.lost == len(there) - sum(there)
    assert accounts.lost == 0 or accept_loss


def test_an_accepted_loss_does_not_hide_a_record_that_was_not_counted() -> None:
    reports = [report((0, "evaluated", 6), (1, "evaluated", 10))]
    with pytest.raises(JobError):
        settle(BATCH, reports, lambda *_: Existing(103, 7), accept_loss=True)


def test_a_report_of_another_batch_stops_the_job() -> None:
    with pytest.raises(JobError, match="report for 4"):
        settle(BATCH, [report(batch_id=4)], never, accept_loss=False)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_whatever_settles_adds_up_to_the_offsets(
    size: int, counted: int, existing: int, gone: int, late: int
) -> None:
    batch = PlannedBatch(3, 9_000, {0: 100}, {0: 100 + size})
    found = Existing(100 + gone, min(existing, max(0, size - gone)))
    try:
        accounts = settle(
            batch, [report((0, "evaluated", counted), (0, "late", late))], lambda *_: found, accept_loss=True
        )
    except JobError:
        return
    assert sum(accounts.outcomes.values()) + accounts.gaps + accounts.lost == accounts.read == size
    assert accounts.gaps >= 0
    assert 0 <= accounts.lost <= gone
