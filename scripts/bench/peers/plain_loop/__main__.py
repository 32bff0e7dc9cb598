"""One process, one consumer, one dict. Its offsets are committed as it goes, its memory is not."""

from collections import defaultdict
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer

from scripts.bench.peers.given import given
from scripts.bench.peers.user_history import judge


def main() -> None:
    """Run until somebody kills it."""
    place = given()
    consumer = Consumer(
        {"bootstrap.servers": place.broker, "group.id": place.group, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([place.topic])
    producer = Producer({"bootstrap.servers": place.broker, "linger.ms": 5})
    histories: defaultdict[str, list[list[Any]]] = defaultdict(list)
    while True:
        for message in consumer.consume(2_000, timeout=0.02):
            if message.error():
                raise SystemExit(str(message.error()))
            payment = orjson.loads(message.value() or b"")
            user_id, timestamp = payment["user_id"], payment["timestamp"]
            flags = judge(
                histories[user_id],
                payment["transaction_id"],
                timestamp,
                payment["amount"],
                payment["location"],
            )
            for rule_id, transaction_id in flags:
                alert = {"rule_id": rule_id, "transaction_id": transaction_id, "user_id": user_id}
                producer.produce(place.alerts, orjson.dumps(alert), user_id)
        producer.poll(0)


if __name__ == "__main__":
    main()
