"""What an analyst sees when something is missing or broken, and that it heals without a reload."""

import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from playwright.sync_api import Page, expect

from local.native import object_store
from local.native.stack import Stack
from tests.browser.conftest import Serve
from tests.browser.payments import payment
from tests.browser.screen import eventually, figure, number, part, table
from tests.browser.visit import PATIENCE, Visitor
from tests.integration.lane import Lane, opened_lane

HEALS = 3 * PATIENCE


@pytest.fixture
def empty(stack: Stack, tmp_path: Path) -> Iterator[Lane]:
    """A lane in which nothing was ever written."""
    with opened_lane(stack, "empty", tmp_path) as lane:
        yield lane


@pytest.mark.timeout(240)
def test_an_empty_bucket_says_so_and_the_first_alert_appears_by_itself(
    visit: Visitor, serve: Serve, empty: Lane
) -> None:
    address = serve(empty.environment)
    page = visit(address).open("/alerts")
    stay(page)
    expect(part(page, "message-empty")).to_contain_text("No alerts yet: is the job running?")
    expect(part(page, "health-line")).to_contain_text("No signal")
    job = empty.start_job()
    empty.produce([(0, *payment("ann", "t-1", "Oslo", time.time_ns() // 1_000_000))])
    empty.wait_until_caught_up(job)
    expect(page.get_by_text("1 of 1 alerts")).to_be_visible(timeout=HEALS)
    expect(part(page, "health-line")).to_contain_text("Live")
    empty.produce([(0, *payment("bob", "t-2", "Rome", time.time_ns() // 1_000_000))])
    expect(page.get_by_text("2 of 2 alerts")).to_be_visible(timeout=HEALS)
    eventually(lambda: {row["User"] for row in table(page, "table")}, {"ann", "bob"})
    assert_stayed(page)


@pytest.mark.timeout(240)
def test_an_s3_server_that_stops_and_comes_back_is_a_message_and_then_none(
    visit: Visitor, stack: Stack, judged: Lane, dashboard: str
) -> None:
    page = visit(dashboard).open("/")
    stay(page)
    alerts = number(figure(page, "kpi-alerts"))
    stack.supervisor.stop("s3")
    try:
        message = part(page, "message-unreachable")
        expect(message).to_contain_text("cannot be reached", timeout=HEALS)
        expect(message).to_contain_text("What you see was read before")
        expect(message).to_contain_text(judged.settings.object_store.endpoint_url or "")
        assert number(figure(page, "kpi-alerts")) == alerts
        late = visit(dashboard).open("/health")
        expect(part(late, "message-unreachable")).to_be_visible()
        assert_no_secret(page, judged)
    finally:
        start_s3(stack)
    expect(message).to_have_count(0, timeout=HEALS)
    assert number(figure(page, "kpi-alerts")) == alerts
    assert_stayed(page)


def test_wrong_keys_are_told_without_showing_them(visit: Visitor, serve: Serve, judged: Lane) -> None:
    wrong = {"FRAUD_S3_SECRET_ACCESS_KEY": "not-the-secret-of-the-server"}
    address = serve(judged.environment | wrong)
    page = visit(address).open("/")
    message = part(page, "message-denied")
    expect(message).to_contain_text("refuses the dashboard's keys")
    expect(message).to_contain_text("FRAUD_S3_SECRET_ACCESS_KEY")
    assert wrong["FRAUD_S3_SECRET_ACCESS_KEY"] not in page.content()
    assert_no_secret(page, judged)


def test_a_setting_that_does_not_exist_is_named(visit: Visitor, serve: Serve, judged: Lane) -> None:
    address = serve(judged.environment | {"FRAUD_S3_BUKET": "x"})
    page = visit(address).open("/")
    expect(part(page, "message-settings")).to_contain_text("did you mean FRAUD_S3_BUCKET?")


def test_a_damaged_file_is_told_the_others_are_shown_and_it_is_read_once_it_is_whole(
    visit: Visitor, serve: Serve, judged: Lane
) -> None:
    store = judged.settings.object_store
    client = boto3.client("s3", **store.boto3())
    keys = [key for key in judged.object_keys() if key.startswith("alerts/")]
    prefix = "damaged/"
    contents = {
        key: client.get_object(Bucket=store.bucket, Key=store.prefix + key)["Body"].read() for key in keys
    }
    whole = contents[keys[0]]
    for key, content in (contents | {keys[0]: whole[: len(whole) // 2]}).items():
        client.put_object(Bucket=store.bucket, Key=prefix + key, Body=content)
    address = serve(judged.environment | {"FRAUD_S3_PREFIX": prefix})
    page = visit(address).open("/")
    stay(page)
    message = part(page, "message-unreadable")
    expect(message).to_contain_text("1 file could not be read")
    some = number(figure(page, "kpi-alerts"))
    assert some > 0
    client.put_object(Bucket=store.bucket, Key=prefix + keys[0], Body=whole)
    expect(message).to_have_count(0, timeout=HEALS)
    assert number(figure(page, "kpi-alerts")) > some
    assert_stayed(page)


def start_s3(stack: Stack) -> None:
    """Start the S3 server again, with its data."""
    keys = object_store.credentials(stack.state.s3)
    stack.supervisor.start(object_store.prepare(stack.state.s3, stack.ports.s3, keys, stack.environment))


def stay(page: Page) -> None:
    """Leave a trace in the page that a reload would wipe out."""
    page.evaluate("window.stayed = true")


def assert_stayed(page: Page) -> None:
    """The page was not reloaded since `stay`."""
    assert page.evaluate("window.stayed") is True


def assert_no_secret(page: Page, lane: Lane) -> None:
    """The secret key is nowhere in the page."""
    secret = lane.settings.object_store.secret_access_key
    assert secret is not None
    assert secret.get_secret_value() not in page.content()
