"""One stack, one Chromium and one set of judged payments for all browser tests; a fresh page for each."""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext

from local.native.stack import Stack, opened_stack
from scripts.chromium import find_chromium, opened_chromium
from tests.browser.parquet import Parquet
from tests.browser.payments import sent
from tests.browser.served import served
from tests.browser.visit import Visitor, opened_context, visitor
from tests.integration.lane import ROOT, Lane, free_ports, opened_lane

Serve = Callable[[Mapping[str, str]], str]
"""`serve(environment)`: the address of a dashboard of the test's own."""

SCREENSHOTS = ROOT / ".state" / "browser"
"""Where a failing test leaves what its page showed."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with opened_stack(tmp_path_factory.mktemp("native") / "state", free_ports(22_000, 23_000)) as stack:
        stack.start_servers()
        yield stack


@pytest.fixture(scope="session")
def judged(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """A lane whose payments the job has judged, in several micro-batches; the job has ended."""
    with opened_lane(stack, "judged", tmp_path_factory.mktemp("judged")) as lane:
        lane.produce(sent(time.time_ns() // 1_000_000))
        job = lane.start_job(FRAUD_MAX_OFFSETS_PER_TRIGGER="1500")
        lane.wait_until_caught_up(job)
        assert job.end(signal.SIGTERM) == 0, job.text()
        yield lane


@pytest.fixture(scope="session")
def parquet(judged: Lane) -> Parquet:
    """The files that the job wrote, to be asked what the pages must show."""
    return Parquet(judged.bucket())


@pytest.fixture(scope="session")
def dashboard(stack: Stack, judged: Lane) -> Iterator[str]:
    """The address of the dashboard over what was judged."""
    with served(stack, judged.environment) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    with opened_chromium(find_chromium(os.environ)) as browser:
        yield browser


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Most visits share what a browser keeps, so that the app is loaded once."""
    with opened_context(browser) as context:
        yield context


@pytest.fixture
def serve(stack: Stack) -> Iterator[Serve]:
    """`serve(environment)`: the address of a dashboard of the test's own."""
    with ExitStack() as running:
        yield lambda environment: running.enter_context(served(stack, environment))


@pytest.fixture
def visit(browser: Browser, context: BrowserContext, serve: Serve) -> Iterator[Visitor]:  # noqa: ARG001  # ends after the visits
    """`visit(address, **options)` begins a visit; at the end each must have behaved."""
    with visitor(browser, context) as visit:
        yield visit


@pytest.fixture(scope="module")
def lasting_visit(browser: Browser, context: BrowserContext) -> Iterator[Visitor]:
    """The same for a page that all tests of a module look at, and none changes."""
    with visitor(browser, context) as visit:
        yield visit


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Save what the page of a failing test showed, and say where."""
    report = yield
    if report.when == "call" and report.failed:
        fixtures = getattr(item, "funcargs", {}).values()
        begun = [visit for each in fixtures if isinstance(each, Visitor) for visit in each.begun]
        for number, each in enumerate(begun):
            name = re.sub("[^a-z0-9]+", "-", item.name.lower()).strip("-")
            file = SCREENSHOTS / f"{name}-{number}.png"
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            each.page.screenshot(path=file, full_page=True)
            report.sections.append(("screenshot", str(file.relative_to(ROOT))))
            report.sections.append(("troubles", "\n".join(each.troubles)))
    return report
