"""The CSV file: no cell is a formula, and nothing is lost."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import contents
from dashboard.csv_export import COLUMNS, neutralised, restored, to_csv
from tests.alert_store import MemoryStore, alert, velocity

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  (full-width forms)


def table(*rows: dict[str, object]) -> pa.Table:
    store = MemoryStore()
    return contents.alerts(store.objects[store.put_alerts(rows, 1)][0])


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.builds(
    "{}{}".format, st.sampled_from([*FORMULAS, "'", "'=", "''-"]), st.text("=+-@'ab\t", max_size=5)
)


@given(texts)
def test_what_is_neutralised_comes_back_and_starts_no_formula(text: str) -> None:
    assert restored(neutralised(text)) == text
    assert not neutralised(text).startswith(FORMULAS)


@pytest.mark.parametrize("start", FORMULAS)
def test_a_formula_gets_an_apostrophe(start: str) -> None:
    assert neutralised(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@settings(max_examples=40)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_every_alert_is_one_line_and_its_strings_come_back(pairs: list[tuple[str, str]]) -> None:
    content = to_csv(table(*(alert(user_id=user, location=city) for user, city in pairs)))
    names, *lines = read(content)
    assert names == list(COLUMNS)
    user, city = COLUMNS.index("user_id"), COLUMNS.index("location")
    assert [(restored(line[user]), restored(line[city])) for line in lines] == pairs
    assert not any(cell.startswith(FORMULAS) for line in lines for cell in line)


def test_numbers_and_times_are_exact() -> None:
    row = velocity(amount=Decimal("10000000.00"))
    _, line = read(to_csv(table(row)))
    cells = dict(zip(COLUMNS, line, strict=True))
    assert (cells["amount"], cells["rate"], cells["threshold"]) == ("10000000.00", "1.000000", "3.00")
    assert cells["window_end"] == "2026-01-31T12:29:58.000Z"
    assert row["window_end"] - row["window_start"] == timedelta(seconds=60)


def test_no_alerts_make_a_file_of_names_only() -> None:
    assert read(to_csv(contents.ALERTS_IN_EUROS.empty_table())) == [list(COLUMNS)]
