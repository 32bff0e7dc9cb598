"""Reads many Kafka values at once: the quick way for records written in a usual form, for parsing.py.

Sound, not complete: a record it credits is what `fraud.record_parser` would read, whatever stands beside it;
a record it leaves out goes there. The proof of framing is one regular expression. A value that matches is
one whole JSON object with no line break in it and no name that could pass for another, so values joined by
line breaks cannot run into each other, and what pyarrow reads leniently (`"12.5"`, `1e3`, a byte order mark,
`null` in place of a record) never reaches it.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from fraud.currencies import CURRENCIES
from fraud.record_parser import FIELDS, MAX_ID, MAX_LOCATION, MAX_TIMESTAMP, normalise_location
from fraud.transaction import MAX_AMOUNT, MAX_RECORD_BYTES, MIN_TIMESTAMP, TRANSACTIONS

FEWEST = 300
"""Fewer records than this are read sooner one by one: a block costs some 3 ms before the first."""


def parse_block(values: pa.BinaryArray, original_sizes: pa.Int64Array) -> pa.Table:
    """The records that are valid for certain, as TRANSACTIONS in any order; `record`: position in `values`.

    `original_sizes`: bytes of the whole Kafka values.
    """
    left = _where(pc.less_equal(original_sizes, MAX_RECORD_BYTES))
    tables = []
    for pattern, timestamp_type in ((_IN_MILLISECONDS, pa.int64()), (_IN_ISO, pa.string())):
        framed = pc.match_substring_regex(values.take(left), pattern)
        rows = left.filter(framed)
        tables.append(_read_most(values.take(rows), rows, timestamp_type))
        left = left.filter(pc.invert(framed))
    return pa.concat_tables(tables)


def _where(mask: pa.BooleanArray) -> pa.Int64Array:
    return pa.array(np.flatnonzero(mask.fill_null(False)))


def _read_most(values: pa.BinaryArray, rows: pa.Int64Array, timestamp_type: pa.DataType) -> pa.Table:
    """What can be read of framed `values`, when pyarrow refuses a block for one record in it."""
    if len(values) == 0:
        return TRANSACTIONS.empty_table()
    try:
        return _read(values, rows, timestamp_type)
    except pa.ArrowInvalid:
        unrepeated = _where(pc.invert(pc.match_substring_regex(values, _REPEATED)))
    if len(unrepeated) < len(values):  # the one reason known; for any other, halve
        return _read_most(values.take(unrepeated), rows.take(unrepeated), timestamp_type)
    if len(values) < FEWEST:
        return TRANSACTIONS.empty_table()
    half = len(values) // 2
    return pa.concat_tables(
        [
            _read_most(values[:half], rows[:half], timestamp_type),
            _read_most(values[half:], rows[half:], timestamp_type),
        ]
    )


def _read(values: pa.BinaryArray, rows: pa.Int64Array, timestamp_type: pa.DataType) -> pa.Table:
    """The valid ones of framed `values`. Raises pa.ArrowInvalid when one keeps all from being read."""
    everything = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
    lines = pc.binary_join(everything, b"\n")[0].as_buffer()
    table = pyarrow.json.read_json(
        pa.BufferReader(lines),
        read_options=pyarrow.json.ReadOptions(use_threads=False),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=_SCHEMA.append(pa.field("timestamp", timestamp_type)),
            unexpected_field_behavior="ignore",
        ),
    )
    if table.num_rows != len(values):  # the proof of framing says it cannot be
        raise pa.ArrowInvalid(f"{len(values)} records were read as {table.num_rows}")
    column = {name: table[name].combine_chunks() for name in FIELDS}
    column["amount"] = pc.multiply(column["amount"], pa.scalar(100, pa.decimal128(3))).cast(pa.int64())
    column["location"] = _normalised(column["location"])
    if timestamp_type == pa.string():
        column["timestamp"] = _epoch_milliseconds(column["timestamp"])
    valid = _all(
        [
            _between(pc.utf8_length(column["transaction_id"]), 1, MAX_ID),
            _between(pc.utf8_length(column["user_id"]), 1, MAX_ID),
            _between(column["amount"], 1, MAX_AMOUNT),
            pc.is_in(column["currency"], value_set=_CURRENCIES),
            _between(pc.utf8_length(column["location"]), 1, MAX_LOCATION),
            _between(column["timestamp"], MIN_TIMESTAMP, MAX_TIMESTAMP),
        ]
    )
    columns = {"record": rows} | column
    return pa.table(columns).select(TRANSACTIONS.names).cast(TRANSACTIONS).filter(valid)


def _normalised(locations: pa.StringArray) -> pa.StringArray:
    encoded = locations.dictionary_encode()
    normalised = [normalise_location(location) for location in encoded.dictionary.to_pylist()]
    return pa.array(normalised, pa.string()).take(encoded.indices)


def _epoch_milliseconds(timestamps: pa.StringArray) -> pa.Int64Array:
    nanoseconds = timestamps.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    return pc.divide(nanoseconds, 1_000_000)  # towards zero, which is the past: the pattern begins in 2000


def _between(numbers: pa.Array, least: int, most: int) -> pa.BooleanArray:
    return pc.and_(pc.greater_equal(numbers, least), pc.less_equal(numbers, most))


def _all(conditions: list[pa.BooleanArray]) -> pa.BooleanArray:
    """Where all hold. A field that is missing is null, so its condition does not."""
    together = conditions[0]
    for condition in conditions[1:]:
        together = pc.and_(together, condition)
    return together.fill_null(False)


_CURRENCIES = pa.array(sorted(CURRENCIES), pa.string())
_SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("user_id", pa.string()),
        ("amount", pa.decimal128(10, 2)),
        ("currency", pa.string()),
        ("location", pa.string()),
    ]
)


# The pattern reads bytes (RE2 in Latin-1, without captures: a state machine), so it spells out UTF-8.
_PLAIN = r"\x00-\x1f\"\\\x80-\xff"  # to be negated: what is no ASCII character as it stands in a string
_WIDE = (
    r"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    r"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    r"|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_ESCAPE = r'\\(?:["\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]|[dD][0-7])[0-9a-fA-F]{2})'  # no surrogates
_STRING = rf'"(?:[^{_PLAIN}]|{_WIDE}|{_ESCAPE})*"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?"  # fits a double
_AMOUNT = r"(?:0|[1-9][0-9]{0,7})(?:\.[0-9]{1,2})?"
_MILLISECONDS = r"[1-9][0-9]{0,14}"
_DAY = r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_CLOCK = r"(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:\.[0-9]{1,9})?"
_OFFSET = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_ISO = rf'"20[0-9]{{2}}-{_DAY}T{_CLOCK}{_OFFSET}"'


def _other_than(names: set[str]) -> str:
    """A pattern for every ASCII name without escapes but `names`, and the quotation mark that ends it."""
    first = sorted({name[0] for name in names if name})
    alternatives = [rf'[^{_PLAIN}{"".join(first)}][^{_PLAIN}]*"']
    alternatives += [] if "" in names else ['"']
    alternatives += [
        letter + _other_than({name[1:] for name in names if name.startswith(letter)}) for letter in first
    ]
    return f"(?:{'|'.join(alternatives)})"


_COLON = r"[ \t]*:[ \t]*"


def _record(timestamp: str) -> str:
    """The pattern of a record whose timestamps look like this."""
    member = "|".join(
        [
            rf'"(?:transaction_id|user_id|currency|location)"{_COLON}{_STRING}',
            rf'"amount"{_COLON}{_AMOUNT}',
            rf'"timestamp"{_COLON}{timestamp}',
            rf'"{_other_than(set(FIELDS))}{_COLON}(?:{_STRING}|{_NUMBER}|true|false|null)',
        ]
    )
    return rf"\A[ \t]*\{{(?:[ \t]*(?:{member})[ \t]*,)*[ \t]*(?:{member})[ \t]*\}}[ \t]*\z"


_IN_MILLISECONDS = _record(_MILLISECONDS)
_IN_ISO = _record(_ISO)
_REPEATED = "|".join(rf'"{name}"{_COLON}.*"{name}"{_COLON}' for name in FIELDS)
