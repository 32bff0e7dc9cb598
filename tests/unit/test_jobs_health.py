"""Whether the job is alive, by what it has written to the object store since its container was started."""

import time
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import EndpointConnectionError

from jobs import health
from jobs.detect.metrics import metrics_key
from tests.bucket import Bucket

NOW = 1_772_600_767_891
MINUTE = 60_000


class Away:
    """An S3 client of a server that is away."""

    def get_paginator(self, _: str) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


@pytest.fixture
def at_now(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The container was started an hour ago."""
    monkeypatch.setattr(health.time, "time_ns", lambda: NOW * 1_000_000)
    monkeypatch.setattr(health, "container_age", lambda: 60 * MINUTE)
    monkeypatch.setenv("FRAUD_S3_PREFIX", "own/")
    return monkeypatch


def written(ago: int) -> Bucket:
    """Metrics whose micro-batch began a second before they were written, so many milliseconds ago."""
    metrics, other = "own/" + metrics_key(NOW - ago - 1000), "own/transactions/_progress/x"
    bucket = Bucket({metrics: b"", other: b""})
    bucket.written_at = {metrics: NOW - ago, other: NOW}
    return bucket


@pytest.mark.parametrize(("seconds", "code"), [(0, 0), (59, 0), (119, 0), (121, 1), (3600, 1)])
def test_a_job_is_alive_when_it_wrote_metrics_in_the_last_two_minutes(
    at_now: pytest.MonkeyPatch, seconds: int, code: int
) -> None:
    at_now.setattr(health, "store_client", lambda _: written(seconds * 1000))
    assert health.main() == code


@pytest.mark.parametrize(("seconds", "code"), [(10, 0), (29, 0), (31, 1)])
def test_what_was_written_before_the_container_started_is_not_the_job_s(
    at_now: pytest.MonkeyPatch, seconds: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    at_now.setattr(health, "container_age", lambda: 30_000)
    at_now.setattr(health, "store_client", lambda _: written(seconds * 1000))
    assert health.main() == code
    assert ("no metrics for 30 s" in capsys.readouterr().err) == (code == 1)


@pytest.mark.skipif(not health.FIRST_PROCESS.exists(), reason="there is no /proc: containers run on Linux")
def test_a_container_is_as_old_as_its_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FIRST_PROCESS", Path("/proc/self/stat"))
    own = time.time() - psutil.Process().create_time()
    assert health.container_age() / 1000 == pytest.approx(own, abs=2)


def test_without_metrics_it_is_not_alive_and_says_so(
    at_now: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_now.setattr(health, "store_client", lambda _: Bucket())
    assert health.main() == 1
    assert "no metrics for 120 s" in capsys.readouterr().err


def test_an_object_store_that_is_away_is_told(
    at_now: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_now.setattr(health, "store_client", lambda _: Away())
    assert health.main() == 1
    assert "does not answer" in capsys.readouterr().err


def test_wrong_settings_are_told(at_now: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    at_now.setenv("FRAUD_S3_BUCKET", "-")
    assert health.main() == 1
    assert "FRAUD_S3_BUCKET" in capsys.readouterr().err
