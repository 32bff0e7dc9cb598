"""A visit: one page in Chromium that notes whatever no page of the dashboard may do."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    WebSocket,
    expect,
)

PATIENCE = 20_000
"""Milliseconds: generous, so that a slow machine fails nothing."""

expect.set_options(timeout=PATIENCE)


class Visit:
    """`page` at the dashboard's `address`; `troubles` is what must not happen, one line each."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.troubles: list[str] = []
        self.requests: list[str] = []
        page.on("request", self._asks)
        page.on("websocket", self._connects)
        page.on("dialog", self._dialog)
        page.on("console", self._says)
        page.on("pageerror", lambda error: self._note(True, f"uncaught: {error}"))
        page.on("popup", lambda popup: self._note(True, f"popup: {popup.url}"))

    def open(self, path: str = "/") -> Page:
        """Go to a page of the dashboard and wait until it is drawn."""
        self.page.goto(self.address + path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the app has done what was asked of it."""
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)

    def check(self) -> None:
        """Fail for what no page may do, whatever the test is about."""
        assert self.page.get_by_test_id("stException").count() == 0, "the app failed; its log says why"
        assert self.page.evaluate("window.pwned") is None, "text from a payment was run as a script"
        assert self.troubles == []

    def _asks(self, request: Request) -> None:
        self._visits(request.url)

    def _connects(self, socket: WebSocket) -> None:
        self._visits(socket.url)

    def _visits(self, url: str) -> None:
        self.requests.append(url)
        parts = urlsplit(url)
        inside = parts.scheme in ("data", "blob") or parts.netloc == urlsplit(self.address).netloc
        self._note(not inside, f"request to another host: {url}")

    def _says(self, message: ConsoleMessage) -> None:
        # Below a page's own path Streamlit first looks for its server there, and then where it is.
        probe = re.search(r"/\w+/_stcore/(health|host-config)$", message.location["url"])
        self._note(message.type == "error" and not probe, f"console: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, wrong: bool, trouble: str) -> None:
        if wrong:
            self.troubles.append(trouble)


@contextmanager
def opened_context(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A browser that has never been here; `options` as for Browser.new_context."""
    # High enough for a whole page: what is out of sight is not drawn.
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 2600}, **options})
    context.set_default_timeout(PATIENCE)
    try:
        yield context
    finally:
        context.close()


class Visitor:
    """Begins visits, each in a page of its own, and remembers them."""

    def __init__(self, browser: Browser, context: BrowserContext, stack: ExitStack) -> None:
        self.begun: list[Visit] = []
        self._browser, self._context, self._stack = browser, context, stack

    def __call__(self, address: str, **options: Any) -> Visit:
        """A visit to the dashboard there; with `options` by a browser that has never been here."""
        context = self._context
        if options:
            context = self._stack.enter_context(opened_context(self._browser, **options))
        page = context.new_page()
        self._stack.callback(page.close)
        self.begun.append(Visit(page, address))
        return self.begun[-1]


@contextmanager
def visitor(browser: Browser, context: BrowserContext) -> Iterator[Visitor]:
    """A visitor all of whose visits must have behaved in the end."""
    with ExitStack() as stack:
        visitor = Visitor(browser, context, stack)
        yield visitor
        for visit in visitor.begun:
            visit.check()
