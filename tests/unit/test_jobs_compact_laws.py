"""When an hour counts as closed, over all lives that a job may have: no alert comes to it afterwards."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.compact.closed import first_open_hour

MINUTE = 60_000
ACTIONS = ["batch", "plan", "write", "commit", "die", "start", "heartbeat", "take over", "old job"]
STEPS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 90)), min_size=4, max_size=30)


@dataclass
class Life:
    """One topic, the job that reads it, checkpoint after checkpoint, and the rows that it has written.

    Like Spark it plans a micro-batch only when the one before is committed and there are records, at the
    time of that moment; after a death it writes what was planned again, under the old time. A job that was
    not stopped before a take-over may write what it had planned, as long as it is not silent for an hour.
    """

    now: int = 1_000 * 60 * MINUTE
    checkpoint: int = 0
    records: int = 0
    running: bool = True
    batch: int = -1  # the newest that is committed
    end: int = 0  # its end
    planned: tuple[int, int] | None = None  # time and end of the one after it
    finished: tuple[int, int] | None = None  # batch and end that this process knows as written
    old: tuple[int, int, int] | None = None  # checkpoint, time of what it had planned, of its last row
    rows: list[dict[str, Any]] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)  # times of the micro-batches that were written

    def act(self, action: str) -> None:
        getattr(self, f"_{action.replace(' ', '_')}")()

    def _batch(self) -> None:
        self._plan()
        self._write()
        self._commit()

    def _plan(self) -> None:
        self.records += 10
        if self.running and self.planned is None:
            self.planned = self.now, self.records

    def _write(self) -> None:
        if self.running and self.planned:
            time, end = self.planned
            self.writes.append(time)
            self._row("batch", time, self.batch + 1, end)
            self.finished = self.batch + 1, end

    def _commit(self) -> None:
        if self.running and self.planned and self.finished and self.finished[0] > self.batch:
            (self.batch, self.end), self.planned = self.finished, None

    def _die(self) -> None:
        self.running, self.finished = False, None

    def _start(self) -> None:
        if not self.running:
            self.running = True
            self.finished = (self.batch, self.end) if self.batch >= 0 else None

    def _heartbeat(self) -> None:
        if self.running:
            batch, end = self.finished or (None, None)
            self._row("heartbeat", self.now, batch, end)

    def _take_over(self) -> None:
        """A new checkpoint."""
        own = [row["batch_time"] for row in self.rows if row["checkpoint_id"] == str(self.checkpoint)]
        self.old = (self.checkpoint, self.planned[0], max(own)) if self.planned and own else None
        self.checkpoint += 1
        self.running, self.batch, self.planned, self.finished = True, -1, None, None

    def _old_job(self) -> None:
        if self.old and self.now < self.old[2] + 60 * MINUTE:
            self.writes.append(self.old[1])
            self.old = None

    def _row(self, kind: str, time: int, batch: int | None, end: int | None) -> None:
        lag = None if end is None else self.records - end
        partitions = [{"partition": 0, "lag": lag}]
        self.rows.append(
            {
                "kind": kind,
                "checkpoint_id": str(self.checkpoint),
                "batch_id": batch,
                "batch_time": time,
                "partitions": partitions,
            }
        )


@settings(max_examples=1500, deadline=None)
@given(STEPS)
def test_no_alert_ever_comes_to_an_hour_that_was_closed(steps: list[tuple[str, int]]) -> None:
    life, closed = Life(), -1
    for action, minutes in steps:
        life.now += minutes * MINUTE
        written = len(life.writes)
        life.act(action)
        again = first_open_hour(life.rows)
        for time in life.writes[written:]:
            assert time >= closed or time in life.writes[:written]  # once more, the same content
        closed = max(closed, -1 if again is None else again)


@given(STEPS)
def test_every_hour_is_closed_once_the_job_runs_and_has_read_all(steps: list[tuple[str, int]]) -> None:
    life = Life()
    for action, minutes in steps:
        life.now += minutes * MINUTE
        life.act(action)
    for action in ("start", "write", "commit", "batch"):
        life.act(action)
    last = life.now
    life.now += 130 * MINUTE
    life.act("heartbeat")
    opened = first_open_hour(life.rows)
    assert opened is not None
    assert opened > last
