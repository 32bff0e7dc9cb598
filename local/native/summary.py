"""The end of a demo in figures: do the counts add up, do the sinks agree, does the oracle agree?

Everything that can be is compared: the producer's log, the topic, the job's metrics, the rejected
topic, both sinks and the oracle, over the whole life of the state. Only `ok` when all agree.
"""

from collections import Counter

import numpy as np
import pyarrow.compute as pc

from fraud.settings import Settings
from local.native.against_oracle import compare_with_oracle
from local.native.archived import compare_archive
from local.native.figures import Summary
from local.native.findings import Findings, Remains, gather, pairs_of
from local.native.restarts import described
from scripts.oracle import Pair


def summarize(settings: Settings, remains: Remains, since: int) -> Summary:
    """Compare all that the state holds. Kafka and the object store must be up, the job caught up.

    `since` is this run's begin (epoch milliseconds). Raises UnreadableError.
    """
    findings, detection = gather(settings, remains), settings.detection
    return compare(findings, detection.buckets, since, archive=detection.archive)


def compare(findings: Findings, buckets: int, since: int, *, archive: bool = False) -> Summary:
    """The summary of `findings`; `since` (epoch milliseconds) limits the latencies to this run's alerts.
    `archive`: whether that is on, and complete therefore."""
    summary = Summary()
    _read_endings(summary, findings)
    _read_producer(summary, findings)
    _compare_log(summary, findings)
    _add_counts(summary, findings)
    pairs = _add_alerts(summary, findings, since)
    compare_with_oracle(summary, findings, pairs, buckets)
    if archive:
        compare_archive(summary, findings)
    _add_patterns(summary, findings, pairs)
    return summary


def _read_endings(summary: Summary, findings: Findings) -> None:
    """What was asked to stop must have ended well, and a producer must have left its accounts."""
    for ending in findings.endings:
        if ending.exit_code != 0:
            summary.problems.append(
                f"the {ending.name} {described(ending.exit_code)}; its log is {ending.log}"
            )
        if ending.name == "producer" and findings.producer is None:
            summary.problems.append(
                "the producer left no summary: what it sent, and what the rules must find, is unknown; "
                f"its log is {ending.log}"
            )


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
        pairs = pairs_of(alerts)
    summary.alerts_in_parquet = dict(sorted(Counter(pair.rule_id for pair in pairs).items()))
    if len(ids) != len(set(ids)):
        summary.problems.append(f"{len(ids) - len(set(ids))} alerts are in Parquet more than once")
    if set(ids) != in_kafka.keys():
        summary.problems.append(
            f"Parquet and fraud-alerts differ in {len(set(ids) ^ in_kafka.keys())} alerts"
        )
    return pairs


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
