"""Decides for every Kafka record: a valid transaction, or rejected with its reason. The parsers' entry.

Usual records are read by the block, all others one by one; the answer is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraud.block_parser import FEWEST, parse_block
from fraud.record_parser import FIELDS, parse_record
from fraud.strict_json import shown
from fraud.transaction import REJECTED, TRANSACTIONS, Reason, Rejected, Transaction, rejected_table

BLOCK_RECORDS = 16_384
"""Records a block: with MAX_RECORD_BYTES in each it stays below the 2 GiB that Arrow's offsets reach."""


@dataclass(frozen=True)
class Parsed:
    """Every record once, in one of the two tables, each in ascending order of `record`."""

    transactions: pa.Table  # TRANSACTIONS
    rejected: pa.Table  # REJECTED


def parse(records: pa.Table | pa.RecordBatch) -> Parsed:
    """Judge `records` (RECORDS): contract, then key. `record` in the answer is the row in `records`.

    Each record is judged by itself; reasons that need more than that (`no_rate`, `timestamp_in_future`,
    `late`, `conflicting_duplicate`) are for others to find.
    """
    table = pa.Table.from_batches([records]) if isinstance(records, pa.RecordBatch) else records
    blocks = table.combine_chunks().to_batches(max_chunksize=BLOCK_RECORDS)
    transactions, rejected = [TRANSACTIONS.empty_table()], [REJECTED.empty_table()]
    start = 0
    for block in blocks:
        parsed = _check_keys(_parse_values(block["value"], block["original_size"]), block["key"])
        transactions.append(_moved(parsed.transactions, start))
        rejected.append(_moved(parsed.rejected, start))
        start += block.num_rows
    return Parsed(pa.concat_tables(transactions), pa.concat_tables(rejected))


def _parse_values(values: pa.BinaryArray, sizes: pa.Int64Array) -> Parsed:
    """One block, without regard to keys."""
    quick = TRANSACTIONS.empty_table()
    if len(values) >= FEWEST:
        quick = parse_block(values, sizes)
    left = np.ones(len(values), np.bool_)
    left[quick["record"].to_numpy()] = False
    rows = np.flatnonzero(left)
    valid: list[tuple[int, Transaction]] = []
    broken: list[tuple[int, Rejected]] = []
    for row, value, size in zip(
        rows.tolist(), values.take(rows).to_pylist(), sizes.take(rows).to_pylist(), strict=True
    ):
        answer = parse_record(value, size)
        if isinstance(answer, Transaction):
            valid.append((row, answer))
        else:
            broken.append((row, answer))
    return Parsed(_merged(quick, _transactions(valid)), rejected_table(broken))


def _check_keys(parsed: Parsed, keys: pa.BinaryArray) -> Parsed:
    """`parsed` without the transactions whose record is not keyed by user_id; they are rejected."""
    transactions = parsed.transactions
    users = transactions["user_id"].combine_chunks().cast(pa.binary())
    right = pc.equal(keys.take(transactions["record"].combine_chunks()), users).fill_null(False)
    wrong = transactions.filter(pc.invert(right))
    if wrong.num_rows == 0:
        return parsed
    rows = wrong["record"].to_pylist()
    answers = map(_wrong_key, keys.take(pa.array(rows)).to_pylist(), wrong["user_id"].to_pylist())
    found = rejected_table(list(zip(rows, answers, strict=True)))
    return Parsed(transactions.filter(right), _merged(parsed.rejected, found))


def _wrong_key(key: bytes | None, user_id: str) -> Rejected:
    if not key:
        return Rejected(Reason.KEY_MISSING, f"the record has no key, it must be user_id {shown(user_id)}")
    text = key[:64].decode(errors="backslashreplace")
    return Rejected(Reason.KEY_MISMATCH, f"key is {shown(text)}, user_id is {shown(user_id)}")


def _transactions(rows: Sequence[tuple[int, Transaction]]) -> pa.Table:
    fields = {name: [getattr(transaction, name) for _, transaction in rows] for name in FIELDS}
    return pa.table({"record": [row for row, _ in rows]} | fields, schema=TRANSACTIONS)


def _merged(some: pa.Table, others: pa.Table) -> pa.Table:
    together = pa.concat_tables([some, others]).combine_chunks()
    records = together["record"].to_numpy()
    if (records[1:] > records[:-1]).all():
        return together
    return together.take(pa.array(np.argsort(records)))


def _moved(table: pa.Table, start: int) -> pa.Table:
    return table.set_column(0, table.schema.field(0), pc.add(table["record"], start))
