"""Reads what a page of the dashboard shows: a chart's marks, a table's cells, a figure's value."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from playwright.sync_api import Locator, Page, expect

from tests.browser.visit import PATIENCE

T = TypeVar("T")

LEFT_OF_AXIS = 85
"""Pixels, about, of what stands to the left of a time axis."""

TOOLTIP = "#vg-tooltip-element.visible"
READ_TOOLTIP = """tip => Object.fromEntries([...tip.querySelectorAll("tr")].map(
  row => [row.cells[0].innerText.replace(/:$/, ""), row.cells[1].innerText]))"""


@dataclass(frozen=True)
class Mark:
    """A bar, point or line of a chart: its label for those who cannot see it, and its box in pixels."""

    label: str
    left: float
    top: float
    width: float
    height: float

    def field(self, name: str) -> str:
        """The value of a field of the label, the last of that name."""
        return f"; {self.label}".rpartition(f"; {name}: ")[2].partition("; ")[0]


def eventually(read: Callable[[], T], wanted: T) -> None:
    """Wait until what is read is what is wanted; for what expect() cannot read."""
    deadline = time.monotonic() + PATIENCE / 1000
    while read() != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    assert read() == wanted


def part(page: Page, key: str) -> Locator:
    """The part of the page with this key."""
    return page.locator(f".st-key-{key}")


def marks(page: Page, key: str) -> list[Mark]:
    """The marks of the chart with this key, once it is drawn; axes and legends are none."""
    found = part(page, key).locator("svg path[role=graphics-symbol]")
    expect(found.first).to_be_attached()
    read = """paths => paths.map(path => {
      const box = path.getBoundingClientRect()
      return [path.getAttribute("aria-label"), box.left, box.top, box.width, box.height]
    })"""
    return [Mark(*each) for each in found.evaluate_all(read)]


def tooltips(page: Page, key: str) -> list[dict[str, str]]:
    """What a person reads who points at each of the marks, in the order of `marks`."""
    found: list[dict[str, str]] = []
    for path in part(page, key).locator("svg path[role=graphics-symbol]").all():
        page.mouse.move(0, 0)
        expect(page.locator(TOOLTIP)).to_have_count(0)
        path.hover(force=True)
        found.append(page.locator(TOOLTIP).evaluate(f"tip => ({READ_TOOLTIP})(tip)"))
    return found


def tooltips_of_canvas(page: Page, key: str, when: float) -> list[tuple[float, dict[str, str]]]:
    """The same for a chart of many marks, which is drawn on a canvas: it is passed over from top to bottom.

    `when`: where, as a part of the time axis. For each tooltip how many pixels from the top it was seen last.
    """
    canvas = part(page, key).locator("canvas")
    expect(canvas).to_be_visible()
    sweep = f"""(canvas, when) => {{
      const box = canvas.getBoundingClientRect(), seen = new Map()
      const middle = box.width - (1 - when) * (box.width - {LEFT_OF_AXIS})
      for (let x = Math.min(middle + 16, box.width - 3); x > middle - 24; x -= 8)
        for (let y = 0; y < box.height; y += 1) {{
          const at = {{clientX: box.left + x, clientY: box.top + y, bubbles: true}}
          for (const kind of ["pointermove", "mousemove"]) canvas.dispatchEvent(new MouseEvent(kind, at))
          const tip = document.querySelector("{TOOLTIP}")
          if (tip) seen.set(tip.innerHTML, [y, ({READ_TOOLTIP})(tip)])
        }}
      return [...seen.values()]
    }}"""
    return [(y, tip) for y, tip in canvas.evaluate(sweep, when)]


def texts(page: Page, key: str) -> str:
    """All text of a chart, as drawn."""
    found = part(page, key).locator("svg.marks text")
    expect(found.first).to_be_attached()
    return "\n".join(found.all_text_contents())


def table(page: Page, key: str) -> list[dict[str, str]]:
    """The rows of a table that are in sight, by the names of its columns."""
    grid = part(page, key).locator("table[role=grid]")
    expect(grid.locator("tbody tr").first).to_be_attached()
    read = """grid => [...grid.rows].map(row => [...row.cells].map(cell => cell.textContent))"""
    names, *rows = grid.evaluate(read)
    return [dict(zip(names, row, strict=True)) for row in rows]


def select_row(page: Page, place: int) -> None:
    """Click on the box of a row of the alerts: they are drawn on a canvas, 35 pixels a row."""
    canvas = part(page, "table").locator("canvas").first
    # An empty element above the canvas takes the click, as it does a person's.
    canvas.click(position={"x": 18, "y": 52 + 35 * place}, force=True)


def figure(page: Page, key: str) -> str:
    """The value of the figure in the tile with this key."""
    return part(page, key).get_by_test_id("stMetricValue").inner_text()


def number(text: str) -> int:
    """`1,234` -> 1234."""
    return int(text.replace(",", ""))


def assert_the_hour_is_drawn(page: Page, key: str, found: list[Mark]) -> None:
    """The time axis covers the last hour: what happened in its last minutes is at the right."""
    axis = part(page, key).locator("svg g[aria-roledescription=axis][aria-label^=X-axis]")
    label = axis.get_attribute("aria-label") or ""
    assert "NaN" not in label
    assert re.search(r"\d\d:\d\d|\d [AP]M", axis.text_content() or ""), "no time on the axis"
    box = axis.bounding_box()
    assert box is not None
    assert [mark for mark in found if mark.left < box["x"] + box["width"] / 2] == []
