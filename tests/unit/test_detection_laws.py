"""The promise: the alerts streamed are those of one SQL query over all valid records that are not late.

Small time ranges make ties and exact edges common. Buckets, micro-batches and the memory's bytes are as
in the job; the oracle sees the topic as a whole.
"""

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fraud.detection import detect
from fraud.generations import Generation
from fraud.memory import Memory
from fraud.rules import RuleSet
from fraud.rules_file import load_rules
from fraud.settings import DEFAULT_RULES
from scripts.oracle import Conditions, Expected, Pair, expect, read_rules
from scripts.oracle_records import Sent, bucket_of
from tests.evidence import faults_of
from tests.histories import BUCKETS, RATES, RULES, START, as_json, as_records, histories, rules_file


def longest_window(rules: RuleSet) -> int:
    return max(rule.window or 0 for rule in rules.rules)


def stream(
    batches: list[list[Sent]], generations: list[Generation]
) -> tuple[list[dict[str, Any]], dict[Any, str]]:
    """Alerts, and the outcome of each (partition, offset): what the job does, without Kafka and Spark."""
    memories: dict[int, bytes] = {}
    alerts: list[dict[str, Any]] = []
    rejected: dict[Any, str] = {}
    totals: Counter[str] = Counter()
    for batch_id, batch in enumerate(batches):
        buckets: dict[int, list[Sent]] = defaultdict(list)
        for each in batch:
            buckets[bucket_of(each.key or b"", BUCKETS)].append(each)
        for bucket, records in buckets.items():
            memory = Memory.from_bytes(memories[bucket]) if bucket in memories else Memory.empty()
            outcome = detect(as_records(records), memory, generations, batch_id, START + batch_id)
            memories[bucket] = outcome.memory.to_bytes()
            alerts += outcome.alerts.to_pylist()
            for row in outcome.rejected.to_pylist():
                record = records[row["record"]]
                assert (record.partition, record.offset) not in rejected
                rejected[record.partition, record.offset] = row["reason"]
            assert sum(outcome.counts["count"].to_pylist()) == len(records)
            for row in outcome.counts.to_pylist():
                totals[row["outcome"]] += row["count"]
    counted = Counter(rejected.values())
    assert {k: n for k, n in totals.items() if k not in ("evaluated", "duplicate")} == dict(counted)
    rejected["evaluated"], rejected["duplicate"] = str(totals["evaluated"]), str(totals["duplicate"])
    return alerts, rejected


def pair_of(alert: dict[str, Any]) -> Pair:
    time = round(alert["transaction_timestamp"].timestamp() * 1000)
    return Pair(alert["rule_id"], alert["user_id"], alert["transaction_id"], time)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rules")


@given(
    rules=RULES,
    sent=histories(),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    lateness=st.sampled_from([0, 5, 20, 200]),
    spare=st.sampled_from([0, 1, 50]),
)
@settings(max_examples=300)
def test_late_set_and_alerts_equal_the_oracle_whatever_order_repeats_and_batches(
    folder: Path, rules: list[dict[str, Any]], sent: list[Sent], cuts: list[int], lateness: int, spare: int
) -> None:
    path = rules_file(folder / "rules.toml", rules)
    rule_set = load_rules(path)
    generation = Generation(
        number=1,
        first_batch_id=0,
        allowed_lateness=lateness,
        retention=longest_window(rule_set) + spare,
        clock_skew=1000,
        rules=rule_set,
    )
    edges = [0, *sorted(cuts), len(sent)]
    batches = [sent[a:b] for a, b in pairwise(edges)]
    expected = expect(sent, Conditions(read_rules(path), lateness, clock_skew=1000, buckets=BUCKETS))

    alerts, outcomes = stream(batches, [generation])

    agree(expected, alerts, outcomes)
    content = read_rules(path)
    by_id = {rule["id"]: rule for rule in content["rules"]}
    rates = {currency: Decimal(rate) for currency, rate in content["rates"].items()}
    for alert in alerts:
        rule = dict(by_id[alert["rule_id"]])
        if "window" in rule:
            rule["window"] = int(rule["window"].removesuffix("ms"))
        assert faults_of(alert, rule, rates) == []


def agree(expected: Expected, alerts: list[dict[str, Any]], outcomes: dict[Any, str]) -> None:
    assert (int(outcomes.pop("evaluated")), int(outcomes.pop("duplicate"))) == (
        expected.evaluated,
        len(expected.duplicate),
    )
    late = {record for record, reason in outcomes.items() if reason == "late"}
    assert late == expected.late
    assert outcomes == expected.rejected
    pairs = [pair_of(alert) for alert in alerts]
    assert len(pairs) == len(set(pairs)), "a pair was emitted twice"
    assert set(pairs) == expected.alerts


WAYS = st.fixed_dictionaries(
    {
        "rules": RULES,
        "allowed_lateness": st.sampled_from([0, 5, 20, 200]),
        "clock_skew": st.sampled_from([1000, 9_900]),
        "spare": st.sampled_from([0, 1, 50]),
        "rates": st.sampled_from([RATES, RATES.replace("0.862", "0.5"), RATES + "JPY = 0.006\n"]),
    }
)


def judging(
    folder: Path, *ways: dict[str, Any], lateness: int | None = None
) -> tuple[list[Generation], list[Conditions]]:
    """A generation a way, each from a micro-batch of its own on, and the oracle's conditions of them; with
    another `lateness`, if it is given, for the oracle."""
    generations, conditions = [], []
    for number, way in enumerate(ways):
        path = rules_file(folder / f"rules{number}.toml", way["rules"], way["rates"])
        rules = load_rules(path)
        generations.append(
            Generation(
                number=number + 1,
                first_batch_id=number,
                allowed_lateness=way["allowed_lateness"],
                retention=longest_window(rules) + way["spare"],
                clock_skew=way["clock_skew"],
                rules=rules,
            )
        )
        allowed = way["allowed_lateness"] if lateness is None else lateness
        conditions.append(Conditions(read_rules(path), allowed, way["clock_skew"], BUCKETS))
    return generations, conditions


@given(before=WAYS, after=WAYS, sent=histories(), change=st.integers(0, 40), more=st.integers(0, 40))
@settings(max_examples=150)
def test_each_record_is_judged_for_life_by_the_generation_that_first_read_it(
    folder: Path,
    before: dict[str, Any],
    after: dict[str, Any],
    sent: list[Sent],
    change: int,
    more: int,
) -> None:
    generations, conditions = judging(folder, before, after)
    # A window wider than was remembered is complete only later; a message says when.
    assume(longest_window(generations[1].rules) <= generations[0].retention)
    first = {(each.partition, each.offset) for each in sent[:change]}
    expected = expect(sent, *conditions, read_by=lambda s: 0 if (s.partition, s.offset) in first else 1)
    batches = [sent[:change], sent[change : change + more], sent[change + more :]]
    agree(expected, *stream(batches, generations))


def test_large_histories_take_the_fast_path_and_agree_too() -> None:
    random = np.random.default_rng(8)
    sent, offsets = [], Counter[int]()
    for row in range(20_000):
        user, late = int(random.integers(0, 300)), int(random.integers(0, 500_000))
        payment = {
            "transaction_id": f"t{row if row % 50 else row - 1}",
            "user_id": f"u{user}",
            "amount": "1000.01" if row % 40 == 0 else "12.5",
            "currency": "EUR" if row % 3 else "USD",
            "location": "Zürich" if random.random() < 0.97 else "Oslo",
            "timestamp": START + row * 100 - late,
        }
        partition = user % 3
        sent.append(Sent(partition, offsets[partition], START + 10**9, f"u{user}".encode(), as_json(payment)))
        offsets[partition] += 1
        if row % 33 == 0:
            again = sent[-1]._replace(offset=offsets[partition])
            sent.append(again)
            offsets[partition] += 1
    generation = Generation(
        number=1,
        first_batch_id=0,
        allowed_lateness=400_000,
        retention=300_000,
        clock_skew=1000,
        rules=load_rules(DEFAULT_RULES),
    )
    expected = expect(sent, Conditions(read_rules(DEFAULT_RULES), 400_000, 1000, BUCKETS))
    assert len(expected.late) > 100
    assert len(expected.alerts) > 1000
    batches = [sent[start : start + 7_000] for start in range(0, len(sent), 7_000)]
    agree(expected, *stream(batches, [generation]))
