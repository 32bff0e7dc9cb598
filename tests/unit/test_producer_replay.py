"""Somebody's own transactions: what is sent for a line or a row, and what is refused before the first."""

import csv
import io
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraud.record_parser import parse_record
from fraud.transaction import Transaction
from producer.lines import InputError, stream_lines
from producer.replay import Replay, key_and_time
from producer.tables import COLUMNS, amount

ROW = ("t-1", "Jürgen", "12.50", "EUR", "München", "1772366400000")


def values(path: Path) -> list[bytes | None]:
    return [value for block in Replay(str(path)).blocks(0) for value in block.values]


def write_csv(path: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = COLUMNS) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def write_parquet(path: Path, **changes: pa.Array) -> Path:
    columns = {name: pa.array([cell]) for name, cell in zip(COLUMNS, ROW, strict=True)} | changes
    pq.write_table(pa.table(columns), path)
    return path


def test_lines_are_sent_byte_for_byte_and_keyed_by_their_user(tmp_path: Path) -> None:
    lines = [
        '{ "user_id":"Jürgen",  "timestamp": 5}'.encode(),
        b'{"user_id":"J\\u00fcrgen"}',
        b"no json at all \xff",
        b'{"user_id":7}',
        b'["user_id"]',
        b'{"user_id":""}',
        b"  ",
    ]
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\r\n\n")
    source = Replay(str(path))
    (block,) = source.blocks(0)
    assert block.values == lines
    assert block.keys == ["Jürgen".encode(), "Jürgen".encode(), None, None, None, None, None]
    assert source.unkeyed == 5


def test_a_replay_goes_on_from_any_record(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b"".join(b'{"user_id":"u","n":%d}\n' % n for n in range(2_500)))
    whole = values(path)
    assert len(whole) == 2_500
    blocks = list(Replay(str(path)).blocks(1_700))
    assert blocks[0].first == 1_700
    assert [value for block in blocks for value in block.values] == whole[1_700:]


@pytest.mark.parametrize(
    ("record", "time"),
    [
        (b'{"timestamp":1772366400000}', 1_772_366_400_000),
        (b'{"timestamp":"2026-03-01T12:00:00Z"}', 1_772_366_400_000),
        (b'{"timestamp":"2026-03-01T14:00:00.250+02:00"}', 1_772_366_400_250),
        (b'{"timestamp":"2026-03-01T12:00:00"}', None),
        (b'{"timestamp":"noon"}', None),
        (b'{"timestamp":true}', None),
        (b'{"timestamp":-1}', None),
        (b"{}", None),
    ],
)
def test_event_time_for_the_pace(record: bytes, time: int | None) -> None:
    assert key_and_time(record) == (None, time)


def test_records_are_due_at_their_event_time_or_with_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "times.jsonl"
    path.write_text('{"timestamp":5000}\nbroken\n{"timestamp":3000}\n{"timestamp":7000}\n')
    (block,) = Replay(str(path)).blocks(0)
    assert block.due == [5000, 5000, 5000, 7000]


def test_a_csv_row_becomes_a_valid_record(tmp_path: Path) -> None:
    (value,) = values(write_csv(tmp_path / "rows.csv", [ROW]))
    assert parse_record(value, len(value or b"")) == Transaction(
        "t-1", "Jürgen", 1250, "EUR", "München", 1_772_366_400_000
    )


@pytest.mark.parametrize(
    ("column", "cell", "json_text"),
    [
        ("amount", "12.5", "12.50"),
        ("amount", "12", "12.00"),
        ("amount", " 12.500 ", "12.50"),
        ("amount", "12.345", "12.345"),
        ("amount", "-3", "-3.00"),
        ("amount", "0.1", "0.10"),
        ("amount", "123456789012345678901234.5", "123456789012345678901234.5"),
        ("amount", "12,50", '"12,50"'),
        ("amount", "1e3", '"1e3"'),
        ("amount", "", '""'),
        ("amount", "NaN", '"NaN"'),
        ("timestamp", "2026-03-01T12:00:00Z", '"2026-03-01T12:00:00Z"'),
        ("timestamp", "1772366400000.0", '"1772366400000.0"'),
        ("timestamp", "007", '"007"'),
        ("location", 'the "Hague", NL\n', '"the \\"Hague\\", NL\\n"'),
        ("user_id", "007", '"007"'),
    ],
)
def test_a_csv_cell_as_json(tmp_path: Path, column: str, cell: str, json_text: str) -> None:
    row = tuple(cell if name == column else usual for name, usual in zip(COLUMNS, ROW, strict=True))
    (value,) = values(write_csv(tmp_path / "rows.csv", [row]))
    assert f'"{column}":{json_text}'.encode() in (value or b"")
    json.loads(value or b"")


def test_a_csv_may_have_more_columns_in_any_order_and_rows_that_are_too_short(tmp_path: Path) -> None:
    header = ("note", *reversed(COLUMNS))
    path = write_csv(tmp_path / "rows.csv", [("hello", *reversed(ROW)), ("hello", ROW[-1])], header)
    whole, short = values(path)
    assert list(json.loads(whole or b"")) == list(COLUMNS)
    assert json.loads(short or b"") == {"timestamp": 1_772_366_400_000}


def test_bytes_of_a_csv_that_are_no_utf8_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(f"{','.join(COLUMNS)}\nt,u,1,EUR,M\xfcnchen,5\n".encode("latin-1"))
    (value,) = values(path)
    assert b'"M\xfcnchen"' in (value or b"")


@pytest.mark.parametrize(
    ("column", "array", "json_text"),
    [
        ("amount", pa.array([Decimal("12.5000")], pa.decimal128(12, 4)), "12.50"),
        ("amount", pa.array([Decimal("0.01")], pa.decimal128(38, 2)), "0.01"),
        ("amount", pa.array([19.99]), "19.99"),
        ("amount", pa.array([0.1 + 0.2]), "0.30000000000000004"),
        ("amount", pa.array([9_999_999.99]), "9999999.99"),
        ("amount", pa.array([float("nan")]), '"NaN"'),
        ("amount", pa.array(np.array([19.99], np.float32)), "19.99"),
        ("amount", pa.array([7]), "7.00"),
        ("amount", pa.array([None], pa.float64()), "null"),
        ("timestamp", pa.array([1_772_366_400_123]), "1772366400123"),
        ("timestamp", pa.array(["2026-03-01T12:00:00Z"]), '"2026-03-01T12:00:00Z"'),
        (
            "timestamp",
            pa.array([datetime(2026, 3, 1, 12, 0, 0, 123_999, UTC)], pa.timestamp("us", "UTC")),
            "1772366400123",
        ),
        ("timestamp", pa.array([1_772_366_400], pa.timestamp("s")), "1772366400000"),
        ("user_id", pa.array([42]), '"42"'),
        ("location", pa.array(["Köln"]).dictionary_encode(), '"Köln"'),
    ],
)
def test_a_parquet_cell_as_json(tmp_path: Path, column: str, array: pa.Array, json_text: str) -> None:
    (value,) = values(write_parquet(tmp_path / "rows.parquet", **{column: array}))
    assert f'"{column}":{json_text}'.encode() in (value or b"")
    json.loads(value or b"")


def test_amounts_of_two_decimals_are_exact_whatever_their_spelling() -> None:
    for cents in (1, 10, 99, 100, 123_456_789, 1_000_000_000):
        assert amount(Decimal(str(cents / 100))) == f"{cents // 100}.{cents % 100:02d}"
        assert amount(Decimal(cents).scaleb(-2)) == f"{cents // 100}.{cents % 100:02d}"


def test_missing_columns_are_named_with_those_that_are_there(tmp_path: Path) -> None:
    header = tuple("userid" if name == "user_id" else name for name in COLUMNS)
    with pytest.raises(InputError, match=r"no column user_id.*transaction_id, userid, amount"):
        Replay(str(write_csv(tmp_path / "rows.csv", [ROW], header)))
    pq.write_table(pa.table({"amount": [1]}), tmp_path / "rows.parquet")
    with pytest.raises(InputError, match=r"no column transaction_id, user_id, currency"):
        Replay(str(tmp_path / "rows.parquet"))


def test_a_column_of_a_type_that_cannot_be_right_is_named(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "rows.parquet", timestamp=pa.array([1.5]))
    with pytest.raises(InputError, match="column timestamp is double; it should be whole epoch"):
        Replay(str(path))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("nothing.jsonl", None, "cannot be read: No such file"),
        ("empty.jsonl", b"", "holds no transactions"),
        ("blank.jsonl", b"\n\n", "holds no transactions"),
        ("empty.csv", b"", "is empty"),
        ("header.csv", ",".join(COLUMNS).encode(), "holds no transactions"),
        ("text.parquet", b"not parquet at all", "not a Parquet file"),
        ("rows.xlsx", b"x", r"must end in \.jsonl"),
    ],
)
def test_an_input_that_cannot_be_used_is_refused(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        Replay(str(tmp_path / name))


def test_a_folder_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        Replay(str(tmp_path / "folder.csv"))


def test_lines_of_a_pipe_come_as_soon_as_they_are_whole() -> None:
    reading, writing = os.pipe()
    lines = stream_lines(reading)
    assert next(lines) is None
    os.write(writing, b"one\r\ntw")
    assert next(lines) == b"one"
    assert next(lines) is None
    os.write(writing, b"o\n\nthree")
    assert next(lines) == b"two"
    os.close(writing)
    assert [line for line in lines if line is not None] == [b"three"]
    os.close(reading)
