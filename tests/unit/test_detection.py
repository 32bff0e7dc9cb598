"""Detection by example: exact edges, memory, moves, hot users."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fraud.detection import Outcome, detect
from fraud.generations import Generation
from fraud.history import History, range_maximum
from fraud.memory import IncompatibleState, Memory
from fraud.rules import RuleSet
from fraud.rules_file import load_rules
from fraud.settings import DEFAULT_RULES
from fraud.transaction import RECORDS

NOON = 1_750_000_000_000


def generation(**changes: Any) -> Generation:
    values = {
        "number": 1,
        "first_batch_id": 0,
        "allowed_lateness": 600_000,
        "retention": 900_000,
        "clock_skew": 300_000,
        "rules": load_rules(DEFAULT_RULES),
    }
    return Generation(**(values | changes))


def record(offset: int, time: int, **changes: Any) -> dict[str, Any]:
    fields = {
        "transaction_id": f"t{offset}",
        "user_id": "ann",
        "amount": "10.00",
        "currency": "EUR",
        "location": "Paris",
        "partition": 0,
    } | changes
    value = (
        f'{{"transaction_id":"{fields["transaction_id"]}","user_id":"{fields["user_id"]}",'
        f'"amount":{fields["amount"]},"currency":"{fields["currency"]}","location":"{fields["location"]}",'
        f'"timestamp":{NOON + time}}}'
    ).encode()
    return {
        "key": str(fields["user_id"]).encode(),
        "value": value,
        "partition": fields["partition"],
        "offset": offset,
        "timestamp": fields.get("kafka_time", NOON + 1_000_000),
        "original_size": len(value),
    }


def run(records: list[dict[str, Any]], memory: Memory | None = None, **changes: Any) -> Outcome:
    table = pa.Table.from_pylist(records, schema=RECORDS)
    return detect(table, memory or Memory.empty(), [generation(**changes)], 0, NOON)


def flagged(outcome: Outcome) -> list[tuple[str, str]]:
    columns = (outcome.alerts[name].to_pylist() for name in ("rule_id", "transaction_id"))
    return sorted(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("amount", "currency", "is_flagged"),
    [
        ("999.99", "EUR", False),
        ("1000.00", "EUR", False),
        ("1000.01", "EUR", True),
        ("1160.09", "USD", False),  # x 0.862 = 999.99758
        ("1160.10", "USD", True),  # x 0.862 = 1000.0062
        ("144927.53", "ISK", False),  # x 0.0069 = 999.999957
        ("144927.54", "ISK", True),  # x 0.0069 = 1000.000026: a float would have to be lucky
    ],
)
def test_high_amount_compares_euros_exactly(amount: str, currency: str, is_flagged: bool) -> None:
    outcome = run([record(0, 0, amount=amount, currency=currency)])
    assert flagged(outcome) == ([("high_amount", "t0")] if is_flagged else [])
    for alert in outcome.alerts.to_pylist():
        assert alert["observed"] > alert["threshold"] == Decimal("1000.00")


def test_two_payments_exactly_sixty_seconds_apart_are_not_in_one_window() -> None:
    assert flagged(run([record(n, at) for n, at in enumerate([0, 1, 2, 60_000])])) == []
    assert flagged(run([record(n, at) for n, at in enumerate([0, 1, 2, 59_999])])) == [("velocity", "t3")]


def test_three_payments_in_a_minute_are_fine_and_ties_count_for_each_other() -> None:
    assert flagged(run([record(n, 0) for n in range(3)])) == []
    assert flagged(run([record(n, 0) for n in range(4)])) == [("velocity", f"t{n}") for n in range(4)]


def test_two_places_less_than_five_minutes_apart_flag_the_later_payment() -> None:
    assert flagged(run([record(0, 0), record(1, 299_999, location="Oslo")])) == [("multiple_locations", "t1")]
    assert flagged(run([record(0, 0), record(1, 300_000, location="Oslo")])) == []
    assert flagged(run([record(0, 0), record(1, 1, location=" Paris ")])) == []


def test_a_late_but_timely_payment_flags_payments_that_arrived_before_it() -> None:
    first = run([record(n, 1_000 + n) for n in range(3)])
    assert flagged(first) == []
    then = run([record(3, 0)], first.memory)
    assert flagged(then) == [("velocity", "t2")]
    assert flagged(run([record(4, 1_003)], then.memory)) == [("velocity", "t4")]


def test_evidence_names_the_payments_it_rests_on_and_the_arrival_that_completed_it() -> None:
    records = [record(n, n, kafka_time=NOON + 500 + n) for n in range(5)]
    alert = run(records).alerts.to_pylist()[-1]
    assert [each["transaction_id"] for each in alert["evidence"]] == ["t4", "t3", "t2", "t1"]
    assert (alert["evidence_count"], alert["observed"]) == (5, Decimal(5))
    assert alert["ingested_at"] == datetime.fromtimestamp((NOON + 504) / 1000, UTC)
    assert (alert["window_end"] - alert["window_start"]).total_seconds() == 60


def test_one_poisoned_event_from_the_future_makes_nobody_late() -> None:
    records = [record(0, 0), record(1, 10**10), record(2, 1)]
    outcome = run(records)
    assert [row["reason"] for row in outcome.rejected.to_pylist()] == ["timestamp_in_future"]
    assert outcome.memory.progress[0].newest == NOON + 1


def test_the_watermark_never_goes_back_when_the_allowed_lateness_grows() -> None:
    first = run([record(0, 0), record(1, 700_000)])
    then = run([record(2, 99_999), record(3, 100_000)], first.memory, allowed_lateness=700_000)
    assert [row["reason"] for row in then.rejected.to_pylist()] == ["late"]
    assert then.rejected["record"].to_pylist() == [0]


def test_a_known_id_at_another_time_is_another_payment_and_counted() -> None:
    outcome = run([record(n, n, transaction_id="same") for n in range(3)])
    assert outcome.measures["reused_id"] == 2
    again = run([record(3, 3, transaction_id="same"), record(4, 4)], outcome.memory)
    assert again.measures["reused_id"] == 1
    assert again.counts.to_pylist() == [{"partition": 0, "outcome": "evaluated", "count": 2}]


def test_a_user_met_in_a_second_partition_is_counted() -> None:
    first = run([record(0, 0), record(1, 1, user_id="bob")])
    then = run(
        [record(0, 2, partition=1), record(1, 3, partition=1), record(2, 4, user_id="bob")], first.memory
    )
    assert (first.measures["user_moved"], then.measures["user_moved"]) == (0, 1)


def test_memory_forgets_what_lies_behind_watermark_and_retention() -> None:
    first = run([record(0, 0), record(1, 1)])
    then = run([record(2, 1_500_000, kafka_time=NOON + 1_500_000)], first.memory)
    assert then.memory.payments["transaction_id"].to_pylist() == ["t1", "t2"]


def test_memory_survives_as_bytes_and_refuses_what_it_cannot_read() -> None:
    memory = run([record(n, n, user_id=f"u{n}") for n in range(5)]).memory
    again = Memory.from_bytes(memory.to_bytes())
    assert again.payments.to_pylist() == memory.payments.to_pylist()
    assert again.progress == memory.progress
    other = memory.payments.replace_schema_metadata({"fraud": b'{"schema_version":99,"progress":{}}'})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, other.schema) as writer:
        writer.write_table(other)
    with pytest.raises(IncompatibleState, match="schema version 99"):
        Memory.from_bytes(sink.getvalue().to_pybytes())
    with pytest.raises(IncompatibleState, match="not readable"):
        Memory.from_bytes(memory.to_bytes()[:100])


@pytest.mark.timeout(60)  # quadratic work would take far longer
def test_a_hot_user_with_many_payments_in_one_minute_is_judged_whole() -> None:
    size = 50_000
    records = [record(n, n, location=("Paris", "Oslo", "Rome")[n % 3]) for n in range(size)]
    found = flagged(run(records))
    assert [sum(rule == each for rule, _ in found) for each in ("velocity", "multiple_locations")] == [
        size - 3,
        size - 1,
    ]


def test_of_a_hot_user_every_payment_is_remembered() -> None:
    first = run([record(n, n) for n in range(30_000)])
    again = run(
        [record(n, n % 1_000, transaction_id=f"t{n % 1_000}") for n in range(30_000, 31_000)], first.memory
    )
    assert again.counts.to_pylist() == [{"partition": 0, "outcome": "duplicate", "count": 1_000}]


def test_distinct_locations_and_range_maximum_equal_the_naive_count() -> None:
    random = np.random.default_rng(5)
    size = 400
    user = np.sort(random.integers(0, 6, size))
    when = random.integers(0, 100, size)
    order = np.lexsort((when, user))
    when, location = when[order], random.integers(0, 4, size)
    history = History(user, when, np.zeros(size, np.int64), np.zeros(size, np.int64), location)
    start, end = history.window(10)
    naive = [len(set(location[a:b].tolist())) for a, b in zip(start, end, strict=True)]
    assert history.distinct_locations(10).tolist() == naive
    greatest = [int(when[a:b].max()) for a, b in zip(start, end, strict=True)]
    assert range_maximum(when, start, end).tolist() == greatest


def test_a_rule_that_is_switched_off_flags_nothing(tmp_path: Path) -> None:
    text = DEFAULT_RULES.read_text("utf-8").replace('id = "velocity"', 'id = "velocity"\nenabled = false')
    path = tmp_path / "rules.toml"
    path.write_text(text, "utf-8")
    assert flagged(run([record(n, 0) for n in range(9)], rules=load_rules(path))) == []


def test_evidence_of_locations_is_the_newest_payment_at_each_newest_first() -> None:
    places = ["Paris", "Oslo", "Paris", "Rome"]
    outcome = run([record(n, n, location=place) for n, place in enumerate(places)])
    alert = outcome.alerts.to_pylist()[-1]
    assert [each["transaction_id"] for each in alert["evidence"]] == ["t3", "t2", "t1"]
    assert (alert["observed"], alert["evidence_count"]) == (Decimal(3), 4)


def with_rules(tmp_path: Path, name: str, old: str, new: str) -> RuleSet:
    text = DEFAULT_RULES.read_text("utf-8")
    assert old in text
    path = tmp_path / f"{name}.toml"
    path.write_text(text.replace(old, new), "utf-8")
    return load_rules(path)


def in_turn(generations: list[Generation], *batches: list[dict[str, Any]]) -> list[Outcome]:
    """Batch n is of generation n, or of the last one."""
    memory, outcomes = Memory.empty(), []
    for batch_id, records in enumerate(batches):
        table = pa.Table.from_pylist(records, schema=RECORDS)
        outcomes.append(detect(table, memory, generations, batch_id, NOON))
        memory = outcomes[-1].memory
    return outcomes


def test_amounts_are_compared_by_the_rate_of_the_payments_own_generation(tmp_path: Path) -> None:
    rules = [
        with_rules(tmp_path, f"r{n}", "USD = 0.862", f"USD = {rate}") for n, rate in enumerate((0.5, 0.9))
    ]
    generations = [generation(number=n + 1, first_batch_id=n, rules=each) for n, each in enumerate(rules)]
    payments = [record(n, n, amount="1500", currency="USD") for n in range(2)]
    first, then = in_turn(generations, payments[:1], payments[1:])
    assert flagged(first) == []
    assert flagged(then) == [("high_amount", "t1")]
    assert then.alerts["rate"].to_pylist() == [Decimal("0.9")]


def test_what_an_older_generation_still_needs_is_remembered_under_a_shorter_retention(tmp_path: Path) -> None:
    long = with_rules(tmp_path, "long", 'window = "60s"', 'window = "600s"')
    generations = [
        generation(rules=long),
        generation(number=2, first_batch_id=1, retention=300_000),
    ]
    # The watermark is at 500 s when a payment of 550 s comes, in time: with it t2 is the fourth in 600 s.
    first, moved_on, completed = in_turn(
        generations,
        [record(n, at) for n, at in enumerate([100_000, 150_000, 600_000])],
        [record(3, 1_100_000, user_id="bob")],
        [record(4, 550_000)],
    )
    assert flagged(first) == flagged(moved_on) == []
    assert flagged(completed) == [("velocity", "t2")]
