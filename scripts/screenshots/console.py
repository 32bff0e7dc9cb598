"""Draws what the console said as a picture: the demo's own lines, as text in a page of our own."""

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser

_PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #10141b }
pre { margin: 0; padding: 20px 24px; width: max-content; max-width: 1180px; box-sizing: border-box;
      font: 13px/1.5 "DejaVu Sans Mono", Menlo, Consolas, monospace; color: #cdd6e0;
      white-space: pre-wrap; overflow-wrap: anywhere; background: #10141b }
.prompt { color: #7fd18b } .alert { color: #ffb454 }
</style><pre></pre>"""

_FILL = """lines => {
  const kind = line => line.startsWith('$ ') ? 'prompt' : line.startsWith('ALERT ') ? 'alert' : ''
  for (const line of lines) {
    const part = document.createElement('span')
    part.className = kind(line)
    part.textContent = line + '\\n'
    document.querySelector('pre').append(part)
  }
}"""


def draw(browser: Browser, lines: Sequence[str], file: Path) -> None:
    """Write the picture of these lines."""
    page = browser.new_page(viewport={"width": 1228, "height": 800})
    page.set_content(_PAGE)
    page.evaluate(_FILL, list(lines))
    page.locator("pre").screenshot(path=file)
    page.close()
