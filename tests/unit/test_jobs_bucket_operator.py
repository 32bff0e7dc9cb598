"""The operator beside Spark: what it remembers of a bucket from one micro-batch to the next."""

from typing import Any

import pandas as pd
import pytest
from pyspark import TaskContext

from fraud.memory import IncompatibleState
from jobs.detect.bucket_operator import INPUT, judge_bucket
from jobs.detect.outcomes import REPORT_KIND, Report
from tests.unit.test_detection import NOON, generation, record


class State:
    """A bucket's state, as Spark hands it to the operator."""

    def __init__(self, blob: str | None = None) -> None:
        self.blob = blob

    @property
    def exists(self) -> bool:
        return self.blob is not None

    @property
    def get(self) -> tuple[str | None]:
        return (self.blob,)

    def update(self, value: tuple[str]) -> None:
        (self.blob,) = value

    def getCurrentProcessingTimeMs(self) -> int:  # noqa: N802  (pyspark's)
        return NOON


class Context:
    """Of a task of micro-batch 0."""

    def getLocalProperty(self, name: str) -> str:  # noqa: N802  (pyspark's)
        assert name == "streaming.sql.batchId"
        return "0"


@pytest.fixture(autouse=True)
def in_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskContext, "get", Context)


def judged(state: State, *records: dict[str, Any]) -> Report:
    """The report on a micro-batch of these records."""
    frame = pd.DataFrame([each | {"sha256": None} for each in records], columns=INPUT.names)
    (found,) = judge_bucket((generation().model_dump_json(),), 3, [frame], state)  # type: ignore[arg-type]
    (report,) = found[found["kind"] == REPORT_KIND]["payload"]
    return Report.from_bytes(report)


def test_what_one_micro_batch_has_judged_the_next_one_knows() -> None:
    state = State()
    assert judged(state, record(0, 0), record(1, 5)).counts == [(0, "evaluated", 2)]
    again = judged(state, record(2, 0, transaction_id="t0"), record(3, 6))
    assert again.counts == [(0, "duplicate", 1), (0, "evaluated", 1)]
    assert again.measures["memory_rows"] == 3


def test_state_that_cannot_be_read_ends_it_and_stays_as_it_is() -> None:
    state = State("of another release")
    with pytest.raises(IncompatibleState, match="not readable"):
        judged(state, record(0, 0))
    assert state.blob == "of another release"
