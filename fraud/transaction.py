"""The shapes on the way in: a Kafka record, a valid transaction, a rejected record."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

MAX_RECORD_BYTES = 64 * 1024
"""A longer value is `oversized` and never parsed."""

MAX_AMOUNT = 1_000_000_000
"""Largest amount, in cents of its currency: 10,000,000.00."""

MIN_TIMESTAMP = 946_684_800_000
"""2000-01-01T00:00:00Z in epoch milliseconds. An earlier event time is seconds sent as milliseconds."""


class Reason(StrEnum):
    """Why a record is rejected: the closed list of `transactions-rejected`'s header `reason`."""

    NOT_JSON = "not_json"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_CURRENCY = "unknown_currency"
    NO_RATE = "no_rate"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    OVERSIZED = "oversized"
    KEY_MISSING = "key_missing"
    KEY_MISMATCH = "key_mismatch"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    LATE = "late"


@dataclass(frozen=True)
class Transaction:
    """One valid card payment. `amount` is in cents of `currency`, `timestamp` in epoch milliseconds."""

    transaction_id: str
    user_id: str
    amount: int
    currency: str
    location: str
    timestamp: int


@dataclass(frozen=True)
class Rejected:
    """A record that breaks the contract: why, and one sentence of detail for a person."""

    reason: Reason
    detail: str


RECORDS = pa.schema(
    [
        ("key", pa.binary()),
        ("value", pa.binary()),  # of an oversized record the first MAX_RECORD_BYTES; null for a tombstone
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("timestamp", pa.int64()),  # the record's Kafka time, epoch milliseconds
        ("original_size", pa.int64()),  # bytes of the whole value; 0 for a tombstone
    ]
)
"""One row a Kafka record."""

TRANSACTIONS = pa.schema(
    [
        ("record", pa.int64()),  # row of the record in RECORDS
        ("transaction_id", pa.string()),
        ("user_id", pa.string()),
        ("amount", pa.int64()),  # cents
        ("currency", pa.string()),
        ("location", pa.string()),
        ("timestamp", pa.int64()),  # event time, epoch milliseconds
    ]
)
"""One row a valid transaction."""

REJECTED = pa.schema(
    [
        ("record", pa.int64()),  # row of the record in RECORDS
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
"""One row a rejected record."""


def rejected_table(rows: Iterable[tuple[int, Rejected]]) -> pa.Table:
    """REJECTED of (row of the record, why)."""
    rows = list(rows)
    columns = {
        "record": [record for record, _ in rows],
        "reason": [rejected.reason.value for _, rejected in rows],
        "detail": [rejected.detail for _, rejected in rows],
    }
    return pa.table(columns, schema=REJECTED)
