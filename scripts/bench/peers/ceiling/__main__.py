"""Blocks of up to 100,000 records: pyarrow.json, then the rules by sorting and searching all users at once.

It has none of what a pipeline needs: it checks no record, keeps no evidence, and what it knows dies with it.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from confluent_kafka import Consumer, Message, Producer

from scripts.bench.peers.given import given
from scripts.bench.peers.user_history import HIGH_AMOUNT, LATEST, LOCATIONS_WINDOW, VELOCITY, VELOCITY_WINDOW

_BLOCK = 100_000
_TIME_BITS = 42
_DAY = 86_400_000
_IS_HIGH, _IS_FAST, _HAS_MOVED = 1, 2, 4  # told already
_AMOUNT_IS_HIGH = 8
_RULES = ((_IS_HIGH, "high_amount"), (_IS_FAST, "velocity"), (_HAS_MOVED, "multiple_locations"))

_SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("user_id", pa.string()),
        ("amount", pa.float64()),
        ("location", pa.string()),
        ("timestamp", pa.int64()),
    ]
)
_READ = pa.json.ReadOptions(block_size=8 << 20)
_PARSE = pa.json.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")


class Rows(NamedTuple):
    """Payments sorted by `key`: the user's number above the event time. All arrays have one length."""

    key: np.ndarray
    place: np.ndarray
    flags: np.ndarray
    ids: np.ndarray

    def only(self, which: np.ndarray) -> "Rows":
        """Some of them."""
        return Rows(*(column[which] for column in self))


class Ceiling:
    """What is remembered between blocks."""

    def __init__(self) -> None:
        self._users: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._newest: dict[int, int] = {}
        self._base: int | None = None
        self._rows = Rows(*(np.empty(0, kind) for kind in (np.int64, np.int64, np.int8, object)))

    def judge(self, messages: list[Message]) -> Iterator[tuple[str, str]]:
        """Take a block of records: the pairs of (rule, transaction) that it flags."""
        lines = b"\n".join([message.value() or b"" for message in messages])
        block = pa.json.read_json(pa.BufferReader(lines), _READ, _PARSE)
        times = block["timestamp"].to_numpy()
        if self._base is None:
            self._base = int(times.min()) - _DAY
        self._remember_newest(messages, times)
        rows = self._with(block, times)
        flags = _flags(rows)
        new = flags & ~rows.flags
        for flag, rule_id in _RULES:
            for transaction_id in rows.ids[new & flag > 0]:
                yield rule_id, transaction_id
        self._rows = self._recent(rows._replace(flags=rows.flags | flags))

    def _with(self, block: pa.Table, times: np.ndarray) -> Rows:
        users = _numbers(block["user_id"], self._users)
        high = np.where(block["amount"].to_numpy() > HIGH_AMOUNT, _AMOUNT_IS_HIGH, 0)
        new = Rows(
            (users << _TIME_BITS) | (times - self._base),
            _numbers(block["location"], self._places),
            high.astype(np.int8),
            block["transaction_id"].to_numpy(),
        )
        both = Rows(*(np.concatenate(columns) for columns in zip(self._rows, new, strict=True)))
        return _without_repeats(both.only(np.argsort(both.key, kind="stable")))

    def _remember_newest(self, messages: list[Message], times: np.ndarray) -> None:
        partitions = np.fromiter((message.partition() for message in messages), np.int64, len(messages))
        for partition in np.unique(partitions).tolist():
            newest = int(times[partitions == partition].max())
            self._newest[partition] = max(newest, self._newest.get(partition, newest))

    def _recent(self, rows: Rows) -> Rows:
        oldest = min(self._newest.values()) - LOCATIONS_WINDOW - LATEST - (self._base or 0)
        return rows.only((rows.key & ((1 << _TIME_BITS) - 1)) >= oldest)


def _numbers(texts: pa.ChunkedArray, known: dict[str, int]) -> np.ndarray:
    """A number for each distinct text, the same in every block."""
    encoded = pc.dictionary_encode(texts.combine_chunks())
    numbers = [known.setdefault(text, len(known)) for text in encoded.dictionary.to_pylist()]
    numbered: np.ndarray = np.array(numbers, dtype=np.int64)[encoded.indices.to_numpy()]
    return numbered


def _without_repeats(rows: Rows) -> Rows:
    """Without payments that were sent again: same user, time and id. The first one stays."""
    same = np.flatnonzero(rows.key[1:] == rows.key[:-1])
    if not len(same):
        return rows
    seen: set[tuple[int, Any]] = set()
    keep = np.ones(len(rows.key), dtype=bool)
    for index in np.union1d(same, same + 1).tolist():
        identity = int(rows.key[index]), rows.ids[index]
        keep[index] = identity not in seen
        seen.add(identity)
    return rows.only(keep)


def _flags(rows: Rows) -> np.ndarray:
    """The flags of each row by the rules, by what is there now."""
    key, place = rows.key, rows.place
    end = np.searchsorted(key, key, "right")
    payments = end - np.searchsorted(key, key - VELOCITY_WINDOW + 1, "left")
    begin = np.searchsorted(key, key - LOCATIONS_WINDOW + 1, "left")
    changes = np.zeros(len(key), dtype=np.int64)
    changes[1:] = np.cumsum(place[1:] != place[:-1])
    fast = np.where(payments > VELOCITY, _IS_FAST, 0)
    moved = np.where(changes[end - 1] > changes[begin], _HAS_MOVED, 0)
    high = np.where(rows.flags & _AMOUNT_IS_HIGH, _IS_HIGH, 0)
    flags: np.ndarray = (high | fast | moved).astype(np.int8)
    return flags


def main() -> None:
    """Run until somebody kills it."""
    place = given()
    consumer = Consumer(
        {
            "bootstrap.servers": place.broker,
            "group.id": place.group,
            "auto.offset.reset": "earliest",
            "queued.min.messages": 1_000_000,
            "queued.max.messages.kbytes": 256 * 1024,
        }
    )
    consumer.subscribe([place.topic])
    producer = Producer({"bootstrap.servers": place.broker, "linger.ms": 5})
    ceiling = Ceiling()
    messages: list[Message] = []
    while True:
        is_behind = len(messages) > _BLOCK // 10  # then larger blocks cost less, else an alert waits for them
        messages = consumer.consume(_BLOCK, timeout=0.5 if is_behind else 0.02)
        for message in messages:
            if message.error():
                raise SystemExit(str(message.error()))
        if not messages:
            continue
        for rule_id, transaction_id in ceiling.judge(messages):
            alert = f'{{"rule_id":"{rule_id}","transaction_id":"{transaction_id}"}}'
            producer.produce(place.alerts, alert.encode())
        producer.poll(0)


if __name__ == "__main__":
    main()
