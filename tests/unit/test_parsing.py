"""What becomes of each kind of record, alone and in company."""

import json
import unicodedata
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fraud import block_parser, parsing
from fraud.parsing import Parsed, parse
from fraud.record_parser import parse_record
from fraud.transaction import MAX_RECORD_BYTES, RECORDS, REJECTED, TRANSACTIONS, Reason, Rejected, Transaction
from tests.bad_records import BAD_RECORDS, GOOD, KEY, BadRecord, kafka_records, with_field, with_member

ENOUGH = block_parser.FEWEST + 1
MIDNIGHT = 1_735_689_600_000  # 2025-01-01T00:00:00Z


def good_records(count: int, **fields: Any) -> pa.Table:
    """RECORDS of `count` transactions as producers usually write them."""
    return kafka_records(
        (
            f"user-{number % 7}".encode(),
            json.dumps(
                {
                    "transaction_id": f"run-{number:06d}",
                    "user_id": f"user-{number % 7}",
                    "amount": number + 0.25,
                    "currency": "EUR",
                    "location": "München" if number % 3 else "Paris",
                    "timestamp": MIDNIGHT + number,
                }
                | fields,
                ensure_ascii=False,
            ).encode(),
        )
        for number in range(count)
    )


def good_transactions(count: int) -> pa.Table:
    """What `good_records` say, as TRANSACTIONS."""
    columns = {
        "record": range(count),
        "transaction_id": [f"run-{number:06d}" for number in range(count)],
        "user_id": [f"user-{number % 7}" for number in range(count)],
        "amount": [number * 100 + 25 for number in range(count)],
        "currency": ["EUR"] * count,
        "location": ["München" if number % 3 else "Paris" for number in range(count)],
        "timestamp": [MIDNIGHT + number for number in range(count)],
    }
    return pa.table(columns, schema=TRANSACTIONS)


def reasons(parsed: Parsed) -> dict[int, str]:
    """The reason of each rejected record."""
    return dict(
        zip(parsed.rejected["record"].to_pylist(), parsed.rejected["reason"].to_pylist(), strict=True)
    )


@pytest.fixture
def read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> list[bytes | None]:
    """The values that `parse` gives to the single-record parser."""
    values: list[bytes | None] = []

    def note(value: bytes | None, original_size: int) -> Transaction | Rejected:
        values.append(value)
        return parse_record(value, original_size)

    monkeypatch.setattr(parsing, "parse_record", note)
    return values


@pytest.mark.parametrize("bad", BAD_RECORDS, ids=lambda bad: bad.name)
def test_a_record_alone_gets_its_reason(bad: BadRecord) -> None:
    parsed = parse(kafka_records([(bad.key, bad.value)]))
    assert reasons(parsed) == ({0: bad.parsing_reason} if bad.parsing_reason else {})
    assert parsed.transactions["record"].to_pylist() == ([] if bad.parsing_reason else [0])


@pytest.mark.parametrize("bad", BAD_RECORDS, ids=lambda bad: bad.name)
def test_a_record_first_between_and_last_gets_its_reason_and_leaves_its_neighbours_alone(
    bad: BadRecord,
) -> None:
    record = kafka_records([(bad.key, bad.value)])
    parsed = parse(pa.concat_tables([record, GOOD_RECORDS[:100], record, GOOD_RECORDS[100:], record]))
    places = [0, 101, 102 + len(GOOD_RECORDS) - 100]
    assert reasons(parsed) == (dict.fromkeys(places, bad.parsing_reason) if bad.parsing_reason else {})
    records = parsed.transactions["record"]
    others = parsed.transactions.filter(pc.invert(pc.is_in(records, value_set=pa.array(places))))
    assert others.drop_columns("record").equals(GOOD_TRANSACTIONS.drop_columns("record"))
    rejected = places if bad.parsing_reason else []
    assert records.to_pylist() == [row for row in range(places[-1] + 1) if row not in rejected]


GOOD_RECORDS = good_records(ENOUGH)
GOOD_TRANSACTIONS = good_transactions(ENOUGH)


def test_all_bad_records_together_get_their_reasons() -> None:
    parsed = parse(kafka_records((bad.key, bad.value) for bad in BAD_RECORDS * 2))
    expected = {row: bad.parsing_reason for row, bad in enumerate(BAD_RECORDS * 2) if bad.parsing_reason}
    assert reasons(parsed) == expected
    assert parsed.rejected["record"].to_pylist() == sorted(expected)
    assert set(parsed.transactions["record"].to_pylist()) == set(range(2 * len(BAD_RECORDS))) - set(expected)


def test_the_table_of_bad_records_names_each_once_and_knows_every_reason_of_parsing() -> None:
    assert len({bad.name for bad in BAD_RECORDS}) == len(BAD_RECORDS) >= 75
    decided_later = {Reason.NO_RATE, Reason.CONFLICTING_DUPLICATE, Reason.LATE}
    assert {bad.reason for bad in BAD_RECORDS} == set(Reason) - decided_later | {None}


def test_a_detail_is_one_short_printable_sentence() -> None:
    parsed = parse(kafka_records((bad.key, bad.value) for bad in BAD_RECORDS))
    for detail in parsed.rejected["detail"].to_pylist():
        assert 10 <= len(detail) <= 100
        assert detail.isprintable()


def test_a_detail_names_the_field_and_the_value() -> None:
    value = with_field("currency", r'"\u0007\u202eeur"')
    assert parse_record(value, len(value)) == Rejected(
        Reason.UNKNOWN_CURRENCY, r"currency is '\x07\u202eeur', not an ISO 4217 currency"
    )


@pytest.mark.parametrize(
    ("reason", "value", "field"),
    [
        (Reason.MISSING_FIELD, b"{}", "transaction_id"),
        (Reason.WRONG_TYPE, with_field("amount", '"12.5"'), "amount"),
        (Reason.OUT_OF_RANGE, with_field("timestamp", "1735689600"), "timestamp"),
    ],
)
def test_a_rejection_says_which_field(reason: Reason, value: bytes, field: str) -> None:
    answer = parse_record(value, len(value))
    assert isinstance(answer, Rejected)
    assert (answer.reason, answer.detail.split()[0]) == (reason, field)


def test_an_oversized_record_is_not_parsed_even_when_what_is_left_of_it_is_valid() -> None:
    padded = GOOD + b" " * (MAX_RECORD_BYTES - len(GOOD))
    whole = kafka_records([(KEY, padded)] * ENOUGH)
    cut = whole.set_column(5, RECORDS.field("original_size"), pa.array([MAX_RECORD_BYTES + 1] * ENOUGH))
    assert parse(whole).transactions.num_rows == ENOUGH
    assert set(reasons(parse(cut)).values()) == {Reason.OVERSIZED}


@pytest.mark.parametrize("spelling", ["10", "10.0", "10.00"])
def test_an_amount_is_whole_cents_however_it_is_spelled(spelling: str) -> None:
    parsed = parse(kafka_records([(KEY, with_field("amount", spelling))] * ENOUGH))
    assert parsed.transactions["amount"].to_pylist() == [1000] * ENOUGH


@pytest.mark.parametrize(
    "spelling",
    [
        "1735689600123",
        '"2025-01-01T00:00:00.123Z"',
        '"2025-01-01T00:00:00.123999999Z"',
        '"2025-01-01T00:00:00,1239Z"',
        '"2025-01-01T02:00:00.123+02:00"',
        '"2025-01-01T02:00:00.123+0200"',
        '"2025-01-01T02:00:00.123+02"',
        '"2024-12-31T18:30:00.123-05:30"',
    ],
)
def test_a_moment_is_the_same_however_it_is_spelled(spelling: str) -> None:
    parsed = parse(kafka_records([(KEY, with_field("timestamp", spelling))] * ENOUGH))
    assert parsed.transactions["timestamp"].to_pylist() == [MIDNIGHT + 123] * ENOUGH


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_location_is_the_same_in_every_form_of_unicode_and_with_spaces(form: str) -> None:
    location = unicodedata.normalize(form, " \u2003Zürich ")  # type: ignore[arg-type]
    parsed = parse(kafka_records([(KEY, with_field("location", f'"{location}"'))] * ENOUGH))
    assert parsed.transactions["location"].to_pylist() == ["Zürich"] * ENOUGH


def test_ids_are_kept_as_sent() -> None:
    user_id = " u\u0308ser "
    value = with_field("user_id", f'"{user_id}"')
    assert parse(kafka_records([(user_id.encode(), value)])).transactions["user_id"].to_pylist() == [user_id]
    composed = unicodedata.normalize("NFC", user_id).encode()
    assert reasons(parse(kafka_records([(composed, value)]))) == {0: Reason.KEY_MISMATCH}


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("timestamp", [MIDNIGHT, "2025-01-01T00:00:00Z", "2024-12-31T23:59:59.5-01:00"])
def test_what_producers_usually_write_is_read_by_the_block(
    read_one_by_one: list[bytes | None], ensure_ascii: bool, separators: tuple[str, str], timestamp: int | str
) -> None:
    record = {
        "transaction_id": "t-1",
        "user_id": "user-1",
        "amount": 1234.5,
        "currency": "CHF",
        "location": "Zürich",
        "timestamp": timestamp,
        "amount_eur": 1.5e-07,
        "merchant": "Käse & Brot {1}",
        "online": False,
        "note": None,
    }
    value = json.dumps(record, ensure_ascii=ensure_ascii, separators=separators).encode()
    backwards = json.dumps(dict(reversed(record.items()))).encode()
    parsed = parse(kafka_records([(KEY, value), (KEY, backwards)] * ENOUGH))
    assert parsed.transactions.num_rows == 2 * ENOUGH
    assert read_one_by_one == []


def test_a_name_sent_twice_sends_only_its_own_record_to_the_single_record_parser(
    read_one_by_one: list[bytes | None],
) -> None:
    twice = with_member('"user_id":"user-1"')
    parsed = parse(pa.concat_tables([good_records(2000), kafka_records([(KEY, twice)]), good_records(2000)]))
    assert reasons(parsed) == {2000: Reason.NOT_JSON}
    assert read_one_by_one == [twice]


def test_a_record_that_pyarrow_refuses_for_no_known_reason_takes_few_with_it(
    read_one_by_one: list[bytes | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = block_parser._read

    def refuse(values: pa.BinaryArray, rows: pa.Int64Array, timestamp_type: pa.DataType) -> pa.Table:
        if GOOD in values.to_pylist():
            raise pa.ArrowInvalid("for no known reason")
        return read(values, rows, timestamp_type)

    monkeypatch.setattr(block_parser, "_read", refuse)
    some = good_records(9000)
    parsed = parse(pa.concat_tables([some[:5000], kafka_records([(KEY, GOOD)]), some[5000:]]))
    assert parsed.transactions["record"].to_pylist() == list(range(9001))
    others = parsed.transactions.filter(pc.not_equal(parsed.transactions["record"], 5000))
    assert others.drop_columns("record").equals(good_transactions(9000).drop_columns("record"))
    assert 1 <= len(read_one_by_one) <= block_parser.FEWEST


@pytest.mark.parametrize("block_records", [7, 1000, 16_384])
def test_records_keep_their_rows_across_blocks_and_chunks(
    monkeypatch: pytest.MonkeyPatch, block_records: int
) -> None:
    monkeypatch.setattr(parsing, "BLOCK_RECORDS", block_records)
    some = good_records(2000)
    parsed = parse(pa.concat_tables([some[:3], some[3:1500], kafka_records([(KEY, b"null")]), some[1500:]]))
    expected = [row for row in range(2001) if row != 1500]
    assert parsed.transactions["record"].to_pylist() == expected
    assert parsed.transactions["transaction_id"].equals(good_transactions(2000)["transaction_id"])
    assert reasons(parsed) == {1500: Reason.NOT_JSON}


def test_a_slice_of_records_is_read_as_the_records_in_it() -> None:
    # pyarrow 22's if_else reads the wrong bytes of a sliced array; the parsers' own kernels must not
    records = good_records(3 * ENOUGH)
    expected = good_transactions(3 * ENOUGH)[ENOUGH : 2 * ENOUGH].drop_columns("record")
    batch = records.combine_chunks().to_batches()[0]
    for some in (records[ENOUGH : 2 * ENOUGH], batch.slice(ENOUGH, ENOUGH)):
        assert parse(some).transactions.drop_columns("record").equals(expected)


def test_no_records_give_two_empty_tables() -> None:
    parsed = parse(RECORDS.empty_table())
    assert parsed.transactions.equals(TRANSACTIONS.empty_table())
    assert parsed.rejected.equals(REJECTED.empty_table())


def test_the_answers_have_the_agreed_columns() -> None:
    parsed = parse(pa.concat_tables([good_records(ENOUGH), kafka_records([(None, b"null")])]))
    assert parsed.transactions.schema == TRANSACTIONS
    assert parsed.rejected.schema == REJECTED
