"""The oracle's own reading of the contract: Kafka records in, valid payments or reasons out.

It shares no code with `fraud/`, only the table of currency codes.
"""

import base64
import json
import re
import time
import unicodedata
from collections.abc import Container, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from fraud.currencies import CURRENCIES


class Sent(NamedTuple):
    """A record as it lies in Kafka; times in epoch milliseconds."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Payment(NamedTuple):
    """A valid record."""

    partition: int
    offset: int
    bucket: int
    transaction_id: str
    user_id: str
    amount: int  # cents
    currency: str
    location: str
    timestamp: int


class Archived(NamedTuple):
    """A valid record as the archive must hold it; times in epoch milliseconds."""

    partition: int
    offset: int
    transaction_id: str
    user_id: str
    amount: int  # cents
    currency: str
    location: str
    timestamp: int
    ingested_at: int


def archived_records(records: Iterable[Sent]) -> Iterator[Archived]:
    """Those of `records` that meet the contract, whatever the rules and settings say of them."""
    for record in records:
        payment = read_payment(record, CURRENCIES, 2**62, 1)  # every currency has a rate, no time is too late
        if isinstance(payment, Payment):
            own = {name: value for name, value in payment._asdict().items() if name in Archived._fields}
            yield Archived(**own, ingested_at=record.timestamp)


def read_log(paths: Iterable[Path]) -> Iterator[Sent]:
    """The records of the producer's logs; of a producer killed while it wrote, up to its last whole line."""
    for path in paths:
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                entry = json.loads(line)
                yield Sent(
                    entry["partition"],
                    entry["offset"],
                    entry["timestamp"],
                    _bytes(entry, "key"),
                    _bytes(entry, "value"),
                )


def read_transactions(path: Path) -> Iterator[Sent]:
    """A file of transactions, one JSON object a line, as one Kafka partition that got them now, in order.

    So a transaction of the future is rejected as such when this is read, as when it is sent.
    """
    now = time.time_ns() // 1_000_000
    with path.open("rb") as lines:
        for offset, line in enumerate(lines):
            value = line.rstrip(b"\r\n")
            try:
                user = json.loads(value)["user_id"]
                key = user.encode() if isinstance(user, str) else None
            except (ValueError, TypeError, KeyError, RecursionError):
                key = None
            yield Sent(0, offset, now, key, value)


def _bytes(entry: dict[str, str | None], name: str) -> bytes | None:
    """Bytes that are no UTF-8 stand in the log as base64, under another name."""
    if f"{name}_base64" in entry:
        return base64.b64decode(entry[f"{name}_base64"] or "")
    text = entry[name]
    return None if text is None else text.encode()


_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (offsets are taken off by hand)
_DEEPEST = 100
_FIELDS = {"transaction_id", "user_id", "amount", "currency", "location", "timestamp"}
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Number(str):
    """A JSON number, as written."""

    __slots__ = ()


def read_payment(record: Sent, currencies: Container[str], clock_skew: int, buckets: int) -> Payment | str:
    """The payment of a record, or the reason why it is rejected.

    `currencies` have a rate; `clock_skew` (ms) is how far an event may be ahead of its Kafka time.
    """
    value = record.value
    if value is not None and len(value) > 65_536:
        return "oversized"
    try:
        members = _DECODER.decode((value or b"").decode("utf-8"))
    except (ValueError, RecursionError):
        return "not_json"
    if not isinstance(members, _Object):
        return "not_json"
    if _depth(members) > _DEEPEST:
        return "not_json"
    names = [name for name, _ in members]
    fields = dict(members)
    if len(fields) < len(names) and any(names.count(name) > 1 for name in _FIELDS):
        return "not_json"
    if any(_SURROGATE.search(str(fields.get(name))) for name in _FIELDS):
        return "not_json"
    if not fields.keys() >= _FIELDS:
        return "missing_field"
    texts = [_text(fields[name]) for name in ("transaction_id", "user_id", "currency", "location")]
    amount, timestamp = fields["amount"], _time(fields["timestamp"])
    if None in texts or timestamp is None or not isinstance(amount, _Number) or "e" in amount.lower():
        return "wrong_type"
    transaction_id, user_id, currency, location = (text or "" for text in texts)
    location = _place(location)
    cents = _cents(amount)
    lengths_fit = 0 < len(transaction_id) <= 64 and 0 < len(user_id) <= 64 and 0 < len(location) <= 128
    in_years = 946_684_800_000 <= timestamp < 253_402_300_800_000  # from 2000 to 9999
    if cents is None or not 0 < cents <= 1_000_000_000 or not in_years or not lengths_fit:
        return "out_of_range"
    if currency not in CURRENCIES:
        return "unknown_currency"
    if not record.key:
        return "key_missing"
    if record.key != user_id.encode():
        return "key_mismatch"
    if currency not in currencies:
        return "no_rate"
    if timestamp > record.timestamp + clock_skew:
        return "timestamp_in_future"
    bucket = bucket_of(record.key, buckets)
    return Payment(
        record.partition, record.offset, bucket, transaction_id, user_id, cents, currency, location, timestamp
    )


def bucket_of(key: bytes, buckets: int) -> int:
    """The bucket Spark puts a key in: pmod(xxhash64(key), buckets), with Spark's seed."""
    unsigned: int = xxhash.xxh64(key, seed=42).intdigest()
    signed = unsigned - 2**64 if unsigned >= 2**63 else unsigned
    return signed % buckets


class _Object(list[tuple[str, object]]):
    """A JSON object as its members, repeats and all."""


def _depth(members: _Object) -> int:
    """How deep objects and arrays lie in each other; 1 for a flat object."""
    deepest, level = 0, list[list[Any]]([members])
    while level:
        deepest += 1
        inner = (value for each in level for value in _values(each))
        level = [value for value in inner if isinstance(value, list)]
    return deepest


def _values(container: list[Any]) -> list[Any]:
    return [value for _, value in container] if isinstance(container, _Object) else container


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_refuse
)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and not isinstance(value, _Number) else None


@lru_cache(1_000)
def _place(location: str) -> str:
    return unicodedata.normalize("NFC", location).strip()


def _cents(amount: object) -> int | None:
    """Cents of an amount in plain notation with at most two decimals, else None."""
    match = _NUMBER.fullmatch(str(amount))
    if not match or len(match[1]) > 18 or len(match[2] or "") > 2:
        return None
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def _time(value: object) -> int | None:
    """Epoch milliseconds of an integer or an ISO 8601 text with an offset, else None."""
    if isinstance(value, _Number):
        return int(value[:18]) if re.fullmatch(r"-?\d+", value) else None
    match = _ISO.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return None
    minutes, seconds, fraction, sign, hour, minute = match.groups(default="00")
    try:
        local = datetime.fromisoformat(f"{minutes}:{seconds}") - _EPOCH
    except ValueError:
        return None
    if int(hour) > 23 or int(minute) > 59:
        return None
    offset = (int(hour) * 60 + int(minute)) * (-60 if sign == "-" else 60)
    return (local.days * 86_400 + local.seconds - offset) * 1000 + int(fraction.ljust(3, "0")[:3])
