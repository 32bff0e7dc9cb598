"""What a person sees of the stack: its dashboard, in a real browser."""

import os
from pathlib import Path

import pytest

from local.native.findings import read_parquet
from scripts.chromium import NoChromiumError, find_chromium, opened_chromium
from tests.compose.stack import ComposeStack

WIDE = {"width": 2400, "height": 2600}
"""Columns out of sight are not drawn, and the producer's names are long."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def chromium() -> Path:
    """The program; the test is skipped when there is none, or nothing to drive it."""
    try:
        found = find_chromium(os.environ)
    except NoChromiumError as error:
        pytest.skip(str(error))
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed; scripts/test.sh does it")
    return found


def test_alerts_of_the_object_store_are_on_its_pages(
    stack: ComposeStack, chromium: Path, tmp_path: Path
) -> None:
    from tests.browser.screen import figure, number, table
    from tests.browser.visit import opened_context, visitor

    lane = stack.lane(tmp_path)
    stack.wait("alert in Parquet", lambda: any(key.startswith("alerts/date=") for key in lane.object_keys()))
    before = read_parquet(lane.bucket() / "alerts")
    assert before is not None
    address = f"http://127.0.0.1:{stack.ports['DASHBOARD_PORT']}"
    with (
        opened_chromium(chromium) as browser,
        opened_context(browser, viewport=WIDE) as context,
        visitor(browser, context) as visit,
    ):
        counted = number(figure(visit(address).open("/"), "kpi-alerts"))
        shown = {row["Transaction"] for row in table(visit(address).open("/alerts"), "table")}
    after = read_parquet(lane.bucket() / "alerts")
    assert after is not None
    assert len(before) <= counted <= len(after)
    assert shown
    assert shown <= set(after["transaction_id"].to_pylist())
