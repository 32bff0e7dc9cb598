"""Runs the scenarios asked for on one stack and reports: a table, and JSON."""

import os
import sys
from collections.abc import Sequence

from local.native.__main__ import CANNOT_START
from local.native.findings import UnreadableError
from local.native.stack import opened_stack
from local.native.state import clear, opened
from local.native.supervisor import GaveUpError, StoppedError
from scripts.bench.arguments import Arguments, parse_arguments
from scripts.bench.profile import ProfileError
from scripts.bench.report import as_json, as_text
from scripts.bench.results import Figures, TooFewError, figures
from scripts.bench.run import RestartedError, machine, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report. The exit code: 0 well, 1 failed, 2 could not start, 130 interrupted."""
    given = parse_arguments(arguments)
    os.environ["NO_PROXY"] = "*"  # everything is on this machine
    found: list[Figures] = []
    code = _measure(given, found)
    if found:
        about = machine()
        print(as_text(found, about))
        if given.json:
            given.json.write_text(as_json(found, about), encoding="utf-8")
    return code or int(any(each.problems for each in found))


def _measure(given: Arguments, found: list[Figures]) -> int:
    """Add the figures of each scenario; the exit code. What was measured before a failure is kept."""
    try:
        with opened_stack(given.state, given.ports, fresh=True) as stack:
            stack.start_servers()
            found.extend(figures(run(each, stack, given, _say)) for each in given.scenarios)
        with opened(given.state) as state:  # what it wrote is large; after a failure it stays, for the logs
            clear(state)
    except StoppedError:
        _say("stopped; nothing is left running")
        return 130
    except CANNOT_START as error:
        _say(f"error: {error}")
        return 2
    except (GaveUpError, UnreadableError, ProfileError, RestartedError, TooFewError) as error:
        _say(f"error: {error}")
        return 1
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
