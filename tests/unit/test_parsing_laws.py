"""Laws of parsing: what was written is read, and a block says what its records say one by one."""

import json
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from unittest.mock import patch

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud import parsing
from fraud.block_parser import parse_block
from fraud.currencies import CURRENCIES
from fraud.parsing import parse
from fraud.record_parser import FIELDS, MAX_TIMESTAMP, parse_record
from fraud.transaction import MAX_AMOUNT, MIN_TIMESTAMP, TRANSACTIONS, Reason, Rejected, Transaction
from tests.bad_records import BAD_RECORDS, GOOD, BadRecord, kafka_records, with_field, with_member

CHARACTERS = st.characters(exclude_categories=["Cs"])
SPACE = st.text(" \t\n\r", max_size=2)
UNKNOWN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Any transaction that keeps the contract; about half are as usual ones look."""
    usual = draw(st.booleans())
    characters = st.sampled_from("abcüß-0189 ") if usual else CHARACTERS
    identifier = st.text(characters, min_size=1, max_size=64)
    locations = st.text(characters, min_size=1, max_size=100).map(_normal)
    latest = 4_102_444_799_999 if usual else MAX_TIMESTAMP
    return Transaction(
        transaction_id=draw(identifier),
        user_id=draw(identifier),
        amount=draw(st.integers(1, 100_000 if usual else MAX_AMOUNT)),
        currency=draw(st.sampled_from(sorted(CURRENCIES))),
        location=draw(locations.filter(lambda location: 1 <= len(location) <= 128)),
        timestamp=draw(st.integers(MIN_TIMESTAMP, latest)),
    )


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


@st.composite
def spellings(draw: st.DrawFn, transaction: Transaction) -> bytes:
    """One of the many texts that say `transaction`."""
    ascii_only = draw(st.booleans())

    def text(content: object) -> str:
        return json.dumps(content, ensure_ascii=ascii_only)

    location = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), transaction.location)
    members = {
        "transaction_id": text(transaction.transaction_id),
        "user_id": text(transaction.user_id),
        "amount": draw(_amounts(transaction.amount)),
        "currency": text(transaction.currency),
        "location": text(draw(SPACE) + location + draw(SPACE)),
        "timestamp": draw(_timestamps(transaction.timestamp)),
    }
    written = [(text(name), content) for name, content in members.items()]
    unknown = draw(st.dictionaries(st.text().filter(lambda name: name not in FIELDS), UNKNOWN, max_size=3))
    written += [(text(name), text(content)) for name, content in unknown.items()]
    gaps = st.just("") if draw(st.booleans()) else SPACE
    body = ",".join(
        f"{draw(gaps)}{name}{draw(gaps)}:{draw(gaps)}{content}{draw(gaps)}"
        for name, content in draw(st.permutations(written))
    )
    return f"{draw(gaps)}{{{body}}}{draw(gaps)}".encode()


def _amounts(cents: int) -> st.SearchStrategy[str]:
    whole, rest = divmod(cents, 100)
    spelled = [f"{whole}.{rest:02d}"]
    spelled += [f"{whole}.{rest // 10}"] if rest % 10 == 0 else []
    spelled += [str(whole)] if rest == 0 else []
    return st.sampled_from(spelled)


@st.composite
def _timestamps(draw: st.DrawFn, milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    if moment.year == 9999 or draw(st.booleans()):  # an offset would lead out of Python's calendar
        return str(milliseconds)
    minutes = draw(st.integers(-1439, 1439))
    local = moment.astimezone(timezone(timedelta(minutes=minutes)))
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    if minutes == 0:
        offset = draw(st.sampled_from(["Z", "+00:00", "-00:00"]))
    finer = draw(st.text("0123456789", max_size=6))
    fraction = f".{milliseconds % 1000:03d}{finer}"
    if milliseconds % 1000 == 0 and draw(st.booleans()):
        fraction = ""
    return f'"{local:%Y-%m-%dT%H:%M:%S}{fraction}{offset}"'


WRITTEN = transactions().flatmap(lambda transaction: st.tuples(st.just(transaction), spellings(transaction)))

# bytes that mean something to JSON, to UTF-8, to lines or to the contract
PIECES = st.sampled_from(
    [b""]
    + [bytes([byte]) for byte in b'{}[]",:\\/\n\r\t \x00\x1f-+.eE0159_\x7f\x80\xbf\xc3\xed\xa0\xf4\xff']
    + [
        b"null",
        b"true",
        b"NaN",
        b"1e3",
        b'"12.5"',
        b"\xef\xbb\xbf",
        b"\\u0000",
        b"\\ud83d",
        b"\\n",
        b'":',
        b'",',
    ]
    + [b'"%s"' % name.encode() for name in FIELDS]
    + [b',"amount":1', b'{"user_id":"u",', b"}\n{", b"}{", b"0" * 400]
)


SEEDS = [GOOD, with_field("timestamp", '"2025-01-01T00:00:00.123Z"'), with_member(r'"note":"Z\u00fcrich"')]
SMALL = [bad.value for bad in BAD_RECORDS if bad.value and len(bad.value) <= 400]


@st.composite
def mutations(draw: st.DrawFn) -> list[bytes]:
    """Values of Kafka that were records once: bytes put in, taken out or changed, records cut and joined."""
    value, other = draw(st.sampled_from(SEEDS) | st.sampled_from(SMALL)), draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(value)))
        value = value[:start] + draw(PIECES) + value[start + draw(st.sampled_from([0, 0, 1, 1, 2, 20])) :]
    cut = draw(st.integers(0, len(value)))
    return draw(st.sampled_from([[value], [value, other], [value[:cut], value[cut:]], [value + other]]))


BLOCKS = st.lists(mutations(), min_size=1, max_size=8).map(
    lambda lists: [v for values in lists for v in values]
)


def rows(table: pa.Table) -> Iterator[tuple[int, Transaction]]:
    for row in table.to_pylist():
        yield row.pop("record"), Transaction(**row)


@given(WRITTEN)
@settings(max_examples=100)
def test_a_transaction_is_read_as_it_was_written(written: tuple[Transaction, bytes]) -> None:
    transaction, value = written
    assert parse_record(value, len(value)) == transaction


@given(st.lists(WRITTEN, min_size=1, max_size=8))
@settings(max_examples=40)
def test_a_block_of_transactions_is_read_as_it_was_written(written: list[tuple[Transaction, bytes]]) -> None:
    records = kafka_records((transaction.user_id.encode(), value) for transaction, value in written)
    with patch.object(parsing, "FEWEST", 1):
        parsed = parse(records)
    assert list(rows(parsed.transactions)) == list(enumerate(transaction for transaction, _ in written))
    assert parsed.rejected.num_rows == 0


@given(BLOCKS)
@settings(max_examples=200)
def test_the_block_parser_credits_a_record_only_with_what_it_says_by_itself(values: list[bytes]) -> None:
    credited = parse_block(pa.array(values, pa.binary()), pa.array([len(value) for value in values]))
    assert credited.schema == TRANSACTIONS
    found = list(rows(credited))
    assert len({record for record, _ in found}) == len(found)
    for record, transaction in found:
        assert parse_record(values[record], len(values[record])) == transaction


@given(BLOCKS, st.lists(st.sampled_from(BAD_RECORDS), max_size=3), st.data())
@settings(max_examples=100)
def test_each_record_of_a_block_is_judged_as_if_it_were_alone(
    values: list[bytes], bad: list[BadRecord], data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations([(b"user-1", v) for v in values] + [(b.key, b.value) for b in bad]))
    records = kafka_records(mixed)
    with patch.object(parsing, "FEWEST", 1):
        parsed = parse(records)
    answers: dict[int, Transaction | str] = dict(rows(parsed.transactions))
    rejected = zip(
        *(parsed.rejected[name].to_pylist() for name in ("record", "reason", "detail")), strict=True
    )
    for record, reason, detail in rejected:
        assert record not in answers
        assert 10 <= len(detail) <= 100
        assert detail.isprintable()
        answers[record] = reason
    assert answers == {record: _alone(key, value) for record, (key, value) in enumerate(mixed)}


def _alone(key: bytes | None, value: bytes | None) -> Transaction | str:
    answer = parse_record(value, len(value or b""))
    if isinstance(answer, Rejected):
        return answer.reason
    if not key:
        return Reason.KEY_MISSING
    return answer if key == answer.user_id.encode() else Reason.KEY_MISMATCH
