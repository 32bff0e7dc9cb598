"""One payment is one (user_id, transaction_id, timestamp): finds the repeats among a bucket's payments."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.arrays import Integers


@dataclass(frozen=True)
class Repeats:
    """Which new rows repeat an earlier one, and how often a known id came back at another time."""

    duplicate: Integers  # rows equal to an earlier one
    conflicting: Integers  # rows with the identity of an earlier one, but other content
    reused_ids: int


def find_repeats(payments: pa.Table, user: Integers, first_new: int) -> Repeats:
    """Repeats among `payments` (schema PAYMENTS, one chunk, in order of arrival).

    `user` has a number for each row. Rows from `first_new` on arrived in this micro-batch; the others do not
    repeat each other. Of two with the same identity the earlier arrival stays.
    """
    known, arrived = payments["transaction_id"][:first_new], payments["transaction_id"][first_new:]
    met_again = np.flatnonzero(pc.is_in(known, value_set=arrived.combine_chunks()).to_numpy())
    candidates = np.concatenate((met_again, np.arange(first_new, len(payments))))
    names = payments["transaction_id"].take(pa.array(candidates)).combine_chunks().dictionary_encode()
    transaction = names.indices.to_numpy().astype(np.int64)
    # Few ids are there more than once, by any user: only these rows are worth sorting.
    again = np.flatnonzero(np.bincount(transaction)[transaction] > 1)
    candidates, transaction = candidates[again], transaction[again]
    user = user[candidates]
    timestamp = payments["timestamp"].to_numpy()[candidates]

    by_id = np.lexsort((candidates, timestamp, transaction, user))
    same_id = _equal_to_previous(user, by_id) & _equal_to_previous(transaction, by_id)
    same_time = _equal_to_previous(timestamp, by_id)
    repeat = same_id & same_time

    # The first of each run of equal identities is what its repeats are compared with.
    run_start = np.maximum.accumulate(np.where(repeat, 0, np.arange(len(candidates))))
    original = by_id[run_start]
    equal = np.ones(len(candidates), dtype=np.bool_)
    for name in ("amount", "currency", "location"):
        content = _content(payments, name)[candidates]
        equal &= content[by_id] == content[original]

    # An id at n times came back n - 1 times; each newly arrived time but the first of all counts.
    run = np.cumsum(~same_id) - 1
    times = np.bincount(run[~repeat])
    new_times = np.bincount(run[~repeat & (candidates[by_id] >= first_new)], minlength=len(times))
    return Repeats(
        duplicate=candidates[by_id[repeat & equal]],
        conflicting=candidates[by_id[repeat & ~equal]],
        reused_ids=int(np.minimum(new_times, times - 1).sum()),
    )


def _equal_to_previous(values: Integers, order: Integers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    result = np.zeros(len(order), dtype=np.bool_)
    result[1:] = values[order[1:]] == values[order[:-1]]
    return result


def _content(payments: pa.Table, name: str) -> Integers:
    column = payments[name].combine_chunks()
    values: Integers = (column.indices if pa.types.is_dictionary(column.type) else column).to_numpy()
    return values
