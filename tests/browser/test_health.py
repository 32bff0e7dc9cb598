"""Each figure and each chart of the health page shows what the job's metrics hold."""

import time
from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.parquet import Parquet
from tests.browser.screen import assert_the_hour_is_drawn, figure, marks, number, part
from tests.browser.visit import Visitor

IN_MINUTE = "date_trunc('minute', batch_time) = ?::TIMESTAMP"


@pytest.fixture(scope="module")
def page(lasting_visit: Visitor, dashboard: str) -> Page:
    return lasting_visit(dashboard).open("/health")


def test_the_figures_are_those_of_the_metrics(page: Page, parquet: Parquet) -> None:
    read, middle, late, state, memory = parquet.rows(
        """SELECT sum(read), median(duration_ms), sum(rejected_late), max(state_bytes), max(memory_rows)
        FROM batches"""
    )[0]
    assert read > 4_000
    assert number(figure(page, "tile-read")) == read
    assert figure(page, "tile-lag") == "0"
    assert figure(page, "tile-micro-batch") == f"{middle / 1000:.2f} s"
    assert figure(page, "tile-late") == f"{100 * late / read:.2f}%"
    assert figure(page, "tile-state") == f"{state / 1000:.1f} kB"
    assert number(figure(page, "tile-memory")) == memory


def test_every_record_read_is_counted_once(page: Page, parquet: Parquet) -> None:
    read, evaluated, duplicate, rejected = parquet.rows(
        "SELECT sum(read), sum(evaluated), sum(duplicate), sum(rejected) FROM batches"
    )[0]
    assert read == evaluated + duplicate + rejected
    counts = f"{read:,} read = {evaluated:,} evaluated + {duplicate:,} duplicate + {rejected:,} rejected"
    expect(part(page, "accounts")).to_contain_text(f"{counts} + 0 gaps + 0 lost")
    expect(part(page, "accounts")).to_contain_text("adds up")


def test_each_chart_has_the_numbers_of_each_minute(page: Page, parquet: Parquet) -> None:
    assert shown(page, "throughput").keys() == lines(parquet, read="0").keys()
    for (minute, _), pace in shown(page, "throughput").items():
        read = parquet.value(f"SELECT sum(read) FROM batches WHERE {IN_MINUTE}", minute)  # noqa: S608
        passed = time.time() - datetime.fromisoformat(f"{minute}Z").timestamp()
        # Of a minute that is not over, only the part that is.
        assert pace == pytest.approx(read / 60, rel=1e-3) or (passed < 70 and pace > read / 60)
    assert shown(page, "duration") == lines(
        parquet, median="median(duration_ms) / 1000", slowest="max(duration_ms) / 1000"
    )
    assert shown(page, "state") == lines(parquet, state="max(state_bytes) / 1e6")
    assert shown(page, "memory") == lines(parquet, payments="max(memory_rows)")
    assert shown(page, "lag") == {
        (f"{minute:%Y-%m-%d %H:%M:00}", f"{partition}"): pytest.approx(lag, rel=1e-3)
        for minute, partition, lag in parquet.rows(
            """SELECT date_trunc('minute', batch_time), each.partition, max(each.lag)
            FROM (SELECT batch_time, unnest(partitions) AS each FROM batches) GROUP BY ALL"""
        )
    }
    latencies = shown(page, "latency")
    assert {what for _, what in latencies} == {"p50", "p95", "p99"}
    for (minute, what), seconds in latencies.items():
        lowest, highest = parquet.rows(
            f"""SELECT min(latency_{what}_ms) / 1000, max(latency_{what}_ms) / 1000 FROM batches
            WHERE {IN_MINUTE}""",  # noqa: S608
            minute,
        )[0]
        assert lowest * 0.999 <= seconds <= highest * 1.001


def shown(page: Page, name: str) -> dict[tuple[str, str], float]:
    """(minute, line) -> value of the points of a chart, which lie in the hour that it covers."""
    found = marks(page, f"chart-{name}")
    assert_the_hour_is_drawn(page, f"chart-{name}", found)
    return {
        (mark.field("From (UTC)"), mark.field("What")): value(mark.label.split("; ")[1].partition(": ")[2])
        for mark in found
    }


def lines(parquet: Parquet, **measures: str) -> dict[tuple[str, str], object]:
    """What `shown` must give: each line's name and its measure over the micro-batches of a minute."""
    return {
        (f"{minute:%Y-%m-%d %H:%M:00}", what): pytest.approx(
            float(number), rel=1e-3, abs=6e-4
        )  # three decimals are shown
        for what, measure in measures.items()
        for minute, number in parquet.rows(
            f"SELECT date_trunc('minute', batch_time), {measure} FROM batches GROUP BY ALL"  # noqa: S608
        )
    }


def value(text: str) -> float:
    """A number as the axis has it: `1,234.5`, `1.2k`, `48.5m` (thousandths)."""
    unit = {"m": 1e-3, "k": 1e3, "M": 1e6}.get(text[-1])
    return float(text[:-1]) * unit if unit else float(text.replace(",", ""))


def test_rejected_records_are_counted_by_reason(page: Page, parquet: Parquet) -> None:
    reasons = [
        name.removeprefix("rejected_")
        for name, *_ in parquet.rows("DESCRIBE batches")
        if name.startswith("rejected_")
    ]
    counts = {each: parquet.value(f"SELECT sum(rejected_{each}) FROM batches") for each in reasons}  # noqa: S608
    shown = {bar.field("Reason"): number(bar.field("Records")) for bar in marks(page, "rejected")}
    assert shown == {reason.replace("_", " "): count for reason, count in counts.items() if count}
    assert len(shown) > 5
