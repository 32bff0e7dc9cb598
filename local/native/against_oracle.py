"""Compares what the job decided with the oracle, each record by the generation that first read it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable

from local.native.figures import Summary
from local.native.findings import Findings
from scripts.oracle import Conditions, Pair, expect


def compare_with_oracle(summary: Summary, findings: Findings, pairs: list[Pair], buckets: int) -> None:
    """Alerts, counts and the rejected topic must be the oracle's; `pairs` are those in Parquet."""
    numbers = [generation.number for generation in findings.generations]
    if not numbers:
        summary.problems.append("the checkpoint holds no generation of rules: the job has judged nothing")
        return
    read_by = generation_of(findings, newest=max(numbers))
    gone = {read_by(record.partition, record.offset) for record in findings.records} - set(numbers)
    if gone:
        summary.problems.append(f"the checkpoint lacks generation {min(gone)}, which read some records")
        return
    conditions = (
        Conditions(each.model_dump(mode="json")["rules"], each.allowed_lateness, each.clock_skew, buckets)
        for each in findings.generations
    )
    expected = expect(
        findings.records,
        *conditions,
        read_by=lambda record: numbers.index(read_by(record.partition, record.offset)),
    )
    _compare_alerts(summary, pairs, expected.alerts)
    for name, count in (("evaluated", expected.evaluated), ("duplicate", len(expected.duplicate))):
        if getattr(summary, name) != count:
            summary.problems.append(f"{name}: the job counted {getattr(summary, name)}, the oracle {count}")
    by_reason = dict(Counter(expected.rejected.values()))
    if summary.rejected != by_reason:
        summary.problems.append(f"rejected: the job counted {summary.rejected}, the oracle {by_reason}")
    if findings.rejections != expected.rejected:
        differing = findings.rejections.items() ^ expected.rejected.items()
        summary.problems.append(
            f"rejected topic and oracle differ in {len(differing)} entries, such as {min(differing)}"
        )


def generation_of(findings: Findings, newest: int) -> Callable[[int, int], int]:
    """By metrics: the number of the generation that first read the record at a partition and offset.

    `newest` for what no micro-batch has read (which is a problem of its own).
    """
    spans: dict[int, list[tuple[int, int]]] = {}  # partition -> (first offset, generation)
    metrics = findings.metrics
    for row in [] if metrics is None else metrics.select(["kind", "generation", "partitions"]).to_pylist():
        for reach in row["partitions"] or []:
            if row["kind"] == "batch":
                spans.setdefault(reach["partition"], []).append((reach["start_offset"], row["generation"]))
    for each in spans.values():
        each.sort()

    def by_position(partition: int, offset: int) -> int:
        own = spans.get(partition, [])
        place = bisect_right(own, offset, key=lambda span: span[0]) - 1
        return own[place][1] if place >= 0 else newest

    return by_position


def _compare_alerts(summary: Summary, pairs: list[Pair], wanted: set[Pair]) -> None:
    missing, wrong = wanted - set(pairs), set(pairs) - wanted
    summary.exact = not (missing or wrong or len(pairs) != len(set(pairs)))
    if missing:
        summary.problems.append(f"{len(missing)} alerts are missing, such as {min(missing)}")
    if wrong:
        summary.problems.append(f"{len(wrong)} alerts are not the oracle's, such as {min(wrong)}")
