"""Records that a hostile or careless producer could send, and what must become of each of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from fraud.transaction import MAX_RECORD_BYTES, RECORDS, Reason

KEY = b"user-1"
GOOD = (
    '{"transaction_id":"t-1","user_id":"user-1","amount":12.50,"currency":"EUR",'
    '"location":"Zürich","timestamp":1735689600000}'
).encode()


@dataclass(frozen=True)
class BadRecord:
    """One record, and the reason it must be rejected for; None when it must not be."""

    name: str
    value: bytes | None
    reason: Reason | None
    key: bytes | None = KEY
    stage: Literal["parsing", "detection"] = "parsing"  # detection: parsing lets it pass

    @property
    def parsing_reason(self) -> Reason | None:
        """What parsing alone must say."""
        return self.reason if self.stage == "parsing" else None


def kafka_records(records: Iterable[tuple[bytes | None, bytes | None]]) -> pa.Table:
    """RECORDS of (key, value), cut as the job cuts them."""
    keys, values = zip(*records, strict=True)
    columns = {
        "key": keys,
        "value": [None if value is None else value[:MAX_RECORD_BYTES] for value in values],
        "partition": [0] * len(keys),
        "offset": range(len(keys)),
        "timestamp": [1_735_689_600_000] * len(keys),
        "original_size": [len(value or b"") for value in values],
    }
    return pa.table(columns, schema=RECORDS)


def with_field(name: str, content: str | bytes) -> bytes:
    """GOOD with the JSON text `content` in one field."""
    fields = {
        "transaction_id": b'"t-1"',
        "user_id": b'"user-1"',
        "amount": b"12.50",
        "currency": b'"EUR"',
        "location": '"Zürich"'.encode(),
        "timestamp": b"1735689600000",
    }
    assert name in fields
    fields[name] = content.encode() if isinstance(content, str) else content
    return b"{" + b",".join(b'"%s":%s' % (field.encode(), text) for field, text in fields.items()) + b"}"


def without_field(name: str) -> bytes:
    """GOOD without one field."""
    marked = with_field(name, "MISSING")
    member = b'"%s":MISSING' % name.encode()
    return marked.replace(b"," + member, b"").replace(member + b",", b"")


def with_member(member: str | bytes) -> bytes:
    """GOOD with one more member in front."""
    return b"{" + (member.encode() if isinstance(member, str) else member) + b"," + GOOD[1:]


def _many(reason: Reason | None, values: dict[str, bytes | None]) -> list[BadRecord]:
    return [BadRecord(name, value, reason) for name, value in values.items()]


def _each(reason: Reason | None, field: str, contents: dict[str, str]) -> list[BadRecord]:
    return _many(reason, {name: with_field(field, content) for name, content in contents.items()})


_NOT_JSON = _many(
    Reason.NOT_JSON,
    {
        "a tombstone": None,
        "an empty value": b"",
        "white space only": b" \n\t ",
        "null": b"null",
        "true": b"true",
        "a number": b"42",
        "a string": b'"transaction"',
        "an array": b"[]",
        "an array of a good record": b"[" + GOOD + b"]",
        "plain text": b"hello",
        "a NUL byte": b"\x00",
        "random bytes": bytes(range(256)),
        "two objects in one value": GOOD + GOOD,
        "two objects on two lines in one value": GOOD + b"\n" + GOOD,
        "two empty objects": b"{}{}",
        "the first half of a record": GOOD[:60],
        "the second half of a record": GOOD[60:],
        "the start of a record that the next value could end": b'{"transaction_id":"a',
        "the end of a record that the value before could start": b'"}',
        "a string that stays open": b'{"transaction_id":"t-1","user_id":"',
        "the rest of a string, and a good record": b'"},' + GOOD,
        "a closing brace": b"}",
        "an opening brace": b"{",
        "a good record and a closing brace": GOOD + b"}",
        "a good record and a comma": GOOD + b",",
        "a comma and a good record": b"," + GOOD,
        "a good record without its closing brace": GOOD[:-1],
        "a trailing comma": GOOD[:-1] + b",}",
        "two commas": GOOD.replace(b",", b",,", 1),
        "a missing comma": GOOD.replace(b',"user_id"', b'"user_id"'),
        "a missing colon": GOOD.replace(b'"amount":', b'"amount"'),
        "a comment": GOOD[:-1] + b"/* paid */}",
        "a line comment": GOOD + b"// paid",
        "single quotes": GOOD.replace(b'"', b"'"),
        "names without quotes": GOOD.replace(b'"amount"', b"amount"),
        "a byte order mark": b"\xef\xbb\xbf" + GOOD,
        "UTF-16": GOOD.decode().encode("utf-16"),
        "Latin-1": GOOD.decode().encode("latin-1"),
        "a UTF-8 sequence cut off": with_field("location", b'"Z\xc3"'),
        "an overlong UTF-8 sequence": with_field("location", b'"\xc0\xaf"'),
        "an overlong UTF-8 sequence of three bytes": with_field("location", b'"\xe0\x80\xaf"'),
        "a surrogate in UTF-8": with_field("location", b'"\xed\xa0\x80"'),
        "UTF-8 beyond Unicode": with_field("location", b'"\xf4\x90\x80\x80"'),
        "broken UTF-8 in an unknown field": with_member(b'"note":"\xff"'),
        "broken UTF-8 in an unknown name": with_member(b'"\xff":1'),
        "a raw line feed in a string": with_field("location", '"Zü\nrich"'),
        "a raw tab in a string": with_field("location", '"Zü\trich"'),
        "a raw NUL in a string": with_field("location", '"Zü\0rich"'),
        "a raw control character in an unknown field": with_member('"note":"a\x1fb"'),
        "a no-break space between members": GOOD.replace(b",", ",\u00a0".encode(), 1),
        "an escape that JSON has not": with_field("location", r'"Z\xfcrich"'),
        "a Unicode escape cut off": with_field("location", r'"Z\u00f"'),
        "a high surrogate alone": with_field("location", r'"\ud83d"'),
        "a low surrogate alone": with_field("transaction_id", r'"t\udc00"'),
        "surrogates in the wrong order": with_field("user_id", r'"\ude00\ud83d"'),
        "half of a surrogate pair as currency": with_field("currency", r'"\ud83d"'),
        "half of a surrogate pair as amount": with_field("amount", r'"\ud83d"'),
        "NaN": with_field("amount", "NaN"),
        "Infinity": with_field("amount", "Infinity"),
        "minus Infinity": with_field("amount", "-Infinity"),
        "NaN in an unknown field": with_member('"score":NaN'),
        "a leading zero": with_field("amount", "012.50"),
        "a plus sign": with_field("amount", "+12.50"),
        "a hexadecimal number": with_field("amount", "0x1F"),
        "no digit before the point": with_field("amount", ".5"),
        "no digit after the point": with_field("amount", "12."),
        "a decimal comma": with_field("amount", "12,50"),
        "a minus sign alone": with_field("amount", "-"),
        "a thousands separator": with_field("amount", "1_000"),
        "Python's None": with_field("amount", "None"),
        "an amount twice": with_member('"amount":1.00'),
        "an amount twice, the same": with_member('"amount":12.50'),
        "a transaction_id twice": with_member('"transaction_id":"t-0"'),
        "a user_id twice": with_member('"user_id" : "user-1"'),
        "a currency twice": with_member('"currency":"EUR"'),
        "a location twice": with_member('"location":"Paris"'),
        "a timestamp twice": with_member('"timestamp":1735689600000'),
        "an amount twice, once as null": with_member('"amount":null'),
        "a timestamp twice, once in ISO 8601": with_member('"timestamp":"2025-01-01T00:00:00Z"'),
        "a user twice, once with its name escaped": with_member(r'"\u0075ser_id":"user-2"'),
        "arrays nested 50,000 deep": b"[" * 50_000,
        "an unknown field nested 100 deep in the record": with_member('"x":' + "[" * 100 + "]" * 100),
        "an unknown field nested 500 deep": with_member('"x":' + "[" * 500 + "]" * 500),
        "half of a surrogate pair where another field is missing": without_field("location").replace(
            b'"t-1"', b'"\\ud800"'
        ),
        "an unknown field nested 1,000 deep": with_member('"x":' + "[" * 1_000 + "]" * 1_000),
        "objects nested 5,000 deep": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        "a string of quotation marks that stays open": b'{"a":"' + b'\\"' * 20_000 + b"[" * 200,
    },
)

_OVERSIZED = _many(
    Reason.OVERSIZED,
    {
        "a string of 1 MB": with_field("location", f'"{"x" * 1_000_000}"'),
        "a good record padded past the limit": GOOD + b" " * (MAX_RECORD_BYTES + 1 - len(GOOD)),
        "1 MB of white space": b" " * 1_000_000,
        "1 MB of broken bytes": b"\xff" * 1_000_000,
    },
)

_MISSING_FIELD = [
    *_many(
        Reason.MISSING_FIELD,
        {
            "an empty object": b"{}",
            "no transaction_id": without_field("transaction_id"),
            "no user_id": without_field("user_id"),
            "no amount": without_field("amount"),
            "no currency": without_field("currency"),
            "no location": without_field("location"),
            "no timestamp": without_field("timestamp"),
            "another spelling of a name": GOOD.replace(b"amount", b"Amount"),
            "a name with a space in it": GOOD.replace(b'"amount"', b'"amount "'),
            "a name that starts like a field": GOOD.replace(b'"amount"', b'"amounts"'),
            "an empty name": GOOD.replace(b'"amount"', b'""'),
            "the record nested in another": b'{"payload":' + GOOD + b"}",
            "a missing field beside a wrong one": without_field("amount").replace(b'"EUR"', b"1"),
        },
    ),
]

_WRONG_TYPE = [
    *_each(
        Reason.WRONG_TYPE,
        "amount",
        {
            "an amount in quotation marks": '"12.5"',
            "an amount with an exponent": "1e3",
            "an amount with a capital exponent": "1E3",
            "an amount with a negative exponent": "1250e-2",
            "an amount with a huge exponent": "1e999999999",
            "an amount that is true": "true",
            "an amount that is null": "null",
            "an amount that is an array": "[12.50]",
            "an amount that is an object": '{"value":12.50}',
            "an amount that is empty text": '""',
        },
    ),
    *_each(
        Reason.WRONG_TYPE,
        "timestamp",
        {
            "a timestamp with decimals": "1735689600000.0",
            "a timestamp with an exponent": "1.7356896e12",
            "a timestamp in quotation marks": '"1735689600000"',
            "a timestamp that is false": "false",
            "a timestamp that is null": "null",
            "a timestamp that is an array": "[2025,1,1]",
            "a timestamp that is empty text": '""',
            "a local time without offset": '"2025-01-01T00:00:00"',
            "a date alone": '"2025-01-01"',
            "an offset of 25 hours": '"2025-01-01T00:00:00+25:00"',
            "an offset of 24 hours": '"2025-01-01T00:00:00+24:00"',
            "an offset of 60 minutes": '"2025-01-01T00:00:00+01:60"',
            "an offset by name": '"2025-01-01T00:00:00 CET"',
            "a minus sign of typography as offset": '"2025-01-01T00:00:00\u221202:00"',
            "the 13th month": '"2025-13-01T00:00:00Z"',
            "the 30th of February": '"2025-02-30T00:00:00Z"',
            "the 29th of February without a leap year": '"2025-02-29T00:00:00Z"',
            "the 31st of April": '"2025-04-31T00:00:00Z"',
            "day zero": '"2025-01-00T00:00:00Z"',
            "hour 24": '"2025-01-01T24:00:00Z"',
            "a leap second": '"2016-12-31T23:59:60Z"',
            "ten digits of a second": '"2025-01-01T00:00:00.1234567890Z"',
            "a point without digits": '"2025-01-01T00:00:00.Z"',
            "the year 0": '"0000-01-01T00:00:00Z"',
            "a year of five digits": '"12025-01-01T00:00:00Z"',
            "an American date": '"01/02/2025 10:00 AM"',
            "digits of another script": '"\u0662\u0660\u0662\u0665-01-01T00:00:00Z"',
            "white space around a time": '" 2025-01-01T00:00:00Z "',
        },
    ),
    *_many(
        Reason.WRONG_TYPE,
        {
            "a transaction_id that is a number": with_field("transaction_id", "1"),
            "a transaction_id that is null": with_field("transaction_id", "null"),
            "a user_id that is a number": with_field("user_id", "7"),
            "a user_id that is an array": with_field("user_id", '["user-1"]'),
            "a currency that is a number": with_field("currency", "978"),
            "a currency that is null": with_field("currency", "null"),
            "a location that is an object": with_field("location", '{"city":"Paris"}'),
            "a location that is true": with_field("location", "true"),
            "a wrong type beside a value out of range": with_field("amount", "-1").replace(b'"EUR"', b"1"),
        },
    ),
]

_OUT_OF_RANGE = [
    *_each(
        Reason.OUT_OF_RANGE,
        "amount",
        {
            "a negative amount": "-5",
            "an amount of zero": "0",
            "an amount of 0.00": "0.00",
            "negative zero": "-0",
            "negative zero with decimals": "-0.0",
            "three decimals": "12.505",
            "three decimals that are zero": "10.000",
            "an amount one cent too large": "10000000.01",
            "a huge amount": "99999999999",
            "an amount beyond 64 bits": "18446744073709551617",
            "an amount of 5,000 digits": "9" * 5_000,
            "an amount with 5,000 decimals": "1." + "0" * 5_000,
        },
    ),
    *_each(
        Reason.OUT_OF_RANGE,
        "timestamp",
        {
            "seconds sent as milliseconds": "1735689600",
            "microseconds sent as milliseconds": "1735689600000000",
            "nanoseconds sent as milliseconds": "1735689600000000000",
            "a timestamp beyond 64 bits": "9223372036854775808",
            "a timestamp of 5,000 digits": "1" * 5_000,
            "a timestamp of zero": "0",
            "a negative timestamp": "-1735689600000",
            "the last millisecond of 1999": "946684799999",
            "the last millisecond of 1999 in ISO 8601": '"1999-12-31T23:59:59.999Z"',
            "1999 by its offset": '"2000-01-01T00:00:00+01:00"',
            "the year 10000": "253402300800000",
            "the year 10000 by its offset": '"9999-12-31T23:59:59-01:00"',
        },
    ),
    *_many(
        Reason.OUT_OF_RANGE,
        {
            "an empty transaction_id": with_field("transaction_id", '""'),
            "a transaction_id of 65 characters": with_field("transaction_id", f'"{"x" * 65}"'),
            "a user_id of 65 characters": with_field("user_id", f'"{"ü" * 65}"'),
            "an empty location": with_field("location", '""'),
            "a location of white space": with_field("location", '" \u00a0\u2003 "'),
            "a location of escaped white space": with_field("location", r'"\t\n\u00a0"'),
            "a location of 129 characters": with_field("location", f'"{"x" * 129}"'),
            "a location of 32,000 combining marks": with_field(
                "location", '"' + "\u0316\u0301" * 16_000 + '"'
            ),
            "an empty user_id": with_field("user_id", '""'),
            "a value out of range beside an unknown currency": with_field("amount", "0").replace(
                b"EUR", b"EU"
            ),
        },
    ),
]

_UNKNOWN_CURRENCY = _each(
    Reason.UNKNOWN_CURRENCY,
    "currency",
    {
        "a currency in small letters": '"eur"',
        "a currency that does not exist": '"ZZZ"',
        "no currency by ISO 4217": '"XXX"',
        "a currency's symbol": '"€"',
        "a currency's number": '"978"',
        "a currency with white space": '"EUR "',
        "an empty currency": '""',
        "a currency with a NUL": r'"EUR\u0000"',
        "bitcoin": '"BTC"',
    },
)

_KEYS = [
    BadRecord("no key", GOOD, Reason.KEY_MISSING, key=None),
    BadRecord("an empty key", GOOD, Reason.KEY_MISSING, key=b""),
    BadRecord("another user's key", GOOD, Reason.KEY_MISMATCH, key=b"user-2"),
    BadRecord("a key that goes on", GOOD, Reason.KEY_MISMATCH, key=b"user-1 "),
    BadRecord("a key in quotation marks", GOOD, Reason.KEY_MISMATCH, key=b'"user-1"'),
    BadRecord("a key of broken UTF-8", GOOD, Reason.KEY_MISMATCH, key=b"\xff" * 200),
    BadRecord("a bad amount without key", with_field("amount", "0"), Reason.OUT_OF_RANGE, key=None),
    BadRecord("no JSON with another key", b"null", Reason.NOT_JSON, key=b"user-2"),
]

_DETECTION = [
    BadRecord(
        "a payment in the far future",
        with_field("timestamp", "253402300799999"),
        Reason.TIMESTAMP_IN_FUTURE,
        stage="detection",
    ),
    BadRecord(
        "a payment in the year 2099",
        with_field("timestamp", '"2099-12-31T23:59:59.999Z"'),
        Reason.TIMESTAMP_IN_FUTURE,
        stage="detection",
    ),
]

_VALID = [
    *_many(
        None,
        {
            "the good record": GOOD,
            "braces in a string": with_field("transaction_id", '"}{"'),
            "a forged record in a string": with_field("location", r'"\"}\n{\"user_id\":\"user-2\"}"'),
            "a line feed between members": GOOD.replace(b",", b",\r\n"),
            "white space around": b" \t" + GOOD + b"\r\n",
            "a name escaped": GOOD.replace(b'"amount"', rb'"\u0061mount"'),
            "a surrogate pair": with_field("location", r'"\ud83d\ude00"'),
            "an escaped NUL in an id": with_field("transaction_id", r'"a\u0000b"'),
            "line separators of Unicode": with_field("transaction_id", '"a\u2028b\u0085c"'),
            "half of a surrogate pair in an unknown field": with_member(r'"note":"\ud83d"'),
            "an unknown field twice": with_member('"note":1,"note":2'),
            "a field's name twice inside an unknown field": with_member('"x":{"amount":1,"amount":2}'),
            "a field's name as a value": with_member('"note":"amount","timestamps":"timestamp"'),
            "an unknown number beyond all floats": with_member('"x":1e999999'),
            "an unknown field nested 99 deep": with_member('"x":' + "[" * 99 + "]" * 99),
            "many brackets in a string": with_member(f'"x":"{"[" * 1_000}"'),
            "the largest record": GOOD + b" " * (MAX_RECORD_BYTES - len(GOOD)),
            "a location of 128 characters and spaces": with_field("location", f'"  {"ü" * 128}  "'),
            "an id of 64 characters of four bytes": with_field("transaction_id", f'"{"😀" * 64}"'),
            "a location of 128 characters, each made of four": with_field(
                "location", '"' + "\u03b1\u0313\u0300\u0345" * 128 + '"'
            ),
            "the smallest amount": with_field("amount", "0.01"),
            "the largest amount": with_field("amount", "10000000.00"),
            "the first millisecond of 2000": with_field("timestamp", "946684800000"),
            "a leap day": with_field("timestamp", '"2024-02-29T23:59:59.999999999+00:00"'),
            "an offset of minus 23:59": with_field("timestamp", '"2025-01-01T00:00:00-23:59"'),
            "a time without seconds": with_field("timestamp", '"2025-01-01T00:00Z"'),
            "an offset without colon": with_field("timestamp", '"2025-01-01T00:00:00+0200"'),
        },
    ),
]

BAD_RECORDS = [
    *_NOT_JSON,
    *_OVERSIZED,
    *_MISSING_FIELD,
    *_WRONG_TYPE,
    *_OUT_OF_RANGE,
    *_UNKNOWN_CURRENCY,
    *_KEYS,
    *_DETECTION,
    *_VALID,
]
"""Every record under the key it needs: a bad record's own reason comes before its key's."""
