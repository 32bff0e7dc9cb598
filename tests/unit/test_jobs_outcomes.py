"""The way from the operator to the driver, and rejected records on the way to their topic."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.memory import IncompatibleState, Memory, Progress
from fraud.transaction import REJECTED
from jobs.detect.binary_columns import keeping_arrow
from jobs.detect.bucket_operator import INPUT, pack_memory, rejects, table_of, unpack_memory
from jobs.detect.outcomes import Report, pack, unpack, unpack_outcomes
from jobs.detect.rejected_records import rejected_records


def records(*values: bytes | None) -> pa.Table:
    rows = [
        {"key": b"u", "value": v, "partition": 0, "offset": i, "timestamp": 0, "original_size": len(v or b"")}
        for i, v in enumerate(values)
    ]
    return pa.Table.from_pylist(rows, INPUT)


def all_rejected(count: int) -> pa.Table:
    rows = [{"record": i, "reason": "not_json", "detail": f"detail {i}"} for i in range(count)]
    return pa.Table.from_pylist(rows, REJECTED)


@dataclass
class Record:
    """A record of the source topic."""

    at: int
    content: bytes | None

    def offset(self) -> int:
        return self.at

    def value(self) -> bytes | None:
        return self.content


@given(st.lists(st.binary(max_size=2000), max_size=60))
def test_packed_pieces_hold_the_same_rows_in_the_same_order(values: list[bytes]) -> None:
    table = pa.table({"value": pa.array(values, pa.binary())})
    pieces = [unpack(piece) for piece in pack(table)]
    assert [v for piece in pieces for v in piece["value"].to_pylist()] == values


def test_a_large_table_is_packed_in_several_pieces() -> None:
    table = pa.table({"value": pa.array([bytes(1024)] * 20_000, pa.binary())})
    assert len(list(pack(table))) == 3


def test_frames_of_arrow_arrays_and_of_objects_are_read_alike() -> None:
    given = records(b"{}", None, b"\x00\xff", b"")
    columns = list(given.itercolumns())
    in_arrow = pd.concat(
        [keeping_arrow(None, c) for c in columns if c.type in (pa.binary(), pa.string())], axis=1
    )
    assert in_arrow["value"].dtype == "binary[pyarrow]"
    as_objects = given.to_pandas()
    numbers = as_objects[[name for name in INPUT.names if name not in in_arrow]]
    assert table_of(as_objects) == table_of(pd.concat([in_arrow, numbers], axis=1)) == given


def test_memory_survives_the_state_store() -> None:
    memory = Memory(Memory.empty().payments, {0: Progress(7, 3)})
    assert unpack_memory(pack_memory(memory)) == memory


@pytest.mark.parametrize("blob", ["", "AAAA", "not base64", "Ā"])
def test_damaged_state_is_named_as_such(blob: str) -> None:
    with pytest.raises(IncompatibleState, match="not readable"):
        unpack_memory(blob)


def test_a_report_survives_the_way() -> None:
    report = Report(3, 12, 1_000, [(0, "evaluated", 5), (1, "late", 2)], {"reused_id": 1}, 77)
    assert Report.from_bytes(report.to_bytes()) == report


def test_outcomes_come_in_the_order_of_the_buckets() -> None:
    payloads = [(5, "alerts", b"a5"), (5, "alerts", b"b5"), (2, "alerts", b"a2"), (2, "rejected", b"r2")]
    table = pa.table(
        [pa.array(column) for column in zip(*payloads, strict=True)], names=["bucket", "kind", "payload"]
    )
    outcomes = unpack_outcomes(table)
    assert outcomes.packed_alerts == [b"a2", b"a5", b"b5"]
    assert outcomes.packed_rejects == [b"r2"]


def test_rejected_records_carry_their_bytes_up_to_the_budget() -> None:
    table = rejects(records(b"a" * 10, b"b" * 10, b"c" * 10), all_rejected(3), budget=20)
    assert table["carried"].to_pylist() == [True, True, False]
    assert table["value"].to_pylist() == [b"a" * 10, b"b" * 10, None]
    assert table["sha256"].to_pylist()[2] is None


def test_a_tombstone_is_carried_as_null() -> None:
    (row,) = rejects(records(None), all_rejected(1)).to_pylist()
    assert row["carried"]
    assert row["value"] is None
    assert row["sha256"] == hashlib.sha256(b"").hexdigest()


def sent(table: pa.Table, topic: dict[int, bytes | None]) -> dict[bytes, tuple[bytes | None, dict[str, str]]]:
    def read(partition: int, start: int, end: int) -> Iterable[Record]:
        assert partition == 0
        return [Record(at, topic[at]) for at in range(start, end) if at in topic]

    found = rejected_records([table], "transactions", "transactions-rejected", read)
    return {r.key: (r.value, {name: value.decode() for name, value in r.headers}) for r in found}


@given(st.lists(st.one_of(st.none(), st.binary(max_size=50)), min_size=1, max_size=20), st.integers(0, 300))
def test_carried_or_read_again_a_rejected_record_is_the_same(values: list[bytes | None], budget: int) -> None:
    topic = dict(enumerate(values))
    small = sent(rejects(records(*values), all_rejected(len(values)), budget=budget), topic)
    large = sent(rejects(records(*values), all_rejected(len(values))), topic)
    assert small == large
    assert [large[f"transactions/0/{i}".encode()][0] for i in range(len(values))] == values


def test_an_oversized_record_read_again_is_cut_and_has_the_digest_of_the_whole() -> None:
    whole = b"x" * 100_000
    table = rejects(records(b"x" * 65_536), all_rejected(1), budget=0)
    value, headers = sent(table, {0: whole})[b"transactions/0/0"]
    assert value == whole[:65_536]
    assert headers["sha256"] == hashlib.sha256(whole).hexdigest()


def test_a_rejected_record_that_has_gone_from_the_topic_is_still_announced() -> None:
    table = rejects(records(b"x" * 100), all_rejected(1), budget=0)
    value, headers = sent(table, {})[b"transactions/0/0"]
    assert value is None
    assert "no longer in the topic" in headers["detail"]
    assert headers["reason"] == "not_json"
