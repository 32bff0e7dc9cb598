"""The shape of the archive: every valid payment with its place in Kafka, for analysts and later judgement."""

import pyarrow as pa

from fraud.alert import ALERTS
from fraud.arrays import decimals
from fraud.parsing import Parsed

FOLDER = "transactions/"
"""Where the archive lies, below the object store's prefix."""

PROGRESS_FOLDER = f"{FOLDER}_progress/"
"""How far it has come, an object a topic. Readers of Parquet folders skip names that begin like that."""

_TIME = pa.timestamp("ms", "UTC")

ARCHIVED = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("user_id", pa.string()),
        ("amount", ALERTS.field("amount").type),  # decimal, of `currency`
        ("currency", pa.string()),
        ("location", pa.string()),  # trimmed and NFC, as the rules compare it
        ("timestamp", _TIME),  # event time
        ("partition", pa.int32()),  # with `offset` the record's place in the topic: there once
        ("offset", pa.int64()),
        ("ingested_at", _TIME),  # the record's Kafka time
    ]
)
"""One row a valid record: what `fraud.parsing` lets pass. Whether it is a duplicate, contradicts an earlier
record, is late, from the future or without a rate is judged elsewhere; here they all are."""


def archived(records: pa.RecordBatch, parsed: Parsed) -> pa.Table:
    """The rows of ARCHIVED for the transactions `parsed` found in `records` (RECORDS), in their order."""
    transactions = parsed.transactions.combine_chunks()
    own = records.take(transactions["record"].combine_chunks())
    columns = {
        **{name: transactions[name] for name in ("transaction_id", "user_id", "currency", "location")},
        "amount": decimals(transactions["amount"].to_numpy(), ARCHIVED.field("amount").type),
        "timestamp": transactions["timestamp"].cast(_TIME),
        "partition": own["partition"],
        "offset": own["offset"],
        "ingested_at": own["timestamp"].cast(_TIME),
    }
    return pa.table([columns[name] for name in ARCHIVED.names], schema=ARCHIVED)
