"""What happens between a record and its acknowledgement: order, log, state, failures and stopping."""

import base64
import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import pytest
from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from producer.block import Block
from producer.delivery import Delivery
from producer.injections import Shares
from producer.ledger import Ledger
from producer.log import Log
from producer.pace import Pace
from producer.progress import Progress, progress_line
from producer.runs import Run
from producer.sender import Report
from producer.simulation import Options, Simulation
from producer.state import State, StateError, read_state, write_state
from producer.summary import closing_line, write_summary

OPTIONS = Options(7, 1_772_366_400_000, Fraction(100), 10_000, Shares(fraud=0.1, malformed=0.05))


class FakeMessage:
    """What a delivery report says about an acknowledged record."""

    def __init__(self, offset: int, key: bytes | None, value: bytes | None) -> None:
        self._offset, self._key, self._value = offset, key, value

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 2, 1_000_000 + self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value


class FakeKafka:
    """Acknowledges what `errors` does not name, `room` records at a time, latest first."""

    trouble = None

    def __init__(self, room: int = 100, errors: dict[int, int] | None = None, silent: bool = False) -> None:
        self._room, self._errors, self._silent = room, errors or {}, silent
        self._under_way: list[Report] = []
        self.arrived: list[int] = []
        self.looks = 0

    def __len__(self) -> int:
        return len(self._under_way)

    def send(self, number: int, key: bytes | None, value: bytes | None) -> KafkaError | None:
        if len(self._under_way) >= self._room:
            raise BufferError
        code = self._errors.get(number)
        error = None if code is None else KafkaError(code)
        self._under_way.append(Report(number, FakeMessage(number, key, value), error))
        self.arrived.append(number)
        return None

    def reports(self, _wait: float = 0.0) -> list[Report]:
        self.looks += 1
        if self._silent:
            return []
        reports, self._under_way = self._under_way[::-1], []
        return reports


def run_of(options: Options = OPTIONS, first: int = 0, pace: Pace | None = None) -> Run:
    source = Simulation(options)
    return Run(source, State(source.identity, options.start, first), pace or Pace(None), False, "")


def deliver(
    run: Run, kafka: FakeKafka, count: int, log: Log | None = None, state: Path | None = None, stops: int = 0
) -> Ledger:
    ledger = Ledger(run.state.next, log, keep=True)
    Delivery(run, kafka, ledger, Progress(io.StringIO()), state, lambda: stops).deliver(count)  # type: ignore[arg-type]
    return ledger


def expected_records(count: int) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    for block in islice(Simulation(OPTIONS).blocks(0), count // 1_000 + 1):
        yield from zip(range(block.first, count), block.keys, block.values, strict=False)


def test_every_record_is_sent_once_in_order_and_logged_byte_for_byte(tmp_path: Path) -> None:
    kafka = FakeKafka()
    with Log(tmp_path / "log" / "run.jsonl") as log:
        ledger = deliver(run_of(), kafka, 2_500, log)
    assert kafka.arrived == list(range(2_500))
    assert (ledger.sent, ledger.acknowledged, ledger.failed, ledger.next) == (2_500, 2_500, 0, 2_500)
    lines = {line["number"]: line for line in map(json.loads, log.path.read_bytes().splitlines())}
    notes = {n: note for b in islice(Simulation(OPTIONS).blocks(0), 3) for n, note in b.notes.items()}
    for number, key, value in expected_records(2_500):
        line = lines.pop(number)
        assert (line["partition"], line["offset"], line["timestamp"]) == (3, number, 1_000_000 + number)
        assert line["key"] == (key and key.decode())
        if "value_base64" in line:
            logged = base64.b64decode(line["value_base64"])
        else:
            logged = None if line["value"] is None else line["value"].encode()
        assert logged == value
        note = notes.get(number)
        assert line["pattern"] == (note and note.pattern)
        assert line["injected"] == (note and note.injected)
        assert line["reason"] == (note and note.reason)
    assert not lines


def test_the_summary_has_the_pairs_of_all_complete_patterns(tmp_path: Path) -> None:
    run = run_of()
    ledger = deliver(run, FakeKafka(), 1_000)
    write_summary(tmp_path / "out" / "summary.json", run, ledger, 1.5)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    (block,) = islice(Simulation(OPTIONS).blocks(0), 1)
    assert sum(summary["patterns"].values()) == len(block.injections)
    assert len(summary["expected"]) == sum(len(i.expected) for i in block.injections) > 10
    assert len(summary["near_miss"]) == sum(len(i.near_miss) for i in block.injections)
    assert {"rule_id", "user_id", "transaction_id", "timestamp"} <= summary["expected"][0].keys()
    assert sum(summary["rejections"].values()) == sum(bool(n.reason) for n in block.notes.values())
    assert (summary["sent"], summary["acknowledged"], summary["failed"]) == (1_000, 1_000, 0)


def test_a_steady_stream_rests_between_its_records() -> None:
    kafka, begun = FakeKafka(room=1_000), time.monotonic()
    deliver(run_of(replace(OPTIONS, rate=Fraction(5_000)), pace=Pace(1.0)), kafka, 1_000)
    assert kafka.arrived == list(range(1_000))
    assert kafka.looks <= (time.monotonic() - begun) / 0.02 + 4  # and some at the ends of block and run


def test_a_pattern_counts_only_when_every_record_of_it_is_acknowledged() -> None:
    (block,) = islice(Simulation(OPTIONS).blocks(0), 1)
    pattern = next(i for i in block.injections if len(i.numbers) > 2)
    ledger = deliver(run_of(), FakeKafka(room=1), pattern.numbers[-1])
    assert pattern.expected == () or pattern.expected[0].user_id not in {
        e["user_id"] for e in ledger.expected
    }
    complete = deliver(run_of(), FakeKafka(room=1), pattern.numbers[-1] + 1)
    assert sum(complete.patterns.values()) == sum(ledger.patterns.values()) + 1


def test_an_undelivered_record_ends_the_run_and_the_state_stays_before_it(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    kafka = FakeKafka(errors={700: KafkaError._MSG_TIMED_OUT})
    ledger = deliver(run_of(), kafka, 5_000, state=state)
    assert ledger.failed == 1
    assert len(kafka.arrived) < 1_300
    found = read_state(state)
    assert found is not None
    assert found.next == ledger.next == 700
    again = FakeKafka()
    deliver(run_of(first=found.next), again, 1_000)
    assert again.arrived == list(range(700, 1_000))


def test_a_record_that_kafka_will_never_take_is_an_error_but_the_rest_is_sent() -> None:
    ledger = deliver(run_of(), FakeKafka(errors={700: KafkaError.MSG_SIZE_TOO_LARGE}), 2_000)
    assert (ledger.sent, ledger.acknowledged, ledger.failed, ledger.next) == (2_000, 1_999, 1, 2_000)
    assert "record 700" in closing_line(ledger, 1.0)
    assert "NOT acknowledged 1" in closing_line(ledger, 1.0)


def test_a_stop_signal_ends_the_run_early_with_everything_acknowledged() -> None:
    kafka = FakeKafka()
    ledger = deliver(run_of(), kafka, 100_000, stops=1)
    assert 0 < ledger.sent == ledger.acknowledged <= 500


def test_a_second_stop_signal_cuts_the_flush_short_and_is_a_failure() -> None:
    ledger = deliver(run_of(), FakeKafka(silent=True, room=1_000), 100_000, stops=2)
    assert ledger.failed == ledger.sent > 0
    assert ledger.next == 0


@given(st.permutations(range(30)), st.sets(st.integers(0, 29)))
def test_everything_below_next_is_settled_whatever_the_order(order: list[int], lost: set[int]) -> None:
    ledger = Ledger(0)
    ledger.announce(Block(0))
    for number in order:
        error = KafkaError(KafkaError._MSG_TIMED_OUT) if number in lost else None
        assert ledger.settle([Report(number, FakeMessage(number, None, b""), error)]) == (number not in lost)
    assert ledger.next == min(lost, default=30)


def test_a_log_never_overwrites_another(tmp_path: Path) -> None:
    with Log(tmp_path / "run.jsonl"), pytest.raises(FileExistsError):
        Log(tmp_path / "run.jsonl")


def test_the_state_survives_the_disk(tmp_path: Path) -> None:
    state = State(Simulation(OPTIONS).identity, 5, 17)
    write_state(tmp_path / "new" / "state.json", state)
    assert read_state(tmp_path / "new" / "state.json") == state
    assert read_state(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff", b'{"source":{},"began":"now"}', b'{"source":1,"began":1}']
)
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    with pytest.raises(StateError, match="not a state file"):
        read_state(tmp_path / "state.json")


class Clock:
    """Stands still until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_records_become_due_at_the_stream_s_speed() -> None:
    clock = Clock()
    pace = Pace(2.0, 10_000, clock=clock)
    due = [9_000, 10_000, 10_001, 12_000, 15_000]
    assert pace.ready(due, 0) == 2
    assert pace.wait(12_000) == pytest.approx(1.0)
    clock.now += 1.0
    assert pace.ready(due, 2) == 4
    assert pace.end(due, 4) == 5
    assert not pace.over()


def test_a_duration_ends_at_the_same_record_on_any_machine_that_keeps_up() -> None:
    clock = Clock()
    pace = Pace(1.0, 0, duration=2.0, clock=clock)
    due = [0, 1_000, 1_999, 2_000, 2_500]
    clock.now += 2.7
    assert pace.end(due, 0) == 3
    clock.now += 1.0
    assert pace.over()
    assert pace.end(due, 1) == 1


def test_without_a_speed_everything_is_due_and_a_duration_goes_by_the_clock() -> None:
    clock = Clock()
    pace = Pace(None, duration=2.0, clock=clock)
    assert pace.ready([5, 6], 0) == pace.end([5, 6], 0) == 2
    assert pace.wait(10**15) == 0
    clock.now += 2.0
    assert pace.over()


def test_a_replay_s_clock_starts_with_its_first_record() -> None:
    pace = Pace(1.0, clock=Clock())
    assert pace.ready([5_000, 5_000, 5_001], 0) == 2


def test_the_progress_line_shows_what_is_wrong_with_kafka() -> None:
    assert progress_line(3_300, 3_298, 55.2, None) == "sent 3,300   acknowledged 3,298   55/s"
    assert progress_line(1, 0, 0, "refused").endswith("Kafka: refused")
