"""Each figure and each chart of the overview shows what the Parquet files hold."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from tests.browser.parquet import Parquet
from tests.browser.screen import (
    Mark,
    assert_the_hour_is_drawn,
    figure,
    marks,
    number,
    texts,
    tooltips,
    tooltips_of_canvas,
)
from tests.browser.visit import Visitor

WEIGHTED = """
    SELECT min(value) FROM (
        SELECT {name} AS value, sum(alerts) OVER (ORDER BY {name}) AS reached, sum(alerts) OVER () AS total
        FROM batches WHERE {name} IS NOT NULL
    ) WHERE reached >= {share} * total"""
"""The percentile of micro-batches' percentiles, each with the weight of its alerts."""

TOP = re.compile(
    r"Alerts: (?P<alerts>[\d,]+); name: (?P<name>.*); rule: (?P<rule>[^;]*); "
    r"(?:User|City): (?P=name); Rule: (?P=rule); Of all rules: (?P<total>[\d,]+)",
    re.DOTALL,
)


@pytest.fixture(scope="module")
def page(lasting_visit: Visitor, dashboard: str) -> Page:
    return lasting_visit(dashboard).open("/")


def test_the_figures_are_those_of_the_files(page: Page, parquet: Parquet) -> None:
    alerts, users = parquet.rows("SELECT count(*), count(DISTINCT user_id) FROM alerts")[0]
    evaluated = parquet.value("SELECT sum(evaluated) FROM batches")
    assert alerts > 2_000
    assert number(figure(page, "kpi-alerts")) == alerts
    assert number(figure(page, "kpi-users")) == users
    assert number(figure(page, "kpi-evaluated")) == evaluated
    assert figure(page, "kpi-share") == f"{100 * alerts / evaluated:.2f}%"
    for percentile in (50, 95):
        query = WEIGHTED.format(name=f"latency_p{percentile}_ms", share=percentile / 100)
        seconds = parquet.value(query) / 1000
        assert figure(page, f"kpi-latency-p{percentile}") == f"{seconds:.{2 if seconds < 10 else 1}f} s"


def test_alerts_over_time_are_counted_by_rule_and_minute(page: Page, parquet: Parquet) -> None:
    bars = marks(page, "alerts-over-time")
    tips = tooltips(page, "alerts-over-time")
    shown = {(tip["From (UTC)"], tip["Rule"], number(tip["Alerts"])) for tip in tips}
    minutes = "SELECT date_trunc('minute', detected_at), rule, count(*) FROM alerts GROUP BY ALL"
    assert shown == {
        (f"{start:%Y-%m-%d %H:%M:%S}", rule, alerts) for start, rule, alerts in parquet.rows(minutes)
    }
    assert_lengths_say_the_numbers(
        [(bar.height, number(tip["Alerts"])) for bar, tip in zip(bars, tips, strict=True)]
    )
    assert_bars_are_stacked(bars)
    assert_the_hour_is_drawn(page, "alerts-over-time", bars)


@pytest.mark.parametrize(("key", "column"), [("top-users", "user_id"), ("top-cities", "location")])
def test_the_names_with_most_alerts_come_first(page: Page, parquet: Parquet, key: str, column: str) -> None:
    bars = marks(page, key)
    read = [TOP.fullmatch(bar.label) for bar in bars]
    assert all(read), [bar.label for bar in bars]
    found = [match.groupdict() for match in read if match]
    shown = {(each["name"], each["rule"]): (number(each["alerts"]), number(each["total"])) for each in found}
    expected = parquet.rows(
        f"""WITH top AS (
            SELECT {column} AS name, count(*) AS total FROM alerts
            GROUP BY ALL ORDER BY total DESC, name LIMIT 10
        )
        SELECT name, rule, count(*), total FROM alerts JOIN top ON {column} = name GROUP BY ALL"""  # noqa: S608
    )
    assert shown == {(name, rule): (alerts, total) for name, rule, alerts, total in expected}
    by_place = sorted(zip(bars, found, strict=True), key=lambda pair: pair[0].top)
    totals = [number(each["total"]) for _, each in by_place]
    assert totals == sorted(totals, reverse=True)
    assert_lengths_say_the_numbers(
        [(bar.width, number(each["alerts"])) for bar, each in zip(bars, found, strict=True)]
    )
    names = texts(page, key)
    assert [name for name, *_ in expected if name[:8] not in names] == []


def test_the_amounts_are_drawn_by_time_and_size_with_the_threshold(page: Page, parquet: Parquet) -> None:
    age = datetime.now(UTC) - parquet.value("SELECT max(detected_at) FROM alerts").replace(tzinfo=UTC)
    tips = tooltips_of_canvas(page, "amounts", 1 - age / timedelta(hours=1))
    points = [(y, tip) for y, tip in tips if "In euros" in tip]
    there_are = {
        (f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}", rule, user, city, f"{euros:,.2f} EUR")
        for time, rule, user, city, euros in parquet.rows(
            "SELECT detected_at, rule, user_id, location, euros FROM alerts"
        )
    }
    fields = ("Detected (UTC)", "Rule", "User", "City", "In euros")
    assert [tip for _, tip in points if tuple(tip[field] for field in fields) not in there_are] == []
    # Most points lie below others; of each size there is one on top.
    sizes = {float(tip["In euros"].removesuffix(" EUR").replace(",", "")): y for y, tip in points}
    assert len(sizes) > 8
    heights = [y for _, y in sorted(sizes.items())]
    assert all(upper <= lower + 12 for lower, upper in itertools.pairwise(heights))
    assert heights[0] - heights[-1] > 100
    assert any("threshold 1,000.00 EUR" in tip.values() for _, tip in tips)


def assert_lengths_say_the_numbers(bars: list[tuple[float, int]]) -> None:
    """All bars have the same length for each unit, to a pixel."""
    longest, most = max(bars, key=lambda bar: bar[1])
    wrong = [(length, value) for length, value in bars if abs(length - longest * value / most) > 1.5]
    assert wrong == []
    assert longest > 30


def assert_bars_are_stacked(bars: list[Mark]) -> None:
    """Bars at one place stand upon each other, and the lowest on the foot of the chart."""
    foot = max(bar.top + bar.height for bar in bars)
    for place in {round(bar.left) for bar in bars}:
        stack = [bar for bar in bars if round(bar.left) == place]
        assert sum(bar.height for bar in stack) == pytest.approx(foot - min(bar.top for bar in stack), abs=2)
