"""The shape on the way out: an alert with the evidence a person or a program needs to check it."""

import hashlib

import orjson
import pyarrow as pa

MAX_EVIDENCE = 10
"""Contributing transactions an alert lists at most; `evidence_count` says how many there were."""

_MONEY = pa.decimal128(12, 2)
_MEASURE = pa.decimal128(18, 2)
_TIME = pa.timestamp("ms", "UTC")

EVIDENCE = pa.struct(
    [
        ("transaction_id", pa.string()),
        ("timestamp", _TIME),
        ("amount", _MONEY),
        ("currency", pa.string()),
        ("location", pa.string()),
    ]
)

ALERTS = pa.schema(
    [
        ("alert_id", pa.string()),
        ("rule_id", pa.string()),
        ("rule_version", pa.int32()),
        ("severity", pa.string()),
        ("user_id", pa.string()),
        ("transaction_id", pa.string()),
        ("transaction_timestamp", _TIME),
        ("amount", _MONEY),
        ("currency", pa.string()),
        ("rate", pa.decimal128(18, 6)),  # euros for one unit of `currency`
        ("location", pa.string()),
        ("observed", _MEASURE),  # euros, payments or locations, by the rule's kind; as known at emission
        ("threshold", _MEASURE),  # the rule fires when `observed` is greater
        ("window_start", _TIME),  # exclusive; null for a rule without a window
        ("window_end", _TIME),  # inclusive; null for a rule without a window
        ("evidence", pa.list_(EVIDENCE)),  # the flagged transaction first, then the newest
        ("evidence_count", pa.int64()),  # contributing transactions in all
        ("detected_at", _TIME),  # the micro-batch's time, from the offset log: the same on replay
        ("ingested_at", _TIME),  # Kafka time of the newest arrival among the contributing payments
        ("reconciled_at", _TIME),  # when `jobs.reconcile` found it, the same as detected_at; else null
    ]
)
"""One row an alert, in Parquet; as JSON with plain numbers and epoch milliseconds."""


def alert_id(rule_id: str, user_id: str, transaction_id: str, timestamp: int) -> str:
    """The first 128 bits, in hex, of SHA-256 over the JSON array of the four arguments."""
    identity = orjson.dumps([rule_id, user_id, transaction_id, timestamp])
    return hashlib.sha256(identity).hexdigest()[:32]
