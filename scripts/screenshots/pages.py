"""Decides which pages of the dashboard are shown, and takes a picture of one once it is drawn."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect

PATIENCE = 60_000
"""Milliseconds that a page may take."""

_LONGEST = 1600
"""Pixels: what is below is cut off."""


@dataclass(frozen=True)
class Picture:
    """A page of the dashboard as somebody sees it; `width` in pixels.

    `select` opens the evidence of the newest alert of the rule with this name.
    """

    name: str
    path: str
    width: int = 1280
    scheme: Literal["light", "dark"] = "light"
    select: str | None = None


PICTURES = (
    Picture("overview", "/?range=15m"),
    Picture("overview-dark", "/?range=15m", scheme="dark"),
    Picture("overview-phone", "/?range=15m", width=390),
    Picture("alerts", "/alerts?range=15m", select="Velocity"),
    Picture("health", "/health?range=15m"),
)


def take(browser: Browser, address: str, picture: Picture, file: Path) -> None:
    """Write the picture. Raises playwright's Error, or AssertionError when the page is not drawn in time."""
    with browser.new_context(
        viewport={"width": picture.width, "height": _LONGEST}, color_scheme=picture.scheme
    ) as context:
        page = context.new_page()
        page.goto(address + picture.path)
        _wait_until_drawn(page)
        if picture.select:
            _select(page, picture.select)
            _wait_until_drawn(page)
        page.mouse.move(0, 0)  # nothing is pointed at
        end = page.get_by_test_id("stMainBlockContainer").evaluate("it => it.getBoundingClientRect().bottom")
        page.set_viewport_size({"width": picture.width, "height": min(math.ceil(end), _LONGEST)})
        _wait_until_drawn(page)
        page.screenshot(path=file, animations="disabled")


def _wait_until_drawn(page: Page) -> None:
    """Return when the app has run, and what it sent is on the screen."""
    expect(page.locator(".st-key-health-line")).to_contain_text("Live", timeout=PATIENCE)
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE)
    for chart in page.get_by_test_id("stVegaLiteChart").all():
        expect(chart.locator("svg.marks")).to_be_attached(timeout=PATIENCE)


def _select(page: Page, rule: str) -> None:
    """Click on the box of the first row with that rule: the table is drawn on a canvas, 35 pixels a row."""
    grid = page.locator(".st-key-table")
    rows = grid.locator("table[role=grid] tbody tr")
    expect(rows.filter(has_text=re.compile(rule)).first).to_be_attached(timeout=PATIENCE)
    place = [rule in text for text in rows.all_text_contents()].index(True)
    grid.locator("canvas").first.click(position={"x": 18, "y": 52 + 35 * place}, force=True)
    expect(page.locator(".st-key-evidence svg.marks")).to_be_attached(timeout=PATIENCE)
