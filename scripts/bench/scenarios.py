"""What the bench measures: which payments, at which rate, under which settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

USERS = 100_000
BACKLOG_RATE = 1_000
"""Payments a second of event time in a backlog: what the job catches up with after an outage."""

SEED = 20260101


@dataclass(frozen=True)
class Scenario:
    """One measurement on topics, prefix and checkpoint of its own."""

    name: str
    what: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """FRAUD_* variables of the job."""
    producer: tuple[str, ...] = ()
    """Options of the producer beside seed, users and rate."""
    rate: int | None = None
    """Payments a second while the job runs; None: a backlog that lies there before it starts."""


def scenarios(rates: Sequence[int]) -> list[Scenario]:
    """All of them, in the order in which they run."""
    archive = {"FRAUD_ARCHIVE": "true"}
    return [
        Scenario("catch-up", "a backlog, epoch milliseconds"),
        Scenario("catch-up-iso", "a backlog, ISO 8601 event times", producer=("--iso",)),
        Scenario("catch-up-archive", "a backlog, with the archive of all payments on", settings=archive),
        *(Scenario(f"rate-{rate}", f"{rate:,} payments a second", rate=rate) for rate in rates),
        *(
            Scenario(f"rate-{rate}-archive", f"{rate:,} a second, with the archive on", archive, rate=rate)
            for rate in rates[:1]
        ),
    ]
