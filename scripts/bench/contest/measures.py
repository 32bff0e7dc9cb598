"""What the answers of a run are worth: how fast, how right. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.bench.contest.topic import Answer

SETTLING = 1_000
"""Milliseconds for which answers that were written together are taken as one moment."""

BEGIN = 0.1
"""Share of the load after which a contestant counts as warm."""

Pair = tuple[str, str]  # rule, transaction


@dataclass(frozen=True)
class Correctness:
    """How the alerts compare with the oracle's. Pairs of rule and transaction, each once."""

    recall: float
    precision: float
    repeated: float  # alerts sent again, of all sent


@dataclass(frozen=True)
class Span:
    """Two moments (epoch milliseconds) and how many events a contestant came on between them."""

    since: int
    until: int
    events: float

    @property
    def per_second(self) -> float:
        return self.events / ((self.until - self.since) / 1000)


def correctness(answers: Sequence[Answer], expected: set[Pair]) -> Correctness:
    """Compare; no alerts at all are precise, and recall nothing."""
    pairs = {(answer.rule_id, answer.transaction_id) for answer in answers}
    right = len(pairs & expected)
    return Correctness(
        recall=right / len(expected) if expected else 1.0,
        precision=right / len(pairs) if pairs else 1.0,
        repeated=1 - len(pairs) / len(answers) if answers else 0.0,
    )


def steady(answers: Sequence[Answer], positions: Mapping[str, tuple[int, int]], events: int) -> Span | None:
    """The span in which a contestant ran warm.

    How far it has come at a moment is told by the alerts that it has written: the sum over the partitions
    of the last position alerted. `positions` are partition and offset of each transaction. The span begins
    when that is a tenth of the load, at the last alert written within a second: so a contestant that works
    in large batches is not credited with a batch that it had done before. It ends with the last alert.
    None: all alerts came together.
    """
    moments = sorted(
        (answer.appended_at, *positions[answer.transaction_id])
        for answer in answers
        if answer.transaction_id in positions
    )
    reached: dict[int, int] = {}
    progress = []
    for _, partition, offset in moments:
        reached[partition] = max(offset + 1, reached.get(partition, 0))
        progress.append(sum(reached.values()))
    times, come = np.array([moment[0] for moment in moments]), np.array(progress)
    warm = int(np.searchsorted(come, BEGIN * events)) if len(come) else 0
    if warm >= len(come):
        return None
    first = int(np.searchsorted(times, times[warm] + SETTLING, "right")) - 1
    if times[first] == times[-1]:
        return None
    return Span(int(times[first]), int(times[-1]), float(come[-1] - come[first]))


def percentiles(milliseconds: Sequence[int]) -> dict[str, int]:
    """p50, p95, p99, and of how many."""
    values = {f"p{each}": round(float(np.percentile(milliseconds, each))) for each in (50, 95, 99)}
    return {**values, "alerts": len(milliseconds)}
