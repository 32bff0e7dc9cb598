"""Bytewax: `python -m bytewax.run scripts.bench.peers.bytewax.flow:flow`; no recovery, as by default."""

from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow

from scripts.bench.peers.given import given
from scripts.bench.peers.user_history import judge

# Larger batches than the default of 1,000 cost less; a batch is cut off when nothing more is there.
_BATCH = 5_000

Histories = list[list[Any]]


def read(message: KafkaSourceMessage) -> tuple[str, dict[str, Any]]:
    """The payment of a record, by its user."""
    payment = orjson.loads(message.value)
    return payment["user_id"], payment


def flagged(history: Histories | None, payment: dict[str, Any]) -> tuple[Histories, list[dict[str, str]]]:
    """The user's history with the payment in it, and the alerts."""
    history = [] if history is None else history
    flags = judge(
        history,
        payment["transaction_id"],
        payment["timestamp"],
        payment["amount"],
        payment["location"],
    )
    return history, [{"rule_id": rule_id, "transaction_id": each} for rule_id, each in flags]


def written(alert: tuple[str, dict[str, str]]) -> KafkaSinkMessage:
    """An alert as a record, keyed by its user."""
    user_id, content = alert
    return KafkaSinkMessage(user_id.encode(), orjson.dumps(content | {"user_id": user_id}))


place = given()
flow = Dataflow("fraud")
records = op.input(
    "payments",
    flow,
    # a source that waits holds up the worker: 50 ms instead of the client's 500
    KafkaSource([place.broker], [place.topic], batch_size=_BATCH, add_config={"fetch.wait.max.ms": "50"}),
)
payments = op.map("read", records, read)
alerts = op.stateful_flat_map("rules", payments, flagged)
op.output("alerts", op.map("written", alerts, written), KafkaSink([place.broker], place.alerts))
