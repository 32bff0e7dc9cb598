"""What a person sees: harmless strings, few lines, one line for an end."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.settings import Settings
from jobs.detect.console import SHOWN_ALERTS, Console, Summary, alert_line, printable, summary_line
from jobs.detect.errors import JobError
from jobs.detect.failures import explain

SUMMARY = Summary(
    batch_id=7,
    read=10,
    evaluated=7,
    duplicate=1,
    rejected={"late": 2},
    gaps=0,
    lost=0,
    alerts=1,
    duration=300,
    lag=0,
)

ALERT = {
    "transaction_timestamp": datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    "rule_id": "velocity",
    "user_id": "u\x1b[31m",
    "amount": Decimal("12.50"),
    "currency": "EUR",
    "location": "Pa\nris",
    "observed": Decimal("4.00"),
    "threshold": Decimal("3.00"),
}


@given(st.text())
def test_no_string_can_move_the_cursor(text: str) -> None:
    assert printable(text).isprintable()


def test_an_alert_is_one_line_with_what_was_observed() -> None:
    line = alert_line(ALERT)
    assert line.isprintable()
    assert "velocity" in line
    assert "12.50 EUR" in line
    assert line.endswith("4 > 3")


def test_a_batch_is_one_line_with_its_reasons() -> None:
    assert summary_line(SUMMARY) == (
        "batch 7: read 10, evaluated 7, duplicate 1, rejected 2 (late 2), alerts 1, 300 ms, lag 0"
    )


def test_several_batches_are_one_line_that_says_how_many() -> None:
    line = summary_line(SUMMARY + replace(SUMMARY, batch_id=8, rejected={"not_json": 1}, lag=None))
    assert line.startswith("batches to 8 (2): read 20,")
    assert "rejected 3 (late 2, not_json 1)" in line
    assert line.endswith("lag unknown")


class Clock:
    """Time that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_busy_stream_has_one_summary_a_second_and_loses_none() -> None:
    lines: list[str] = []
    clock = Clock()
    console = Console(lines.append, clock)
    for number in range(10):
        console.summarize(replace(SUMMARY, batch_id=number, newest=[ALERT] * 3))
        clock.now += 0.25
    console.show_waiting(now=True)
    summaries = [line for line in lines if line.startswith("batch")]
    assert len(summaries) == 4
    assert summaries[-1].startswith("batch 9:")
    assert sum(int(line.split("read ")[1].split(",")[0]) for line in summaries) == 100
    assert all(lines.count(line) <= SHOWN_ALERTS * len(summaries) for line in lines)


def test_a_quiet_stream_shows_nothing() -> None:
    lines: list[str] = []
    Console(lines.append, Clock()).show_waiting(now=True)
    assert lines == []


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), ValueError("I/O on closed file")])
def test_a_console_that_is_gone_does_not_end_a_micro_batch(error: Exception) -> None:
    def write(_: str) -> None:
        raise error

    console = Console(write, Clock())
    console.say("hello")
    console.summarize(replace(SUMMARY, newest=[ALERT]))


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("x\nfraud.memory.IncompatibleState: state has schema version 9\n", 2, "schema version 9"),
        ("a\nCaused by: org.apache.kafka.common.errors.TimeoutException: no brokers\n", 75, "no brokers"),
        ("Some data may have been lost ... failOnDataLoss", 1, "--accept-loss"),
        (
            'Traceback (most recent call last):\n  File "x"\nValueError: odd\n\tat java.lang.Thread',
            1,
            "ValueError: odd",
        ),
        ("SparkException: [CHECKPOINT_FILE_CHECKSUM_VERIFICATION_FAILED] ... 4.delta", 2, "--take-over"),
        (
            "a\nCaused by: java.io.IOException: No space left on device\n",
            1,
            "Make room where FRAUD_CHECKPOINT",
        ),
        ("z" * 5000, 1, "..."),
    ],
)
def test_the_end_of_the_job_is_one_line_with_the_cause(text: str, code: int, said: str) -> None:
    end = explain(RuntimeError(text), Settings())
    assert end.exit_code == code
    assert said in str(end)
    assert "\n" not in str(end)
    assert len(str(end)) < 600


def test_the_jobs_own_errors_stay_what_they_are() -> None:
    error = JobError("accounts", 1)
    assert explain(error, Settings()) is error
