"""A transaction as the bytes of its record: the contract's JSON, in UTF-8 without escapes."""

import json

import numpy as np

from fraud.transaction import Transaction
from producer.schedule import Integers

_JSON = json.JSONEncoder(ensure_ascii=False)


def encode(transaction: Transaction, iso: bool = False) -> bytes:
    """The record's value. `iso` writes the event time as ISO 8601 in UTC instead of epoch milliseconds."""
    return encode_fields(fields(transaction, iso))


def fields(transaction: Transaction, iso: bool = False) -> dict[str, str]:
    """The six fields of the contract, each as JSON text, in the order they are written."""
    return {
        "transaction_id": text(transaction.transaction_id),
        "user_id": text(transaction.user_id),
        "amount": money(transaction.amount),
        "currency": text(transaction.currency),
        "location": text(transaction.location),
        "timestamp": times_as_json(np.array([transaction.timestamp]), iso)[0],
    }


def encode_fields(fields: dict[str, str]) -> bytes:
    """One JSON object of `fields`, whose values are JSON text already.

    A byte that was no UTF-8 where it came from (Python's surrogateescape) is that byte again.
    """
    members = ",".join(f'"{name}":{value}' for name, value in fields.items())
    return f"{{{members}}}".encode(errors="surrogateescape")


def money(cents: int) -> str:
    """Cents as a JSON number with two decimals: 999 -> 9.99."""
    return f"{cents // 100}.{cents % 100:02d}"


def text(value: str) -> str:
    """A JSON string, escaped only where JSON demands it."""
    return _JSON.encode(value)


def times_as_json(times: Integers, iso: bool) -> list[str]:
    """Epoch milliseconds as JSON: numbers, or strings such as "2026-03-01T12:00:00.000Z"."""
    if iso:
        return [f'"{time}Z"' for time in np.datetime_as_string(times.astype("datetime64[ms]")).tolist()]
    return [str(time) for time in times.tolist()]
