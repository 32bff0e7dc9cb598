"""Decides what a single Kafka value says: a transaction, or why it is none. The definitive reading.

`fraud.block_parser` reads many records faster and may only agree. Reasons are decided in this order:
`oversized`, `not_json`, `missing_field`, `wrong_type`, `out_of_range`, `unknown_currency`.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

from fraud.currencies import CURRENCIES
from fraud.strict_json import Fraction, Integer, NotJsonError, Object, decode_object, shown
from fraud.transaction import MAX_AMOUNT, MAX_RECORD_BYTES, MIN_TIMESTAMP, Reason, Rejected, Transaction

FIELDS = ("transaction_id", "user_id", "amount", "currency", "location", "timestamp")
"""The names a transaction must have. All others are ignored, whatever they hold."""

MAX_ID = 64
"""Longest transaction_id and user_id, in characters."""

MAX_LOCATION = 128
"""Longest location, in characters, once normalised."""

MAX_TIMESTAMP = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z in epoch milliseconds. A later event time is a finer unit sent as milliseconds."""


def parse_record(value: bytes | None, original_size: int) -> Transaction | Rejected:
    """The transaction in `value`, or why there is none, in at most 100 printable characters.

    `original_size`: bytes of the whole Kafka value, of which `value` may be the start.
    """
    try:
        return _transaction(_contract_fields(value, original_size))
    except _BrokenContract as broken:
        return Rejected(broken.reason, broken.detail)


def normalise_location(location: str) -> str:
    """The form in which locations are compared: Unicode NFC without white space around it.

    A text that is too long in any form is only trimmed.
    """
    trimmed = location.strip()
    # No character is made of more than four. Thousands of combining marks would take NFC seconds to sort.
    return trimmed if len(trimmed) > 4 * MAX_LOCATION else unicodedata.normalize("NFC", trimmed)


class _BrokenContract(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


_SURROGATE = re.compile("[\ud800-\udfff]")


def _contract_fields(value: bytes | None, original_size: int) -> dict[str, Any]:
    if original_size > MAX_RECORD_BYTES:
        raise _BrokenContract(
            Reason.OVERSIZED, f"the value has {original_size} bytes, at most {MAX_RECORD_BYTES} are read"
        )
    if not value:
        raise _BrokenContract(
            Reason.NOT_JSON,
            "the record has no value (a tombstone)" if value is None else "the value is empty",
        )
    try:
        members = decode_object(value)
    except NotJsonError as error:
        raise _BrokenContract(Reason.NOT_JSON, str(error)) from None
    fields = dict(members)
    if len(fields) < len(members):
        _refuse_repeated(members)
    if b"\\" in value:  # only an escape can write half of a pair
        _refuse_surrogates(fields)
    return fields


def _refuse_repeated(members: Object) -> None:
    names = [name for name, _ in members]
    for name in FIELDS:
        if names.count(name) > 1:
            raise _BrokenContract(Reason.NOT_JSON, f"{name} comes more than once")


def _refuse_surrogates(fields: dict[str, Any]) -> None:
    for name in FIELDS:
        content = fields.get(name)
        if type(content) is str and _SURROGATE.search(content):
            raise _BrokenContract(Reason.NOT_JSON, f"{name} is {shown(content)}: half of a surrogate pair")


def _transaction(fields: dict[str, Any]) -> Transaction:
    for name in FIELDS:
        if name not in fields:
            raise _BrokenContract(Reason.MISSING_FIELD, f"{name} is missing")
    for name in ("transaction_id", "user_id", "currency", "location"):
        if type(fields[name]) is not str:
            raise _wrong_type(name, fields[name], "a string")
    amount, timestamp = fields["amount"], fields["timestamp"]
    if type(amount) not in (Integer, Fraction) or "e" in amount or "E" in amount:
        raise _wrong_type("amount", amount, "a number in plain notation")
    if type(timestamp) is not Integer:
        timestamp = _from_iso(timestamp)
    return Transaction(
        transaction_id=_text("transaction_id", fields["transaction_id"], MAX_ID),
        user_id=_text("user_id", fields["user_id"], MAX_ID),
        amount=_cents(amount),
        location=_text("location", normalise_location(fields["location"]), MAX_LOCATION),
        timestamp=_epoch_milliseconds(timestamp),
        currency=_currency(fields["currency"]),  # last: every range comes before it
    )


def _text(name: str, text: str, longest: int) -> str:
    if not 1 <= len(text) <= longest:
        raise _BrokenContract(
            Reason.OUT_OF_RANGE, f"{name} has {len(text)} characters, allowed are 1 to {longest}"
        )
    return text


def _currency(code: str) -> str:
    if code not in CURRENCIES:
        raise _BrokenContract(Reason.UNKNOWN_CURRENCY, f"currency is {shown(code)}, not an ISO 4217 currency")
    return code


def _cents(amount: str) -> int:
    whole, _, decimals = amount.partition(".")
    # 8 digits reach the largest amount; a JSON number has no leading zeros
    if len(decimals) <= 2 and len(whole) <= 8 and not whole.startswith("-"):
        cents = int(whole) * 100 + int(decimals.ljust(2, "0"))
        if 0 < cents <= MAX_AMOUNT:
            return cents
    raise _BrokenContract(
        Reason.OUT_OF_RANGE,
        f"amount is {shown(amount)}, allowed are 0.01 to {MAX_AMOUNT // 100} with two decimals",
    )


def _epoch_milliseconds(timestamp: str | int) -> int:
    # 15 digits reach the largest timestamp; longer texts are not worth converting
    milliseconds = int(timestamp) if isinstance(timestamp, int) or len(timestamp) <= 15 else -1
    if not MIN_TIMESTAMP <= milliseconds <= MAX_TIMESTAMP:
        raise _BrokenContract(
            Reason.OUT_OF_RANGE,
            f"timestamp is {shown(timestamp)}, not milliseconds in the years 2000 to 9999",
        )
    return milliseconds


# A calendar date, a time of day (Java leaves out seconds that are zero) and an offset (Python's %z has no
# colon, PostgreSQL's no minutes).
_ISO_8601 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"(?:Z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _from_iso(timestamp: Any) -> int:
    """Epoch milliseconds of an ISO 8601 text with an offset; finer digits are cut off."""
    parsed = _ISO_8601.fullmatch(timestamp) if type(timestamp) is str else None
    if parsed is None:
        raise _wrong_type("timestamp", timestamp, "epoch ms or ISO 8601 with offset")
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = parsed.groups(default="0")
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        raise _wrong_type("timestamp", timestamp, "a date and time that exist") from None
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    since = local - _EPOCH - (-offset if sign == "-" else offset)
    return (since.days * 86_400 + since.seconds) * 1000 + int(fraction.ljust(3, "0")[:3])


def _wrong_type(name: str, content: Any, expected: str) -> _BrokenContract:
    return _BrokenContract(Reason.WRONG_TYPE, f"{name} is {shown(content)}, it must be {expected}")
