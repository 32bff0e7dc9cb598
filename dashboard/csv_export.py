"""Alerts as CSV for a spreadsheet, in which no cell can be a formula. Pure."""

import csv
import io
import re

import pyarrow as pa

COLUMNS = (
    "detected_at", "rule_id", "rule_version", "severity", "user_id", "transaction_id",
    "transaction_timestamp", "amount", "currency", "rate", "euros", "location", "observed",
    "threshold", "window_start", "window_end",
    "evidence_count", "ingested_at", "reconciled_at", "alert_id",
)  # fmt: skip
"""The evidence itself is a table of its own and left out."""

# What a spreadsheet takes for the beginning of a formula, the full-width forms too; behind apostrophes, so
# that `restored` is the way back.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def neutralised(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet could take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """What `neutralised` made a cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def to_csv(alerts: pa.Table) -> bytes:
    """One line an alert below a line of names; times in ISO 8601 UTC; UTF-8 with a mark for spreadsheets."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink)
    writer.writerow(COLUMNS)
    for row in alerts.select(COLUMNS).to_pylist():
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return sink.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return neutralised(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat(timespec="milliseconds")).replace("+00:00", "Z")
    return str(value)
