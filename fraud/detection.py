"""The detection of one bucket in one micro-batch: records and memory in, alerts and memory out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.admission import admit
from fraud.alerting import Flagged, build_alerts
from fraud.arrays import Flags, Integers
from fraud.generations import Generation, generation_at
from fraud.history import History
from fraud.identity import Repeats, find_repeats
from fraud.memory import PAYMENTS, Memory
from fraud.parsing import parse
from fraud.strict_json import shown
from fraud.transaction import Reason, Rejected, rejected_table

EVALUATED = "evaluated"
DUPLICATE = "duplicate"

COUNTS = pa.schema(
    [
        ("partition", pa.int32()),
        ("outcome", pa.string()),  # EVALUATED, DUPLICATE or a Reason
        ("count", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Outcome:
    """What became of a bucket's records: each is evaluated, a duplicate or rejected."""

    memory: Memory
    alerts: pa.Table  # schema ALERTS
    rejected: pa.Table  # schema REJECTED; `record` is a row of the records given
    counts: pa.Table  # schema COUNTS; adds up to the records given
    measures: dict[str, int]  # reused_id, user_moved, memory_rows


def detect(
    records: pa.Table, memory: Memory, generations: Sequence[Generation], batch_id: int, batch_time: int
) -> Outcome:
    """Judge the `records` (schema RECORDS, any order) that one bucket got in micro-batch `batch_id`.

    `batch_time` (epoch milliseconds) only marks the alerts. What is flagged in all micro-batches
    together does not depend on how the records are split into them.
    """
    generation = generation_at(generations, batch_id)
    order = np.lexsort((records["offset"].to_numpy(), records["partition"].to_numpy()))
    records = records.take(pa.array(order))

    parsed = parse(records)
    of_record = {name: records[name].take(parsed.transactions["record"]) for name in _FROM_RECORD}
    admission = admit(
        parsed.transactions,
        of_record["partition"].to_numpy(),
        of_record["timestamp"].to_numpy(),
        memory.progress,
        generation,
    )
    arrived = _payments(parsed.transactions, of_record, generation.number).take(pa.array(admission.admitted))

    first_new = len(memory.payments)
    payments = pa.concat_tables([memory.payments, arrived]).unify_dictionaries().combine_chunks()
    user = codes_of(payments, "user_id")
    repeats = find_repeats(payments, user, first_new)
    is_repeat = np.zeros(len(payments), dtype=np.bool_)
    is_repeat[repeats.duplicate] = True
    is_repeat[repeats.conflicting] = True
    rows = _payments_to_judge(payments, user, ~is_repeat, first_new, longest_window(generations))
    payments, alerts = apply_rules(payments, rows, user[rows], generations, batch_time)

    rejected = pa.concat_tables(
        [
            parsed.rejected,
            admission.rejected,
            _conflicts(payments, repeats.conflicting, first_new, parsed.transactions, admission.admitted),
        ]
    )
    measures = {
        "reused_id": repeats.reused_ids,
        "user_moved": _moves(payments, user, ~is_repeat, first_new),
    }
    counts = _count(records, rejected, payments, repeats, is_repeat, first_new)
    kept = payments.filter(pa.array(~is_repeat)) if is_repeat.any() else payments
    memory = memory.remember(kept, admission.progress, _retention(kept, generation, generations))
    measures["memory_rows"] = len(memory.payments)
    rows_given = pa.array(order).take(rejected["record"])
    rejected = rejected.set_column(0, "record", rows_given)
    return Outcome(memory, alerts, rejected, counts, measures)


_FROM_RECORD = ("partition", "offset", "timestamp")


def _payments(transactions: pa.Table, of_record: dict[str, pa.ChunkedArray], generation: int) -> pa.Table:
    size = len(transactions)
    columns = {
        "user_id": transactions["user_id"].dictionary_encode(),
        "currency": transactions["currency"].dictionary_encode(),
        "location": transactions["location"].dictionary_encode(),
        "timestamp": transactions["timestamp"],
        "transaction_id": transactions["transaction_id"],
        "amount": transactions["amount"],
        "ingested_at": of_record["timestamp"],
        "partition": of_record["partition"],
        "offset": of_record["offset"],
        "flags": pa.array(np.zeros(size, dtype=np.int64)),
        "generation": pa.array(np.full(size, generation, dtype=np.int32)),
    }
    return pa.table([columns[field.name] for field in PAYMENTS], schema=PAYMENTS)


def longest_window(generations: Sequence[Generation]) -> int:
    """How far back, in milliseconds, any rule looks; at least the payment's own millisecond."""
    return max([1, *(rule.window or 1 for each in generations for rule in each.rules.rules)])


def _payments_to_judge(
    payments: pa.Table, user: Integers, counts: Flags, first_new: int, reach: int
) -> Integers:
    """The rows that a new payment can have changed, and those that their windows of `reach` ms look back on;
    of those that count, by user, event time and arrival.

    What lies before a user's oldest new payment only is looked back on. Its own window may be cut here, so
    less may be observed of it than before; rules are monotone, so that flags nothing.
    """
    timestamp = payments["timestamp"].to_numpy()
    oldest_new = np.full(int(user.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(oldest_new, user[first_new:], timestamp[first_new:])
    rows = np.flatnonzero(counts & (timestamp > oldest_new[user] - reach))
    in_order: Integers = rows[np.lexsort((timestamp[rows], user[rows]))]
    return in_order


def apply_rules(
    payments: pa.Table, rows: Integers, user: Integers, generations: Sequence[Generation], batch_time: int
) -> tuple[pa.Table, pa.Table]:
    """`payments` with their new flags, and an alert for each new flag of `rows`."""
    generation = payments["generation"].to_numpy()[rows]
    all_flags = payments["flags"].to_numpy()
    flags = all_flags[rows]
    present = [g for g in generations if (generation == g.number).any()]
    history = History(
        user=user,
        timestamp=payments["timestamp"].to_numpy()[rows],
        amount=payments["amount"].to_numpy()[rows],
        rate=_rates(payments, rows, generation, present),
        location=codes_of(payments, "location")[rows],
    )
    flagged = []
    for each in present:
        own = generation == each.number
        for bit, rule in enumerate(each.rules.rules):
            if rule.enabled:
                observed = rule.observed(history)
                new = np.flatnonzero(own & (observed > rule.limit) & (flags >> bit & 1 == 0))
                flags[new] |= 1 << bit
                flagged.append(Flagged(rule, new, observed[new]))
    alerts = build_alerts(flagged, history, payments, rows, batch_time)
    if len(alerts):
        all_flags = all_flags.copy()
        all_flags[rows] = flags
        payments = payments.set_column(PAYMENTS.get_field_index("flags"), "flags", pa.array(all_flags))
    return payments, alerts


def _rates(payments: pa.Table, rows: Integers, generation: Integers, present: list[Generation]) -> Integers:
    names = payments["currency"].chunk(0).dictionary.to_pylist() if len(payments) else []
    currency = codes_of(payments, "currency")[rows]
    rates = np.zeros(len(rows), dtype=np.int64)
    for each in present:
        own = generation == each.number
        table = np.array([each.rules.rate_of(name) for name in names], dtype=np.int64)
        rates[own] = table[currency[own]]
    return rates


def _conflicts(
    payments: pa.Table, rows: Integers, first_new: int, transactions: pa.Table, admitted: Integers
) -> pa.Table:
    records = transactions["record"].to_numpy()[admitted[rows - first_new]]
    names = payments["transaction_id"].take(pa.array(rows)).to_pylist()
    why = (
        Rejected(Reason.CONFLICTING_DUPLICATE, f"{shown(name)} came before with other content")
        for name in names
    )
    return rejected_table(zip(records.tolist(), why, strict=True))


def _moves(payments: pa.Table, user: Integers, counts: Flags, first_new: int) -> int:
    """New payments of users whose payment before, by arrival, lay in another Kafka partition; of those that
    count."""
    partition = payments["partition"].to_numpy()
    last = np.full(int(user.max(initial=-1)) + 1, -1, dtype=partition.dtype)
    last[user[:first_new]] = partition[:first_new]  # of several rows of a user the last one stays
    arrived = first_new + np.flatnonzero(counts[first_new:])
    arrived = arrived[np.argsort(user[arrived], kind="stable")]
    before = np.empty(len(arrived), dtype=partition.dtype)
    before[1:] = partition[arrived[:-1]]
    begins = np.flatnonzero(np.diff(user[arrived], prepend=-1))
    before[begins] = last[user[arrived[begins]]]
    return int(np.count_nonzero((before >= 0) & (before != partition[arrived])))


def _retention(payments: pa.Table, generation: Generation, generations: Sequence[Generation]) -> int:
    """The longest retention that one of `payments`, or the next one to come, is judged under."""
    numbers = set(pc.unique(payments["generation"]).to_pylist()) | {generation.number}
    return max(each.retention for each in generations if each.number in numbers)


def _count(
    records: pa.Table,
    rejected: pa.Table,
    payments: pa.Table,
    repeats: Repeats,
    is_repeat: Flags,
    first_new: int,
) -> pa.Table:
    """How many records of each partition had which outcome."""
    partition = payments["partition"].to_numpy()
    outcomes = {
        EVALUATED: partition[first_new:][~is_repeat[first_new:]],
        DUPLICATE: partition[repeats.duplicate],
    }
    reasons = rejected["reason"].to_numpy()
    of_rejected = records["partition"].to_numpy()[rejected["record"].to_numpy()]
    for reason in pc.unique(rejected["reason"]).to_pylist():
        outcomes[reason] = of_rejected[reasons == reason]
    found = [
        (number, outcome, count)
        for outcome, where in outcomes.items()
        for number, count in zip(
            *(each.tolist() for each in np.unique(where, return_counts=True)), strict=True
        )
    ]
    columns = [list(column) for column in zip(*sorted(found), strict=True)] or [[], [], []]
    return pa.table(columns, schema=COUNTS)


def codes_of(payments: pa.Table, name: str) -> Integers:
    """The dictionary codes of a column in one chunk."""
    if not len(payments):
        return np.empty(0, dtype=np.int64)
    codes: Integers = payments[name].chunk(0).indices.to_numpy().astype(np.int64)
    return codes
