"""Runs what was asked for on one stack and reports: tables, and JSON."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from local.native.__main__ import CANNOT_START
from local.native.findings import UnreadableError
from local.native.stack import Stack, opened_stack
from local.native.state import clear, opened
from local.native.supervisor import GaveUpError, StoppedError
from scripts.bench.arguments import Arguments, parse_arguments
from scripts.bench.contest.day import day
from scripts.bench.contest.day import estimate as minutes_of_a_day
from scripts.bench.contest.environments import NoEnvironmentError
from scripts.bench.contest.load import Load
from scripts.bench.contest.scaling import estimate as minutes_of_scaling
from scripts.bench.contest.scaling import scale
from scripts.bench.contest.standings import Contest, hold
from scripts.bench.document import write
from scripts.bench.profile import ProfileError
from scripts.bench.report import everything
from scripts.bench.results import TooFewError, figures
from scripts.bench.run import RestartedError, machine, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report. The exit code: 0 well, 1 failed, 2 could not start, 130 interrupted."""
    given = parse_arguments(arguments)
    os.environ["NO_PROXY"] = "*"  # everything is on this machine
    found: dict[str, Any] = {}
    code = _measure(given, found)
    if not all(found.get(part, True) for part in ("figures", "contestants")):
        found = {part: measured for part, measured in found.items() if measured and part != "load"}
    if found:
        about = machine()
        print(everything(found, about))
        if given.json:
            write(given.json, about, found)
    return code or int(
        any(_problems(each) for part in ("figures", "contestants") for each in found.get(part, ()))
    )


def _problems(each: Mapping[str, Any]) -> list[str]:
    problems: list[str] = each["problems"]
    return problems


def _measure(given: Arguments, found: dict[str, Any]) -> int:
    """Add what was measured, by part; the exit code. What was measured before a failure is kept."""
    try:
        with opened_stack(given.state, given.ports, fresh=True) as stack:
            stack.start_servers()
            _measure_on(stack, given, found)
        with opened(given.state) as state:  # what it wrote is large; after a failure it stays, for the logs
            clear(state)
    except StoppedError:
        _say("stopped; nothing is left running")
        return 130
    except (*CANNOT_START, NoEnvironmentError) as error:
        _say(f"error: {error}")
        return 2
    except (GaveUpError, UnreadableError, ProfileError, RestartedError, TooFewError) as error:
        _say(f"error: {error}")
        return 1
    return 0


def _measure_on(stack: Stack, given: Arguments, found: dict[str, Any]) -> None:
    if given.scenarios:
        found["figures"] = []
        found["figures"].extend(figures(run(each, stack, given, _say)).as_dict() for each in given.scenarios)
    base = Load(given.events, given.users)
    if given.peers:
        contest = Contest(given.peers, base, given.runs, given.rates, given.seconds, given.crash)
        _say(f"contest: about {contest.minutes()} minutes on an idle machine of 2 cores")
        found["load"] = vars(base)
        found["contestants"] = []
        found["contestants"].extend(hold(stack, contest, _say))
    if given.scaling:
        minutes = minutes_of_scaling(base, given.scaling, given.runs)
        _say(f"scaling: about {minutes} minutes on an idle machine of 2 cores")
        found["scaling"] = scale(stack, base, given.scaling, given.runs, _say)
    if given.hours:
        _say(f"a day: about {minutes_of_a_day(given.hours)} minutes on an idle machine of 2 cores")
        found["day"] = day(stack, given.hours, _say)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
