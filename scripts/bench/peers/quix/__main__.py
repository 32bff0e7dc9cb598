"""Quix Streams as its documentation shows it: `apply(stateful=True)`; its defaults, which are durable."""

from typing import Any

from quixstreams import Application, State

from scripts.bench.peers.given import given
from scripts.bench.peers.user_history import judge


def flagged(payment: dict[str, Any], state: State) -> list[dict[str, str]]:
    """The alerts of a payment, with its user's history in `state`."""
    history = state.get("history", [])
    flags = judge(
        history,
        payment["transaction_id"],
        payment["timestamp"],
        payment["amount"],
        payment["location"],
    )
    state.set("history", history)
    return [
        {"rule_id": rule_id, "transaction_id": transaction_id, "user_id": payment["user_id"]}
        for rule_id, transaction_id in flags
    ]


def main() -> None:
    """Run until somebody stops it."""
    place = given()
    application = Application(
        broker_address=place.broker,
        consumer_group=place.group,
        auto_offset_reset="earliest",
        state_dir=place.state,
    )
    payments = application.topic(place.topic, key_deserializer="str", value_deserializer="json")
    alerts = application.topic(place.alerts, key_serializer="str", value_serializer="json")
    stream = application.dataframe(payments)
    stream.apply(flagged, stateful=True, expand=True).to_topic(alerts)
    application.run()


if __name__ == "__main__":
    main()
