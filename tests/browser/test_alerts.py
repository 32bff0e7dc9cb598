"""One alert's evidence, the addresses that lead to it, and the CSV file of all that are shown."""

import csv
import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.filters import NEWEST_FIRST, assert_found, choose, enter
from tests.browser.parquet import Parquet
from tests.browser.payments import AMOUNT
from tests.browser.screen import marks, part, select_row, table
from tests.browser.visit import Visitor


@pytest.fixture
def page(visit: Visitor, dashboard: str) -> Page:
    return visit(dashboard).open("/alerts")


@pytest.mark.parametrize("rule", ["high_amount", "velocity", "multiple_locations"])
def test_a_selected_alert_shows_its_evidence_and_its_address_shows_it_again(
    page: Page, parquet: Parquet, visit: Visitor, dashboard: str, rule: str
) -> None:
    newest = f"SELECT alert_id FROM alerts WHERE rule_id = ? {NEWEST_FIRST} LIMIT 1"  # noqa: S608
    alert_id = parquet.value(newest, rule)
    choose("Rule", rule.replace("_", " ").capitalize())(page)
    assert_found(page, parquet, f"rule_id = '{rule}'")
    select_row(page, 0)
    expect(part(page, "evidence")).to_contain_text(alert_id)
    assert f"alert={alert_id}" in page.url
    assert_evidence(page, parquet, alert_id)
    other = visit(dashboard).open(f"/alerts?{urlencode({'alert': alert_id})}")
    assert_evidence(other, parquet, alert_id)


def test_an_address_of_an_alert_that_is_not_there_says_so(visit: Visitor, dashboard: str) -> None:
    page = visit(dashboard).open("/alerts?alert=0123456789abcdef0123456789abcdef")
    expect(part(page, "message-no-such-alert")).to_contain_text("not here")


def test_the_csv_file_has_every_alert_that_passes_the_filters_and_no_formula(
    page: Page, parquet: Parquet, tmp_path: Path
) -> None:
    enter("From (EUR)", AMOUNT)(page)
    enter("To (EUR)", AMOUNT)(page)
    condition = f"euros = {AMOUNT}"
    assert_found(page, parquet, condition)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    file = tmp_path / "alerts.csv"
    download.value.save_as(file)
    assert download.value.suggested_filename == "fraud-alerts.csv"
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))
    expected = parquet.rows(
        f"SELECT alert_id, user_id, location, euros FROM alerts WHERE {condition} {NEWEST_FIRST}"  # noqa: S608
    )
    harmless = [(i, neutral(user), neutral(city), f"{euros}") for i, user, city, euros in expected]
    assert [(row["alert_id"], row["user_id"], row["location"], row["euros"]) for row in rows] == harmless
    cells = [cell for row in rows for cell in row.values()]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert any(cell.startswith("'=HYPERLINK(") for cell in cells)


def neutral(text: str) -> str:
    """The text as a spreadsheet may have it."""
    return f"'{text}" if text[0] in "=+-@" else text


def assert_evidence(page: Page, parquet: Parquet, alert_id: str) -> None:
    """Facts, payments and chart of the alert are those of its row in Parquet."""
    columns = "rule, user_id, transaction_id, location, amount, currency, paid, detected_at, observed, "
    alert = parquet.rows(f"SELECT {columns}threshold, evidence FROM alerts WHERE alert_id = ?", alert_id)[0]  # noqa: S608
    rule, user, transaction, city, amount, currency, paid, detected, observed, threshold, evidence = alert
    card = part(page, "evidence")
    facts = part(page, "facts")
    for text in (user, transaction, city, moment(paid), moment(detected), alert_id):
        expect(facts).to_contain_text(text)
    expect(facts).to_contain_text(f"{amount:,.2f} {currency}")
    expect(card).to_contain_text(rule)
    for measured in (observed, threshold):
        expect(part(page, "verdict")).to_contain_text(plain(measured))
    payments = [
        (moment(time), one, place, f"{money:,.2f} {unit}") for time, one, place, money, unit in evidence
    ]
    rows = table(page, "evidence")
    shown = [(row["Paid (UTC)"], row["Transaction"], row["City"], row["Amount"]) for row in rows]
    assert shown == payments
    assert [row["Role"] for row in rows] == ["flagged"] + ["contributing"] * (len(rows) - 1)
    if len(payments) > 1:
        points = [mark for mark in marks(page, "evidence") if "; Role: " in mark.label]
        assert sorted(point.field("Paid (UTC)") for point in points) == sorted(when for when, *_ in payments)


def moment(time: datetime) -> str:
    """UTC to the millisecond."""
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}"


def plain(number: Decimal) -> str:
    """`4`, `1,000.01`."""
    return f"{number:,.2f}".removesuffix(".00")
