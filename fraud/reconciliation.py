"""What late payments would have flagged, had they come in time: found afterwards, in the archive. Pure."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.admission import admit, unsound
from fraud.alert import ALERTS
from fraud.archive import ARCHIVED
from fraud.arrays import Flags, Integers
from fraud.detection import apply_rules, codes_of, longest_window
from fraud.generations import Generation
from fraud.identity import find_repeats
from fraud.memory import PAYMENTS, Progress
from fraud.transaction import TRANSACTIONS, Reason

JUDGED = ARCHIVED.append(pa.field("generation", pa.int32())).append(pa.field("late", pa.bool_()))
"""One row a valid record that detection has read: with the generation that judged it, and whether it was
late."""

_NOT_TO_BE_JUDGED = 2**63 - 1
"""All flags set: it is looked back on, and nothing new is said of it."""


class Watermarks:
    """Follows each bucket through each Kafka partition, as detection does, to find what came late."""

    def __init__(self) -> None:
        self._progress: dict[int, dict[int, Progress]] = {}

    def advance(self, rows: pa.Table, bucket: Integers, generation: Generation) -> Flags:
        """Which of `rows` (ARCHIVED, by partition and offset, behind all before) are late.

        `bucket` has an entry a row; `generation` is the one that judged them all.
        """
        late = np.zeros(len(rows), dtype=np.bool_)
        transactions = _transactions(rows)
        for number in np.unique(bucket).tolist():
            own = np.flatnonzero(bucket == number)
            chosen = pa.array(own)
            admission = admit(
                transactions.take(chosen),
                rows["partition"].take(chosen).to_numpy(),
                _milliseconds(rows["ingested_at"]).take(chosen).to_numpy(),
                self._progress.get(number, {}),
                generation,
            )
            self._progress[number] = admission.progress
            rejected = admission.rejected
            late[rejected.filter(pc.equal(rejected["reason"], Reason.LATE.value))["record"].to_numpy()] = True
        return late

    def lowest(self) -> int | None:
        """No record from here on (epoch milliseconds) is late yet, in any bucket; None before the first."""
        marks = [each.watermark for bucket in self._progress.values() for each in bucket.values()]
        return min(marks, default=None)


def alerts_after_late(rows: pa.Table, generations: Sequence[Generation], until: int) -> pa.Table:
    """The alerts (schema ALERTS) of the payments before `until` (epoch milliseconds) that a late payment may
    have changed; those that detection has sent are among them.

    `rows` (JUDGED) hold all payments before `until` of each user that has a late one; each payment is judged
    by its own generation. When they were found, `found_at` has to say. The same rows in any order give the
    same table.
    """
    rows = rows.filter(pc.less(_milliseconds(rows["timestamp"]), until)).sort_by(
        [("partition", "ascending"), ("offset", "ascending")]
    )
    rows = rows.filter(pa.array(_sound(rows, generations)))
    payments = _payments(rows)
    user = codes_of(payments, "user_id")
    repeats = find_repeats(payments, user, 0)
    counts = np.ones(len(payments), dtype=np.bool_)
    counts[repeats.duplicate] = False
    counts[repeats.conflicting] = False

    timestamp = payments["timestamp"].to_numpy()
    late = rows["late"].to_numpy() & counts
    judged = _after(user, timestamp, late, longest_window(generations))
    flags = pa.array(np.where(judged, 0, _NOT_TO_BE_JUDGED))
    payments = payments.set_column(PAYMENTS.get_field_index("flags"), "flags", flags)
    chosen = np.flatnonzero(counts)
    chosen = chosen[np.lexsort((timestamp[chosen], user[chosen]))]
    _, alerts = apply_rules(payments, chosen, user[chosen], generations, 0)
    return alerts


def found_at(alerts: pa.Table, at: int) -> pa.Table:
    """`alerts` (schema ALERTS), detected by a reconciliation `at` that time (epoch milliseconds)."""
    for name in ("detected_at", "reconciled_at"):
        index = ALERTS.get_field_index(name)
        field = ALERTS.field(index)
        alerts = alerts.set_column(index, field, pa.repeat(pa.scalar(at, field.type), len(alerts)))
    return alerts


def _after(user: Integers, timestamp: Integers, late: Flags, reach: int) -> Flags:
    """Which rows at t have a late one of their user in (t - reach, t]."""
    if not len(timestamp):
        return late
    first = int(timestamp.min())
    stride = int(timestamp.max()) - first + reach + 1
    if stride * (int(user.max()) + 1) >= 2**63:
        raise OverflowError(f"event times spread over {stride} ms for {int(user.max()) + 1} users")
    key = user * stride + (timestamp - first)
    late_keys = np.sort(key[late])
    before = np.searchsorted(late_keys, key, side="right") - 1
    found: Flags = (before >= 0) & (key - late_keys[np.maximum(before, 0)] < reach) if late.any() else late
    return found


def _sound(rows: pa.Table, generations: Sequence[Generation]) -> Flags:
    """Which have a rate and are not from the future, by their own generation."""
    generation = rows["generation"].to_numpy()
    sound = np.zeros(len(rows), dtype=np.bool_)
    for each in generations:
        own = np.flatnonzero(generation == each.number)
        taken = rows.take(pa.array(own))
        no_rate, in_future = unsound(
            _transactions(taken), _milliseconds(taken["ingested_at"]).to_numpy(), each
        )
        sound[own] = ~(no_rate | in_future)
    return sound


def _payments(rows: pa.Table) -> pa.Table:
    transactions = _transactions(rows)
    columns = {
        **{name: rows[name].combine_chunks() for name in ("transaction_id", "partition", "offset")},
        **{name: rows[name].combine_chunks().dictionary_encode() for name in _NAMES},
        "timestamp": transactions["timestamp"],
        "amount": transactions["amount"],
        "ingested_at": _milliseconds(rows["ingested_at"]),
        "flags": pa.array(np.zeros(len(rows), dtype=np.int64)),
        "generation": rows["generation"],
    }
    ordered = [columns[field.name] for field in PAYMENTS]
    return pa.table(ordered, schema=PAYMENTS).unify_dictionaries().combine_chunks()


_NAMES = ("user_id", "currency", "location")


def _transactions(rows: pa.Table) -> pa.Table:
    """TRANSACTIONS of ARCHIVED; `record` is the row."""
    cents = pc.multiply(rows["amount"], pa.scalar(100, pa.decimal128(3))).cast(pa.int64())
    columns = {name: rows[name] for name in ("transaction_id", "user_id", "currency", "location")}
    columns |= {
        "record": pa.array(np.arange(len(rows))),
        "amount": cents,
        "timestamp": _milliseconds(rows["timestamp"]),
    }
    return pa.table([columns[name] for name in TRANSACTIONS.names], schema=TRANSACTIONS)


def _milliseconds(times: pa.ChunkedArray) -> pa.ChunkedArray:
    return times.cast(pa.int64())
