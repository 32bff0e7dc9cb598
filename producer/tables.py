"""Somebody's CSV or Parquet file as records of the contract: one JSON object a row, exact to the cent."""

import csv
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from producer.encoding import encode_fields, text
from producer.lines import InputError

COLUMNS = ("transaction_id", "user_id", "amount", "currency", "location", "timestamp")
"""The contract's fields; a table may hold more, which are left out."""

_BATCH = 10_000
_CENT = Decimal("0.01")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_INTEGER = re.compile(r"-?(0|[1-9]\d*)")
_Convert = Callable[[pa.Array], list[str]]
"""A column as JSON texts."""


def csv_records(path: Path) -> Iterator[bytes]:
    """The rows of a CSV file with a header line. Raises InputError before the first record.

    A cell that is no number where one belongs becomes a string, and a row that is too short lacks fields:
    the pipeline says what is wrong with them. Bytes that are no UTF-8 stay as they are.
    """
    csv.field_size_limit(sys.maxsize)
    rows = _csv_rows(path)
    header = next(rows, None)
    if header is None:
        raise InputError(f"{path} is empty")
    _check_columns(path, header)
    places = [(name, header.index(name)) for name in COLUMNS]
    return (
        encode_fields({name: _CELLS[name](row[place]) for name, place in places if place < len(row)})
        for row in rows
        if row
    )


def parquet_records(path: Path) -> Iterator[bytes]:
    """The rows of a Parquet file. Raises InputError before the first record.

    Times without a zone are taken as UTC, digits finer than milliseconds are cut off.
    """
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} is not a Parquet file that can be read: {error}") from error
    schema = file.schema_arrow
    _check_columns(path, schema.names)
    converters = {name: _converter(path, name, schema.field(name).type) for name in COLUMNS}
    return _parquet_rows(file, converters)


def amount(value: Decimal) -> str:
    """A JSON number in plain notation: 12.5 -> 12.50, and 12.345 as it is."""
    if not value.is_finite():
        return text(str(value))
    cents = value.quantize(_CENT) if abs(value) < 10**20 else value
    return format(cents if cents == value else value, "f")


def _csv_rows(path: Path) -> Iterator[list[str]]:
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        yield from csv.reader(file)


def _check_columns(path: Path, found: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise InputError(
            f"{path} has no column {', '.join(missing)}. Its columns are: {', '.join(found)}. "
            f"Name them as the contract does: {', '.join(COLUMNS)}"
        )


def _amount_cell(cell: str) -> str:
    return amount(Decimal(cell.strip())) if _NUMBER.fullmatch(cell.strip()) else text(cell)


def _time_cell(cell: str) -> str:
    return cell.strip() if _INTEGER.fullmatch(cell.strip()) else text(cell)


_CELLS: dict[str, Callable[[str], str]] = dict.fromkeys(COLUMNS, text) | {
    "amount": _amount_cell,
    "timestamp": _time_cell,
}


def _parquet_rows(file: pq.ParquetFile, converters: dict[str, _Convert]) -> Iterator[bytes]:
    for batch in file.iter_batches(_BATCH, columns=list(COLUMNS)):
        columns = [converters[name](batch.column(name)) for name in COLUMNS]
        for row in zip(*columns, strict=True):
            yield encode_fields(dict(zip(COLUMNS, row, strict=True)))


def _converter(path: Path, name: str, kind: pa.DataType) -> _Convert:
    """How a column becomes JSON. Raises InputError for a type that cannot be what the contract wants."""
    if pa.types.is_dictionary(kind):
        decoded = _converter(path, name, kind.value_type)
        return lambda column: decoded(column.dictionary_decode())
    textual = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    whole = pa.types.is_integer(kind)
    if name == "amount" and (whole or pa.types.is_decimal(kind) or pa.types.is_float64(kind)):
        return _each(lambda value: amount(Decimal(str(value))))
    if name == "amount" and pa.types.is_floating(kind):
        short = np.float32 if pa.types.is_float32(kind) else np.float16
        return _each(lambda value: amount(Decimal(str(short(value)))))
    if name == "timestamp" and whole:
        return _each(str)
    if name == "timestamp" and pa.types.is_timestamp(kind):
        milliseconds = pa.timestamp("ms", kind.tz)
        return lambda column: _each(str)(column.cast(milliseconds, safe=False).cast(pa.int64()))
    if textual:
        return _each(_CELLS[name])
    if whole and name.endswith("_id"):
        return _each(lambda value: text(str(value)))
    raise InputError(f"{path}: column {name} is {kind}; it should be {_WANTED.get(name, 'text')}")


_WANTED = {
    "amount": "a decimal, a number or text",
    "timestamp": "whole epoch milliseconds, a timestamp or ISO 8601 text",
}


def _each(convert: Callable[..., str]) -> _Convert:
    return lambda column: ["null" if value is None else convert(value) for value in column.to_pylist()]
