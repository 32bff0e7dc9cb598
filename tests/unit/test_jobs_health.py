"""Whether the job is alive, by what it has written to the object store."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from jobs import health
from jobs.detect.metrics import metrics_key
from tests.bucket import Bucket

NOW = 1_772_600_767_891
MINUTE = 60_000


class Away:
    """An S3 client of a server that is away."""

    def list_objects_v2(self, **_: Any) -> dict[str, int]:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


@pytest.fixture
def at_now(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(health.time, "time_ns", lambda: NOW * 1_000_000)
    monkeypatch.setenv("FRAUD_S3_PREFIX", "own/")
    return monkeypatch


@pytest.mark.parametrize(("minutes", "code"), [(0, 0), (2, 0), (3, 1), (60, 1)])
def test_a_job_is_alive_when_it_wrote_metrics_in_the_last_two_minutes(
    at_now: pytest.MonkeyPatch, minutes: int, code: int
) -> None:
    key = "own/" + metrics_key(NOW - minutes * MINUTE)
    at_now.setattr(
        health, "store_client", lambda _: Bucket({key: b"", "own/transactions/_progress/x.json": b""})
    )
    assert health.main() == code


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
