"""Records that break the contract, one way each, with the reason the pipeline must give for rejecting it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fraud.transaction import MAX_RECORD_BYTES, Reason, Transaction
from producer.encoding import encode, encode_fields, fields, text

_FIFTY_YEARS = 50 * 365 * 86_400_000

Parts = dict[str, str]
"""The fields of a sound record as JSON text."""

Change = Callable[[Transaction, Parts], bytes | None]


def _unchanged(_: Transaction, parts: Parts) -> bytes:
    return encode_fields(parts)


@dataclass(frozen=True)
class Malformation:
    """One way to be malformed. `change` gives the value, None for none at all; `key` the record's key."""

    name: str
    reason: Reason
    change: Change = _unchanged
    key: Callable[[bytes], bytes | None] = lambda key: key


def malform(how: Malformation, transaction: Transaction, iso: bool) -> tuple[bytes | None, bytes | None]:
    """Key and value of `transaction` with the defect."""
    return how.key(transaction.user_id.encode()), how.change(transaction, fields(transaction, iso))


def contradict(transaction: Transaction, iso: bool) -> bytes:
    """The value of a record of the same identity with other content."""
    return encode(replace(transaction, amount=transaction.amount + 1), iso)


def _with(name: str, spell: Callable[[str], str]) -> Change:
    return lambda _, parts: encode_fields(parts | {name: spell(parts[name])})


def _at(move: Callable[[int], int]) -> Change:
    return lambda payment, parts: encode_fields(parts | {"timestamp": str(move(payment.timestamp))})


def _without(name: str) -> Change:
    return lambda _, parts: encode_fields({field: parts[field] for field in parts if field != name})


def _truncated(_: Transaction, parts: Parts) -> bytes:
    whole = encode_fields(parts)
    return whole[: len(whole) * 2 // 3]


def _oversized(_: Transaction, parts: Parts) -> bytes:
    return encode_fields(parts | {"note": text("x" * (MAX_RECORD_BYTES + 1))})


def _invalid_utf8(_: Transaction, parts: Parts) -> bytes:
    return encode_fields(parts | {"location": '"M\udcfcnchen"'})  # Latin-1, not UTF-8


MALFORMATIONS = (
    Malformation("truncated", Reason.NOT_JSON, _truncated),
    Malformation("missing_field", Reason.MISSING_FIELD, _without("amount")),
    Malformation("quoted_amount", Reason.WRONG_TYPE, _with("amount", lambda amount: f'"{amount}"')),
    Malformation("negative_amount", Reason.OUT_OF_RANGE, _with("amount", lambda amount: f"-{amount}")),
    Malformation("unknown_currency", Reason.UNKNOWN_CURRENCY, _with("currency", lambda _: '"ZZZ"')),
    Malformation("key_missing", Reason.KEY_MISSING, key=lambda _: None),
    Malformation("key_mismatch", Reason.KEY_MISMATCH, key=lambda key: b"not-" + key),
    Malformation("far_future", Reason.TIMESTAMP_IN_FUTURE, _at(lambda time: time + _FIFTY_YEARS)),
    Malformation("seconds_for_milliseconds", Reason.OUT_OF_RANGE, _at(lambda time: time // 1000)),
    Malformation("oversized", Reason.OVERSIZED, _oversized),
    Malformation("not_json", Reason.NOT_JSON, lambda *_: b"payment accepted, thank you"),
    Malformation("three_decimals", Reason.OUT_OF_RANGE, _with("amount", lambda amount: f"{amount}5")),
    Malformation("currency_without_rate", Reason.NO_RATE, _with("currency", lambda _: '"XPF"')),
    Malformation("invalid_utf8", Reason.NOT_JSON, _invalid_utf8),
    Malformation("location_as_list", Reason.WRONG_TYPE, _with("location", lambda city: f"[{city}]")),
    Malformation("tombstone", Reason.NOT_JSON, lambda *_: None),
)
"""They take turns in the stream, in this order."""
