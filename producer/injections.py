"""Puts patterns, malformed, repeated and late records into a block of ordinary payments, in their shares."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from fraud.transaction import Reason, Transaction
from producer.block import Block, Expectation, Injection, Note
from producer.cities import CITIES
from producer.defects import MALFORMATIONS, contradict, malform
from producer.encoding import encode
from producer.patterns import FRAUD, MAX_AGE, NEAR_MISSES, Pattern, Payment

CONFLICTING = 8
"""One in this many repeated records contradicts the first."""

_REACH = 200  # a repeated record follows its original within this many


@dataclass(frozen=True)
class Shares:
    """Shares of all records, 0 to 1. Each fraudulent pattern comes with one near miss."""

    fraud: float = 0.01
    malformed: float = 0.005
    duplicate: float = 0.01
    late: float = 0.002

    def replaced(self) -> float:
        """Share of records that are not ordinary payments, on average."""
        fraud, near = _average_sizes()
        return self.fraud * (1 + near / fraud) + self.malformed + self.duplicate + 2 * self.late


@dataclass(frozen=True)
class Draft:
    """A block that is being made; `ordinary(row)` is the payment that it had at first in a row."""

    block: Block
    run_id: str
    iso: bool
    late_by: int
    ordinary: Callable[[int], Transaction]
    replaced: set[int] = field(default_factory=set)  # rows that do not keep their ordinary payment

    def put(self, row: int, key: bytes | None, value: bytes | None, note: Note | None) -> None:
        """Replace the record of a row."""
        self.block.keys[row] = key
        self.block.values[row] = value
        if note:
            self.block.notes[self.block.first + row] = note

    def put_payment(self, row: int, payment: Transaction, note: Note | None) -> None:
        """Replace the record of a row by a sound one."""
        self.put(row, payment.user_id.encode(), encode(payment, self.iso), note)


Write = Callable[[Draft, int, int, np.random.Generator], None]
"""Writes the injection of some index into a draft, from a row on."""


def inject(draft: Draft, shares: Shares, rng: np.random.Generator) -> None:
    """Replace ordinary records of the draft. How many depends on nothing but shares and numbers."""
    groups = _groups(draft.block, shares)
    groups = [groups[place] for place in rng.permutation(len(groups))]
    rows = _rows([group.size for group in groups], len(draft.block.values), rng)
    for group, row in zip(groups, rows, strict=True):
        draft.replaced.update(range(row, row + group.size))
    for group, row in zip(groups, rows, strict=True):
        group.write(draft, group.index, row, rng)


def pattern_number(index: int) -> Pattern:
    """The `index`-th pattern of a stream: fraud and near misses in turn, each list round and round."""
    kinds, place = (FRAUD, index // 2) if index % 2 == 0 else (NEAR_MISSES, index // 2)
    return kinds[place % len(kinds)]


@dataclass(frozen=True)
class _Group:
    """`size` neighbouring rows that are replaced together; `index` counts its kind over the stream."""

    size: int
    index: int
    write: Write


def _average_sizes() -> tuple[float, float]:
    """Records of a fraudulent pattern, and of a near miss."""
    fraud, near = (
        sum(len(pattern.payments) for pattern in kinds) / len(kinds) for kinds in (FRAUD, NEAR_MISSES)
    )
    return fraud, near


def _groups(block: Block, shares: Shares) -> list[_Group]:
    frauds = shares.fraud / _average_sizes()[0]
    return [
        *(_Group(len(pattern_number(i).payments), i, _pattern) for i in _due(block, 2 * frauds)),
        *(_Group(1, i, _malformed) for i in _due(block, shares.malformed)),
        *(_Group(1, i, _repeat) for i in _due(block, shares.duplicate)),
        *(_Group(2, i, _late) for i in _due(block, shares.late)),
    ]


def _due(block: Block, share: float) -> range:
    """Which of a kind fall into the block when one record in 1 / share is of the kind."""
    return range(int(block.first * share), int((block.first + len(block.values)) * share))


def _rows(sizes: list[int], rows: int, rng: np.random.Generator) -> list[int]:
    """The first row of each group: they do not overlap, and row 0 stays ordinary."""
    more = np.array(sizes, dtype=np.int64) - 1
    places = np.sort(rng.choice(rows - 1 - int(more.sum()), len(sizes), replace=False)) + 1
    first: list[int] = (places + np.cumsum(more) - more).tolist()
    return first


def _pattern(draft: Draft, index: int, row: int, rng: np.random.Generator) -> None:
    pattern = pattern_number(index)
    user = f"pattern-{pattern.name}-{draft.run_id}-{index}"
    cities = [CITIES[i].name for i in rng.choice(len(CITIES), 2, replace=False)]
    numbers = tuple(draft.block.first + row + i for i in range(len(pattern.payments)))
    expectations: dict[bool, list[Expectation]] = {True: [], False: []}
    for i, payment in enumerate(pattern.payments):
        transaction = Transaction(
            transaction_id=f"{draft.run_id}-{numbers[i]}",
            user_id=user,
            amount=int(rng.integers(500, 9_000)) if payment.cents is None else payment.cents,
            currency=payment.currency,
            location=_spell(cities[payment.city], payment),
            timestamp=draft.block.due[row] - payment.age,
        )
        draft.put_payment(row + i, transaction, Note(pattern=pattern.name))
        expectations[i in pattern.flagged].append(
            Expectation(pattern.rule_id, user, transaction.transaction_id, transaction.timestamp)
        )
    expected, near_miss = tuple(expectations[True]), tuple(expectations[False])
    draft.block.injections.append(Injection(pattern.name, numbers, expected, near_miss))


def _spell(city: str, payment: Payment) -> str:
    return f" {unicodedata.normalize('NFD', city)} " if payment.respelled else city


def _malformed(draft: Draft, index: int, row: int, _: np.random.Generator) -> None:
    how = MALFORMATIONS[index % len(MALFORMATIONS)]
    key, value = malform(how, draft.ordinary(row), draft.iso)
    draft.put(row, key, value, Note(injected=f"malformed:{how.name}", reason=how.reason))


def _late(draft: Draft, index: int, row: int, _: np.random.Generator) -> None:
    """Two payments of one user, the second long before the first: late by what is known of that user."""
    user = f"pattern-late-{draft.run_id}-{index}"
    now = draft.block.due[row]
    first = replace(draft.ordinary(row), user_id=user, timestamp=now)
    second = replace(draft.ordinary(row + 1), user_id=user, timestamp=now - draft.late_by)
    draft.put_payment(row, first, None)
    draft.put_payment(row + 1, second, Note(injected="late", reason=Reason.LATE))


def _repeat(draft: Draft, index: int, row: int, rng: np.random.Generator) -> None:
    original = _original(draft, row, rng)
    key, value = draft.block.keys[original], draft.block.values[original]
    if index % CONFLICTING == CONFLICTING - 1:
        value = contradict(draft.ordinary(original), draft.iso)
        note = Note(injected="conflicting_duplicate", reason=Reason.CONFLICTING_DUPLICATE)
    else:
        note = Note(injected="duplicate")
    draft.put(row, key, value, note)


def _original(draft: Draft, row: int, rng: np.random.Generator) -> int:
    """An ordinary row shortly before `row`; recent enough that its repetition is not late."""
    start = max(0, row - int(rng.integers(1, _REACH)))
    oldest = draft.block.due[row] - MAX_AGE
    for i in range(start, row):
        if i not in draft.replaced and draft.ordinary(i).timestamp >= oldest:
            return i
    return next(i for i in range(start, -1, -1) if i not in draft.replaced)
