"""What a source of records hands to the sender: records in order, and what they are there to prove."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Expectation:
    """One (rule, transaction) pair that must be among the alerts, or must not."""

    rule_id: str
    user_id: str
    transaction_id: str
    timestamp: int


@dataclass(frozen=True)
class Injection:
    """One pattern's records, by number, and what its rule must say once all of them have arrived."""

    pattern: str
    numbers: tuple[int, ...]
    expected: tuple[Expectation, ...]  # must be flagged
    near_miss: tuple[Expectation, ...]  # must not be flagged


@dataclass(frozen=True)
class Note:
    """Why a record is not ordinary: the pattern it belongs to, what is wrong with it, and what that earns.

    `reason` is the one for which the pipeline must reject it; None if it must not.
    """

    pattern: str | None = None
    injected: str | None = None
    reason: str | None = None


@dataclass
class Block:
    """Consecutive records, the first of them number `first`; `due` is in milliseconds and never falls."""

    first: int
    keys: list[bytes | None] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    due: list[int] = field(default_factory=list)
    notes: dict[int, Note] = field(default_factory=dict)  # by number
    injections: list[Injection] = field(default_factory=list)


class Source(Protocol):
    """Where records come from. The same `identity` means the same bytes under the same numbers."""

    unkeyed: int
    """Records that should name a user and do not, so far."""

    @property
    def identity(self) -> dict[str, object]:
        """All that determines the records, as JSON."""

    @property
    def run_id(self) -> str:
        """Short name of `identity`."""

    def blocks(self, first: int) -> Iterator[Block]:
        """Records from number `first` on; an empty block says that none is there yet."""
