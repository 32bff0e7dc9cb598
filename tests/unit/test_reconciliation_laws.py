"""Reconciliation: with what it adds, the alerts are those of a topic in which nothing had come late."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fraud.archive import ARCHIVED, archived
from fraud.generations import Generation, generation_at
from fraud.parsing import parse
from fraud.reconciliation import JUDGED, Watermarks, alerts_after_late
from fraud.rules_file import load_rules
from scripts.oracle import Conditions, Expected, expect
from scripts.oracle_records import Sent, bucket_of
from tests.histories import BUCKETS, START, as_records, histories, rules_file
from tests.unit.test_detection_laws import WAYS, judging, longest_window, pair_of, stream

NEVER = 10_000_000
"""Milliseconds of lateness that no generated history reaches: nothing is late."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rules")


def judged(sent: list[Sent], generations: list[Generation], change: int) -> tuple[pa.Table, int | None]:
    """The archive of `sent` (schema JUDGED), of which micro-batch 0 read the first `change` and 1 the rest;
    the lowest watermark."""
    watermarks, pieces = Watermarks(), [JUDGED.empty_table()]
    for batch_id, part in enumerate((sent[:change], sent[change:])):
        generation = generation_at(generations, batch_id)
        for partition in (0, 1):
            records = as_records([each for each in part if each.partition == partition])
            rows = archived(records.combine_chunks().to_batches()[0], parse(records)) if len(records) else []
            if not len(rows):
                continue
            bucket = np.array([bucket_of(user.encode(), BUCKETS) for user in rows["user_id"].to_pylist()])
            late = watermarks.advance(rows, bucket, generation)
            numbers = np.full(len(rows), generation.number, dtype=np.int32)
            columns = [*rows.columns, pa.array(numbers), pa.array(late)]
            pieces.append(pa.table(columns, schema=JUDGED))
    return pa.concat_tables(pieces), watermarks.lowest()


@given(before=WAYS, after=WAYS, sent=histories(), change=st.integers(0, 40), earlier=st.integers(0, 20))
@settings(max_examples=80)
def test_alerts_and_what_is_missing_are_together_what_the_oracle_expects_without_lateness(
    folder: Path,
    before: dict[str, Any],
    after: dict[str, Any],
    sent: list[Sent],
    change: int,
    earlier: int,
) -> None:
    generations, strict = judging(folder, before, after)
    _, without = judging(folder, before, after, lateness=NEVER)
    assume(longest_window(generations[1].rules) <= generations[0].retention)
    first = {(each.partition, each.offset) for each in sent[:change]}

    def expected(conditions: list[Conditions]) -> Expected:
        return expect(sent, *conditions, read_by=lambda s: 0 if (s.partition, s.offset) in first else 1)

    rows, lowest = judged(sent, generations, change)
    late = rows.filter(rows["late"])
    assert set(zip(late["partition"].to_pylist(), late["offset"].to_pylist(), strict=True)) == (
        expected(strict).late
    )
    if lowest is None:
        return
    until = lowest - earlier  # at the lowest watermark itself it holds, too
    alerts, _ = stream([sent[:change], sent[change:]], generations)
    streamed = {alert["alert_id"] for alert in alerts}
    found = alerts_after_late(rows, generations, until).to_pylist()
    added = [alert for alert in found if alert["alert_id"] not in streamed]
    pairs = [pair_of(alert) for alert in [*alerts, *added]]
    assert len(pairs) == len(set(pairs))
    wanted = {pair for pair in expected(without).alerts if pair.timestamp < until}
    assert {pair for pair in pairs if pair.timestamp < until} == wanted
    assert all(pair_of(alert).timestamp < until for alert in added)


def test_without_a_late_payment_nothing_is_missing(folder: Path) -> None:
    rules = load_rules(rules_file(folder / "r.toml", [{"kind": "high_amount", "threshold": "0.00"}]))
    generation = Generation(
        number=1, first_batch_id=0, allowed_lateness=0, retention=0, clock_skew=0, rules=rules
    )
    row = {"transaction_id": "a", "user_id": "u", "currency": "EUR", "location": "Oslo", "partition": 0}
    times = {"timestamp": START, "ingested_at": START}
    table = pa.Table.from_pylist([row | times | {"amount": 5, "offset": 0}], ARCHIVED)
    rows = table.append_column(JUDGED.field("generation"), pa.array([1], pa.int32()))
    rows = rows.append_column(JUDGED.field("late"), pa.array([False]))
    assert alerts_after_late(rows, [generation], START + 100).num_rows == 0
    assert alerts_after_late(rows.slice(0, 0), [generation], START + 100).num_rows == 0
