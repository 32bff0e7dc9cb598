"""Whatever stands in a payment is text on every page, and nothing else."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.parquet import Parquet
from tests.browser.payments import AMOUNT, HOSTILE, Hostile
from tests.browser.screen import eventually, marks, part, select_row, table
from tests.browser.visit import Visitor


def test_it_is_shown_as_it_is_in_the_table_and_in_the_evidence(
    visit: Visitor, dashboard: str, parquet: Parquet
) -> None:
    alerts = parquet.rows(
        """SELECT user_id, location, transaction_id FROM alerts WHERE euros = ?
        ORDER BY detected_at DESC, alert_id""",
        AMOUNT,
    )
    assert {(user, city) for user, city, _ in alerts} == {(each.user, each.city) for each in HOSTILE}
    page = visit(dashboard).open(f"/alerts?from={AMOUNT}&to={AMOUNT}")
    wanted = [(user, city) for user, city, _ in alerts[:9]]
    eventually(lambda: [(row["User"], row["City"]) for row in table(page, "table")[:9]], wanted)
    for place, (user, city, transaction) in enumerate(alerts[:9]):
        select_row(page, place)
        for text in (user, city, transaction):
            expect(part(page, "facts").get_by_text(text, exact=True).first).to_be_visible()
        assert_nothing_but_text(page)


@pytest.mark.parametrize("hostile", [HOSTILE[0], HOSTILE[2]], ids=["html", "markdown"])
def test_it_is_text_in_filters_and_their_address(visit: Visitor, dashboard: str, hostile: Hostile) -> None:
    page = visit(dashboard).open(f"/alerts?{urlencode({'city': hostile.city, 'user': hostile.user})}")
    expect(page.get_by_text("1 of ")).to_be_visible()
    expect(page.get_by_label("User contains")).to_have_value(hostile.user)
    expect(part(page, "city")).to_contain_text(hostile.city)
    assert_nothing_but_text(page)


def test_it_is_text_in_charts_and_their_tooltips(visit: Visitor, dashboard: str) -> None:
    page = visit(dashboard).open("/")
    cities = {hostile.city for hostile in HOSTILE}
    paths = part(page, "top-cities").locator("svg path[role=graphics-symbol]")
    bars = [
        (paths.nth(place), city)
        for place, bar in enumerate(marks(page, "top-cities"))
        for city in cities
        if f"; City: {city}; " in bar.label
    ]
    assert len(bars) > 2
    for path, city in bars:
        path.hover(force=True)
        expect(page.locator("#vg-tooltip-element")).to_contain_text(city)
    assert page.locator("#vg-tooltip-element :is(img, script, iframe, a)").count() == 0


def test_an_address_full_of_it_finds_nothing_and_does_nothing(visit: Visitor, dashboard: str) -> None:
    text = HOSTILE[0].user
    names = ("rule", "severity", "city", "user", "alert", "range", "from")
    page = visit(dashboard).open(f"/alerts?{urlencode(dict.fromkeys(names, text))}")
    expect(page.get_by_text("0 of ")).to_be_visible()
    assert_nothing_but_text(page)


def assert_nothing_but_text(page: Page) -> None:
    """No element, formula or link was made of a text."""
    made = "img[src=x], svg[onload], iframe[src^=javascript], .katex, a[href^=javascript], a[href*='198.51']"
    assert page.locator(made).count() == 0
