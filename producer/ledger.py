"""What became of every record of a run: counts, the number to go on from, and what the run must prove."""

from collections import Counter
from dataclasses import asdict, dataclass, field

from confluent_kafka import KafkaError

from producer.block import Block, Injection, Note
from producer.log import Log
from producer.sender import Report

_NOTHING = Note()
_FAILURES_SHOWN = 5


@dataclass
class Ledger:
    """Everything below `next` is acknowledged, or refused for good; `keep` collects what to prove."""

    next: int
    log: Log | None = None
    keep: bool = False
    sent: int = 0
    acknowledged: int = 0
    failures: list[str] = field(default_factory=list)  # the first few, in words
    injected: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)  # how many the pipeline must reject, by reason
    patterns: Counter[str] = field(default_factory=Counter)
    expected: list[dict[str, object]] = field(default_factory=list)
    near_miss: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._beyond: set[int] = set()  # settled numbers above `next`
        self._notes: dict[int, Note] = {}
        self._injections: dict[int, Injection] = {}  # by the number of their last record

    @property
    def failed(self) -> int:
        """Records that were sent and not acknowledged, for whatever reason."""
        return self.sent - self.acknowledged

    def announce(self, block: Block) -> None:
        """The records of `block` are about to be sent."""
        self._notes |= block.notes
        for injection in block.injections:
            self._injections[injection.numbers[-1]] = injection

    def settle(self, reports: list[Report]) -> bool:
        """Book what became of records. False when one was not delivered, so that sending must stop."""
        delivered = [(r.number, r.message) for r in reports if r.message is not None and r.error is None]
        self.acknowledged += len(delivered)
        notes = [self._notes.pop(number, _NOTHING) for number, _ in delivered]
        for note in notes:
            if note is not _NOTHING:
                self._count(note)
        if self.log:
            self.log.write(delivered, notes)
        for report in reports:
            if report.error is not None:
                self._remember(report.number, report.error)
            if report.error is None or report.refused:
                self._beyond.add(report.number)
        self._advance()
        return all(report.error is None or report.refused for report in reports)

    def _count(self, note: Note) -> None:
        if note.injected:
            self.injected[note.injected] += 1
        if note.reason:
            self.rejections[note.reason] += 1

    def _remember(self, number: int, error: KafkaError) -> None:
        if len(self.failures) < _FAILURES_SHOWN:
            self.failures.append(f"record {number}: {error.str()}")

    def _advance(self) -> None:
        """Go on to the first number that is not settled, and book the patterns that are complete."""
        while self.next in self._beyond:
            self._beyond.remove(self.next)
            injection = self._injections.pop(self.next, None)
            if injection:
                self._complete(injection)
            self.next += 1

    def _complete(self, injection: Injection) -> None:
        self.patterns[injection.pattern] += 1
        if self.keep:
            for pairs, kept in ((injection.expected, self.expected), (injection.near_miss, self.near_miss)):
                kept += [asdict(pair) | {"pattern": injection.pattern} for pair in pairs]
