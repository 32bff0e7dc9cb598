"""The end of a demo in figures: do the counts add up, do the sinks agree, does the oracle agree?

Everything that can be is compared: the producer's log, the topic, the job's metrics, the rejected
topic, both sinks and the oracle, over the whole life of the state. Only `ok` when all agree.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.settings import Settings
from local.native.findings import Findings, gather
from scripts.oracle import Conditions, Pair, expect


@dataclass
class Summary:
    """What a run came to. Latencies in milliseconds; `problems` is empty when all agrees."""

    sent: int = 0  # by this run's producer
    acknowledged: int = 0
    unlogged: int = 0  # records in the topic that no producer's log holds
    read: int = 0
    evaluated: int = 0
    duplicate: int = 0
    rejected: dict[str, int] = field(default_factory=dict)  # by reason
    gaps: int = 0
    lost: int = 0
    alerts_in_parquet: dict[str, int] = field(default_factory=dict)  # by rule
    alerts_in_kafka: dict[str, int] = field(default_factory=dict)  # distinct, by rule
    exact: bool = False
    patterns_expected: int = 0
    patterns_caught: int = 0
    near_misses: int = 0
    near_misses_flagged: int = 0
    latency_p50: int | None = None  # event to alert in `fraud-alerts`, alerts of this run
    latency_p95: int | None = None
    latency_p99: int | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def summarize(
    settings: Settings, logs: list[Path], producer_summary: Path | None, generations: Path, since: int
) -> Summary:
    """Compare all that the state holds. Kafka and the object store must be up, the job caught up.

    `logs` are the producers' logs of the state, `producer_summary` what this run's producer wrote at its
    end, `generations` the checkpoint's folder of that name, `since` this run's begin (epoch milliseconds).
    """
    findings = gather(settings, logs, producer_summary, generations)
    return compare(findings, settings.detection.buckets, since)


def compare(findings: Findings, buckets: int, since: int) -> Summary:
    """The summary of `findings`; `since` (epoch milliseconds) limits the latencies to this run's alerts."""
    summary = Summary()
    _read_producer(summary, findings)
    _compare_log(summary, findings)
    _add_counts(summary, findings)
    pairs = _add_alerts(summary, findings, since)
    _compare_with_oracle(summary, findings, pairs, buckets)
    _add_patterns(summary, findings, pairs)
    return summary


def _read_producer(summary: Summary, findings: Findings) -> None:
    if findings.producer is None:
        return
    summary.sent, summary.acknowledged = findings.producer["sent"], findings.producer["acknowledged"]
    if summary.sent != summary.acknowledged:
        summary.problems.append(
            f"{summary.sent - summary.acknowledged} records were sent but not acknowledged"
        )


def _compare_log(summary: Summary, findings: Findings) -> None:
    """Every logged record must lie in the topic as it was sent."""
    in_topic = {(record.partition, record.offset): record for record in findings.records}
    for record in findings.logged:
        if in_topic.get((record.partition, record.offset)) != record:
            where = f"partition {record.partition}, offset {record.offset}"
            summary.problems.append(f"the producer's log and the topic differ at {where}")
            return
    summary.unlogged = len(findings.records) - len(findings.logged)


def _add_counts(summary: Summary, findings: Findings) -> None:
    metrics, in_topic = findings.metrics, len(findings.records)
    if metrics is None:
        summary.problems.append("the job has written no metrics")
        return
    batches = metrics.filter(pc.equal(metrics["kind"], "batch"))

    def total(name: str) -> int:
        return int(pc.sum(batches[name]).as_py() or 0)

    for name in ("read", "evaluated", "duplicate", "gaps", "lost"):
        setattr(summary, name, total(name))
    reasons = [
        name.removeprefix("rejected_") for name in batches.column_names if name.startswith("rejected_")
    ]
    summary.rejected = {reason: total(f"rejected_{reason}") for reason in sorted(reasons)}
    summary.rejected = {reason: count for reason, count in summary.rejected.items() if count}
    accounted = summary.evaluated + summary.duplicate + sum(summary.rejected.values())
    if summary.read != accounted + summary.gaps + summary.lost:
        summary.problems.append(f"read {summary.read} records, but accounted for {accounted}")
    if summary.read - summary.gaps - summary.lost != in_topic:
        summary.problems.append(f"the job read {summary.read} records, the topic holds {in_topic}")


def _add_alerts(summary: Summary, findings: Findings, since: int) -> list[Pair]:
    """Both sinks, which must hold the same alerts; the pairs in Parquet, repeats and all."""
    alerts = findings.alerts
    in_kafka = {alert.alert_id: alert for alert in findings.sent_alerts}
    summary.alerts_in_kafka = dict(sorted(Counter(a.rule_id for a in in_kafka.values()).items()))
    waits = [a.appended_at - a.ingested_at for a in in_kafka.values() if a.appended_at >= since]
    if waits:
        p50, p95, p99 = np.percentile(waits, [50, 95, 99]).round().astype(int).tolist()
        summary.latency_p50, summary.latency_p95, summary.latency_p99 = p50, p95, p99
    if alerts is None:
        ids: list[str] = []
        pairs: list[Pair] = []
    else:
        ids = alerts["alert_id"].to_pylist()
        times = alerts["transaction_timestamp"].cast(pa.int64())
        columns = (alerts["rule_id"], alerts["user_id"], alerts["transaction_id"], times)
        pairs = [Pair(*row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]
    summary.alerts_in_parquet = dict(sorted(Counter(pair.rule_id for pair in pairs).items()))
    if len(ids) != len(set(ids)):
        summary.problems.append(f"{len(ids) - len(set(ids))} alerts are in Parquet more than once")
    if set(ids) != in_kafka.keys():
        summary.problems.append(
            f"Parquet and fraud-alerts differ in {len(set(ids) ^ in_kafka.keys())} alerts"
        )
    return pairs


def _compare_with_oracle(summary: Summary, findings: Findings, pairs: list[Pair], buckets: int) -> None:
    """Each record by the generation that first read it: alerts, counts and the rejected topic."""
    records = findings.records
    read_by = _generation_of(findings)
    numbers = [generation.number for generation in findings.generations]
    expected = expect(
        records,
        *(
            Conditions(
                generation.model_dump(mode="json")["rules"],
                generation.allowed_lateness,
                generation.clock_skew,
                buckets,
            )
            for generation in findings.generations
        ),
        read_by=lambda record: numbers.index(read_by(record.partition, record.offset)),
    )
    wanted, rejections = expected.alerts, expected.rejected
    counts = {"evaluated": expected.evaluated, "duplicate": len(expected.duplicate)}
    missing, wrong = wanted - set(pairs), set(pairs) - wanted
    summary.exact = not (missing or wrong or len(pairs) != len(set(pairs)))
    if missing:
        summary.problems.append(f"{len(missing)} alerts are missing, such as {min(missing)}")
    if wrong:
        summary.problems.append(f"{len(wrong)} alerts are not the oracle's, such as {min(wrong)}")
    for name, count in counts.items():
        if getattr(summary, name) != count:
            summary.problems.append(f"{name}: the job counted {getattr(summary, name)}, the oracle {count}")
    by_reason = Counter(rejections.values())
    if summary.rejected != dict(by_reason):
        summary.problems.append(f"rejected: the job counted {summary.rejected}, the oracle {dict(by_reason)}")
    if findings.rejections != rejections:
        differing = findings.rejections.items() ^ rejections.items()
        summary.problems.append(
            f"rejected topic and oracle differ in {len(differing)} entries, such as {min(differing)}"
        )


def _generation_of(findings: Findings) -> Callable[[int, int], int]:
    """By metrics: the number of the generation that first read the record at a partition and offset.

    Of what no micro-batch has read (which is a problem of its own) the newest one.
    """
    spans: dict[int, list[tuple[int, int]]] = {}  # partition -> (first offset, generation)
    metrics = findings.metrics
    for row in [] if metrics is None else metrics.select(["kind", "generation", "partitions"]).to_pylist():
        for reach in row["partitions"] or []:
            if row["kind"] == "batch":
                spans.setdefault(reach["partition"], []).append((reach["start_offset"], row["generation"]))
    for each in spans.values():
        each.sort()
    newest = max(generation.number for generation in findings.generations)

    def generation_of(partition: int, offset: int) -> int:
        own = spans.get(partition, [])
        place = bisect_right(own, offset, key=lambda span: span[0]) - 1
        return own[place][1] if place >= 0 else newest

    return generation_of


def _add_patterns(summary: Summary, findings: Findings, pairs: list[Pair]) -> None:
    """The injected patterns of this run: all caught, no near miss flagged."""
    content = findings.producer
    if content is None:
        return
    found = set(pairs)
    names = ("rule_id", "user_id", "transaction_id", "timestamp")
    expected, near = (
        [Pair(*(each[name] for name in names)) for each in content[kind]]
        for kind in ("expected", "near_miss")
    )
    summary.patterns_expected, summary.near_misses = len(expected), len(near)
    summary.patterns_caught = sum(pair in found for pair in expected)
    summary.near_misses_flagged = sum(pair in found for pair in near)
    if summary.patterns_caught != summary.patterns_expected:
        summary.problems.append(f"{len(expected) - summary.patterns_caught} injected alerts were not caught")
    if summary.near_misses_flagged:
        summary.problems.append(f"{summary.near_misses_flagged} near misses were flagged")
