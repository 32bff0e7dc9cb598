"""The pages on a phone and in the dark."""

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import expect

from tests.browser.screen import part
from tests.browser.visit import Visitor

PAGES = ["/", "/alerts", "/health"]
PHONE = {"width": 390, "height": 844}

COLOURS = """element => {
  const read = text => text.match(/[\\d.]+/g).map(Number)
  const grounds = []
  for (let at = element; at; at = at.parentElement) grounds.push(read(getComputedStyle(at).backgroundColor))
  let seen = [255, 255, 255]
  for (const [r, g, b, a = 1] of grounds.reverse())
    seen = [r, g, b].map((value, i) => a * value + (1 - a) * seen[i])
  const text = element.checkVisibility() ? element.innerText.trim() : ""
  return [text, read(getComputedStyle(element).color).slice(0, 3), seen]
}"""
"""An element's text, its colour and the one behind it: red, green and blue, 0 to 255."""


def test_a_phone_need_not_scroll_sideways_and_reaches_every_control(visit: Visitor, dashboard: str) -> None:
    phone = visit(dashboard, viewport=PHONE, has_touch=True)
    for path in PAGES:
        page = phone.open(path)
        expect(part(page, "health-line")).to_be_visible()
        for element in ("document.scrollingElement", "document.querySelector('[data-testid=stMain]')"):
            assert page.evaluate(f"{element}.scrollWidth <= {element}.clientWidth"), (path, element)
        controls = page.get_by_test_id("stMain").locator("button, input, [role=combobox]")
        reach = """all => all.filter(one => one.checkVisibility()).map(one => {
            one.scrollIntoView({block: "center"})
            const box = one.getBoundingClientRect()
            return [one.ariaLabel || one.textContent, box.left, box.right]
        })"""
        found = controls.evaluate_all(reach)
        assert len(found) > 5
        assert [name for name, left, right in found if left < 0 or right > PHONE["width"]] == [], path


def test_a_phone_changes_the_range_and_the_page(visit: Visitor, dashboard: str) -> None:
    page = visit(dashboard, viewport=PHONE, has_touch=True).open("/")
    page.get_by_role("radio", name="15m").tap()
    expect(page).to_have_url(re.compile("range=15m"))
    page.get_by_test_id("stExpandSidebarButton").tap()
    page.get_by_role("link", name="Alerts").tap()
    expect(part(page, "table")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_background_that_the_system_asks_for(
    visit: Visitor, dashboard: str, scheme: str
) -> None:
    here = visit(dashboard, color_scheme=scheme)
    for path in PAGES:
        page = here.open(path)
        expect(part(page, "health-line")).to_be_visible()
        texts = page.get_by_test_id("stMain").locator("h1, p, label, [data-testid=stMetricValue], button")
        shown = texts.evaluate_all(f"all => all.map({COLOURS}).filter(([text]) => text)")
        assert len(shown) > 10
        ground = luminance(shown[0][2])
        assert ground < 0.05 if scheme == "dark" else ground > 0.8
        assert [text for text, ink, behind in shown if contrast(ink, behind) < 4.5] == [], path
        # The words of the charts lie on the page's own background.
        fills = page.locator("svg.marks text").evaluate_all(
            "all => all.map(one => getComputedStyle(one).fill)"
        )
        inks = {fill: [int(part) for part in re.findall(r"\d+", fill)[:3]] for fill in fills}
        assert [fill for fill, ink in inks.items() if contrast(ink, shown[0][2]) < 3] == [], path


def luminance(colour: Sequence[float]) -> float:
    """Of red, green and blue, 0 to 255, as WCAG has it."""
    parts = [value / 255 for value in colour]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """The ratio of two colours' luminances, as WCAG has it: 1 to 21."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)
