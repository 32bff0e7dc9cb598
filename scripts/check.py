"""Runs the groups of checks for scripts/test.sh, each under its time-out, and counts what came of them."""

import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.native.process import kill_all_of

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SECONDS = {
    "quick": 180,
    "integration": 480,
    "faults": 480,
    "browser": 300,
    "terraform": 360,
    "terraform --all": 5400,
    "compose": 720,
    "compose --all": 1800,
}
"""The groups in the order in which they run, and how long each may take."""

_AT_ONCE = {
    "quick": ["-n", "2"],
    "integration": ["-n", "2", "--dist", "loadfile"],  # what one file's tests share is made once
    "faults": ["-n", "3", "--maxschedchunk", "1"],  # drills wait more than they compute
    "terraform": ["-n", "4", "--no-loadscope-reorder"],  # so do stacks in a simulated AWS
}
_SKIP = "--skip="
_ALL = "--all"


@dataclass
class Outcome:
    """Counts of one step or of all; reasons of what failed and what was skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Count `other` in."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        self.reasons += other.reasons


def steps(group: str) -> list[tuple[str, list[str]]]:
    """Name and command of each step of a group; a step named `tests` is counted test by test."""
    name, *options = group.split()
    folder = "unit" if group == "quick" else name
    tests = [str(BIN / "pytest"), "-q", f"tests/{folder}", *options]
    tests += _AT_ONCE.get(name, [])
    if group != "quick":
        return [("tests", tests)]
    shell = [
        str(path.relative_to(ROOT))
        for path in [
            *sorted((ROOT / "scripts").glob("*.sh")),
            ROOT / ".ci" / "run",
            *sorted((ROOT / ".ci").rglob("*.sh")),
            ROOT / ".ci" / "standins" / "kafka" / "run",
        ]
    ]
    dockerfiles = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("*/Dockerfile"))]
    return [
        ("lint", [str(BIN / "ruff"), "check", "."]),
        ("format", [str(BIN / "ruff"), "format", "--check", "."]),
        ("types", [str(BIN / "mypy")]),
        ("shell scripts", [str(BIN / "shellcheck"), "-x", *shell]),
        ("Dockerfiles", [str(BIN / "hadolint"), *dockerfiles]),
        ("tests", tests),
    ]


def run_group(group: str) -> Outcome:
    """Run one group; what its time-out cuts off counts as failed."""
    total = Outcome()
    deadline = time.monotonic() + SECONDS[group]
    for name, command in steps(group):
        print(f"--- {group}: {name}", flush=True)
        total.add(
            _run_step(f"{group}: {name}", command, deadline - time.monotonic(), counted=name == "tests")
        )
    return total


def _run_step(name: str, command: list[str], seconds: float, *, counted: bool) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        extra = [f"--junitxml={report}", "-o", "junit_family=xunit2"] if counted else []
        child = subprocess.Popen(
            [*command, *extra], cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            code = child.wait(timeout=max(seconds, 1))
        except subprocess.TimeoutExpired:
            return Outcome(failed=1, failures=[f"{name}: took longer than its group may; ended"])
        finally:
            kill_all_of(child.pid)  # whatever tests left behind, too
            child.wait()
        if not counted:
            return Outcome(passed=1) if code == 0 else Outcome(failed=1, failures=[name])
        outcome = read_report(report.read_text("utf-8")) if report.exists() else Outcome()
    if code != 0 and not outcome.failed:  # no test at all, or pytest itself broke
        outcome.add(Outcome(failed=1, failures=[f"{name}: pytest ended with exit code {code}"]))
    return outcome


def read_report(xml: str) -> Outcome:
    """Count a JUnit report of pytest."""
    outcome = Outcome()
    for case in ET.fromstring(xml).iter("testcase"):  # noqa: S314  # pytest has just written it
        name = f"{case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
            outcome.failures.append(name)
        elif skipped is not None:
            outcome.skipped += 1
            outcome.reasons.append(f"{name}: {skipped.get('message')}")
        else:
            outcome.passed += 1
    return outcome


def main(arguments: Sequence[str]) -> int:
    """Run the groups named (default: quick, integration). The exit code: 0 when nothing failed.

    `--skip=GROUP:REASON` counts a group as skipped instead; `--all` takes all of the groups that have more.
    """
    if _ALL in arguments:
        arguments = [
            f"{word} {_ALL}" if f"{word} {_ALL}" in SECONDS else word for word in arguments if word != _ALL
        ]
    wished = [word for word in arguments if not word.startswith(_SKIP)]
    left_out = dict(
        word.removeprefix(_SKIP).split(":", 1) for word in arguments if re.match(rf"{_SKIP}\w+:.*\S", word)
    )
    if len(wished) + len(left_out) != len(arguments):
        print(f"error: {_SKIP}GROUP:REASON names a group, once, and says why it is left out", file=sys.stderr)
        return 2
    unknown = [group for group in [*wished, *left_out] if group not in SECONDS]
    if unknown:
        groups = ", ".join(group for group in SECONDS if _ALL not in group)
        print(f"error: there is no group {', '.join(unknown)}; there is {groups}", file=sys.stderr)
        return 2
    wished = wished or ["quick", "integration"]
    total = Outcome()
    for group in (group for group in SECONDS if group in wished):
        print(f"=== {group}: at most {SECONDS[group] // 60} min", flush=True)
        since = time.monotonic()
        total.add(run_group(group))
        print(f"=== {group}: {time.monotonic() - since:.0f} s", flush=True)
    for group, reason in left_out.items():
        total.add(Outcome(skipped=1, reasons=[f"{group}: {reason.strip()}"]))
    for title, lines in (("failed", total.failures), ("skipped, with the reason", total.reasons)):
        if lines:
            print("\n".join([f"{title}:", *(f"  {line}" for line in lines)]))
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
