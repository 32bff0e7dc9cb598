"""The archive's query: what is away delays it, anything else ends the job."""

from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from fraud.settings import Settings, SettingsError
from jobs.archive import query as query_module
from jobs.archive.batch import ArchiveSurroundings
from jobs.archive.query import ArchiveCheckpoint, ArchiveQuery
from jobs.archive.trouble import Trouble
from jobs.detect.errors import OUTAGE, JobError
from tests.unit.test_jobs_archive import error


@pytest.fixture
def spark() -> Any:
    return SimpleNamespace(sparkContext=SimpleNamespace(setLocalProperty=lambda *_: None))


def query_that_meets(
    errors: list[Exception], spark: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[ArchiveQuery, list[str]]:
    """The archive's thread, whose start met `errors`, one a try, and was asked to stop behind them; and what
    it said."""
    stopping, said, left = Event(), list[str](), list(errors)

    def open_one(*_: Any) -> None:
        if left:
            raise left.pop(0)
        stopping.set()
        raise JobError("the end", OUTAGE)

    monkeypatch.setattr(query_module, "open_archive", open_one)
    monkeypatch.setattr("jobs.archive.trouble.FIRST_PAUSE", 0.001)
    nothing: Any = None
    around = ArchiveSurroundings(
        Settings(), ("c", "t"), False, nothing, nothing, nothing, nothing, nothing, said.append
    )
    query = ArchiveQuery(spark, around, ArchiveCheckpoint(nothing, "/archive"), stopping)
    query.start()
    query._thread.join(10)
    return query, said


def test_what_is_away_only_delays_it(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    away = EndpointConnectionError(endpoint_url="http://s3")
    query, said = query_that_meets([away, away, away], spark, monkeypatch)
    query.finish()
    assert len(said) == 1
    assert said[0].startswith("archive: bucket fraud at S3 does not answer")
    assert said[0].endswith("trying again until it works")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (JobError("another job archives this topic"), "archive: another job archives"),
        (error("AccessDenied", 403), "archive: bucket fraud"),
        (SettingsError(["/archive is older"]), "/archive is older"),
        (ValueError("odd"), "archive: the query failed: ValueError: odd"),
    ],
    ids=str,
)
def test_anything_else_is_for_the_job_to_end_with(
    wrong: Exception, says: str, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, _ = query_that_meets([wrong], spark, monkeypatch)
    with pytest.raises((JobError, SettingsError), match=says):
        query.finish()


def test_a_micro_batch_that_does_not_end_in_time_is_cut_off_and_that_is_said(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, said, nothing = Event(), list[str](), cast("Any", None)
    monkeypatch.setattr(query_module, "open_archive", lambda *_: released.wait(30))
    monkeypatch.setattr(query_module, "_PATIENCE", 0.01)
    around = ArchiveSurroundings(
        Settings(), ("c", "t"), False, nothing, nothing, nothing, nothing, nothing, said.append
    )
    query = ArchiveQuery(spark, around, ArchiveCheckpoint(nothing, "/archive"), Event())
    query.start()
    query.finish()
    assert said == ["archive: a micro-batch is cut off; the next start writes it again"]
    query._stopping.set()
    released.set()
    query._thread.join(10)


def test_trouble_is_said_at_once_then_once_a_minute_and_when_it_is_over() -> None:
    now, said = [0.0], list[str]()
    trouble = Trouble(said.append, lambda: now[0])
    pauses = []
    for _ in range(40):
        pauses.append(trouble.failed("S3 does not answer"))
        now[0] += pauses[-1]
    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert max(pauses) == pauses[-1] == 10
    assert len(said) == 1 + int(now[0] // 60) or len(said) == int(now[0] // 60)
    trouble.is_over()
    trouble.is_over()
    assert said[0] == "S3 does not answer; trying again until it works"
    assert said[-1] == f"works again after {now[0]:.0f} s"
    assert trouble.failed("again") == 0.2
