"""The promise: the alerts streamed are those of one SQL query over all valid records that are not late.

Small time ranges make ties and exact edges common. Buckets, micro-batches and the memory's bytes are as
in the job; the oracle sees the topic as a whole.
"""

import json
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.detection import detect
from fraud.generations import Generation
from fraud.memory import Memory
from fraud.rules_file import load_rules
from fraud.transaction import RECORDS
from scripts.oracle import Conditions, Expected, Pair, expect, read_rules
from scripts.oracle_records import Sent, bucket_of
from tests.evidence import faults_of

START = 1_700_000_000_000
BUCKETS = 2
RATES = "[rates]\nEUR = 1\nUSD = 0.862\nISK = 0.0069\n"

WINDOWED = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["velocity", "multiple_locations"]),
        "threshold": st.integers(1, 4),
        "window": st.sampled_from([1, 10, 30]),
    }
)
HIGH = st.fixed_dictionaries(
    {"kind": st.just("high_amount"), "threshold": st.sampled_from(["0.00", "10.00", "999.99", "1000.00"])}
)
RULES = st.lists(st.one_of(WINDOWED, WINDOWED, HIGH), min_size=1, max_size=5)

PAYMENT = st.fixed_dictionaries(
    {
        "transaction_id": st.sampled_from(["a", "b", "c", "d", "ä", '"', "=1"]),
        "user_id": st.sampled_from(["u0", "u1", "u2"]),
        "amount": st.sampled_from(
            ["0.01", "10", "10.00", "10.01", "999.99", "1000.00", "1000.01", "1160.10"]
        ),
        "currency": st.sampled_from(["EUR", "EUR", "EUR", "USD", "ISK", "JPY"]),
        "location": st.sampled_from(["Paris", "Paris", "Oslo", " Oslo ", "Zürich", "Zu\u0308rich"]),
        "timestamp": st.integers(0, 100).map(lambda at: START + at),
    }
)


def as_json(payment: dict[str, Any]) -> bytes:
    fields = [
        f'"{name}":{value if name in ("amount", "timestamp") else json.dumps(value, ensure_ascii=False)}'
        for name, value in payment.items()
    ]
    return ("{" + ",".join(fields) + "}").encode()


@st.composite
def histories(draw: st.DrawFn) -> list[Sent]:
    """A topic: mostly good payments, some sent again (the same, or with other content), some broken."""
    payments = draw(st.lists(PAYMENT, min_size=1, max_size=40))
    sent: list[Sent] = []
    offsets: Counter[int] = Counter()
    for payment in payments:
        again = draw(st.integers(0, 9))
        copies = [payment]
        if again == 0:
            copies.append(payment)
        elif again == 1:
            copies.append(payment | {"amount": "77.77"})
        elif again == 2:
            copies.append(payment | {"timestamp": START + 10_000})  # from the future: moves no watermark
        for copy in copies:
            partition = int(copy["user_id"][1:]) % 2  # a keyed user lives in one partition
            value = as_json(copy) if again != 3 else as_json(copy)[:-1]
            offset = offsets[partition]
            offsets[partition] += draw(st.sampled_from([1, 1, 1, 3]))  # compaction leaves gaps
            sent.append(Sent(partition, offset, START + 200, copy["user_id"].encode(), value))
    return sent


def rules_file(path: Path, rules: list[dict[str, Any]]) -> Path:
    tables = []
    for number, rule in enumerate(rules):
        window = f'window = "{rule["window"]}ms"\n' if "window" in rule else ""
        tables.append(
            f'[[rules]]\nid = "r{number}"\nkind = "{rule["kind"]}"\nversion = {number + 1}\n'
            f'severity = "low"\ndescription = "d"\nthreshold = {rule["threshold"]}\n{window}'
        )
    path.write_text("\n".join([*tables, RATES]), "utf-8")
    return path


def as_records(sent: list[Sent]) -> pa.Table:
    rows = [
        {
            "key": s.key,
            "value": s.value,
            "partition": s.partition,
            "offset": s.offset,
            "timestamp": s.timestamp,
        }
        | {"original_size": len(s.value or b"")}
        for s in sent
    ]
    return pa.Table.from_pylist(rows, schema=RECORDS)


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
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_late_set_and_alerts_equal_the_oracle_whatever_order_repeats_and_batches(
    folder: Path, rules: list[dict[str, Any]], sent: list[Sent], cuts: list[int], lateness: int, spare: int
) -> None:
    path = rules_file(folder / "rules.toml", rules)
    rule_set = load_rules(path)
    generation = Generation(
        number=1,
        first_batch_id=0,
        allowed_lateness=lateness,
        retention=rule_set.longest_window + spare,
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
    assert set(pairs) == set(expected.alerts)


@given(
    before=RULES,
    after=RULES,
    sent=histories(),
    change=st.integers(0, 40),
    lateness=st.sampled_from([5, 20, 200]),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_payment_is_judged_for_life_by_the_rules_of_the_batch_that_first_read_it(
    folder: Path,
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    sent: list[Sent],
    change: int,
    lateness: int,
) -> None:
    paths = [rules_file(folder / f"rules{n}.toml", rules) for n, rules in enumerate((before, after))]
    generations = [
        Generation(
            number=n + 1,
            first_batch_id=n,
            allowed_lateness=lateness,
            retention=60,
            clock_skew=1000,
            rules=load_rules(path),
        )
        for n, path in enumerate(paths)
    ]
    batches = [sent[:change], sent[change:]]
    by_rules = [
        expect(sent, Conditions(read_rules(path), lateness, clock_skew=1000, buckets=BUCKETS))
        for path in paths
    ]
    read_first = {(each.partition, each.offset) for each in sent[:change]}

    alerts, _ = stream(batches, generations)

    expected = {p for p, record in by_rules[0].alerts.items() if record in read_first}
    expected |= {p for p, record in by_rules[1].alerts.items() if record not in read_first}
    pairs = [pair_of(alert) for alert in alerts]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected
