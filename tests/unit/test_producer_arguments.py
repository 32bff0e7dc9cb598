"""The command line: what is accepted, what is refused and how, and what a state file lets pass."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from producer.arguments import parse_arguments
from producer.injections import Shares
from producer.runs import UsageError, plan
from producer.simulation import Simulation
from producer.state import StateError, write_state

NOW = 1_772_366_400_000
LATENESS = 600_000


def test_nothing_said_means_ordinary_traffic_from_now_on() -> None:
    run = plan(parse_arguments([]), NOW, LATENESS)
    assert isinstance(run.source, Simulation)
    identity = run.source.identity
    assert (identity["start"], identity["rate"], identity["users"]) == (NOW, None, 10_000)
    assert run.state.next == 0
    assert not run.bulk


def test_every_option_reaches_the_stream() -> None:
    words = "--seed 7 --start 2026-03-01T13:00:00+01:00 --rate 2500.5 --users 99 --iso --fraud-rate 0.1"
    words += " --malformed-rate 0.01 --duplicate-rate 0 --late-rate 0.003"
    source = plan(parse_arguments(words.split()), NOW + 5, LATENESS).source
    assert source.identity == {
        "seed": 7,
        "start": NOW,
        "rate": "5001/2",
        "users": 99,
        "iso": True,
        "late_by": 900_000,
        "shares": {"fraud": 0.1, "malformed": 0.01, "duplicate": 0.0, "late": 0.003},
    }


@pytest.mark.parametrize("rate", ["max", "0"])
def test_the_highest_rate_is_bulk_and_has_people_enough(rate: str) -> None:
    run = plan(parse_arguments(["--rate", rate]), NOW, LATENESS)
    assert run.bulk
    assert run.source.identity["rate"] == "100000"
    assert run.source.identity["users"] == 6_000_000


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--rate fast", "'fast' is not a number"),
        ("--rate -5", "'-5' is not a number"),
        ("--rate 100001", "not max or a number from 0.01 to 100,000"),
        ("--rate 1/3", "is not a number"),
        ("--rate 0.001", "not max or a number from 0.01"),
        ("--duration 1e999999999", "is not a number"),
        ("--speed nan", "is not a number"),
        ("--count 0", "not a whole number above 0"),
        ("--count 1.5", "not a whole number above 0"),
        ("--duration 0", "not a number of seconds above 0"),
        ("--speed 0", "not max or a number above 0"),
        ("--seed -1", "not a whole number from 0"),
        ("--seed 9223372036854775808", "not a whole number from 0"),
        ("--start yesterday", "not an ISO 8601 time"),
        ("--start 2026-03-01T12:00:00", "has no offset"),
        ("--start 1999-01-01T00:00:00Z", "not between 2000 and 2100"),
        ("--fraud-rate 1", "not a share"),
        ("--fraud-rate 0.5 --duplicate-rate 0.3", "the rates leave"),
        ("--users 0", "not a whole number above 0"),
        ("--from x.csv --rate 5 --fraud-rate 0.1", "--rate, --fraud-rate shapes the simulation"),
        ("--from - --state s.json", "--state cannot go on in the middle"),
        ("--dur 5", "unrecognized arguments"),
    ],
)
def test_a_mistake_is_explained_with_exit_code_2(
    words: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        parse_arguments(words.replace("--rate -5", "--rate=-5").split())
    assert ending.value.code == 2
    assert problem in capsys.readouterr().err


def test_another_speed_needs_to_know_where_event_time_begins() -> None:
    with pytest.raises(UsageError, match="--start"):
        plan(parse_arguments(["--speed", "max"]), NOW, LATENESS)
    words = ["--speed", "max", "--start", "2026-03-01T12:00:00Z"]
    assert plan(parse_arguments(words), NOW, LATENESS).bulk


def test_a_state_file_gives_the_options_and_the_number_to_go_on_from(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    words = ["--state", str(path)]
    first = plan(
        parse_arguments([*words, "--seed", "7", "--rate", "1.5", "--late-rate", "0.1"]), NOW, LATENESS
    )
    write_state(path, first.state)
    for same in ([], ["--seed", "7"], ["--rate", "1.50"], ["--late-rate", "0.1"]):
        again = plan(parse_arguments(words + same), NOW + 60_000, LATENESS)
        assert again.source.identity == first.source.identity
        assert again.state == first.state
    for other in (["--seed", "8"], ["--iso"], ["--late-rate", "0.2"], ["--start", "2026-01-01T00:00:00Z"]):
        with pytest.raises(UsageError, match=f"{other[0]} is another than that of the run"):
            plan(parse_arguments(words + other), NOW, LATENESS)


def test_a_restart_is_behind_by_the_time_it_was_away(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    words = ["--state", str(path), "--start", "2020-01-01T00:00:00Z"]
    first = plan(parse_arguments(words), NOW, LATENESS)
    write_state(path, first.state)
    start = int(str(first.source.identity["start"]))
    again = plan(parse_arguments(words), NOW + 5_000, LATENESS)
    assert first.pace.ready([start, start + 4_000], 0) == 1
    assert again.pace.ready([start, start + 4_000], 0) == 2


def test_a_state_file_of_another_source_is_refused(tmp_path: Path) -> None:
    path, lines = tmp_path / "state.json", tmp_path / "lines.jsonl"
    lines.write_text('{"user_id":"u"}\n')
    replay = parse_arguments(["--from", str(lines), "--state", str(path)])
    write_state(path, plan(replay, NOW, LATENESS).state)
    assert plan(replay, NOW, LATENESS).state.next == 0
    with pytest.raises(StateError, match="not to a simulation"):
        plan(parse_arguments(["--state", str(path)]), NOW, LATENESS)
    lines.write_text('{"user_id":"u"}\n{"user_id":"v"}\n')
    with pytest.raises(StateError, match="as it is now"):
        plan(replay, NOW, LATENESS)


def test_late_records_are_later_than_what_is_allowed() -> None:
    assert plan(parse_arguments([]), NOW, 3_600_000).source.identity["late_by"] == 3_900_000


def test_shares_leave_most_payments_ordinary_by_default() -> None:
    assert Shares().replaced() < 0.05
    assert parse_arguments(["--rate", "5"]).stream == {"rate": Fraction(5)}


def start(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FRAUD_")}
    return subprocess.run(
        [sys.executable, "-m", "producer", "--no-log", *words],
        env=inherited | variables,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_missing_file_and_a_wrong_setting_end_with_exit_code_2() -> None:
    missing = start("--from", "nowhere.csv")
    assert missing.returncode == 2
    assert missing.stderr == "error: nowhere.csv cannot be read: No such file or directory\n"
    wrong = start(FRAUD_KAFKA_BOOTSTRAP_SERVERS="nowhere")
    assert wrong.returncode == 2
    assert "FRAUD_KAFKA_BOOTSTRAP_SERVERS is 'nowhere'" in wrong.stderr
