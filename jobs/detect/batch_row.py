"""The metrics row of a micro-batch, from its accounts and outcomes. Pure."""

from collections.abc import Mapping
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from fraud.detection import DUPLICATE, EVALUATED
from fraud.transaction import Reason
from jobs.detect.accounting import Accounts
from jobs.detect.metrics import Row
from jobs.detect.offsets import PlannedBatch
from jobs.detect.outcomes import Outcomes


def batch_row(
    batch: PlannedBatch,
    accounts: Accounts,
    outcomes: Outcomes,
    lags: Mapping[int, int | None],
    acknowledged: int,
    checkpoint_id: str,
    generation: int,
) -> Row:
    """The metrics of a micro-batch, but for its duration. `acknowledged`: when Kafka had all its alerts
    (epoch milliseconds); `lags`: partition -> records not read yet."""
    measures: dict[str, int] = {"reused_id": 0, "user_moved": 0, "memory_rows": 0}
    for report in outcomes.reports:
        for name, value in report.measures.items():
            measures[name] += value
    by_rule, latencies = _alerts_by_rule_and_latency(outcomes, acknowledged)
    reasons = {f"rejected_{reason.value}": accounts.outcomes.get(reason, 0) for reason in Reason}
    return {
        "kind": "batch",
        "checkpoint_id": checkpoint_id,
        "batch_id": batch.batch_id,
        "batch_time": batch.time,
        "generation": generation,
        "read": accounts.read,
        "evaluated": accounts.outcomes.get(EVALUATED, 0),
        "duplicate": accounts.outcomes.get(DUPLICATE, 0),
        "rejected": sum(reasons.values()),
        **reasons,
        "gaps": accounts.gaps,
        "lost": accounts.lost,
        "alerts": sum(by_rule.values()),
        "alerts_by_rule": sorted(by_rule.items()),
        **measures,
        "state_bytes": sum(report.state_bytes for report in outcomes.reports),
        **latencies,
        "partitions": [
            {
                "partition": partition,
                "start_offset": batch.start[partition],
                "end_offset": batch.end[partition],
                "lag": lags[partition],
            }
            for partition in sorted(batch.end)
        ],
    }


def _alerts_by_rule_and_latency(
    outcomes: Outcomes, acknowledged: int
) -> tuple[dict[str, int], dict[str, int | None]]:
    by_rule: dict[str, int] = {}
    latencies = []
    for piece in outcomes.alerts():
        for count in piece["rule_id"].value_counts().to_pylist():
            by_rule[count["values"]] = by_rule.get(count["values"], 0) + count["counts"]
        latencies.append(pc.subtract(acknowledged, piece["ingested_at"].cast(pa.int64())).chunks)
    names = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "latency_max_ms")
    if not latencies:
        return by_rule, dict.fromkeys(names)
    every = pa.chunked_array(list(chain.from_iterable(latencies)))
    found = pc.quantile(every, [0.5, 0.95, 0.99, 1.0], interpolation="higher").to_pylist()
    return by_rule, dict(zip(names, map(int, found), strict=True))
