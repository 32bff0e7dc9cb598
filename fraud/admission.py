"""Which valid records are judged: a rate is known, the event time is no fiction, and it is not late.

Each record is decided by the records before it in its own Kafka partition and by nothing else: no
micro-batch, no speed, no clock.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from fraud.arrays import Flags, Integers
from fraud.generations import Generation
from fraud.memory import Progress
from fraud.transaction import Reason, Rejected, rejected_table


@dataclass(frozen=True)
class Admission:
    """Rows of `transactions` that are judged, the rejected (schema REJECTED), the partitions' progress."""

    admitted: Integers
    rejected: pa.Table
    progress: dict[int, Progress]


def admit(
    transactions: pa.Table,
    partition: Integers,
    kafka_time: Integers,
    progress: dict[int, Progress],
    generation: Generation,
) -> Admission:
    """Decide on `transactions` (schema TRANSACTIONS), sorted by partition and offset.

    `partition` and `kafka_time` (milliseconds) have one entry a transaction. A record without a rate or
    from the future never moves a watermark, so one poisoned event makes nobody else late.
    """
    event_time = transactions["timestamp"].to_numpy()
    no_rate, in_future = unsound(transactions, kafka_time, generation)
    sound = np.flatnonzero(~no_rate & ~in_future)

    watermark = np.zeros(len(event_time), dtype=np.int64)
    reached = dict(progress)
    for number in np.unique(partition[sound]).tolist():
        rows = sound[partition[sound] == number]
        before = progress.get(number, Progress(-(2**62), -(2**62)))
        newest = np.maximum.accumulate(np.concatenate(([before.newest], event_time[rows])))
        marks = np.maximum(newest - generation.allowed_lateness, before.watermark)
        watermark[rows] = marks[:-1]
        reached[number] = Progress(int(newest[-1]), int(marks[-1]))
    late = np.zeros(len(event_time), dtype=np.bool_)
    late[sound] = event_time[sound] < watermark[sound]

    why: dict[int, Rejected] = {}
    for row in np.flatnonzero(no_rate).tolist():
        currency = transactions["currency"][row].as_py()
        why[row] = Rejected(Reason.NO_RATE, f"currency {currency} has no rate in the rules file")
    for row in np.flatnonzero(in_future).tolist():
        times = f"event time {_show(event_time[row])} is ahead of Kafka's {_show(kafka_time[row])}"
        why[row] = Rejected(Reason.TIMESTAMP_IN_FUTURE, times)
    for row in np.flatnonzero(late).tolist():
        times = f"event time {_show(event_time[row])} is below the watermark {_show(watermark[row])}"
        why[row] = Rejected(Reason.LATE, times)
    record = transactions["record"].to_numpy()
    rejected = rejected_table((int(record[row]), why[row]) for row in sorted(why))
    return Admission(np.flatnonzero(~(no_rate | in_future | late)), rejected, reached)


def unsound(transactions: pa.Table, kafka_time: Integers, generation: Generation) -> tuple[Flags, Flags]:
    """Which of `transactions` (columns `timestamp` and `currency`) have no rate, and which others are from
    the future."""
    currencies = transactions["currency"].combine_chunks().dictionary_encode()
    rates = [generation.rules.rate_of(currency) for currency in currencies.dictionary.to_pylist()]
    no_rate = np.array(rates, dtype=np.int64)[currencies.indices.to_numpy()] == 0
    return no_rate, ~no_rate & (transactions["timestamp"].to_numpy() > kafka_time + generation.clock_skew)


def _show(timestamp: np.int64) -> str:
    moment = datetime.fromtimestamp(int(timestamp) // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{int(timestamp) % 1000:03d}Z"
