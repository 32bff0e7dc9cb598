"""The alerts page shows the alerts that were asked for: by filters, by their address, by the time range."""

import io
import re
from datetime import timedelta
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Serve
from tests.browser.filters import FILTERS, assert_found
from tests.browser.parquet import Parquet
from tests.browser.screen import eventually, part
from tests.browser.visit import Visitor
from tests.integration.lane import Lane


@pytest.fixture
def page(visit: Visitor, dashboard: str) -> Page:
    return visit(dashboard).open("/alerts")


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_leaves_the_alerts_that_it_names(page: Page, parquet: Parquet, name: str) -> None:
    fill, condition = FILTERS[name]
    fill(page)
    assert_found(page, parquet, condition)


def test_filters_hold_together_and_their_address_leads_to_the_same_alerts(
    page: Page, parquet: Parquet, visit: Visitor, dashboard: str
) -> None:
    names = ("severity", "city", "user", "to")
    for name in names:
        FILTERS[name][0](page)
    condition = " AND ".join(FILTERS[name][1] for name in names)
    assert_found(page, parquet, condition)
    address = page.url.removeprefix(dashboard)
    assert_found(visit(dashboard).open(address), parquet, condition)


def test_a_list_that_is_open_survives_a_refresh(page: Page, parquet: Parquet) -> None:
    city = page.get_by_role("combobox", name="City")
    city.click()
    city.fill("Oslo")
    line = part(page, "health-line")
    before = line.inner_text()
    eventually(lambda: line.inner_text() != before, True)
    page.get_by_role("option", name="Oslo", exact=True).click()
    page.keyboard.press("Escape")
    assert_found(page, parquet, "location = 'Oslo'")


def test_two_choices_in_one_breath_both_hold(page: Page, parquet: Parquet) -> None:
    for label, option in (("Severity", "High"), ("City", "Oslo")):
        box = page.get_by_role("combobox", name=label)
        box.click()
        box.fill(option)
        page.get_by_role("option", name=option, exact=True).click()
        page.keyboard.press("Escape")
    assert_found(page, parquet, "severity = 'high' AND location = 'Oslo'")


def test_a_range_shows_the_alerts_of_its_time(
    visit: Visitor, serve: Serve, judged: Lane, parquet: Parquet
) -> None:
    store = judged.settings.object_store
    client = boto3.client("s3", **store.boto3())
    count = parquet.value("SELECT count(*) FROM alerts")
    for key in judged.object_keys():
        if key.startswith("alerts/"):
            content = client.get_object(Bucket=store.bucket, Key=store.prefix + key)["Body"].read()
            client.put_object(Bucket=store.bucket, Key=f"ranges/{key}", Body=content)
            # The same micro-batch, as if it had come three hours before.
            earlier, hour = shifted(content, timedelta(hours=-3))
            client.put_object(Bucket=store.bucket, Key=f"ranges/alerts/{hour}/{Path(key).name}", Body=earlier)
    address = serve(judged.environment | {"FRAUD_S3_PREFIX": "ranges/"})
    page = visit(address).open("/alerts")
    expect(page.get_by_text(f"{count:,} of {count:,} alerts")).to_be_visible()  # of the last hour
    for name, times in (("6h", 2), ("15m", 1), ("24h", 2)):
        page.get_by_role("radio", name=name).click()
        expect(page.get_by_text(f"{times * count:,} of {times * count:,} alerts")).to_be_visible()
        expect(page).to_have_url(re.compile(f"range={name}"))


def shifted(content: bytes, by: timedelta) -> tuple[bytes, str]:
    """A Parquet file of alerts that were detected earlier or later, and the folder of its hour."""
    table = pq.read_table(pa.BufferReader(content))
    place = table.schema.get_field_index("detected_at")
    times = [time + by for time in table["detected_at"].to_pylist()]
    column = pa.array(times, table.schema.field(place).type)
    sink = io.BytesIO()
    pq.write_table(table.set_column(place, table.schema.field(place), column), sink)
    return sink.getvalue(), f"date={times[0]:%Y-%m-%d}/hour={times[0]:%H}"
