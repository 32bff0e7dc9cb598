"""What a demo came to, in figures: filled by the summary, shown by its report."""

from dataclasses import dataclass, field


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
    archived: int | None = None  # records in the archive; None: it is off
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
        """Whether all agrees."""
        return not self.problems
