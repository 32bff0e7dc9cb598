"""The filters of the alerts page: how a person sets them, and what must then be left."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.parquet import Parquet
from tests.browser.screen import eventually, table

NEWEST_FIRST = "ORDER BY detected_at DESC, alert_id"

Fill = Callable[[Page], None]


def choose(label: str, *options: str) -> Fill:
    """Choose these in a list of several."""

    def fill(page: Page) -> None:
        box = page.get_by_role("combobox", name=label)
        box.click()
        for option in options:
            box.fill(option)  # a long list need not be scrolled then
            page.get_by_role("option", name=option, exact=True).click()
        page.keyboard.press("Escape")
        for option in options:
            expect(page.get_by_role("button", name=f"Remove {option}")).to_be_visible()

    return fill


def enter(label: str, text: str) -> Fill:
    """Write it into a field."""

    def fill(page: Page) -> None:
        field = page.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Enter")

    return fill


# what a person does, and what must hold for the alerts that are left
FILTERS: dict[str, tuple[Fill, str]] = {
    "rule": (choose("Rule", "Velocity"), "rule_id = 'velocity'"),
    "two rules": (choose("Rule", "Velocity", "High amount"), "rule_id IN ('velocity', 'high_amount')"),
    "severity": (choose("Severity", "High"), "severity = 'high'"),
    "city": (choose("City", "Oslo"), "location = 'Oslo'"),
    "user": (enter("User contains", "U3"), "contains(lower(user_id), 'u3')"),
    "from": (enter("From (EUR)", "144927.53"), "euros >= 144927.53"),
    "to": (enter("To (EUR)", "12.5"), "euros <= 12.50"),
}


def assert_found(page: Page, parquet: Parquet, condition: str) -> None:
    """The page counts and lists the alerts that fulfil the condition."""
    total = parquet.value("SELECT count(*) FROM alerts")
    rows = parquet.rows(f"SELECT transaction_id, rule FROM alerts WHERE {condition} {NEWEST_FIRST}")  # noqa: S608
    assert 0 < len(rows) < total
    expect(page.get_by_text(f"{len(rows):,} of {total:,} alerts")).to_be_visible()
    shown = min(8, len(rows))
    eventually(
        lambda: [(row["Transaction"], row["Rule"]) for row in table(page, "table")[:shown]], rows[:shown]
    )
