"""How scripts/test.sh counts, and what it does with a group that takes too long."""

import sys
import time

import pytest

from scripts import check

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no">trace</failure></testcase>
<testcase classname="a" name="broken"><error message="fixture">trace</error></testcase>
<testcase classname="b" name="absent"><skipped message="needs Docker: install it"/></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted_and_what_was_skipped_says_why() -> None:
    outcome = check.read_report(REPORT)
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 2, 1)
    assert outcome.failures == ["a::bad", "a::broken"]
    assert outcome.reasons == ["b::absent: needs Docker: install it"]


def run_steps(monkeypatch: pytest.MonkeyPatch, *codes: str, counted: bool = False) -> check.Outcome:
    commands = [("tests" if counted else f"step {n}", [sys.executable, "-c", c]) for n, c in enumerate(codes)]
    monkeypatch.setattr(check, "steps", lambda _: commands)
    return check.run_group("quick")


def test_a_lint_step_counts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run_steps(monkeypatch, "pass", "raise SystemExit(1)", "pass")
    assert (outcome.passed, outcome.failed) == (2, 1)
    assert outcome.failures == ["quick: step 1"]


def test_a_group_that_takes_too_long_is_ended_and_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(check.SECONDS, "quick", 1)
    began = time.monotonic()
    outcome = run_steps(monkeypatch, "import time; time.sleep(300)")
    assert outcome.failed == 1
    assert "longer than its group may" in outcome.failures[0]
    assert time.monotonic() - began < 60


def test_a_test_run_without_any_test_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run_steps(monkeypatch, "raise SystemExit(5)", counted=True)
    assert (outcome.passed, outcome.failed) == (0, 1)


def test_the_last_line_counts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(check, "run_group", lambda _: check.read_report(REPORT))
    assert check.main(["quick", "integration"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 4 failed, 2 skipped"


def test_a_group_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(["slow"]) == 2
    assert "there is no group slow; there is quick, integration, faults, browser, " in capsys.readouterr().err


@pytest.mark.parametrize("group", ["terraform", "compose"])
def test_all_of_a_group_has_its_own_time(monkeypatch: pytest.MonkeyPatch, group: str) -> None:
    ran: list[str] = []
    monkeypatch.setattr(check, "run_group", lambda group: ran.append(group) or check.Outcome(passed=1))
    assert check.main(["quick", group, "--all"]) == 0
    assert ran == ["quick", f"{group} --all"]
    assert check.SECONDS[f"{group} --all"] > check.SECONDS[group]
    ((_, command),) = check.steps(f"{group} --all")
    assert f"tests/{group} --all" in " ".join(command)


def test_a_group_that_cannot_run_is_counted_as_skipped_and_the_reason_is_among_the_last_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(check, "run_group", lambda group: ran.append(group) or check.Outcome(passed=3))
    assert check.main(["quick", "--skip=browser:there is no Chromium: apt-get failed"]) == 0
    assert ran == ["quick"]
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "skipped, with the reason:",
        "  browser: there is no Chromium: apt-get failed",
        "3 passed, 0 failed, 1 skipped",
    ]


@pytest.mark.parametrize("word", ["--skip=browser", "--skip=browser: ", "--skip=", "--skip=slow:because"])
def test_a_group_is_not_left_out_without_its_name_and_a_reason(word: str) -> None:
    assert check.main(["quick", word]) == 2
