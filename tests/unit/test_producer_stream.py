"""The simulated stream: the same bytes for the same options, from wherever it is taken up."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.parsing import parse
from fraud.transaction import MAX_RECORD_BYTES, RECORDS, Reason
from producer.block import Block
from producer.cities import CITIES
from producer.defects import MALFORMATIONS
from producer.encoding import encode
from producer.injections import Shares
from producer.population import Population
from producer.schedule import MAX_RATE, schedule
from producer.simulation import BLOCK, Options, Simulation

START = 1_772_366_400_000  # 2026-03-01T12:00:00Z
USUAL = Options(seed=7, start=START, rate=None, users=10_000)
ORDINARY = replace(USUAL, shares=Shares(0, 0, 0, 0))
DECIDED_LATER = {None, Reason.NO_RATE, Reason.TIMESTAMP_IN_FUTURE, Reason.LATE, Reason.CONFLICTING_DUPLICATE}


def blocks(options: Options, count: int, first: int = 0) -> list[Block]:
    return list(islice(Simulation(options).blocks(first), count))


def records(options: Options, count: int, first: int = 0) -> list[tuple[bytes | None, bytes | None, int]]:
    found = [
        record
        for block in blocks(options, count // BLOCK + 2, first)
        for record in zip(block.keys, block.values, block.due, strict=True)
    ]
    return found[:count]


@pytest.mark.parametrize("rate", [None, Fraction(1, 10), Fraction(33), Fraction(MAX_RATE)])
def test_the_same_options_give_the_same_bytes(rate: Fraction | None) -> None:
    options = replace(USUAL, rate=rate)
    assert records(options, 3_000) == records(options, 3_000)


@pytest.mark.parametrize("change", [{"seed": 8}, {"start": START + 1}, {"users": 9_999}, {"iso": True}])
def test_another_seed_start_or_option_gives_other_transaction_ids(change: dict[str, int]) -> None:
    other = replace(USUAL, **change)
    assert Simulation(other).run_id != Simulation(USUAL).run_id
    assert f'"{Simulation(other).run_id}-0"'.encode() in (records(other, 1)[0][1] or b"")


@settings(max_examples=15)
@given(first=st.integers(0, 5 * BLOCK))
def test_a_restart_anywhere_continues_the_same_stream(first: int) -> None:
    assert records(USUAL, 500, first) == records(USUAL, first + 500)[first:]


@settings(max_examples=15)
@given(first=st.integers(0, 2 * BLOCK))
def test_a_restart_in_a_pattern_keeps_all_of_it_to_prove(first: int) -> None:
    whole = [i for block in blocks(USUAL, 4) for i in block.injections if i.numbers[-1] >= first]
    resumed = [i for block in blocks(USUAL, 4, first) for i in block.injections]
    assert resumed[: len(whole)] == whole


def test_a_rate_is_kept_exactly_and_the_varying_one_stays_between_10_and_100() -> None:
    steady = schedule(Fraction(40))(np.arange(4_000))
    assert steady[0] == 0
    assert steady[-1] == 99_975
    varying = schedule(None)(np.arange(55 * 3_600))
    a_second = np.bincount(varying // 1000)[:-1]
    assert a_second.min() >= 10
    assert a_second.max() <= 100
    assert a_second.max() - a_second.min() > 70
    assert (np.diff(varying) >= 0).all()


def test_records_are_due_in_order_and_never_ahead_of_their_own_event_time() -> None:
    for block in blocks(USUAL, 5):
        assert block.due == sorted(block.due)
        for number, value in enumerate(block.values, block.first):
            note = block.notes.get(number)
            if value and not (note and note.reason):
                assert json.loads(value)["timestamp"] <= block.due[number - block.first]


def test_records_are_as_the_parser_expects_them() -> None:
    for options in (USUAL, replace(USUAL, iso=True)):
        for block in blocks(replace(options, shares=Shares(malformed=0.05)), 3):
            parsed = parse(
                pa.table(
                    [
                        pa.array(block.keys, pa.binary()),
                        pa.array([v and v[:MAX_RECORD_BYTES] for v in block.values], pa.binary()),
                        pa.array([0] * BLOCK, pa.int32()),
                        pa.array(range(BLOCK), pa.int64()),
                        pa.array(block.due, pa.int64()),
                        pa.array([len(v or b"") for v in block.values], pa.int64()),
                    ],
                    schema=RECORDS,
                )
            )
            rejected = {block.first + row["record"]: row["reason"] for row in parsed.rejected.to_pylist()}
            expected = {
                number: note.reason
                for number, note in block.notes.items()
                if note.reason not in DECIDED_LATER
            }
            assert rejected == expected


def test_the_block_is_encoded_as_records_are_one_by_one() -> None:
    for iso in (False, True):
        simulation = Simulation(replace(ORDINARY, iso=iso))
        block = next(simulation.blocks(0))
        numbers = np.arange(BLOCK)
        rng = np.random.Generator(np.random.Philox(key=[7, 0]))
        payments = simulation._ordinary(numbers, np.array(block.due), rng)
        assert block.values == [encode(payments.transaction(row), iso) for row in range(BLOCK)]


def test_injected_records_have_their_shares() -> None:
    shares = Shares(fraud=0.04, malformed=0.03, duplicate=0.06, late=0.01)
    notes, fraud, total = [], 0, 40 * BLOCK
    for block in blocks(replace(USUAL, shares=shares), 40):
        notes += block.notes.values()
        fraud += sum(len(i.numbers) for i in block.injections if i.expected)
    assert fraud == pytest.approx(0.04 * total, rel=0.05)
    injected = [note.injected or "" for note in notes]
    assert sum(i.startswith("malformed:") for i in injected) == 0.03 * total
    assert {i for i in injected if i.startswith("malformed:")} == {
        f"malformed:{how.name}" for how in MALFORMATIONS
    }
    assert sum("duplicate" in i for i in injected) == 0.06 * total
    assert injected.count("conflicting_duplicate") == 0.06 * total / 8
    assert injected.count("late") == 0.01 * total


def test_without_shares_every_record_is_an_ordinary_payment() -> None:
    for block in blocks(ORDINARY, 3):
        assert not block.notes
        assert not block.injections
        assert len({json.loads(value or b"")["transaction_id"] for value in block.values}) == BLOCK


def test_nothing_but_what_is_meant_to_be_late_is_late() -> None:
    for rate in (None, Fraction(1, 2), Fraction(MAX_RATE)):
        newest = 0
        for block in blocks(replace(USUAL, rate=rate), 5):
            for row, value in enumerate(block.values):
                note = block.notes.get(block.first + row)
                if note and note.reason and note.reason not in (Reason.LATE, Reason.CONFLICTING_DUPLICATE):
                    continue
                time = json.loads(value or b"")["timestamp"]
                late = note is not None and note.injected == "late"
                assert (time < newest - 600_000) == late
                newest = max(newest, time)


def test_a_late_record_is_late_by_its_own_users_payments_alone() -> None:
    newest: dict[bytes, int] = {}
    late = 0
    for block in blocks(USUAL, 5):
        for row, (key, value) in enumerate(zip(block.keys, block.values, strict=True)):
            if key and key.startswith(b"pattern-late-"):
                time = json.loads(value or b"")["timestamp"]
                note = block.notes.get(block.first + row)
                assert (note is not None and note.injected == "late") == (key in newest)
                late += key in newest and time < newest[key] - 600_000
                newest[key] = max(time, newest.get(key, 0))
    assert late == len(newest) == 10


def test_a_repeated_record_is_the_same_and_a_conflicting_one_differs_in_its_amount_alone() -> None:
    repeated = conflicting = 0
    for block in blocks(replace(USUAL, shares=Shares(duplicate=0.05)), 5):
        seen: dict[str, bytes] = {}
        for row, value in enumerate(block.values):
            note = block.notes.get(block.first + row)
            kind = note.injected if note else None
            if kind in ("duplicate", "conflicting_duplicate"):
                original = seen[json.loads(value or b"")["transaction_id"]]
                assert (value == original) == (kind == "duplicate")
                differences = json.loads(value or b"").items() ^ json.loads(original).items()
                assert {name for name, _ in differences} == ({"amount"} if value != original else set())
                repeated += 1
                conflicting += value != original
            elif not (note and note.reason):
                seen[json.loads(value or b"")["transaction_id"]] = value or b""
    assert repeated == 250
    assert conflicting == 31


@settings(max_examples=30)
@given(size=st.integers(1, 3_000), seed=st.integers(0, 2**63 - 1), turn=st.integers(0, 50))
def test_everybody_pays_once_a_round(size: int, seed: int, turn: int) -> None:
    population = Population(size, seed)
    people = population.take_turns(np.arange(turn * size, (turn + 1) * size))
    assert sorted(people.tolist()) == list(range(size))


def test_people_have_unique_ids_and_live_in_the_same_city_whatever_the_seed() -> None:
    people = np.arange(20_000)
    some, others = Population(20_000, 1), Population(20_000, 2)
    ids = some.user_ids(people)
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 64
    assert ids == others.user_ids(people)
    assert (some.homes(people) == others.homes(people)).all()
    assert set(some.homes(people).tolist()) == set(range(len(CITIES)))
    assert len(CITIES) > 20
    at_home = some.whereabouts(people, people * 0 + START) == some.homes(people)
    assert 0.85 < at_home.mean() < 0.98
